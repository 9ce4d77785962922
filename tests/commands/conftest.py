"""An exported model of four small networks on the real grid, and scans that came through preprocessing or did not."""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from neurobar.commands import __main__
from neurobar.commands import predict as command
from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE, write_volume
from neurobar.export import export_model
from neurobar.training.checkpoints import save_weights
from neurobar.training.classifiers import build_classifier, head_of

VOXEL_MM, SHAPE = 16, (12, 12, 12)
ENCODER = {"patch": 6, "width": 8, "layers": 1, "heads": 2, "mlp_ratio": 2, "dropout": 0.0, "patch_norm": True}
TASK = {"hidden": [8], "frozen": False, "batch_norm": False}
NAMES = ["One", "<b>Two</b>", "Three", "Four", "Five", "Six"]
FOLDS, SEEDS, AT = (0, 1), (0, 1), [1, 25, 50, 75, 99]
#: Of a scan that passes; what it misses by name is added.
CHECK = {"prepared": "", "skull_strip": "atlas", "brain_ml": 1500.0, "clipped": 0.0, "missing": 0.0, "bias_range": 1.2}
CHECK |= {"overlap": 0.95, "correlation": 0.6, "similarity": 0.7, "outside": 0.0, "starts": 1, "credible": True}


def draw_brain(name: str) -> np.ndarray:
    """Return a brain on the grid that is another for each name, float32 (D, H, W)."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, length) for length in GRID_SHAPE], indexing="ij")
    random = np.random.default_rng(zlib.crc32(name.encode()))
    bright = 1 + 0.3 * np.sin(3 * random.normal() * x + 4 * random.normal() * y) + 0.1 * random.normal() * z
    return np.where(x**2 / 0.5 + y**2 / 0.8 + z**2 / 0.6 < 1, bright, 0).astype(np.float32)


def write_atlas(folder: Path) -> None:
    """Write six slabs, and files that stand for the template."""
    atlas = np.zeros(GRID_SHAPE, np.uint8)
    for region in range(6):
        atlas[16:80, 16 + 10 * region : 26 + 10 * region, 16:80] = region + 1
    folder.mkdir(parents=True)
    for name in export_model.FETCHED[:4]:
        (folder / name).write_text(f"this is {name}")
    write_volume(folder / "atlas.nii.gz", atlas, GRID_AFFINE)
    table = pd.DataFrame({"region": range(1, 7), "name": NAMES, "voxels": 40960})
    table.to_csv(folder / "regions.tsv", sep="\t", index=False)


def write_study(folder: Path) -> None:
    """Write a packed cohort of fourteen subjects, its split, and what fine-tuning and scoring left."""
    scans = [f"person-{row:02d}" for row in range(14)]
    volumes = np.stack([draw_brain(scan) for scan in scans])
    np.save(folder / "cohort.npy", volumes.astype(np.float16))
    own = np.stack([np.percentile(volume[volume > 0], AT) for volume in volumes]).astype(np.float32)
    np.save(folder / "percentiles.npy", own)
    pd.DataFrame({"scan": scans, "used": True, "reason": ""}).to_csv(folder / "cohort.tsv", sep="\t", index=False)
    labels = [row % 4 // 3 for row in range(14)]
    parts = ["0", "1", *["2"] * 10, "test", "test"]
    split = pd.DataFrame({"scan": scans, "subject": scans, "label": labels, "age": 70.0, "sex": "F", "part": parts})
    split.loc[13, "label"] = 1
    split.to_csv(folder / "folds.tsv", sep="\t", index=False)
    tested = split[split["part"] == "test"].assign(probability=[0.2, 0.9])
    for fold in FOLDS:
        (folder / f"fold-{fold}").mkdir()
        landmarks = {"landmarks": [0, 0.2 + fold / 10, 0.5, 0.8, 1], "scans": scans}
        (folder / f"fold-{fold}" / "landmarks.json").write_text(json.dumps(landmarks))
        for seed in SEEDS:
            job = folder / "bar" / f"fold-{fold}" / f"seed-{seed}"
            torch.manual_seed(10 * fold + seed)
            model = build_classifier(shape=SHAPE, encoder=ENCODER, **head_of(TASK))
            # A young network hardly tells one scan from another.
            model.head[-1].weight.data *= 20
            save_weights(job / "classifier.safetensors", model, {"shape": SHAPE, "encoder": ENCODER, "finetune": TASK})
            tested.to_csv(job / "predictions.tsv", sep="\t", index=False)
    scores = {"level": "scan", "threshold": 0.5, "score": "accuracy", "mean": 0.8, "sd": 0.1, "low": 0.7, "high": 0.9}
    for name in ("summary", "scores"):
        pd.DataFrame([scores]).to_csv(folder / f"{name}.tsv", sep="\t", index=False)


@pytest.fixture(scope="session")
def export_small(root, tmp_path_factory):
    """Return the function that exports the four networks with some folder of template and atlas."""
    study = tmp_path_factory.mktemp("study")
    write_study(study)
    preprocess = yaml.safe_load((root / "config.yaml").read_text())["preprocess"]
    settings = {"task": "bar", "method": "BAR", "run": None, "study": "few <i>people</i>", "simulated": True}
    settings |= {"classes": {"label": "diagnosis", "negative": "CN", "positive": "A&D"}, "encoder": ENCODER}
    settings |= {"voxel_mm": VOXEL_MM, "finetune": TASK, "split": {"by": "subject", "labels": "own"}}
    settings |= {"preprocess": {name: preprocess[name] for name in preprocess if name not in ("keep", "exclude")}}
    settings |= {"percentiles": AT, "threshold": 0.5, "template": {"head": "computed"}}

    def export(fetched: Path, output: Path) -> Path:
        files = {"volumes": "cohort.npy", "percentiles": "percentiles.npy", "table": "cohort.tsv"}
        files |= {name: f"{name}.tsv" for name in ("folds", "summary", "scores")}
        words = [word for name, file in files.items() for word in (f"--{name}", str(study / file))]
        for name, pattern in {
            "landmarks": "fold-*/landmarks.json",
            "classifiers": "bar/*/*/classifier.safetensors",
            "predictions": "bar/*/*/predictions.tsv",
        }.items():
            words += [f"--{name}", *map(str, sorted(study.glob(pattern)))]
        words += ["--settings", json.dumps(settings), "--bootstrap", '{"replicates": 20, "seed": 0}']
        export_model.main([*words, "--fetched", str(fetched), "--output", str(output)])
        return output

    return export


@pytest.fixture(scope="session")
def small_model(export_small, tmp_path_factory):
    """Return an exported model with a small atlas; nothing can be registered to its template."""
    folder = tmp_path_factory.mktemp("exported")
    write_atlas(folder / "fetch")
    return export_small(folder / "fetch", folder / "model")


def pretend_to_prepare(scan, *, folder, fetched, settings, device):
    """Leave what preprocessing would; `broken` fails and `odd` does not pass its check."""
    if "broken" in scan["scan"]:
        return f"{scan['path']}: not a whole NIfTI file."
    write_volume(folder / "volume.nii.gz", draw_brain(scan["scan"]), GRID_AFFINE)
    overlap = 0.5 if "odd" in scan["scan"] else 0.95
    check = CHECK | {"scan": scan["scan"], "overlap": overlap}
    (folder / "check.json").write_text(json.dumps(check))
    (folder / "check.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return None


@pytest.fixture
def predict(small_model, tmp_path, monkeypatch):
    """Return the command without preprocessing; it takes names of scans and returns its folder."""
    monkeypatch.setattr(command, "prepare_beside", pretend_to_prepare)

    def call(*names, model=small_model):
        paths = [tmp_path / f"{name}_T1w.nii.gz" for name in names]
        for path in paths:
            path.touch()
        words = ["--model", str(model), "--output", str(tmp_path / "out"), "--device", "cpu", "--cores", "2"]
        __main__.main(["predict", *map(str, paths), *words])
        return tmp_path / "out"

    return call


@pytest.fixture
def changed_model(small_model, tmp_path):
    """Return the function that copies the exported model with changes to its config."""

    def change(**changes):
        folder = Path(shutil.copytree(small_model, tmp_path / "changed", dirs_exist_ok=True))
        config = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps(config))
        export_model.write_checksums(folder)
        return folder

    return change
