"""How a command ends when the machine is at fault: in one sentence, as it does where its input is."""

from __future__ import annotations

import sys
from collections.abc import Callable

#: How PyTorch and the libraries below it say that memory is at its end, where they raise no `MemoryError`.
NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "bad_alloc", "cannot allocate memory")
#: What to do then.
LESS = (
    "There is not enough memory for this job: give it more (its mem_mb; training.mem_mb for training), "
    "or let training need less (training.cohort: streamed, a smaller training.microbatch)."
)


def lacks_memory(error: BaseException) -> bool:
    """Tell whether an error says that there was no memory left.

    Parameters
    ----------
    error : BaseException
        Also of a library that has no error of its own for it.

    Returns
    -------
    bool
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and any(words in str(error).lower() for words in NO_MEMORY)


def call_command(main: Callable[[], None]) -> None:
    """Call the main function of a command, and end with one sentence where disk or memory fail it.

    Parameters
    ----------
    main : callable
        Of no arguments; it reads the command line.
    """
    try:
        main()
    except (MemoryError, RuntimeError, OSError) as error:
        if lacks_memory(error):
            sys.exit(LESS)
        if isinstance(error, OSError):
            sys.exit(str(error))
        raise
