import os
import subprocess
import sys

import pytest

from neurobar import __version__
from neurobar.commands.__main__ import COMMANDS, main
from neurobar.commands.run import is_whole
from neurobar.commands.workflow import parse_options, words_of


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"neurobar {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"neurobar {command} " in capsys.readouterr().out.split("For example:", 1)[1]


def test_an_option_that_no_one_knows_is_refused(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["index", "--bids", str(tmp_path), "--output", "x.tsv", "--bogus"])
    assert "--bogus" in capsys.readouterr().err


def test_a_fault_is_told_in_one_sentence(tmp_path):
    with pytest.raises(SystemExit, match=r"^neurobar index: .* is no BIDS data set: it has no \w+.json.$"):
        main(["index", "--bids", str(tmp_path), "--output", str(tmp_path / "scans.tsv")])


def test_index_writes_the_sheet_and_counts(real_scans, tmp_path, capsys):
    main(["index", "--bids", str(real_scans / "ixi-2mm"), "--output", str(tmp_path / "scans.tsv")])
    assert (tmp_path / "scans.tsv").is_file()
    assert "25 scans of 25 subjects." in capsys.readouterr().out


def test_further_options_go_to_snakemake_and_all_cores_are_taken_unless_told():
    words = words_of(["--configfile", "study.yaml"])
    assert words[:3] == [sys.executable, "-m", "snakemake"]
    assert words[-4:] == ["--cores", "all", "--configfile", "study.yaml"]
    for told in (["--cores", "3"], ["-c3"], ["--jobs=10"]):
        assert "all" not in words_of(told)
    assert {"--workflow-profile", "--cores"}.isdisjoint(words_of(["--profile", "profiles/slurm"]))


@pytest.mark.parametrize(
    ("options", "whole"),
    [
        ([], True),
        (["--configfile", "study.yaml", "--directory", "runs/mine", "--cores", "4"], True),
        (["preprocess"], False),
        (["--dry-run"], False),
        (["-n"], False),
        (["--unlock"], False),
    ],
)
def test_a_report_follows_a_whole_run_alone(options, whole):
    assert is_whole(options) == whole


def test_an_export_that_would_export_nothing_is_refused(tmp_path):
    with pytest.raises(SystemExit, match=r"^neurobar export: an export runs what is missing of the study"):
        main(["export", "--task", "bar", "--output", str(tmp_path / "model"), "--dry-run"])


def test_run_hands_over_to_snakemake(tmp_path):
    words = [sys.executable, "-m", "neurobar.commands", "run", "--dry-run", "--quiet", "rules"]
    done = subprocess.run([*words, "--directory", str(tmp_path)], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert "pretrain_encoder" in done.stdout + done.stderr


def test_the_workflow_is_missed_in_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("neurobar.commands.workflow.ROOT", tmp_path)
    with pytest.raises(SystemExit, match=r"neurobar check: there is no Snakefile in .*clone the repository"):
        main(["check"])


def test_what_a_profile_says_counts_as_what_is_said(tmp_path):
    (tmp_path / "config.yaml").write_text(f"directory: {tmp_path}/study\nconfigfile: [{tmp_path}/program.yaml]\n")
    (tmp_path / "program.yaml").write_text("__use_yte__: true\n")
    options = ["--profile", str(tmp_path)]
    assert str(parse_options(options).directory) == f"{tmp_path}/study"
    with pytest.raises(ValueError, match="__use_yte__"):
        words_of(options)
