"""The keys that the schema of the config knows, and in words what each may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

#: Sections whose named blocks take the keys of another section, which describes them.
SHARED = {"external": "cohort", "splits": "split", "runs": "pretrain", "tasks": "finetune", "controls": "tables"}
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "`null`",
    "object": "block",
}


def resolve(node: Node, schema: Node) -> Node:
    """Put what a node of a schema refers to in its place, and join its parts (`allOf`)."""
    if "$ref" in node:
        return resolve(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], schema)
    found = {key: value for key, value in node.items() if key != "allOf"}
    for part in node.get("allOf", []):
        found = _joined(found, resolve(part, schema))
    return found


def _joined(first: Node, second: Node) -> Node:
    both = {key: first[key] for key in first.keys() & second.keys() if isinstance(first[key], dict)}
    return first | second | {key: _joined(value, second[key]) for key, value in both.items()}


def list_keys(schema: Node) -> dict[str, str]:
    """List every key of the schema once, in its order.

    Parameters
    ----------
    schema : dict
        JSON schema of the config.

    Returns
    -------
    dict of str to str
        For each key, with those above it and joined by dots, what it may be, as Markdown. A name that the study gives
        is `NAME`.
    """
    return {key: _in_words(key, node, schema, is_optional) for key, node, is_optional in _keys(schema, schema)}


def _in_words(key: str, node: Node, schema: Node, is_optional: bool) -> str:
    allowed = ("*optional*; " if is_optional else "") + allowed_values(node, schema)
    section = key.removesuffix(".NAME")
    if section == key or section not in SHARED:
        return allowed
    shared, home = shared_keys(section, schema), SHARED[section]
    is_all = len(shared) == len(resolve(schema["properties"][home], schema).get("properties", {}))
    names = "any key" if is_all else ", ".join(f"`{name}`" for name in shared)
    return f"{allowed}; {names if shared else 'as one'} of [`{home}`](#{home})"


def _keys(node: Node, schema: Node, above: str = "") -> Iterator[tuple[str, Node, bool]]:
    """List the keys below a node of the schema, with their own nodes and whether they may be left out."""
    section, is_named = above.partition(".")[0], above.count(".") > 1
    for name, child in node.get("properties", {}).items():
        if is_named and name in shared_keys(section, schema):
            continue
        key, found = f"{above}{name}", resolve(child, schema)
        yield key, found, name not in node.get("required", [])
        yield from _keys(found, schema, f"{key}.")
        yield from _keys(resolve(found.get("items", {}), schema), schema, f"{key}.")
        block = resolve(found.get("additionalProperties") or {}, schema)
        if block:
            yield f"{key}.NAME", block, False
            # What a control may hold is what a table may hold.
            if found != resolve(schema["properties"].get(SHARED.get(key), {}), schema):
                yield from _keys(block, schema, f"{key}.NAME.")


def shared_keys(section: str, schema: Node) -> list[str]:
    """List the keys that the named blocks of a section have in common with the section that describes them."""
    if section not in SHARED:
        return []
    sections = schema["properties"]
    block = resolve(resolve(sections[section], schema)["additionalProperties"], schema)["properties"]
    home = resolve(sections[SHARED[section]], schema).get("properties", {})
    return [name for name in block if name in home and resolve(block[name], schema) == resolve(home[name], schema)]


def allowed_values(node: Node, schema: Node) -> str:
    """Say in words, as Markdown, what a node of a schema lets pass."""
    node = resolve(node, schema)
    if "anyOf" in node:
        return " or ".join(allowed_values(part, schema) for part in node["anyOf"])
    if "enum" in node or "const" in node:
        return ", ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if node["type"] == "array":
        fewest, most = node.get("minItems", 0), node.get("maxItems")
        number = f" of {fewest}" + ("" if fewest == most else " or more") if fewest else ""
        once = ", each once" if node.get("uniqueItems") else ""
        return f"list{number}{once}: {allowed_values(node['items'], schema)}"
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    words = [TYPES[kind] + (_bounds(node) if kind in ("integer", "number") else "") for kind in kinds]
    if "pattern" in node:
        words[kinds.index("string")] = _words_of(node["pattern"], schema)
    return " or ".join(words)


def _words_of(pattern: str, schema: Node) -> str:
    """Say what a pattern asks of a text."""
    known = {kind: schema.get("$defs", {}).get(kind, {}).get("pattern") for kind in ("name", "text")}
    like = pattern.removesuffix(r"(?!\n)")
    return next((kind for kind, of_kind in known.items() if of_kind == pattern), f"text like `{like}`")


def _bounds(node: Node) -> str:
    if "minimum" in node and "maximum" in node:
        return f" from {node['minimum']} to {node['maximum']}"
    words = {"minimum": "at least {}", "exclusiveMinimum": "above {}"}
    words |= {"maximum": "at most {}", "exclusiveMaximum": "below {}"}
    said = [text.format(node[bound]) for bound, text in words.items() if bound in node]
    return f", {' and '.join(said)}" if said else ""
