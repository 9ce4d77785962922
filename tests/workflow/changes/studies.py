"""Studies that are finished, as far as Snakemake can tell, and changes to them that are taken back."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

WRITTEN = re.compile(r"^    (?:output|log|benchmark): (.+)$", re.MULTILINE)
#: Files that a run removes as soon as nothing needs them.
TEMPORARY = ("deformation.nii.gz", "t1w_stripped.nii.gz", "t1w_n4.nii.gz")
EXTERNAL = {"clinic": {"scans": "clinic.tsv", "study": "a clinic", "label": "dx"}}
#: For each table its rows, by the tasks that they show.
TABLES = {
    "mixing": ["contrastive", "cutmix", "bar_recon"],
    "plain": ["age_sex", "regional_volumes", "scratch"],
    "clinic": ["bar_recon", "bar_recon_clinic"],
}
CONTROL = "permuted"
WANTED = {
    "sheet": ["all", "results/export/bar_recon", CONTROL],
    "simulated": ["all"],
    "supplied": ["preprocess"],
}


def table_of(tasks: list[str]) -> dict[str, Any]:
    """Return a table of the config with a row for each of some tasks."""
    return {"caption": "Compared", "rows": [{"framework": "Any", "method": task, "task": task} for task in tasks]}


def write_sheet(folder: Path, name: str, scans: str, label: str) -> None:
    """Write a sheet of scans of one letter, each of a subject of its own; images and masks hold their own names."""
    rows = [
        {"scan": scan, "subject": f"sub-{scan}", "path": f"{scan}.nii.gz", "mask": f"{scan}_mask.nii.gz"}
        | {label: ("CN", "AD")[place % 2], "age": 70 + place, "sex": "FM"[place % 2], "site": "north", "prepared": ""}
        for place, scan in enumerate(scans)
    ]
    for row in rows:
        for image in (row["path"], row["mask"]):
            (folder / image).write_text(image)
    pd.DataFrame(rows).to_csv(folder / name, sep="\t", index=False)


def settings_of(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a study: of a sheet and a clinic, of simulated scans, or of scans with masks."""
    config = copy.deepcopy(config)
    config["split"]["folds"] = 2
    config["tables"], config["controls"] = {"mixing": table_of(TABLES["mixing"])}, {}
    if kind == "simulated":
        config["simulate"]["subjects"] = 4
        config["tables"] = {"plain": table_of(["scratch"])}
        config["explain"]["tasks"] = ["scratch"]
        return config
    config["cohort"]["scans"] = "own.tsv"
    if kind == "supplied":
        config["preprocess"]["skull_strip"] = "supplied"
        config["template"]["head"] = "head.nii.gz"
        return config
    config["external"], config["applied"] = EXTERNAL, {"bar_recon_clinic": {"task": "bar_recon", "cohort": "clinic"}}
    config["atlas"] = {"image": "atlas.nii.gz", "labels": "atlas.txt"}
    config["tables"] = {name: table_of(tasks) for name, tasks in TABLES.items()}
    config["controls"] = {CONTROL: table_of(["regional_volumes_permuted"])}
    return config


@dataclass
class Study:
    """A copy of the code, and a working folder in which everything is there.

    Attributes
    ----------
    root : pathlib.Path
        Holds the Snakefile and the config.
    kind : str
        `sheet`, `simulated` or `supplied`.
    config : dict
        Settings as they are without a change.
    """

    root: Path
    kind: str
    config: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Folder in which the workflow works."""
        return self.root / "run"


def pretend(calls, wanted: list[str]) -> None:
    """Let a workflow believe that it has made what is wanted; every file holds its own name."""
    said = calls.run(*wanted, "--dry-run")
    assert said.returncode == 0, said.stdout + said.stderr
    for name in (name for line in WRITTEN.findall(said.stdout) for name in line.split(", ")):
        path = calls.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.write_text(name)
        else:
            path.mkdir(exist_ok=True)
    done = calls.run(*wanted, "--touch", "--forceall")
    assert done.returncode == 0, done.stdout + done.stderr
    for path in calls.folder.glob("results/preprocess/*/*"):
        if path.name in TEMPORARY:
            path.unlink()


def finish_study(kind: str, root: Path, copy_root: Path, workflow_class) -> Study:
    """Copy the code, and let the workflow believe that it has finished a study of some kind."""
    for name in ("src", "workflow", "envs", "profiles"):
        shutil.copytree(root / name, copy_root / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(root / "Snakefile", copy_root)
    study = Study(copy_root, kind, settings_of(kind, yaml.safe_load((root / "config.yaml").read_text())))
    (copy_root / "config.yaml").write_text(yaml.safe_dump(study.config, sort_keys=False))
    study.folder.mkdir()
    for name in ("atlas.nii.gz", "atlas.txt", "head.nii.gz"):
        (study.folder / name).write_text(name)
    write_sheet(study.folder, "own.tsv", "abcd", "diagnosis")
    write_sheet(study.folder, "clinic.tsv", "xyz", "dx")
    write_sheet(study.folder, "other.tsv", "pq", "dx")
    pretend(workflow_class(copy_root, study.folder), WANTED[kind])
    return study


class Planner:
    """A process that plans; see `fork_plans.py`."""

    def __init__(self, study: Study, environment: dict[str, str]):
        self.study, self.said = study, study.root / "said.txt"
        command = [sys.executable, str(Path(__file__).with_name("fork_plans.py"))]
        self.process = subprocess.Popen(
            command, cwd=study.root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def plan(self) -> dict[str, int]:
        """Return how many jobs of each rule would run; targets, which run nothing, are left out."""
        study = self.study
        words = ["--snakefile", str(study.root / "Snakefile"), "--directory", str(study.folder), "--cores", "1"]
        words += [*WANTED[study.kind], "--dry-run", "--quiet", "host"]
        self.process.stdin.write(json.dumps([words, str(self.said)]) + "\n")
        self.process.stdin.flush()
        ended, text = self.process.stdout.readline().strip(), self.said.read_text()
        assert ended == "0", text
        if "Nothing to be done" in text:
            return {}
        table = text[text.index("Job stats:") :].split("\n\n")[0]
        jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
        return {rule: count for rule, count in jobs.items() if rule not in ("total", "all", "preprocess", CONTROL)}

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


@dataclass
class Desk:
    """Where a study is changed; what it does is taken back by `restore`."""

    study: Study
    config: dict[str, Any] = field(init=False)
    kept: dict[Path, tuple[bytes, int] | None] = field(default_factory=dict)
    moved: list[tuple[Path, Path]] = field(default_factory=list)

    def __post_init__(self):
        self.config = copy.deepcopy(self.study.config)

    def path(self, name: str) -> Path:
        """Return the place of a file: of the code, or else of the working folder."""
        path = self.study.root / name
        return path if path.exists() else self.study.folder / name

    def write(self, path: Path, text: str) -> None:
        """Write a file of the study."""
        if path not in self.kept:
            self.kept[path] = (path.read_bytes(), path.stat().st_mtime_ns) if path.exists() else None
        path.write_text(text)

    def write_settings(self) -> None:
        """Write the config as it is now."""
        self.write(self.study.root / "config.yaml", yaml.safe_dump(self.config, sort_keys=False))

    def remove(self, path: Path) -> None:
        """Take a file or a folder away."""
        assert path.exists(), path
        self.moved.append((path, self.study.root / f"moved-{len(self.moved)}"))
        path.rename(self.moved[-1][1])

    def restore(self) -> None:
        """Take everything back, with the times of the files."""
        for path, place in self.moved:
            place.rename(path)
        for path, before in self.kept.items():
            if before is None:
                path.unlink()
            else:
                path.write_bytes(before[0])
                set_time(path, before[1])


def set_time(path: Path, time_ns: int) -> None:
    """Set the time at which a file was changed."""
    os.utime(path, ns=(time_ns, time_ns))
