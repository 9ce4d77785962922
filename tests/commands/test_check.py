import math
import re

import pandas as pd
import pytest
import yaml

from neurobar.commands.__main__ import main
from neurobar.commands.check import find_faults, read_settings
from neurobar.commands.costs import estimate, kept_bytes, read_measured, read_shipped, weights_of


@pytest.fixture
def study(tmp_path):
    """Write the settings of a study and return the words that name them."""

    def write(**blocks):
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(blocks))
        return ["--configfile", str(tmp_path / "study.yaml"), "--directory", str(tmp_path)]

    return write


def test_the_default_study_is_counted(tmp_path, capsys):
    main(["check", "--directory", str(tmp_path)])
    said = capsys.readouterr().out
    assert "in order, 39 scans of 32 subjects." in said
    assert re.search(r"^ *pretrain_encoder +55 +\d+\.\d +\d+\.\d\d default study$", said, re.MULTILINE)
    assert "Not in this sum" not in said


def test_a_folder_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(SystemExit, match=r"^neurobar check: there is no folder .*typo; it is the working folder"):
        main(["check", "--directory", str(tmp_path / "typo")])
    assert not (tmp_path / "typo").exists()


def test_a_misspelt_key_is_told_in_one_sentence(study):
    with pytest.raises(SystemExit, match=r"^neurobar check: Config: unknown key pretrain.epoch; known here are "):
        main(["check", *study(pretrain={"epoch": 3})])


def test_a_fault_of_the_sheet_is_told_in_one_sentence(study, tmp_path):
    (tmp_path / "scans.tsv").write_text("scan\tsubject\tpath\tdiagnosis\na\tA\tnowhere.nii\tAD\nb\tB\tno.nii\tCN\n")
    with pytest.raises(SystemExit, match=r"^neurobar check: scans.tsv, row 2: there is no file 'nowhere.nii'.$"):
        main(["check", *study(cohort={"scans": "scans.tsv"})])


def test_every_scan_that_is_no_head_is_listed_before_anything_runs(study, tmp_path, capsys):
    rows = [(f"s{n}", f"p{n}", f"s{n}.nii.gz", ("AD", "CN")[n % 2]) for n in range(8)]
    for _, _, path, _ in rows:
        (tmp_path / path).write_text("no image")
    sheet = pd.DataFrame(rows, columns=["scan", "subject", "path", "diagnosis"])
    sheet.to_csv(tmp_path / "scans.tsv", sep="\t", index=False)
    with pytest.raises(SystemExit) as stopped:
        main(["check", *study(cohort={"scans": "scans.tsv"})])
    assert "8 of 8 scans cannot be preprocessed" in str(stopped.value)
    assert all(str(tmp_path / path) in str(stopped.value) for _, _, path, _ in rows)


def test_a_scan_that_is_excluded_is_not_read(study, tmp_path, capsys):
    rows = [(f"s{n}", f"p{n}", f"s{n}.nii.gz", ("AD", "CN")[n % 2]) for n in range(30)]
    for _, _, path, _ in rows:
        (tmp_path / path).write_text("no image")
    sheet = pd.DataFrame(rows, columns=["scan", "subject", "path", "diagnosis"])
    sheet.to_csv(tmp_path / "scans.tsv", sep="\t", index=False)
    with pytest.raises(SystemExit) as stopped:
        main(["check", *study(cohort={"scans": "scans.tsv"}, preprocess={"exclude": ["s3", "s7"]})])
    assert "28 of 30 scans cannot" in str(stopped.value)
    assert "s3.nii.gz" not in str(stopped.value)


def costs_of(config, measured=None, scans=39):
    default = read_settings([])
    jobs = {"register_scan": 10, "pretrain_encoder": 5}
    costs = estimate(jobs, config, default, scans=scans, default_scans=39, measured=measured or {})
    return costs.set_index("rule")


def test_jobs_cost_what_they_cost_before():
    config, shipped = read_settings([]), read_shipped()["seconds"]
    config["pretrain"]["epochs"] *= 3
    costs = costs_of(config, scans=78)
    assert costs.at["register_scan", "hours"] == pytest.approx(10 * shipped["register_scan"] / 3600)
    assert costs.at["pretrain_encoder", "seconds"] == pytest.approx(6 * shipped["pretrain_encoder"])


def test_a_network_of_another_size_is_not_guessed_but_taken_from_its_own_first_jobs():
    config = read_settings([])
    config["encoder"]["width"] = 768
    assert math.isnan(costs_of(config).at["pretrain_encoder", "hours"])
    assert costs_of(config, {"pretrain_encoder": 7200.0}).at["pretrain_encoder", "hours"] == 10


def test_the_median_of_a_rules_jobs_is_read(tmp_path):
    for number, seconds in enumerate((1.0, 2.0, 9.0)):
        path = tmp_path / "pretrain_encoder" / "bar" / f"fold-{number}" / "seed-0.tsv"
        path.parent.mkdir(parents=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")
    (tmp_path / "judge_scans.tsv").write_text("s\th:m:s\n4.5\t0:00:04\n")
    assert read_measured(tmp_path) == {"judge_scans": 4.5, "pretrain_encoder": 2.0}


def test_the_weights_of_the_paper_are_counted_without_holding_them(root):
    config = read_settings([root / "studies" / "bar_adni.yaml"])
    assert weights_of(config)["finetune"] == 4 * 74_194_176
    larger = kept_bytes(config, scans=1000) - kept_bytes(config, scans=0)
    assert larger == pytest.approx(1000 * (2 * 96**3 + 1e6))


def test_a_header_that_is_none_is_a_fault_in_one_sentence(tmp_path):
    faults = []
    for name, content in {"short.nii": b"x" * 100, "other.nii": b"x" * 400, "packed.nii.gz": b"x" * 400}.items():
        (tmp_path / name).write_bytes(content)
        faults += find_faults(pd.DataFrame({"path": [str(tmp_path / name)]}))
    assert len(faults) == 3
    assert all(re.fullmatch(r".*: not a whole NIfTI file \(.+\)\.", fault) for fault in faults)
