"""Outputs that are either whole or absent."""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Of another machine, whose processes cannot be looked up, what was not touched for so long is left over [s].
LEFT_OVER_S = 86_400
#: Errors that can only be those of an output, where no file is named.
OF_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
#: How libraries written in Rust (safetensors) say the number of an error of the system.
SYSTEM_ERROR = re.compile(r"os error (\d+)")


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` and move it into place on success.

    A job that dies while it writes leaves no file that could be taken for a result. The bytes are on the disk before
    the name is, so that a machine that dies leaves no empty file either: file systems may write a new name long
    before its content, and Snakemake would believe that file. What killed jobs left of the same output is removed.

    Parameters
    ----------
    path : path
        The final name of a file, or of a folder that is not there yet. Its own folder is made when it is missing.

    Yields
    ------
    pathlib.Path
        A name in the same folder that ends like `path`, so that writers which look
        at the suffix (nibabel, matplotlib) choose the same format.

    Raises
    ------
    OSError
        With one sentence that names the file, if the system refuses to write it, as on a full disk.
    """
    final = Path(path)
    partial = final.with_name(f".partial-{platform.node()}-{os.getpid()}-{final.name}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        remove_left_overs(final)
        yield partial
        _flush(partial)
        os.replace(partial, final)
    except Exception as error:
        if reason := _reason_of(error, partial):
            raise OSError(f"{final} could not be written ({reason}); mend that and give the command again.") from error
        raise
    finally:
        _remove(partial)


def _reason_of(error: Exception, partial: Path) -> str | None:
    """Return why the system refused to write, or nothing where the fault is another one."""
    if isinstance(error, OSError) and error.errno is not None:
        # An error that names a file is about that file, which may be one that was read.
        named = error.filename
        unnamed = named is None and error.errno in OF_WRITING
        own = unnamed or (named and (str(named).startswith(str(partial)) or partial.parent.is_relative_to(str(named))))
        return os.strerror(error.errno) if own else None
    said = SYSTEM_ERROR.search(str(error)) if type(error).__name__ == "SafetensorError" else None
    return os.strerror(int(said[1])) if said else None


def _flush(partial: Path) -> None:
    for path in [partial, *partial.rglob("*")] if partial.is_dir() else [partial]:
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        except OSError:
            # Some shared file systems flush no folder.
            if not path.is_dir():
                raise
        finally:
            os.close(opened)


def remove_left_overs(final: Path) -> None:
    """Remove what killed jobs left of an output, and nothing that a living one is writing.

    Parameters
    ----------
    final : pathlib.Path
        The name of the output.
    """
    for path in final.parent.glob(f".partial-*-{_literal(final.name)}"):
        named = re.fullmatch(rf"\.partial-(.+)-(\d+)-{re.escape(final.name)}", path.name)
        if named and not _is_being_written(path, host=named[1], process=int(named[2])):
            _remove(path)


def _literal(name: str) -> str:
    return re.sub(r"([\[*?])", r"[\1]", name)


def _is_being_written(path: Path, *, host: str, process: int) -> bool:
    if host == platform.node():
        return process != os.getpid() and _lives(process)
    try:
        return time.time() - path.stat().st_mtime < LEFT_OVER_S
    except FileNotFoundError:
        return False


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 reaches nobody, and says whether there is anybody
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
