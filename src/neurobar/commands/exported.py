"""An exported model on disk: found whole, or refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neurobar.commands.model_settings import find_fault
from neurobar.export.export_model import APPLIED, FETCHED, FORMAT
from neurobar.provenance import code_digest

#: A line of `SHA256SUMS`.
LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True)
class Exported:
    """A folder that `export_model` wrote.

    Attributes
    ----------
    folder : pathlib.Path
    config : dict
        Its `config.json`.
    """

    folder: Path
    config: dict[str, Any]

    @property
    def members(self) -> list[tuple[int, int]]:
        """Fold and seed of each model."""
        return [(fold, seed) for fold in self.config["folds"] for seed in self.config["seeds"]]

    @property
    def fetched(self) -> Path:
        """Folder of template and atlas."""
        return self.folder / "fetch"

    @property
    def is_of_this_code(self) -> bool:
        """True where the code here treats a scan as that of the study did."""
        return self.config["code"] == code_digest(*APPLIED)

    def classifier(self, fold: int, seed: int) -> Path:
        """Return the weights of one model."""
        return self.folder / f"fold-{fold}_seed-{seed}" / "classifier.safetensors"

    def landmarks(self, fold: int) -> Path:
        """Return the intensity landmarks of one fold."""
        return self.folder / f"fold-{fold}" / "landmarks.json"

    def healthy(self, fold: int) -> Path:
        """Return the mean healthy scan of one fold."""
        return self.folder / f"fold-{fold}" / "healthy.safetensors"

    def scores(self) -> pd.DataFrame:
        """Read the scores on the test set, as `join_scores` has them."""
        return pd.read_csv(self.folder / "scores.tsv", sep="\t")

    def files(self) -> list[Path]:
        """List what is read of the folder."""
        read = [self.classifier(*member) for member in self.members]
        read += [path for fold in self.config["folds"] for path in (self.landmarks(fold), self.healthy(fold))]
        return [*read, *(self.fetched / name for name in FETCHED), self.folder / "scores.tsv"]


def open_exported(folder: str | Path) -> Exported:
    """Open an exported model and make sure that all that will be read of it is as it was written.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Exported

    Raises
    ------
    ValueError
        One sentence that names the file, if the folder is no exported model, is of another layout, its settings are
        none that an export writes, or a file is missing or changed.
    """
    folder = Path(folder)
    if not (folder / "SHA256SUMS").is_file():
        raise ValueError(f"{folder} is no exported model: there is no SHA256SUMS in it; see `neurobar export`.")
    sums = read_checksums(folder / "SHA256SUMS")
    check_file(folder, folder / "config.json", sums)
    config = _read_config(folder / "config.json")
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ValueError(f"{folder}/config.json is not of format {FORMAT}; this neurobar reads no other.")
    if fault := find_fault(config):
        raise ValueError(f"{folder}/config.json is not what an export writes: {fault}.")
    exported = Exported(folder.absolute(), config)
    for path in exported.files():
        check_file(exported.folder, path, sums)
    return exported


def _read_config(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def read_checksums(path: Path) -> dict[str, str]:
    """Read what `sha256sum` wrote.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict of str to str
        The SHA-256 of each file, by its path from the folder.

    Raises
    ------
    ValueError
        If a line is none of a checksum.
    """
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise ValueError(f"{path}, line {found.index(None) + 1} is no checksum and file name.")
    return {match[2].removeprefix("./"): match[1] for match in found}


def check_file(folder: Path, path: Path, sums: dict[str, str]) -> None:
    """Refuse a file that is missing or not as it was written.

    Parameters
    ----------
    folder, path : pathlib.Path
    sums : dict of str to str
        From `read_checksums`.

    Raises
    ------
    ValueError
        One sentence that names it.
    """
    name = path.relative_to(folder).as_posix()
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file, so the exported model is not whole.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != sums.get(name):
        raise ValueError(f"{path} is not the file that was exported: its SHA-256 is not the one in SHA256SUMS.")
