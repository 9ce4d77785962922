"""No string of a config or a sheet is anything to a shell but a word, in any rule."""

import json
import os
from itertools import takewhile

import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.slow

SCANS = ["a", "b", "c", "d", "left_out"]
#: Where a study may say what it likes.
TEXTS = ["study", "label", "negative", "positive", "ignored", "external_study", "external_negative", "caption"]
TEXTS += ["note", "framework", "method", "applied_method", "site"]
PATHS = ["folder", "sheet", "external_sheet", "image", "labels", "head", "scan", "mask"]


def hostile(place):
    """Return what begins as an option, and what a shell, a format or a pattern could each take amiss."""
    path = place in PATHS
    more = "" if path else "{input} {task} {{x}} ../../etc > x "
    # A config takes no end of a line; a folder and a cell of a sheet may.
    blank = "\t\n" if place in ("folder", "scan", "mask") else ""
    return f"""--{place} $(touch x) `touch x`; touch x & touch x | # 'a' "b" \\ {{}} %s ! * ~ {blank} {more}{place}"""


def plain(place):
    return f"plain_{place}"


def small_study(root, words, *, simulated):
    """Return settings that ask for every rule, as few jobs as may be, with some words where words are free."""
    config = yaml.safe_load((root / "config.yaml").read_text())
    rows = [{"framework": words["framework"], "method": words["method"], "task": "bar"}]
    rows += [{"framework": "F", "method": "Age", "task": "age_sex"}]
    table = {"caption": words["caption"], "note": words["note"], "rows": rows}
    config |= {"study": words["study"], "runs": {"bar": config["runs"]["bar_recon"]}, "tasks": {"bar": {"run": "bar"}}}
    config |= {
        "splits": {"subjects": {}},
        "baselines": {"age_sex": config["baselines"]["age_sex"] | {"features": ["age", "regions"]}},
        "controls": {},
    }
    config["split"]["folds"] = 2
    config["explain"]["tasks"] = ["bar"]
    config["simulate"]["subjects"] = 2
    if not simulated:
        config["cohort"] = {word: words[word] for word in ("label", "negative", "positive")}
        config["cohort"] |= {"scans": words["sheet"], "ignored": [words["ignored"]]}
        external = {"scans": words["external_sheet"], "study": words["external_study"]}
        config["external"] = {"clinic": external | {"negative": words["external_negative"]}}
        config["applied"] = {"bar_clinic": {"task": "bar", "cohort": "clinic"}}
        rows.append({"framework": "F", "method": words["applied_method"], "task": "bar_clinic"})
        config["atlas"] = {"image": words["image"], "labels": words["labels"]}
        config["template"]["head"] = words["head"]
        config["preprocess"]["skull_strip"] = "supplied"
    config["tables"] = {"table_1": table}
    return config


def write_files(folder, words):
    """Write the sheets of a study and of an external cohort, and empty files where images are asked for."""
    for sheet, negative, scans in (("sheet", "negative", SCANS), ("external_sheet", "external_negative", ["e", "f"])):
        names = [f"{words['scan']} {scan}" for scan in scans]
        table = pd.DataFrame({"scan": scans, "subject": scans, "path": names, "site": words["site"], "age": 70})
        table["mask"] = [f"{words['mask']} {scan}" for scan in scans]
        labels = [words[negative], words["positive"], words[negative], words["positive"], words["ignored"]]
        table[words["label"]] = labels[: len(scans)]
        for name in [*names, *table["mask"], words["image"], words["labels"], words["head"]]:
            (folder / name).touch()
        table.to_csv(folder / words[sheet], sep="\t" if words[sheet].endswith(".tsv") else ",", index=False)


def spoken(word, folder, names):
    """Return a word of a command, its JSON read, with the plain names of what may be hostile and of the folder."""
    if isinstance(word, str) and word[:1] in ("{", "[", '"'):
        word = json.loads(word)
    if isinstance(word, dict):
        return {spoken(key, folder, names): spoken(value, folder, names) for key, value in word.items()}
    if isinstance(word, list):
        return [spoken(value, folder, names) for value in word]
    if isinstance(word, str):
        for name, meaning in {str(folder): "folder", **names}.items():
            word = word.replace(name, meaning)
    return word


def options_of(records):
    """Return what is an option in the words of some commands: what begins with a dash, before a lone double one."""
    options = ((record[0], list(takewhile(lambda word: word != "--", record[1:]))) for record in records)
    return {(name, word.split("=")[0]) for name, words in options for word in words if word.startswith("-")}


@pytest.fixture(scope="module", params=["simulated", "sheets"])
def told(request, root, recording, tmp_path_factory):
    """Return what commands are told in a study of plain names and in one of hostile ones, and where the second lies."""
    answers = []
    for name in (plain, hostile):
        words = {place: name(place) for place in TEXTS + PATHS}
        folder = tmp_path_factory.mktemp("study") / name("folder")
        settings = small_study(root, words, simulated=request.param == "simulated")
        (folder / "tmp").mkdir(parents=True)
        write_files(folder, words)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", str(folder / "tmp"))
            records = recording.of_study(folder, "all", "results/export/bar", settings=settings)
        names = {word: plain(place) for place, word in words.items()}
        answers.append(([spoken(record, folder, names) for record in records], options_of(records)))
    return request.param, *answers, folder


def test_each_command_is_told_the_same_words_whatever_their_names(told):
    _, (expected, _), (found, _), _ = told
    assert found == expected


def test_no_name_is_taken_for_an_option(told):
    _, (_, expected), (_, found), _ = told
    assert found == expected


def test_every_rule_took_part(told, commands):
    kind, _, (found, _), _ = told
    apart = {name for name, module in commands.items() if module.split(".")[1] in ("simulate", "apply")}
    apart |= {"score_explanation"}
    others = {name for name in apart if (name in ("list_external", "apply_classifier")) == (kind == "simulated")}
    assert {record[0] for record in found} == {*commands} - others


def test_no_name_was_executed(told, recording, root):
    *_, folder = told
    assert not list(folder.parent.rglob("x"))
    assert not any((place / "x").exists() for place in (root, recording.root))


#: Stands for each command of Slurm: it keeps what it is given, and takes no job.
SLURM = """#!/bin/sh
case "$0" in *sbatch) cat >> "$CALLS"; exit 1;; esac
"""


def test_no_name_of_a_folder_is_executed_where_a_job_is_submitted_to_slurm(workflow_class, root, tmp_path, monkeypatch):
    folder = tmp_path / "$(touch x) `touch x`"
    for made in (folder, tmp_path / "bin"):
        made.mkdir()
    for name in ("sbatch", "squeue", "sacct", "sinfo", "scontrol", "sacctmgr"):
        (tmp_path / "bin" / name).write_text(SLURM)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    words = ["--profile", str(root / "profiles" / "slurm"), "--retries", "0"]
    done = workflow_class(root, folder).run("results/fetch/atlas.nii.gz", *words)
    assert done.returncode != 0
    assert folder.name in (tmp_path / "calls").read_text(), done.stderr
    assert not list(tmp_path.rglob("x"))
    assert not (root / "x").exists()
