"""No network, a clock that jumps back, and two runs in one folder."""

import os
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


def test_a_study_needs_no_network(unbroken, untouched, offline):
    done = untouched.run(around=offline)
    assert done.returncode == 0, done.stdout
    untouched.assert_equal(unbroken)


@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not here")
def test_a_clock_that_jumps_back_stops_the_run_in_a_sentence_and_changes_nothing(unbroken, tmp_path):
    study = unbroken.copy(tmp_path / "run", without=("evaluate", "report"))
    # The times of files are those of the system, so all that is there lies in the future of this run.
    # Without a true monotonic clock, its threads would wait for ever.
    faked = {"FAKETIME": "-1d", "NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    # With one, the library refuses every sleep, which is no matter of the clock; so sleeping is done by waiting.
    (tmp_path / "sitecustomize.py").write_text(
        "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
    )
    places = os.pathsep.join([str(study.root / "src"), str(tmp_path)])
    done = study.run("evaluate", LD_PRELOAD=str(LIBRARY), PYTHONPATH=places, **faked)
    assert done.returncode != 0
    assert "has older modification time" in done.stdout
    assert "clock" in done.stdout
    assert "Traceback" not in done.stdout
    study.finish()
    study.assert_equal(unbroken)
    assert "Nothing to be done" in study.finish("--dry-run")


def test_a_second_run_in_a_folder_is_refused_at_once_and_the_first_ends_well(unbroken, tmp_path):
    study = unbroken.copy(tmp_path / "run", without=("evaluate", "report"))
    first = study.start()
    while not any((study.folder / ".snakemake" / "locks").glob("*")) and first.poll() is None:
        time.sleep(0.05)
    second = study.run()
    assert second.returncode == 1
    assert second.stdout == (
        f"neurobar run: another run is at work in {study.folder}; wait for its end, "
        "or give this one a folder of its own by --directory.\n"
    )
    assert first.wait() == 0, first.said_in.read_text()
    study.assert_equal(unbroken)
