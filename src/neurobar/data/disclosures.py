"""What a study may say of itself to whom it is shown: its settings, with or without what names people."""

from __future__ import annotations

import copy
from typing import Any

#: In the place of a path.
NOT_TOLD = "(not told)"
#: Scans that settings name; of more there is their number, since a command line has an end.
MOST_NAMED = 500
#: Words of settings that hold a path otherwise.
CARRIED = {"head": ("computed", "nilearn"), "image": ("aal2",), "labels": ()}


def tell_settings(config: dict[str, Any], *, anonymise: bool) -> dict[str, Any]:
    """Copy the settings of a study as they may be shown.

    Parameters
    ----------
    config : dict
        Checked, with its defaults.
    anonymise : bool
        Leave out names of scans and all paths.

    Returns
    -------
    dict
        In the place of the scans to keep and to exclude their number, where they are anonymised or many; in the place
        of a path "(not told)", where they are anonymised.
    """
    told = copy.deepcopy(config)
    preprocess = told["preprocess"]
    for name in ("keep", "exclude"):
        if anonymise or len(preprocess[name]) > MOST_NAMED:
            preprocess[name] = len(preprocess[name])
    if not anonymise:
        return told
    for cohort in (told["cohort"], *told["external"].values()):
        cohort["scans"] = cover_path(cohort["scans"])
    for block, name in (("template", "head"), ("atlas", "image"), ("atlas", "labels")):
        told[block][name] = cover_path(told[block][name], CARRIED[name])
    return told


def cover_path(path: str | None, carried: tuple[str, ...] = ()) -> str | None:
    """Leave out a path, but not that there is none nor a word that is none.

    Parameters
    ----------
    path : str or None
    carried : tuple of str
        Words that stand for what packages carry.

    Returns
    -------
    str or None
    """
    return path if path is None or path in carried else NOT_TOLD
