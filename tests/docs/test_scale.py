"""What the page on scale says can be computed: it follows from the measured pieces that it names."""

import re
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from neurobar.commands.costs import TRAINING, estimate, kept_bytes, weights_of
from neurobar.data.studies import Study

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scale.md").read_text()
SCANS, DEFAULT_SCANS = 3306, 39
OF_A_SCAN = ("register_scan", "strip_skull", "correct_bias", "resample_scan", "check_scan")
#: Of the paper's network: operations of one scan in pre-training, counted in docs/results/training.md.
OPERATIONS = 798e9 / 4


@pytest.fixture(scope="module")
def default():
    return yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.fixture(scope="module")
def paper():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(config, yaml.safe_load((ROOT / "studies" / "bar_adni.yaml").read_text()))
    return config


def said(pattern):
    """Return the figures that the page gives where a pattern stands, without the commas of thousands."""
    found = re.search(pattern, PAGE)
    assert found, pattern
    return [float(text.replace(",", "")) for text in found.groups()]


def jobs_of(config):
    """Count pre-training and fine-tuning jobs."""
    study, repeats = Study(config), config["split"]["folds"] * len(config["seeds"])
    tasks = [task for task in study.tasks_of(config["tables"]) if task in config["tasks"]]
    return len(study.runs_of(tasks)) * repeats, len(tasks) * repeats


def test_jobs_are_those_of_the_study(paper):
    total, preprocessing, training = said(r"\| ([\d,]+), of which ([\d,]+) preprocess, (\d+) train")
    assert preprocessing == len(OF_A_SCAN) * SCANS
    assert training == sum(jobs_of(paper))
    (large,) = said(r"\*\*Planning\.\*\* ([\d,]+) jobs")
    assert large - total == 9 * preprocessing


def test_core_hours_are_those_of_the_command_check(paper, default):
    sizes = {"scans": SCANS, "default_scans": DEFAULT_SCANS, "measured": {}}
    preprocessing = estimate(dict.fromkeys(OF_A_SCAN, SCANS), paper, default, **sizes)["hours"].sum()
    assert said(r"preprocessing \| ([\d.]+) core-hours") == [pytest.approx(preprocessing, rel=0.05)]
    pretraining, finetuning = jobs_of(default)
    jobs = {"pretrain_encoder": pretraining, "finetune_classifier": finetuning, "predict_scans": finetuning}
    jobs["explain_regions"] = 5
    small = estimate(jobs, default, default, **sizes)["hours"].sum()
    assert TRAINING.keys() >= jobs.keys()
    assert said(r"network of `config.yaml` \| (\d+) core-hours") == [pytest.approx(small, rel=0.05)]


def test_disk_is_that_of_the_command_check(paper):
    whole, weights = said(r"kept on disk \| (\d+) GB: (\d+) of weights")
    pretraining, finetuning = jobs_of(paper)
    each = weights_of(paper)
    assert whole == pytest.approx(kept_bytes(paper, scans=SCANS) / 1e9, rel=0.05)
    assert weights == pytest.approx((pretraining * each["pretrain"] + finetuning * each["finetune"]) / 1e9, rel=0.05)
    assert said(r"and disk, (\d+) GB") == [pytest.approx(kept_bytes(paper, scans=10 * SCANS) / 1e9, rel=0.05)]


def test_operations_and_hours_follow_from_what_was_counted(paper):
    pretraining, finetuning = jobs_of(paper)
    learn, select = 0.6 * SCANS, 0.15 * SCANS
    operations = [
        pretraining * paper["pretrain"]["epochs"] * learn * OPERATIONS,
        finetuning * paper["finetune"]["epochs"] * (learn * OPERATIONS / 2 + select * OPERATIONS / 6),
        5 * 0.25 * SCANS * (64 * 4 + 16 * 3) * OPERATIONS / 6,
    ]
    rows = [said(rf"\| {start}[^|]* \| ([\d.]+) x 10\^18") for start in ("55 pre", "70 fine", "5 jobs")]
    assert [row[0] for row in rows] == [pytest.approx(value / 1e18, rel=0.1) for value in operations]
    assert said(r"paper's network \| ([\d.]+) x 10\^18") == [pytest.approx(sum(operations) / 1e18, rel=0.05)]
    (on_cpu,) = said(r"the same on a CPU \| ([\d,]+) core-hours")
    assert on_cpu == pytest.approx(sum(operations) / (0.434 * OPERATIONS) / 3600, rel=0.05)
    fast, slow = said(r"the same on a GPU \| (\d+) to (\d+) GPU-hours")
    assert (fast, slow) == tuple(pytest.approx(sum(operations) / rate / 3600, rel=0.05) for rate in (40e12, 10e12))
