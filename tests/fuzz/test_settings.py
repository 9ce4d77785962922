"""Settings of any content hold together once they are accepted, or are refused."""

import copy
import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from neurobar.data.settings import check_settings
from neurobar.data.studies import Study

ODD: list[Any] = [None, True, False, 0, 1, 2, -1, 16.0, 0.5, 1e-30, 1e300, 2**31, 2**63, 10**400, math.nan, math.inf]
ODD += [-math.inf, "", "none", "bar", "bar\n", "no", "1", "1e-4", "0.5", "{scan}", "<results>", "$(touch x)", "`id`"]
ODD += ["<script>alert(1)</script>", "%s %d {0}", "../..", "a\x00b", "\ud800", "\u202e", "\x1b[2J", "é" * 400, "\\"]
ODD += [[], {}, [1], [2, 1], [0.5, None], ["a", "a"], {"a": 1}, {1: 2}, {None: 1}, {"count": 1, "size": 3}, [[[[[]]]]]]
ODD += [{1, 2}, b"bytes", (1, 2), "'"]
NUMBERS = st.one_of(st.integers(), st.floats(), st.integers(1, 64), st.floats(0, 1))
SCALARS = st.one_of(st.sampled_from(ODD), NUMBERS, st.text(max_size=8))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
KEYS = st.one_of(
    st.sampled_from(["bar", "scratch", "age_sex", "cutmix", "x", "Bar", "bar\n", "", "a.b", "é", False, 1, None, 2.5]),
    st.text(max_size=6),
)
NAMES = ("runs", "tasks", "baselines", "applied", "external", "splits", "tables", "controls")


@pytest.fixture(scope="module")
def default(root):
    """Return the default study with a second cohort that a task is applied to."""
    settings = yaml.safe_load((root / "config.yaml").read_text())
    settings["external"] = {"oasis": {"scans": "oasis.tsv", "study": "OASIS-3"}}
    settings["applied"] = {"bar_oasis": {"task": "bar", "cohort": "oasis"}}
    settings["tables"]["table_1"]["rows"].append({"framework": "BAR", "method": "On OASIS-3", "task": "bar_oasis"})
    return settings


def places_of(node: Any, path: tuple = ()) -> list[tuple]:
    """List the place of every value, sections before what is in them."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, value in inner for place in [(*path, key), *places_of(value, (*path, key))]]


def at(node: Any, path: tuple) -> Any:
    for key in path:
        node = node[key]
    return node


@st.composite
def changes(draw, places: list[tuple]) -> tuple:
    """Draw what is done to a value: another one, a neighbour's, none, another name, or one more beside it."""
    # Sections and values of any depth alike: most values are cells of tables.
    depth = draw(st.integers(1, 5))
    path = draw(st.sampled_from([place for place in places if len(place) == depth] or places))
    what = draw(st.sampled_from(["set", "set", "near", "near", "other", "remove", "rename", "add"]))
    if what == "set":
        return what, path, draw(VALUES)
    if what in ("near", "other"):
        return what, path, draw(st.sampled_from(places)), draw(st.sampled_from([0.5, 1, 2, 3]))
    return what, path, draw(KEYS), draw(VALUES) if what == "add" else None


def change(settings: dict[str, Any], step: tuple) -> None:
    """Do it, where the place is still there."""
    what, path, *rest = step
    try:
        home = at(settings, path[:-1])
        key, old = path[-1], home[path[-1]]
        if what == "set":
            home[key] = copy.deepcopy(rest[0])
        elif what == "near":
            home[key] = old * rest[1] if type(old) in (int, float) else not old if type(old) is bool else old
        elif what == "other":
            home[key] = copy.deepcopy(at(settings, rest[0]))
        elif what == "remove":
            del home[key]
        elif what == "rename" and isinstance(home, dict):
            home[rest[0]] = home.pop(key)
        elif what == "add" and isinstance(old, dict):
            old[rest[0]] = copy.deepcopy(rest[1])
    except (KeyError, IndexError, TypeError):
        pass  # an earlier step took the place away


def check_study(settings: dict[str, Any]) -> None:
    """Assert what every part of the workflow takes for granted."""
    # No NaN, no infinity, nothing but text, numbers, lists and sections named by text.
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings
    encoder, length = settings["encoder"], 192 // settings["training"]["voxel_mm"]
    assert all(type(encoder[key]) is int and encoder[key] > 0 for key in ("patch", "width", "layers", "heads"))
    assert encoder["width"] % encoder["heads"] == length % encoder["patch"] == 0
    assert all(type(settings["split"][key]) is int for key in ("folds", "candidates", "seed"))
    assert all(type(seed) is int and seed >= 0 for seed in settings["seeds"])
    assert settings["seeds"]
    for section in NAMES:
        assert all(name.isidentifier() and name.islower() and name.isascii() for name in settings[section])
    runs = {name: settings["pretrain"] | run for name, run in settings["runs"].items()}
    for run in runs.values():
        assert run["split"] in settings["splits"]
        assert run["epochs"] >= 1
        assert run["rate"] > 0
        assert max(run[boxes]["size"] for boxes in ("inner_cuts", "outer_cuts", "shuffle")) <= length
        assert (run["contrast"] != "none" and run["contrast_weight"] > 0) or run["reconstruction_weight"] > 0
        assert run["mixing"] in ("none", "boxes", "regions")
    for task in settings["tasks"].values():
        own = settings["finetune"] | task
        assert own["split"] in settings["splits"]
        assert own["run"] is None or runs[own["run"]]["split"] == own["split"]
        assert own["run"] is not None or not own["frozen"]
    rows = [{*settings[section]} for section in ("tasks", "baselines", "applied")]
    assert sum(map(len, rows)) == len(set.union(*rows))
    for table in [*settings["tables"].values(), *settings["controls"].values()]:
        tasks = [row["task"] for row in table["rows"]]
        assert {*tasks} <= set.union(*rows)
        assert len({*tasks}) == len(tasks)
        assert table.get("reference", tasks[0]) in tasks
    percentiles = settings["landmarks"]["percentiles"]
    assert sorted({*percentiles}) == percentiles
    assert all(str(one["negative"]) != str(one["positive"]) for one in cohorts_of(settings))
    for smallest, largest in settings["preprocess"]["limits"].values():
        assert None in (smallest, largest) or smallest < largest
    use_study(settings)


def cohorts_of(settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [settings["cohort"], *(settings["cohort"] | one for one in settings["external"].values())]


def use_study(settings: dict[str, Any]) -> None:
    """Ask all that rules ask of a study."""
    study = Study(settings)
    for name in settings["runs"]:
        json.loads(study.told_run(name))
    for name in settings["tasks"]:
        json.loads(study.told_task(name))
    tasks = study.tasks_of(study.tables)
    small = study.config["split"]["folds"] * len(settings["seeds"]) < 1000
    for task in tasks if small else []:
        study.seen_of(task)
        assert study.name_of(task)
    json.loads(study.told_cohorts(tasks))
    assert len(study.folds_of(tasks)) == len(study.splits_of(tasks)) == len((study.runs_of(tasks) and tasks) or tasks)
    for name in settings["external"]:
        json.loads(study.told_external(name))


def test_changed_settings_hold_together_or_are_refused(root, default, tally):
    schema, places = root / "workflow" / "schemas" / "config.schema.yaml", places_of(default)

    @given(st.lists(changes(places), max_size=3))
    def check(steps):
        settings = copy.deepcopy(default)
        for step in steps:
            change(settings, step)
        with tally.case("settings", "Config: "):
            check_settings(settings, schema)
            check_study(settings)
            return
        assert steps

    check()
    tally.check("settings", accepted=0.08, refused=0.3)


def nearby(value: Any, factor: float) -> str:
    """Write a value, or a number that is some times as large."""
    return json.dumps(value * factor if type(value) in (int, float) else value)


#: Values as people write them into a file, some of which YAML reads as something else.
WRITTEN = ["no", "off", "yes", "y", "~", "null", "2024-01-01", "2024-99-99", "12:30", "1e-4", "1.0e-4", "0x1F", "017"]
WRITTEN += [".nan", ".inf", "-.inf", "'1'", '"\\ud800"', '"a\\0b"', '"\\x1b"', "|\n    two\n    lines", ">\n    folded"]
WRITTEN += [
    "[1, 2",
    "{a: 1}",
    "{a: 1, a: 2}",
    "[]",
    "*gone",
    "&a [*a]",
    "!!set {a}",
    "!!binary aGk=",
    "!!python/none x",
]
WRITTEN += ["0", "1", "2", "3", "0.5", "8", "16", "true", "false", "none", "boxes", "cpu", "auto", "0x" + "f" * 300]
WRITTEN += ["[" * 30 + "]" * 30, "[1, 1]", "[[1]]", "{1: 2}", "{no: 1}", "? x", "%x", "\tx", "- a\n  - b", "# nothing"]
WRITTEN += ["9" * 30, "1_000", "@", "é", "!!python/none x"]
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{old}'] * 9)}]\n" for old, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_any_text_laid_over_the_settings_holds_together_or_is_refused(root, default, tally, tmp_path):
    schema, path = root / "workflow" / "schemas" / "config.schema.yaml", tmp_path / "study.yaml"
    keys = [(section, key) for section, block in default.items() if isinstance(block, dict) for key in block]
    values = st.one_of(st.sampled_from(WRITTEN), st.text(max_size=10))
    lines = st.tuples(st.sampled_from(keys), values).map(lambda drawn: f"{drawn[0][0]}:\n  {drawn[0][1]}: {drawn[1]}\n")
    plain = [(*key, value) for key in keys if type(value := default[key[0]][key[1]]) in (int, float, str, bool)]
    near = st.tuples(st.sampled_from(plain), st.sampled_from([1, 1.0, 2, 0.5])).map(
        lambda drawn: f"{drawn[0][0]}:\n  {drawn[0][1]}: {nearby(*drawn[0][2:], drawn[1])}\n"
    )
    tops = st.tuples(st.sampled_from([*default, "x"]), values).map(lambda drawn: f"{drawn[0]}: {drawn[1]}\n")
    other = st.one_of(st.text(max_size=30), st.sampled_from([LAUGHS, "runs: &a\n  bar: *a\n", "\ufeffstudy: x\n"]))

    @given(st.one_of(lines, lines, near, near, tops, other))
    def check(text):
        settings = copy.deepcopy(default)
        try:
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            update_config(settings, load_configfile(path))
        except Exception:  # Snakemake's own, before any code of ours
            return
        with tally.case("YAML files", "Config: "):
            check_settings(settings, schema)
            check_study(settings)

    check()
    tally.check("YAML files", accepted=0.05, refused=0.2)
