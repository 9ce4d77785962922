"""Who follows the page *Add a method* to the letter gets a ninth row, and the jobs for it alone."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest
import yaml

pytestmark = pytest.mark.slow

BLOCK = re.compile(r'^```(?:python|yaml) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
#: What the page asks to run.
TESTS = ["tests/transforms/test_slabs.py", "tests/transforms/test_replacements.py"]
#: What a clone holds of the folders that no one keeps in version control.
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", "results", "site")


def end_of(node, *keys):
    """Return the line below the last one that belongs to a key of a YAML file."""
    for key in keys:
        node = next(value for name, value in node.value if name.value == key)
    last = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    while not isinstance(last, yaml.ScalarNode) and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    return last.end_mark.line + 1


def follow(page, folder):
    """Write every file of the page, and every addition to the config at the end of the section that it names."""
    for title, block in BLOCK.findall(page):
        name, _, section = title.partition(", at the end of ")
        path = folder / name
        if section:
            lines = path.read_text().splitlines(keepends=True)
            lines.insert(end_of(yaml.compose("".join(lines)), *section.split(".")), block)
            path.write_text("".join(lines))
        else:
            assert not path.exists(), f"the page writes over {name}"
            path.write_text(block)


@pytest.fixture(scope="module")
def clone(root, workflow_class, tmp_path_factory):
    """Copy the repository; return what was planned before the page was followed, and the workflow after it."""
    copy = tmp_path_factory.mktemp("neurobar")
    for name in ("src", "workflow", "envs", "profiles", "tests", "docs"):
        shutil.copytree(root / name, copy / name, ignore=LEFT_OUT)
    for name in ("Snakefile", "config.yaml", "pyproject.toml"):
        shutil.copy(root / name, copy / name)
    (copy / "run").mkdir()
    calls = workflow_class(copy, copy / "run")
    before = calls.plan()
    follow((root / "docs" / "add_a_method.md").read_text(), copy)
    return before, calls


def test_the_table_of_the_paper_has_a_ninth_row_that_differs_by_its_mixing(clone):
    _, calls = clone
    config = yaml.safe_load((calls.root / "config.yaml").read_text())
    rows = config["tables"]["table_1"]["rows"]
    assert len(rows) == 9
    run = config["runs"][config["tasks"][rows[-1]["task"]]["run"]]
    assert {key for key in run if run[key] != config["runs"]["bar_recon"].get(key)} == {"mixing", "mixing_settings"}


def test_the_jobs_of_the_new_row_are_planned_and_no_others(clone):
    before, calls = clone
    folds = yaml.safe_load((calls.root / "config.yaml").read_text())["split"]["folds"]
    new = dict.fromkeys(["pretrain_encoder", "finetune_classifier", "predict_scans"], folds)
    new |= {"audit_training": 1, "score_predictions": 1}
    after = calls.plan()
    assert Counter(after) - Counter(before) == new
    assert Counter(before) - Counter(after) == {}


@pytest.mark.parametrize(
    "words",
    [
        ["pytest", "-q", "-p", "no:cacheprovider", *TESTS],
        ["ruff", "check", "src/neurobar/transforms", "tests/transforms/test_slabs.py"],
        ["ruff", "format", "--check", "src/neurobar/transforms", "tests/transforms/test_slabs.py"],
    ],
    ids=["its tests", "its style", "its form"],
)
def test_the_code_of_the_page_passes_what_the_page_asks_for(clone, words):
    _, calls = clone
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=calls.root,
        env=os.environ | {"PYTHONPATH": str(calls.root / "src"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_setting_that_the_new_mixing_does_not_have_is_refused(clone):
    _, calls = clone
    faulty = {"runs": {"slabs_recon": {"mixing_settings": {"axes": 2}}}}
    said = calls.run("--dry-run", settings=faulty)
    assert said.returncode != 0
    assert "runs.slabs_recon.mixing_settings.axes is unknown to the mixing slabs" in said.stdout + said.stderr
