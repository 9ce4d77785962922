"""The commands that measure run and write their page; what they measure is no test's business."""

import importlib
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(("command", "options"), [("mixing", []), ("training", ["--steps", "1", "--workers", "0"])])
def test_a_benchmark_writes_its_page(root, tmp_path, command, options):
    page = tmp_path / "page.md"
    words = ["--size", "small", "--batch", "2", "--threads", "1", "--repeats", "1", *options, "--output", str(page)]
    subprocess.run([sys.executable, str(root / "benchmarks" / f"{command}.py"), *words], check=True, cwd=tmp_path)
    table = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    assert len({line.count(" | ") for line in table}) == 1
    assert any(" neurobar " in line for line in table)


def test_the_page_of_drawn_files_adds_up(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    fuzz = importlib.import_module("fuzz")
    kinds = {
        "sheets": {"accepted": 3, "refused": {"… lists no scan.": 2, "… is not a table: ….": 1}, "broken": 0},
        "settings": {"accepted": 4, "refused": {}, "broken": 0},
    }
    page = fuzz.write_page(kinds, 90.0, ["benchmarks/fuzz.py"])
    assert "| sheets | 6 | 3 | 3 | 0 |" in page
    assert "| all | 10 | 7 | 3 | 0 |" in page
    assert "| sheets | `… lists no scan.` | 2 |" in page


def cells_of(page):
    rows = [line.strip("| ").split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows}


@pytest.mark.slow
def test_the_benchmark_of_scale_plans_what_one_more_scan_needs(root, tmp_path):
    page = tmp_path / "page.md"
    words = ["--scans", "12", "--planned", "--folder", str(tmp_path), "--output", str(page)]
    subprocess.run([sys.executable, str(root / "benchmarks" / "scale.py"), *words], check=True, cwd=tmp_path)
    cells = cells_of(page)
    assert cells["of them preprocessing"] == ["60"]
    assert int(cells["jobs"][0]) > 60
    # Its own five, judging and packing; what was learned is learned anew.
    assert cells["one more scan, jobs of `preprocess`"] == ["7"]
    assert "16 files for each scan that stay" in page.read_text()


@pytest.mark.slow
def test_the_benchmark_of_memory_runs_every_command(root, tmp_path):
    page = tmp_path / "page.md"
    words = ["--opened", "64", "--listed", "64", "--folder", str(tmp_path), "--output", str(page)]
    subprocess.run([sys.executable, str(root / "benchmarks" / "memory.py"), *words], check=True, cwd=tmp_path)
    cells = cells_of(page)
    assert {"`preprocess.judge_scans`", "`finetune.finetune_classifier`"} <= cells.keys()
    assert all(float(cells[name][0]) > 50 for name in cells if name.startswith("`"))
