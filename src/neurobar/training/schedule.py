"""How the learning rate changes over the steps."""

from __future__ import annotations

import math


def rate_at(step: int, *, steps: int, rate: float, schedule: str, warmup: float) -> float:
    """Learning rate of one optimiser step.

    Parameters
    ----------
    step : int
        Counted from 0.
    steps : int
        All steps of the training.
    rate : float
        The highest rate.
    schedule : {"constant", "cosine"}
        What follows the warm-up; `cosine` falls to 0 after the last step.
    warmup : float
        Part of the steps in which the rate rises linearly [0..1].

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the schedule is unknown.
    """
    rising = round(warmup * steps)
    if step < rising:
        return rate * (step + 1) / rising
    if schedule == "constant":
        return rate
    if schedule == "cosine":
        return rate * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising))) / 2
    raise ValueError(f"The schedule is constant or cosine, not {schedule!r}.")
