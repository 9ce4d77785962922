"""What many tests stand on."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def real_scans() -> Path:
    """Return the folder of real scans that may lie beside the repository; skip without it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real scans are not here")
    return folder


@pytest.fixture
def small_atlas() -> np.ndarray:
    """Return an atlas of five regions of unequal size on unequal axes, with background around them."""
    atlas = np.zeros((6, 7, 8), np.uint8)
    atlas[1:5, 1:6, 1] = 1
    atlas[1:5, 1:6, 2:4] = 2
    atlas[1:3, 1:6, 4:7] = 3
    atlas[3:5, 1:3, 4:7] = 4
    atlas[3:5, 3:6, 4:7] = 5
    return atlas


@dataclass(frozen=True)
class TinyCohort:
    """A packed cohort on a tiny grid, with its split, atlas and settings, as files."""

    folder: Path
    arguments: list[str]
    settings: dict

    def settings_with(self, **changes) -> str:
        """Return the settings of a job as JSON, with changes to its own block."""
        blocks = {
            name: block | changes if name in ("pretrain", "finetune") else block
            for name, block in self.settings.items()
        }
        return json.dumps(blocks)


@pytest.fixture(scope="session")
def tiny_cohort(tmp_path_factory) -> TinyCohort:
    """Write twenty scans of sixteen subjects; the scans of class 1 are darker in region 2."""
    folder = tmp_path_factory.mktemp("cohort")
    random = np.random.default_rng(0)
    atlas = np.zeros((16, 24, 32), np.uint8)
    for region in range(6):
        atlas[2:14, 2:22, 2 + 4 * region : 6 + 4 * region] = region + 1
    subjects = [f"sub-{i % 16:02d}" for i in range(20)]
    labels = [i % 2 for i in range(20)]
    volumes = np.where(atlas > 0, random.uniform(0.5, 1.5, (20, *atlas.shape)), 0).astype(np.float32)
    volumes[np.array(labels) == 1] *= np.where(atlas == 2, 0.5, 1)
    at = [1, 25, 50, 75, 99]
    np.save(folder / "cohort.npy", volumes.astype(np.float16))
    np.save(
        folder / "percentiles.npy",
        np.stack([np.percentile(volume[volume > 0], at) for volume in volumes]).astype(np.float32),
    )
    nib.save(nib.Nifti1Image(atlas, np.eye(4)), folder / "atlas.nii.gz")
    scans = [f"{subject}_ses-{i // 16}" for i, subject in enumerate(subjects)]
    pd.DataFrame({"scan": scans, "used": True, "reason": ""}).to_csv(folder / "cohort.tsv", sep="\t", index=False)
    parts = [["test", "0", "1", "2"][i % 16 // 4] for i in range(20)]
    pd.DataFrame({"scan": scans, "subject": subjects, "label": labels, "age": 70.0, "sex": "F", "part": parts}).to_csv(
        folder / "folds.tsv", sep="\t", index=False
    )
    (folder / "landmarks.json").write_text(json.dumps({"landmarks": [0, 0.25, 0.5, 0.75, 1], "scans": []}))
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    encoder = {"patch": 8, "width": 12, "layers": 1, "heads": 2, "mlp_ratio": 2, "dropout": 0.1, "patch_norm": True}
    cuts = {
        "inner_cuts": {"count": 2, "size": 3},
        "outer_cuts": {"count": 2, "size": 9},
        "shuffle": {"count": 2, "size": 3},
    }
    settings = {
        "encoder": encoder,
        "precision": "float32",
        "voxel_mm": 2,
        "pretrain": config["pretrain"] | config["runs"]["bar_recon"] | cuts | {"epochs": 2},
        "finetune": config["finetune"] | {"epochs": 3, "hidden": [8, 4]},
    }
    named = {
        "volumes": "cohort.npy",
        "percentiles": "percentiles.npy",
        "table": "cohort.tsv",
        "folds": "folds.tsv",
        "landmarks": "landmarks.json",
    }
    arguments = [word for name, file in named.items() for word in (f"--{name}", str(folder / file))]
    return TinyCohort(folder, [*arguments, "--fold", "0", "--seed", "0", "--machine", '{"device": "cpu"}'], settings)


JOB = re.compile(r"^(\w+) +(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Workflow:
    """A copy of the code and a working folder.

    Attributes
    ----------
    root : pathlib.Path
        Holds the Snakefile.
    folder : pathlib.Path
        Where results are written.
    environment : dict
        What is set beyond the environment of the tests.
    """

    root: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, settings: dict | None = None) -> subprocess.CompletedProcess:
        """Call Snakemake with the code of `root`, and with further settings laid over the config."""
        extra = []
        if settings is not None:
            (self.folder / "settings.yaml").write_text(yaml.safe_dump(settings))
            extra = ["--configfile", str(self.folder / "settings.yaml")]
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.root / "Snakefile")]
        command += ["--directory", str(self.folder), *([] if "--profile" in words else ["--cores", "2"])]
        return subprocess.run(
            [*command, *words, *extra],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root / "src"), "OMP_NUM_THREADS": "1"} | self.environment,
            capture_output=True,
            text=True,
        )

    def plan(self, *words: str, settings: dict | None = None) -> dict[str, int]:
        """Return how many jobs of each rule would run."""
        done = self.run(*words, "--dry-run", "--quiet", "host", settings=settings)
        assert done.returncode == 0, done.stdout + done.stderr
        text = done.stdout + done.stderr
        if "Nothing to be done" in text:
            return {}
        table = text[text.index("Job stats:") :].split("\n\n")[0]
        return {rule: int(count) for rule, count in JOB.findall(table) if rule != "total"}


@pytest.fixture
def workflow(root, tmp_path) -> Workflow:
    """Return the repository's own code with an empty working folder."""
    return Workflow(root, tmp_path)


@pytest.fixture(scope="session")
def workflow_class() -> type[Workflow]:
    """Return the class of `workflow`, for tests that run on a copy of the code."""
    return Workflow


@dataclass(frozen=True)
class Browser:
    """A real browser without a window, used as a person would use it."""

    driver: object

    def open(self, path: Path) -> None:
        """Open a page of this machine."""
        self.driver.get(path.absolute().as_uri())

    def find(self, css: str) -> list:
        """Return the elements of the page that a CSS selector names and that are seen."""
        return [element for element in self.driver.find_elements("css selector", css) if element.is_displayed()]

    def wait_until(self, found) -> list:
        """Return what a function of no arguments finds as soon as it finds anything."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, 20).until(lambda _: found())

    def wait_for(self, css: str) -> list:
        """Return the elements that a CSS selector names as soon as any are seen."""
        return self.wait_until(lambda: self.find(css))

    def click(self, text: str) -> None:
        """Click on the link of that text as soon as it is there."""
        self.wait_until(lambda: [link for link in self.find("a") if link.text.strip() == text])[0].click()

    def errors(self) -> list[str]:
        """Return what went wrong on the page, as its console says."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="session")
def browser():
    """Start headless Chromium; skip where it is missing."""
    import shutil

    if not (shutil.which("chromedriver") and shutil.which("chromium")):
        pytest.skip("Chromium and its driver are not here")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    yield Browser(driver)
    driver.quit()
