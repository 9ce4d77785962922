"""Write the page *Settings* from schema, default study and the comments of `config.yaml`, so that it cannot drift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from schema_keys import list_keys

CONFIG, SCHEMA, PAGE = "config.yaml", "workflow/schemas/config.schema.yaml", "settings.md"
INTRODUCTION = """# Settings

Every key of `config.yaml`, the default study. A study of your own is a file with the keys that differ, laid over it by
`--configfile`: blocks are joined key by key, lists are replaced as a whole. Once it is laid over, every key that is not
*optional* has to be there; an unknown key, a wrong type or a value out of range stops the workflow before any job, in
one sentence ([Troubleshooting](troubleshooting.md#settings)).

This page is written from `workflow/schemas/config.schema.yaml`, from the defaults in `config.yaml` and from the
comments there. `NAME` is a name that you give: small letters, digits and `_`, a letter first.
"""


def read_comments(text: str) -> dict[str, str]:
    """Read the comment beside each key of a YAML file.

    Parameters
    ----------
    text : str
        The file. A comment goes on in the lines below that hold nothing else and begin at the same column.

    Returns
    -------
    dict of str to str
        For each key that is the first of its line and has a comment; keys of nested blocks are joined by dots.
    """
    lines, ends = text.splitlines(), _ends_of_lines(text)
    comments, taken = {}, set()
    for key, number in _places(yaml.compose(text)):
        found = lines[number][ends[number] :].lstrip()
        if number not in taken and found.startswith("#"):
            column, below, parts = lines[number].rindex(found), number + 1, [found]
            while below < len(lines) and below not in ends and lines[below].find("#") == column:
                parts.append(lines[below][column:])
                below += 1
            comments[key] = " ".join(part.lstrip("# ").rstrip() for part in parts)
        taken.add(number)
    return comments


def _ends_of_lines(text: str) -> dict[int, int]:
    """Find the column where the last word of YAML ends, for each line that has one."""
    ends: dict[int, int] = {}
    for token in yaml.scan(text):
        if token.end_mark.index > token.start_mark.index:
            ends[token.end_mark.line] = max(ends.get(token.end_mark.line, 0), token.end_mark.column)
    return ends


def _places(node: yaml.Node, above: str = "") -> Iterator[tuple[str, int]]:
    """List the keys of nested mappings with their lines, those above first."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield f"{above}{name.value}", name.start_mark.line
            yield from _places(value, f"{above}{name.value}.")


def write_page(schema: dict[str, Any], text: str) -> str:
    """Write the page.

    Parameters
    ----------
    schema : dict
        JSON schema of the config.
    text : str
        The default study, YAML with comments.

    Returns
    -------
    str
        Markdown, with each key as the anchor of its heading or row.
    """
    allowed, comments, study = list_keys(schema), read_comments(text), yaml.safe_load(text)
    lines = [INTRODUCTION]
    for section in (key for key in allowed if "." not in key):
        rows = [key for key in allowed if key.startswith(f"{section}.")]
        said = escaped(comments.get(section, ""))
        lines += [f"## {section} {{ #{section} }}", "", f"{said[:1].upper()}{said[1:]}.".lstrip("."), ""]
        if f"{section}.NAME" in rows:
            lines += [f"In the default study: {', '.join(f'`{name}`' for name in study[section]) or 'none'}.", ""]
        if rows:
            lines += ["| key | default | allowed | what it is |", "|---|---|---|---|"]
            lines += [*(_row(key, _default(key, study), allowed[key], comments) for key in rows), ""]
        else:
            lines += [f"Default: {_default(section, study)}; allowed: {allowed[section]}.", ""]
    return "\n".join(lines)


def _row(key: str, default: str, allowed: str, comments: dict[str, str]) -> str:
    """Write a row; a key without a comment leads to the nearest key above that has one."""
    steps = key.split(".")
    described = next(
        (name for number in range(len(steps), 0, -1) if (name := ".".join(steps[:number])) in comments), ""
    )
    said = escaped(comments[key]) if described == key else f"see [`{described}`](#{described})" if described else ""
    return f'| <span id="{key}"></span>`{key.partition(".")[2]}` | {default} | {allowed} | {said} |'


def _default(key: str, study: dict[str, Any]) -> str:
    """Write the value that a key has in the default study, where it has one and it is no block."""
    value: Any = study
    for step in key.split("."):
        if not isinstance(value, dict) or step not in value:
            return ""
        value = value[step]
    if isinstance(value, dict) and value:
        return ""
    written = yaml.safe_dump(value, default_flow_style=True, width=10_000).splitlines()[0]
    return f"`{written}`"


def escaped(text: str) -> str:
    """Keep Markdown from reading what a comment says as its own marks."""
    return "".join(f"&#{ord(letter)};" if letter in "\\`*_{}[]<>|&" else letter for letter in text)


def on_files(files: Any, config: Any) -> Any:
    """Add the page to the site, as MkDocs asks of a hook."""
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    schema, text = ((root / name).read_text(encoding="utf-8") for name in (SCHEMA, CONFIG))
    files.append(File.generated(config, PAGE, content=write_page(yaml.safe_load(schema), text)))
    return files
