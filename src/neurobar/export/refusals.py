"""What is no model to be handed on, told before anything is copied."""

from __future__ import annotations

from typing import Any

#: Whole heads of a template that show nobody: grown around the brain by computation, or the average of many people.
FREE_HEADS = ("computed", "nilearn")


def check_split(settings: dict[str, Any]) -> None:
    """Refuse a control, which was made wrong on purpose.

    Parameters
    ----------
    settings : dict
        With the `split` of the task.

    Raises
    ------
    ValueError
        If scans were split, or labels permuted.
    """
    split = settings["split"]
    if (split["by"], split["labels"]) != ("subject", "own"):
        raise ValueError(f"{settings['task']} is a control, wrong on purpose, and no model to be handed on.")


def check_template(settings: dict[str, Any]) -> None:
    """Refuse a template with a head that may be that of one person, whose face would be copied with it.

    Parameters
    ----------
    settings : dict
        With the `head` of the study's `template`.

    Raises
    ------
    ValueError
        If the head is the path of a file.
    """
    if settings["template"]["head"] not in FREE_HEADS:
        raise ValueError(
            "The model was made with a whole head of your own (template.head), which is not handed on since it may "
            "show a person's face; make the study with template.head: computed."
        )
