import os
import subprocess
import sys

import pytest

from neurobar.commands.locks import hold_folder

#: Becomes another program while it holds the folder, as a run becomes Snakemake.
BECOME = """
import os, pathlib, sys
from neurobar.commands.locks import hold_folder
hold_folder(pathlib.Path(sys.argv[1]))
print(flush=True)
os.execvp("cat", ["cat"])
"""


@pytest.fixture
def run_at_work(tmp_path):
    """Return a process that holds the folder and became another program."""
    words = [sys.executable, "-c", BECOME, str(tmp_path)]
    started = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ)
    started.stdout.readline()
    # What comes back shows that it is the other program by now.
    started.stdin.write(b"there\n")
    started.stdin.flush()
    assert started.stdout.readline() == b"there\n"
    yield started
    started.kill()
    started.communicate()


def test_a_second_run_is_refused_while_the_first_lives(tmp_path, run_at_work):
    with pytest.raises(ValueError, match=f"^another run is at work in {tmp_path}; wait .* --directory.$"):
        hold_folder(tmp_path)
    hold_folder(tmp_path.parent)


def test_a_run_that_was_killed_keeps_nobody_out(tmp_path, run_at_work):
    run_at_work.kill()
    run_at_work.wait()
    hold_folder(tmp_path)


def test_a_lock_that_a_killed_snakemake_left_is_told_from_a_run_that_lives(tmp_path):
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.output.lock").touch()
    with pytest.raises(ValueError, match=r"is locked by a run that was killed; .* --unlock"):
        hold_folder(tmp_path)


def test_nothing_is_left_in_the_folder_but_the_file_that_is_locked(tmp_path):
    (tmp_path / "results").mkdir()
    hold_folder(tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["neurobar.lock"]
    assert not list((tmp_path / "results").iterdir())
