"""What can stand in settings at all, whatever the key."""

from __future__ import annotations

import math
import re
from typing import Any

#: More is no study but a mistake, or an attack by aliases that hold aliases.
DEEPEST, MOST_VALUES = 20, 100_000
#: Texts of several lines; all others are part of names, of paths or of one line.
LONG = ("caption", "note")
#: Neither printed nor part of a file's name.
UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
#: Integers of 64 bits.
LARGEST = 2**63


def check_values(settings: Any) -> None:
    """Refuse values that no setting can have, so that those who check settings need not think of them.

    Parameters
    ----------
    settings : dict or other
        As YAML gives them.

    Raises
    ------
    ValueError
        One sentence that names the key.
    """
    left: list[tuple[str, int, Any]] = [("", 0, settings)]
    count = 0
    while left:
        key, depth, value = left.pop()
        count += 1
        if depth > DEEPEST or count > MOST_VALUES:
            raise ValueError(f"Config: {key.split('.')[0]}: values are nested too deep, or too many.")
        if isinstance(value, dict):
            _check_keys(key, value)
            left += [(f"{key}.{name}" if key else name, depth + 1, inner) for name, inner in value.items()]
        elif isinstance(value, list):
            left += [(f"{key}.{place}", depth + 1, inner) for place, inner in enumerate(value)]
        else:
            _check_value(key, value)


def _check_keys(key: str, section: dict[Any, Any]) -> None:
    for name in section:
        if not isinstance(name, str) or not name.isprintable():
            shown = repr(name) if isinstance(name, str) else type(name).__name__
            raise ValueError(f"Config: {key or 'the file'}: a key is no text ({shown}); put quotation marks around it.")


def _check_value(key: str, value: Any) -> None:
    if isinstance(value, str):
        shown = re.sub(r"[\n\t]", " ", value) if key.rpartition(".")[2] in LONG else value
        if UNPRINTED.search(shown):
            raise ValueError(f"Config: {key}: the text holds the end of a line or a control character.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"Config: {key}: {value} is not finite.")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise ValueError(f"Config: {key}: the number does not fit into 64 bits.")
    if not isinstance(value, str | float | int | None):
        kind = type(value).__name__
        raise ValueError(f"Config: {key}: a {kind} is no setting; put quotation marks around it if it is text.")
