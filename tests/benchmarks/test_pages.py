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
