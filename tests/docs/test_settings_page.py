"""The page *Settings* holds every key of the schema once, with its default, what it may be and a description."""

import importlib.util
import re
import sys

import pytest
import yaml

#: Sections whose named blocks take keys that another section describes.
DESCRIBED_IN = {"external": "cohort", "splits": "split", "runs": "pretrain", "tasks": "finetune", "controls": "tables"}
ANCHOR = re.compile(r'^(?:## .* \{ #([\w.]+) \}|\| <span id="([\w.]+)"></span>.*)$', re.MULTILINE)

SCHEMA = {
    "$defs": {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "box": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "minimum": 1}}},
    },
    "properties": {
        "first": {
            "type": "object",
            "required": ["rate", "box"],
            "properties": {
                "rate": {"type": "number", "exclusiveMinimum": 0, "maximum": 2},
                "box": {"allOf": [{"$ref": "#/$defs/box"}, {"properties": {"size": {"maximum": 9}}}]},
                "kind": {"enum": ["a|b", "c"]},
                "names": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"$ref": "#/$defs/name"}},
                "limits": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["number", "null"]}},
                "at": {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"const": "chosen"}]},
            },
        },
        "seeds": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["first"],
}
TEXT = """first:
  rate: 0.5            # how *fast* [1/s]; "slow # or" fast
                       # as it goes
  box: {size: 3}       # edge [voxels]
  kind: "a|b # no comment"
  names: [x]
seeds: [0, 1]          # each | repeats
"""


@pytest.fixture(scope="module")
def hook(root):
    """Load the hook as MkDocs does, with its folder on the path."""
    path = root / "docs" / "hooks" / "settings_page.py"
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location("settings_page", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


@pytest.fixture(scope="module")
def sources(root):
    schema = yaml.safe_load((root / "workflow" / "schemas" / "config.schema.yaml").read_text())
    return schema, (root / "config.yaml").read_text()


def keys_of(node, schema, above=""):
    """Walk the schema for keys, by other means than the hook."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    parts = [node, *node.get("allOf", [])]
    for part in parts[1:]:
        yield from keys_of(part, schema, above) if "$ref" in part else ()
    for name, child in node.get("properties", {}).items():
        yield f"{above}{name}"
        yield from keys_of(child, schema, f"{above}{name}.")
    if isinstance(node.get("additionalProperties"), dict):
        yield f"{above}NAME"
        yield from keys_of(node["additionalProperties"], schema, f"{above}NAME.")
    if "items" in node:
        yield from keys_of(node["items"], schema, above)


def is_described_elsewhere(key, own):
    """Tell whether a key of a named block is one of the section that describes such blocks."""
    section, _, rest = key.partition(".NAME.")
    home = DESCRIBED_IN.get(section)
    return bool(home and rest) and (f"{home}.{rest}" in own or f"{home}.NAME.{rest}" in own)


def rows_of(page):
    found = re.findall(r'^\| <span id="([\w.]+)"></span>`[^`]+` \| (.*?) \| (.*?) \| (.*) \|$', page, re.MULTILINE)
    return {key: (default, allowed, said) for key, default, allowed, said in found}


def test_every_key_of_the_schema_is_on_the_page_once(hook, sources):
    schema, text = sources
    on_page = [heading or row for heading, row in ANCHOR.findall(hook.write_page(schema, text))]
    assert len(on_page) == len(set(on_page))
    own = set(keys_of(schema, schema))
    assert {"pretrain.outer_cuts.count", "tables.NAME.rows.paper.recall", "runs.NAME.sigma"} <= own
    # `scans` of a second cohort is another key than that of the study, which may be null.
    expected = {key for key in own if key == "external.NAME.scans" or not is_described_elsewhere(key, own)}
    assert set(on_page) == expected


def test_every_key_has_a_description_or_leads_to_that_of_the_key_above(hook, sources):
    schema, text = sources
    comments, rows = hook.read_comments(text), rows_of(hook.write_page(schema, text))
    for key, (_, allowed, said) in rows.items():
        link = re.fullmatch(r"see \[`([\w.]+)`\]\(#\1\)", said)
        assert allowed
        if link:
            assert key not in comments
            assert key.startswith(f"{link[1]}.")
            assert comments[link[1]]
        else:
            assert said == hook.escaped(comments[key])


def test_defaults_are_those_of_the_default_study(hook, sources):
    schema, text = sources
    rows = rows_of(hook.write_page(schema, text))
    study = yaml.safe_load(text)
    for key, (default, _, _) in rows.items():
        value = study
        for step in key.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if default:
            assert yaml.safe_load(default.strip("`")) == value, key
        else:
            assert value is None or isinstance(value, dict), key


def test_a_page_is_written_as_one_would_by_hand(hook):
    page = hook.write_page(SCHEMA, TEXT)
    rows = rows_of(page)
    said = 'how &#42;fast&#42; &#91;1/s&#93;; "slow # or" fast as it goes'
    assert rows["first.rate"] == ("`0.5`", "number, above 0 and at most 2", said)
    assert rows["first.box"] == ("", "block", "edge &#91;voxels&#93;")
    assert rows["first.box.size"] == ("`3`", "whole number from 1 to 9", "see [`first.box`](#first.box)")
    assert rows["first.kind"] == ("`'a|b # no comment'`", "*optional*; `a|b`, `c`", "")
    assert rows["first.names"] == ("`[x]`", "*optional*; list of 1 or more, each once: name", "")
    assert rows["first.limits"] == ("", "*optional*; list of 2: number or `null`", "")
    assert rows["first.at"] == ("", "*optional*; number from 0 to 1 or `chosen`", "")
    assert "Each &#124; repeats." in page
    assert "Default: `[0, 1]`; allowed: *optional*; list: whole number." in page


def test_a_comment_of_the_next_block_is_not_taken_for_one_that_goes_on(hook):
    text = "a: 1   # first\n# of b\nb: 2  # second\n     # of nothing\n"
    assert hook.read_comments(text) == {"a": "first", "b": "second"}


def test_named_blocks_lead_to_the_section_that_describes_them(hook, sources):
    rows = rows_of(hook.write_page(*sources))
    assert rows["runs.NAME"][1] == "block; any key of [`pretrain`](#pretrain)"
    assert rows["splits.NAME"][1] == "block; `by`, `labels`, `seed` of [`split`](#split)"
    assert rows["controls.NAME"][1] == "block; as one of [`tables`](#tables)"
