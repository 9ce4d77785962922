"""What may be changed in a study; each function returns an edit, which is made at a desk."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from changes.studies import Desk, set_time

PACKAGE = "src/neurobar/"


@dataclass(frozen=True)
class Edit:
    """A change of a study.

    Attributes
    ----------
    make : callable
        Makes it at a desk.
    key : str
        The section of the config that it changes, if any.
    """

    make: Callable[[Desk], None]
    key: str = ""


def setting(path: str, value: Any) -> Edit:
    """Set a key of the config; its path is written with dots."""
    *sections, last = path.split(".")

    def make(desk: Desk) -> None:
        block = desk.config
        for section in sections:
            block = block[section]
        assert block.get(last) != value, path
        block[last] = value
        desk.write_settings()

    return Edit(make, path.split(".")[0])


def further_row(table: str, task: str) -> Edit:
    """Add a row to a table."""

    def make(desk: Desk) -> None:
        desk.config["tables"][table]["rows"].append({"framework": "Any", "method": task, "task": task})
        desk.write_settings()

    return Edit(make, "tables")


def row_says(table: str, task: str, key: str, value: Any) -> Edit:
    """Set a key of a row of a table."""

    def make(desk: Desk) -> None:
        next(row for row in desk.config["tables"][table]["rows"] if row["task"] == task)[key] = value
        desk.write_settings()

    return Edit(make, "tables")


def without(section: str, name: str) -> Edit:
    """Take a block out of a section of the config."""

    def make(desk: Desk) -> None:
        del desk.config[section][name]
        desk.write_settings()

    return Edit(make, section)


def line(name: str, old: str, new: str) -> Edit:
    """Replace some words of a file of the code; a module is named from its package."""

    def make(desk: Desk) -> None:
        path = desk.study.root / (name if (desk.study.root / name).exists() else PACKAGE + name)
        text = path.read_text()
        assert old in text, (name, old)
        desk.write(path, text.replace(old, new, 1))

    return Edit(make)


def statement(name: str) -> Edit:
    """Add a statement to a module."""

    def make(desk: Desk) -> None:
        path = desk.study.root / PACKAGE / name
        desk.write(path, path.read_text() + "\nFURTHER = 1\n")

    return Edit(make)


def everywhere(pattern: str, old: str, new: str) -> Edit:
    """Replace a regular expression in all files of a pattern; each of them has to hold it."""

    def make(desk: Desk) -> None:
        for path in sorted(desk.study.root.glob(pattern)):
            text = path.read_text()
            changed = re.sub(old, new, text, flags=re.MULTILINE)
            assert changed != text or not text.strip() or path.name == "__init__.py", path
            desk.write(path, changed)

    return Edit(make)


def further_file(name: str, text: str) -> Edit:
    """Write a file that was not there."""
    return Edit(lambda desk: desk.write(desk.study.root / name, text))


def content(name: str) -> Edit:
    """Write something else into a file."""
    return Edit(lambda desk: desk.write(desk.path(name), "something else"))


def touched(name: str) -> Edit:
    """Change nothing but the time of a file."""

    def make(desk: Desk) -> None:
        path = desk.path(name)
        desk.write(path, path.read_text())
        set_time(path, time.time_ns())

    return Edit(make)


def removed(name: str) -> Edit:
    """Remove a result, and nothing else."""
    return Edit(lambda desk: desk.remove(desk.path(name)))


def sheet(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Edit:
    """Rewrite a sheet; all its cells are text."""

    def make(desk: Desk) -> None:
        path = desk.path(name)
        table = change(pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False))
        for image in table["path"]:
            if not (desk.study.folder / image).exists():
                desk.write(desk.study.folder / image, image)
        desk.write(path, table.to_csv(sep="\t", index=False))

    return Edit(make)


def cell(name: str, column: str, value: str) -> Edit:
    """Set a cell in the first row of a sheet."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        assert table.at[0, column] != value
        table.loc[0, column] = value
        return table

    return sheet(name, change)


def further_scan(name: str, subject: str, **cells: str) -> Edit:
    """Add to a sheet the scan `new` of a subject, otherwise like the last one."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        row = table.iloc[-1].to_dict() | {"scan": "new", "subject": subject, "path": "new.nii.gz", "mask": ""} | cells
        return pd.concat([table, pd.DataFrame([row])])

    return sheet(name, change)
