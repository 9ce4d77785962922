"""One run at a time in a folder, which has to take results."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

#: The locked file is never removed: a run that waits for it would lock another one of the same name.
LOCK = Path(".snakemake") / "neurobar.lock"
#: Where the system cannot lock files, as on some network file systems, Snakemake's own lock has to do.
CANNOT_LOCK = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


def hold_folder(folder: Path) -> None:
    """Keep all other runs out of a working folder for as long as this process lives, also as another program.

    The system takes the lock back when the process ends, however it ends. Snakemake's own lock stays behind when it
    is killed. It is not removed here although no `neurobar run` holds the folder: a snakemake that was started by
    hand may work there, and only a person knows.

    Parameters
    ----------
    folder : pathlib.Path

    Raises
    ------
    ValueError
        If results cannot be written there, another run is at work, or a killed one left its lock.
    """
    check_writable(folder)
    try:
        (folder / LOCK).parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise ValueError(refusal(folder, error)) from None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        raise ValueError(
            f"another run is at work in {folder.absolute()}; wait for its end, "
            "or give this one a folder of its own by --directory."
        ) from None
    except OSError as error:
        if error.errno not in CANNOT_LOCK:
            raise
    # Kept through exec; Snakemake closes it for the jobs that it starts, so that one that outlives it keeps nobody out.
    os.set_inheritable(opened, True)
    if any((folder / ".snakemake" / "locks").glob("*")):
        raise ValueError(
            f"{folder.absolute()} is locked by a run that was killed; if no snakemake that was started by hand and "
            "no job of a cluster is at work there, give the same command with --unlock and then without it."
        )


def check_writable(folder: Path) -> None:
    """Refuse a working folder that takes no results.

    Parameters
    ----------
    folder : pathlib.Path

    Raises
    ------
    ValueError
        With the folder that cannot be written to, and why.
    """
    for place in (folder, folder / "results", folder / ".snakemake"):
        if place.is_dir():
            tried = place / f".tried-{os.getpid()}"
            try:
                tried.touch()
                tried.unlink()
            except OSError as error:
                raise ValueError(refusal(place, error)) from None


def refusal(place: Path, error: OSError) -> str:
    """Say that a folder cannot be written to."""
    return f"{place.absolute()} cannot be written to ({error.strerror}); a run writes its results there."
