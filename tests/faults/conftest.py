"""A small study that is run whole, once and unbroken, and copies of it that faults are done to."""

import fcntl
import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml

#: Laid over the default study: what takes part is small, what is done to it is whole.
SMALL = {
    "cohort": {"scans": "scans.tsv"},
    "split": {"folds": 2, "candidates": 5},
    "training": {"voxel_mm": 6, "device": "cpu"},
    "encoder": {"patch": 8, "width": 16, "layers": 1, "heads": 2},
    "pretrain": {
        "epochs": 12,
        "inner_cuts": {"count": 2, "size": 2},
        "outer_cuts": {"count": 2, "size": 5},
        "shuffle": {"count": 2, "size": 2},
    },
    "finetune": {"epochs": 3},
    "evaluate": {"bootstrap": {"replicates": 100, "seed": 0}},
    "explain": {"tasks": []},
}
#: The one table: from scratch, pre-trained, and a baseline.
TABLE = {
    "table_1": {
        "caption": "Frameworks compared on the test set",
        "reference": "bar_recon",
        "rows": [
            {"framework": "No pre-training", "method": "ViT from scratch", "task": "scratch"},
            {"framework": "Supervised + fine-tuning", "method": "BAR + Recon", "task": "bar_recon"},
            {"framework": "Logistic regression", "method": "Age and sex", "task": "age_sex"},
        ],
    }
}
#: Raw heads, which cost most, and all scans; the others come as brains on a grid.
HEADS, SCANS = 2, 8
#: What says how long jobs took and when, which differs between any two runs.
OF_THE_RUN = ("logs/", "benchmarks/", "report/provenance.")
#: Stages after preprocessing, whose results a copy may lack.
LATER = ("split", "pretrain", "finetune", "regress", "evaluate", "report", "draw")


def write_scans(sheet: Path, raw: Path, simulated: dict) -> None:
    """Write a sheet and its scans: simulated heads, and the brain of the template with a darker patch in class 1.

    The sheet has absolute paths, so that in copies of the working folder the scans are the same as before.
    """
    from nilearn.datasets import load_mni152_template

    from neurobar.simulate.list_simulated_scans import planned_scans
    from neurobar.simulate.simulate_scan import simulate_scan

    raw.mkdir()
    plans = planned_scans(simulated | {"subjects": HEADS, "two_session_share": 0.0}).to_dict("records")
    for row, plan in enumerate(plans):
        nib.save(simulate_scan(plan)[0], raw / f"s{row}.nii.gz")
    template = load_mni152_template(resolution=2)
    random = np.random.default_rng(0)
    for row in range(HEADS, SCANS):
        brain = 100 * template.get_fdata(dtype=np.float32) * random.uniform(0.95, 1.05, template.shape)
        brain[30:40, 40:50, 30:40] *= 0.6 if row % 2 else 1.0
        nib.save(nib.Nifti1Image(brain.astype(np.int16), template.affine), raw / f"s{row}.nii.gz")
    rows = range(SCANS)
    columns = {
        "scan": [f"s{row}" for row in rows],
        "subject": [f"s{row}" for row in rows],
        "path": [str(raw / f"s{row}.nii.gz") for row in rows],
        "diagnosis": ["AD" if row % 2 else "CN" for row in rows],
        "age": [70 + 3 * (row % 4) for row in rows],
        "sex": ["FM"[row // 2 % 2] for row in rows],
        "prepared": ["" if row < HEADS else "stripped+registered+unbiased" for row in rows],
    }
    pd.DataFrame(columns).to_csv(sheet, sep="\t", index=False)


@dataclass(frozen=True)
class Faulty:
    """A working folder of the small study, and the copy of the code that works in it.

    Attributes
    ----------
    root : pathlib.Path
        Holds the Snakefile and the package.
    folder : pathlib.Path
        Holds sheet, scans and results.
    """

    root: Path
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self, *words: str, around: tuple[str, ...] = (), **environment: str) -> subprocess.Popen:
        """Start `neurobar run` in a process group of its own, after `around`; the file `said_in` takes its words."""
        command = [sys.executable, "-m", "neurobar.commands", "run", "--report-as", "none", "--cores", "2"]
        # Into a file, since a full pipe would stop it; beside the folder, which may take none.
        number = next(self.numbers)
        with self.folder.with_name(f"{self.folder.name}.said-{number}").open("w") as stream:
            started = subprocess.Popen(
                [*around, *command, "--directory", str(self.folder), *words],
                cwd=self.root,
                env=os.environ | {"PYTHONPATH": str(self.root / "src"), "OMP_NUM_THREADS": "1"} | environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.said_in = Path(stream.name)
        return started

    def run(self, *words: str, around: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess:
        """Do what `start` starts, to its end."""
        started = self.start(*words, around=around, **environment)
        started.wait()
        return subprocess.CompletedProcess(started.args, started.returncode, started.said_in.read_text())

    def finish(self, *words: str) -> str:
        """Run to the end, which has to be a good one, and return what was said."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def tables(self) -> dict[str, bytes]:
        """Return the bytes of all tables."""
        written = self.outputs()
        return {name: written[name] for name in written if name.startswith("report/")}

    def outputs(self) -> dict[str, bytes]:
        """Return the bytes of all results but logs and measured times."""
        results = self.folder / "results"
        paths = (path for path in results.rglob("*") if path.is_file() and path.name != ".snakemake_timestamp")
        named = {path.relative_to(results).as_posix(): path for path in paths}
        return {name: named[name].read_bytes() for name in named if not name.startswith(OF_THE_RUN)}

    def assert_equal(self, other: "Faulty") -> None:
        """Assert that tables and all other results are those of another folder, and that nothing else lies about."""
        assert self.tables() == other.tables()
        ours, theirs = self.outputs(), other.outputs()
        assert ours.keys() == theirs.keys()
        assert [name for name in ours if ours[name] != theirs[name]] == []

    def copy(self, folder: Path, *, without: tuple[str, ...] = ()) -> "Faulty":
        """Copy what was done into another folder, without the results of some stages."""
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("locks", "log"))
        for stage in without:
            shutil.rmtree(folder / "results" / stage)
        return Faulty(self.root, folder)


@pytest.fixture(scope="session")
def mounting() -> tuple[str, ...]:
    """Return what starts a shell that may mount file systems nobody else sees; skip where that is not allowed."""
    for words in (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount")):
        if succeeds(*words, "mount", "-t", "tmpfs", "none", "/mnt"):
            return words
    pytest.skip("this user may mount nothing")


@pytest.fixture(scope="session")
def offline() -> tuple[str, ...]:
    """Return what starts a program without a network; skip where that is not allowed."""
    for words in (("unshare", "--net"), ("unshare", "--map-root-user", "--net")):
        if succeeds(*words, "true"):
            return words
    pytest.skip("this user may not take the network away")


def succeeds(*words: str) -> bool:
    """Tell whether a program is there and ends well."""
    return shutil.which(words[0]) is not None and subprocess.run(words, capture_output=True).returncode == 0


@pytest.fixture(scope="session")
def kill_group() -> Callable[[subprocess.Popen], None]:
    """Return the function that kills a started run and all its jobs, as a machine that goes down does."""

    def kill(started: subprocess.Popen) -> None:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()

    return kill


def make_unbroken(root: Path, folder: Path) -> None:
    """Write code, config and scans of the small study into `folder`, and run it."""
    code, work = folder / "code", folder / "unbroken"
    for name in ("src", "workflow", "profiles", "envs"):
        shutil.copytree(root / name, code / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(root / "Snakefile", code)
    config = yaml.safe_load((root / "config.yaml").read_text())
    blocks = {name: config[name] | block for name, block in SMALL.items()}
    (code / "config.yaml").write_text(yaml.safe_dump(config | blocks | {"tables": TABLE, "controls": {}}))
    work.mkdir()
    write_scans(work / "scans.tsv", folder / "raw", config["simulate"])
    Faulty(code, work).finish()


@pytest.fixture(scope="session")
def unbroken(root, tmp_path_factory, worker_id) -> Faulty:
    """Return the study that nothing was done to; all workers of a test run share one."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "faults"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            make_unbroken(root, folder)
            (folder / "done").touch()
    return Faulty(folder / "code", folder / "unbroken")


@pytest.fixture
def preprocessed(unbroken, tmp_path) -> Faulty:
    """Return a copy of the study of which all scans are preprocessed and nothing later is done."""
    return unbroken.copy(tmp_path / "run", without=LATER)


@pytest.fixture
def untouched(unbroken, tmp_path) -> Faulty:
    """Return the study before its first run."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy2(unbroken.folder / "scans.tsv", folder)
    return Faulty(unbroken.root, folder)
