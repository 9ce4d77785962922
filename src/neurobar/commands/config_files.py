"""Settings in files: they are read, and nothing in them is run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

#: Snakemake runs the Python that stands in a YAML file with this key.
TEMPLATED = "__use_yte__"


def refuse_programs(paths: Iterable[str | Path]) -> None:
    """Refuse files of settings that Snakemake would take for a program.

    Parameters
    ----------
    paths : iterable of path
        YAML or JSON. What is no file, or neither, is left to Snakemake, which says so.

    Raises
    ------
    ValueError
        One sentence that names the file.
    """
    for path in map(Path, paths):
        if not path.is_file():
            continue
        try:
            settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.constructor.ConstructorError as error:
            raise ValueError(f"{path} is not plain YAML: {error.problem}.") from None
        except yaml.YAMLError:
            continue
        if isinstance(settings, dict) and TEMPLATED in settings:
            raise ValueError(f"{path}: {TEMPLATED} would run code that stands in it; settings are plain YAML.")
