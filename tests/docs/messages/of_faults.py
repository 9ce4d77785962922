"""What is said where disk, memory, another run or a file that changed stands in the way."""

import errno
import os

from neurobar.commands import locks
from neurobar.commands.locks import hold_folder
from neurobar.data.endings import call_command
from neurobar.data.files import written_whole
from neurobar.preprocess.registration import Registration, check_unchanged, write_registration


def a_full_disk(bench):
    with written_whole(bench.folder / "table.tsv"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_memory(bench):
    def main():
        raise MemoryError

    call_command(main)


def a_scan_that_changed(bench):
    (bench.folder / "scan.nii.gz").touch()
    registration = Registration([], 0.8, 0.7, [], 0, 0, 1, True)
    write_registration(bench.folder / "registration.json", registration, "another")
    check_unchanged(bench.folder / "scan.nii.gz", bench.folder / "registration.json")


def a_folder_that_takes_nothing(bench):
    def refuse(*words, **more):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    bench.monkeypatch.setattr(locks.Path, "touch", refuse)
    hold_folder(bench.folder)


def two_runs(bench):
    hold_folder(bench.folder)
    hold_folder(bench.folder)


def a_lock_left_over(bench):
    (bench.folder / ".snakemake" / "locks").mkdir(parents=True)
    (bench.folder / ".snakemake" / "locks" / "0.output.lock").touch()
    hold_folder(bench.folder)


CASES = {
    "… could not be written (…); mend that and give the command again.": a_full_disk,
    "There is not enough memory for this job: give it more (its mem_mb; training.mem_mb for training), or let training "
    "need less (training.cohort: streamed, a smaller training.microbatch).": no_memory,
    "…: the file changed since it was registered; give the command again, and all of this scan is done anew.": (
        a_scan_that_changed
    ),
    "… cannot be written to (…); a run writes its results there.": a_folder_that_takes_nothing,
    "another run is at work in …; wait for its end, or give this one a folder of its own by --directory.": two_runs,
    "… is locked by a run that was killed; if no snakemake that was started by hand and no job of a cluster is at "
    "work there, give the same command with --unlock and then without it.": a_lock_left_over,
}
