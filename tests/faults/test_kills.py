"""A study that is killed twenty times ends as one that nobody disturbed."""

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KILLS = 20
POLL_S = 0.05
#: A kill comes up to so long after the job that it waits for: about what a job takes.
LATER_S = 2.0


def done_jobs(folder: Path) -> dict[Path, int]:
    """Return for each job that came to its end, by its measured time, when that was written [ns]."""
    times = folder / "results" / "benchmarks"
    return {path.relative_to(times).with_suffix(""): path.stat().st_mtime_ns for path in times.rglob("*.tsv")}


def jobs_at_work(folder: Path, since_s: float) -> set[str]:
    """Return the rules whose jobs began after a moment and did not come to their end."""
    logs, done = folder / "results" / "logs", done_jobs(folder)
    named = {path.relative_to(logs).with_suffix(""): path.stat().st_mtime for path in logs.rglob("*.log")}
    return {job.parts[0] for job, began_s in named.items() if began_s > since_s and job not in done}


def made_progress(folder: Path) -> bool:
    return any((folder / "results" / "pretrain").rglob("progress.safetensors"))


def kill_once(study, kill_group, least: int, *, wait_for_training: bool) -> set[str] | None:
    """Run until so many jobs are done, or training came some way, and kill all.

    Returns the rules that were hit, or None where the study came to its end before.
    """
    began_s, folder, started = time.time(), study.folder, study.start()
    later_s = random.Random(least).uniform(0, LATER_S)
    while started.poll() is None:
        if wait_for_training and made_progress(folder):
            break
        if len(done_jobs(folder)) >= least and jobs_at_work(folder, began_s):
            time.sleep(later_s)
            break
        time.sleep(POLL_S)
    if started.poll() is not None:
        assert started.returncode == 0, started.said_in.read_text()
        return None
    kill_group(started)
    return jobs_at_work(folder, began_s)


def unlock(study) -> None:
    done = study.run("--unlock")
    assert done.returncode == 0, done.stdout


def test_twenty_kills_at_random_moments_lose_nothing_and_change_no_byte(unbroken, untouched, kill_group):
    folder = untouched.folder
    number = len(done_jobs(unbroken.folder))
    hits, redone, in_training = [], 0, False
    # Before each kill another number of jobs is done, spread at random over the whole run; but the first time that a
    # training job has come some way, it is killed there.
    for least in sorted(random.Random(20).sample(range(number - 4), KILLS)):
        before = done_jobs(folder)
        hit = kill_once(untouched, kill_group, least, wait_for_training=not in_training)
        assert hit is not None, f"the run ended after {len(hits)} kills"
        after = done_jobs(folder)
        redone += sum(after.get(job) != at for job, at in before.items())
        hits.append(hit)
        in_training = in_training or made_progress(folder)
        unlock(untouched)
    untouched.finish()
    print(
        f"{KILLS} kills hit", json.dumps(Counter(rule for hit in hits for rule in hit)), f"; {redone} jobs done again"
    )
    untouched.assert_equal(unbroken)
    # A kill between the end of a job and Snakemake's note of it costs that job, and what it needs that is temporary.
    assert redone < KILLS
    logs = (folder / "results" / "logs").rglob("*.log")
    assert in_training
    assert any("Going on after epoch" in log.read_text() for log in logs)


def test_jobs_that_outlive_snakemake_do_no_harm(unbroken, preprocessed):
    started = preprocessed.start()
    while started.poll() is None and not made_progress(preprocessed.folder):
        time.sleep(POLL_S)
    # Snakemake alone, as an interactive session that is closed: its jobs go on beside those of the next run.
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    unlock(preprocessed)
    preprocessed.finish()
    preprocessed.assert_equal(unbroken)
