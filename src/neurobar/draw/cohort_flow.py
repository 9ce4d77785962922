"""How the scans of a sheet became a test set and folds: counted, and drawn as boxes with arrows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neurobar.draw.boxes import LETTER_MM, LINE_MM, PAD_MM, Box, box_of, draw_boxes
from neurobar.draw.sentences import count_scans
from neurobar.figures.style import PAGE_MM

GAP_MM = 6.0  # from a box to the next
MOST_REASONS = 8  # that a box names
FOLDS_ABREAST = 6
COLUMNS_MM = (1.0, 84.0)  # where boxes begin
MEASURE = re.compile(r"(\w+) is \S+, (?:below|above) ")


def group_reason(reason: str) -> str:
    """Sort the reason why a scan is left out into a group.

    Parameters
    ----------
    reason : str
        Sentences of `judge_scans`.

    Returns
    -------
    str
        A scan without a credible registration has no other reason, since what is measured after it means nothing;
        measures beyond their limits are named together, so that each scan is in one group.
    """
    if reason == "Excluded in the config.":
        return "excluded in the config"
    if "No credible registration" in reason or "does not lie on the template" in reason:
        return "no credible registration"
    measures = MEASURE.findall(reason)
    return f"{', '.join(measures)} beyond limits" if measures else "other reasons"


def follow_scans(listed: pd.DataFrame, packed: pd.DataFrame, folds: pd.DataFrame, ignored: list[Any]) -> pd.DataFrame:
    """Say of each scan of the sheet where it went.

    Parameters
    ----------
    listed : pandas.DataFrame
        From `read_sheet`: scan, subject, told.
    packed : pandas.DataFrame
        Table of the packed cohort: scan, used, reason.
    folds : pandas.DataFrame
        The split: scan, label, part.
    ignored : list
        Values of the label whose scans are left out.

    Returns
    -------
    pandas.DataFrame
        Columns scan, subject, told, stage (`label` or `check` where the scan was left out there, else `used`), group
        (why it was left out), kept (it takes part although a check failed), label (0 or 1) and part.
    """
    scans = listed[["scan", "subject", "told"]].merge(packed, on="scan", how="left")
    scans = scans.merge(folds[["scan", "label", "part"]], on="scan", how="left")
    unwanted, used = scans["told"].isin([str(value) for value in ignored]), scans["part"].notna()
    reasons = scans["reason"].fillna("").map(group_reason)
    return scans.assign(
        stage=np.select([unwanted, used], ["label", "used"], "check"),
        group=np.select([unwanted, used], [scans["told"], ""], reasons),
        kept=used & scans["reason"].notna(),
    ).drop(columns=["used", "reason"])


def lay_out_flow(scans: pd.DataFrame, cohort: dict[str, Any]) -> tuple[list[Box], list[list[tuple[float, float]]]]:
    """Place the boxes, and the arrows between them.

    Parameters
    ----------
    scans : pandas.DataFrame
        From `follow_scans`.
    cohort : dict
        The config's cohort.

    Returns
    -------
    boxes : list of Box
    arrows : list of list of (float, float)
        Corners of each, from its start to its tip [mm].
    """
    labelled, used = scans[scans["stage"] != "label"], scans[scans["stage"] == "used"]
    last = _main_box(1, ["Sheet of scans", count_scans(scans)])
    boxes, arrows = [last], []
    steps = [("Left out by checks or by name", labelled, used, ["Take part", *_count_classes(used, cohort)])]
    if len(labelled) < len(scans):
        classes = [f"{cohort['label']} {cohort['negative']} or {cohort['positive']}", count_scans(labelled)]
        steps.insert(0, (f"Left out: {cohort['label']} ignored in the config", scans, labelled, classes))
    for title, before, after, lines in steps:
        beside = _side_box(last.bottom + 2, _lost_lines(title, before, after), fill="0.93")
        following = _main_box(beside.bottom + 2, lines)
        middle = (beside.top + beside.bottom) / 2
        arrows.append([(last.middle, last.bottom), (last.middle, following.top)])
        arrows.append([(last.middle, middle), (beside.left, middle)])
        boxes += [beside, following]
        last = following
    if kept := int(used["kept"].sum()):
        boxes[-1] = last = _main_box(last.top, [*last.lines, f"{kept} kept by name although a check failed"])
    parts, led = _lay_out_parts(last, used, cohort)
    return boxes + parts, arrows + led


def draw_flow(scans: pd.DataFrame, cohort: dict[str, Any]) -> Figure:
    """Draw the way from the sheet to the test set and the folds.

    Parameters
    ----------
    scans : pandas.DataFrame
        From `follow_scans`.
    cohort : dict
        The config's cohort.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return draw_boxes(*lay_out_flow(scans, cohort))


def _main_box(top: float, lines: list[str]) -> Box:
    return box_of(COLUMNS_MM[0], top, 66, lines)


def _side_box(top: float, lines: list[str], fill: str = "white") -> Box:
    return box_of(COLUMNS_MM[1], top, PAGE_MM - 1 - COLUMNS_MM[1], lines, fill)


def _count_classes(rows: pd.DataFrame, cohort: dict[str, Any]) -> list[str]:
    names = (cohort["negative"], cohort["positive"])
    return [count_scans(rows)] + [f"{name}: {count_scans(rows[rows['label'] == at])}" for at, name in enumerate(names)]


def _lost_lines(title: str, before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    lost = before.loc[before.index.difference(after.index)]
    if lost.empty:
        return [title, "none"]
    counts = lost["group"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    named = [f"{group}: {count}" for group, count in counts[:MOST_REASONS].items()]
    if len(counts) > MOST_REASONS:
        named.append(f"{len(counts) - MOST_REASONS} other groups: {counts[MOST_REASONS:].sum()}")
    gone = before["subject"].nunique() - after["subject"].nunique()
    return [
        title,
        f"{len(lost)} scan{'s' * (len(lost) != 1)}, of which",
        *named,
        f"without a scan left: {gone} subject{'s' * (gone != 1)}",
    ]


def _lay_out_parts(last: Box, used: pd.DataFrame, cohort: dict[str, Any]) -> tuple[list[Box], list[list]]:
    tested = used["part"] == "test"
    top, across = last.bottom + 2 * GAP_MM, last.bottom + GAP_MM
    test = _main_box(top, ["Test set", *_count_classes(used[tested], cohort)])
    rest = _side_box(top, ["Development", *_count_classes(used[~tested], cohort)])
    test, rest = (replace(box, height=max(test.height, rest.height)) for box in (test, rest))
    start, below = (last.middle, last.bottom), rest.bottom + GAP_MM
    arrows = [[start, (last.middle, across), (box.middle, across), (box.middle, top)] for box in (test, rest)]
    arrows.append([(rest.middle, rest.bottom), (rest.middle, below)])
    return [test, rest, *_lay_out_folds(below, used[~tested], cohort)], arrows


def _lay_out_folds(top: float, rows: pd.DataFrame, cohort: dict[str, Any]) -> list[Box]:
    folds = sorted(set(rows["part"]), key=int)
    abreast = min(len(folds), FOLDS_ABREAST)
    width = (PAGE_MM - 2 - 2 * PAD_MM - 2 * (abreast - 1)) / abreast
    row_top, boxes = top + LINE_MM + 2 * PAD_MM, []
    for start in range(0, len(folds), abreast):
        row = [
            box_of(1 + PAD_MM + place * (width + 2), row_top, width, _fold_lines(fold, rows, cohort, width))
            for place, fold in enumerate(folds[start : start + abreast])
        ]
        tallest = max(box.height for box in row)
        boxes += [replace(box, height=tallest) for box in row]
        row_top += tallest + 2
    title = "Folds: each in turn selects the model, the others train"
    return [Box(1, top, PAGE_MM - 2, row_top - top, [title], fill="0.97"), *boxes]


def _fold_lines(fold: str, rows: pd.DataFrame, cohort: dict[str, Any], width: float) -> list[str]:
    inside = rows[rows["part"] == fold]
    lines = [f"Fold {fold}", count_scans(inside)]
    for label, name in enumerate((cohort["negative"], cohort["positive"])):
        group = inside[inside["label"] == label]
        counts = f": {len(group)} of {group['subject'].nunique()}"
        room = int((width - 2 * PAD_MM) / LETTER_MM) - len(counts)
        lines.append((str(name) if len(str(name)) <= room else f"{str(name)[: room - 1]}…") + counts)
    return lines
