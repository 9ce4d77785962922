"""The commands that measure run and write their page; what they measure is no test's business."""

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
