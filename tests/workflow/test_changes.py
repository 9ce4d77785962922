"""Only what changed runs again: the change table is in `changes/rows.py`."""

import os
import re

import pytest
import yaml
from changes.rows import ROWS
from changes.studies import Desk, Planner, finish_study

pytestmark = pytest.mark.slow

STUDIES = ["sheet", "simulated", "supplied"]
#: Without this table less is asked for, which would hide what other changes do.
ALONE = "a table less"
#: Says what made the results, so it follows whatever ran and every setting; it has a test of its own.
RECORD = "write_provenance"
#: Changes after which it is written anew, alone or after others, and changes after which it stands.
RECORDED = {"a tool that is not used": 1, "what the report calls scans": 1, "a number in a loss": 1}
RECORDED |= {"a comment in every module": 0, "where and how training computes": 0}


@pytest.fixture(scope="module")
def planners(root, workflow_class, tmp_path_factory):
    """Return for a kind of study the planner of one that is finished, made when it is asked for."""
    made = {}

    def planner_of(kind):
        if kind not in made:
            study = finish_study(kind, root, tmp_path_factory.mktemp(kind), workflow_class)
            made[kind] = Planner(study, os.environ | {"PYTHONPATH": str(study.root / "src"), "OMP_NUM_THREADS": "1"})
        return made[kind]

    yield planner_of
    for planner in made.values():
        planner.close()


def plan_changed(planner, rows, *, with_record=False):
    """Return the jobs that would run after the changes of some rows, and take these back."""
    desk = Desk(planner.study)
    try:
        for row in rows:
            for edit in row.edits:
                edit.make(desk)
        planned = planner.plan()
    finally:
        desk.restore()
    return {rule: count for rule, count in planned.items() if rule != RECORD or with_record}


@pytest.fixture(scope="module")
def idle(planners):
    """Return for a kind of study the jobs of each change that should run nothing.

    A change may add jobs and takes none away, so where all of these together run nothing, each of them does.
    """
    planned = {}

    def jobs_of(kind):
        if kind not in planned:
            rows = [row for row in ROWS if row.study == kind and not row.jobs and row.what != ALONE]
            together = plan_changed(planners(kind), rows)
            planned[kind] = {row.what: plan_changed(planners(kind), [row]) if together else {} for row in rows}
            assert not together or any(planned[kind].values()), together
        return planned[kind]

    return jobs_of


@pytest.mark.parametrize("kind", STUDIES)
def test_nothing_runs_twice(planners, kind):
    assert planners(kind).plan() == {}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.study}: {row.what}")
def test_exactly_what_a_change_concerns_runs_again(planners, idle, row):
    if row.jobs or row.what == ALONE:
        assert plan_changed(planners(row.study), [row]) == row.jobs
    else:
        assert idle(row.study)[row.what] == {}


@pytest.mark.parametrize("what", RECORDED)
def test_the_record_of_a_study_follows_results_code_and_settings(planners, what):
    row = next(row for row in ROWS if row.what == what)
    planned = plan_changed(planners(row.study), [row], with_record=True)
    assert planned == row.jobs | ({RECORD: 1} if RECORDED[what] else {})


@pytest.mark.parametrize("kind", STUDIES)
def test_every_change_was_taken_back(planners, kind):
    assert planners(kind).plan() == {}


def test_every_row_has_a_name_of_its_own():
    assert len(ROWS) == len({row.what for row in ROWS})


@pytest.fixture(scope="module")
def stages(root):
    """Return the stage of every rule."""
    rule = re.compile(r"^(?:rule|use rule \w+ as) (\w+)(?::| with:)$", re.MULTILINE)
    paths = (root / "workflow" / "rules").glob("*.smk")
    return {name: path.stem for path in paths for name in rule.findall(path.read_text())}


def test_every_rule_runs_again_in_some_row_and_is_left_alone_in_another(stages):
    assert {rule for row in ROWS for rule in row.jobs} == {*stages} - {RECORD}
    for rule in {*stages} - {RECORD}:
        assert any(row.jobs and rule not in row.jobs for row in ROWS), rule


def test_every_section_of_the_config_is_changed_in_some_row(root):
    changed = {edit.key for row in ROWS for edit in row.edits} - {""}
    assert changed == {*yaml.safe_load((root / "config.yaml").read_text())}


def test_the_page_for_users_says_what_the_table_says(root, stages):
    page = (root / "docs" / "what_runs_again.md").read_text()
    order = re.search(r"in their order: ([^.]+)\.", page)[1].replace("\n", " ").split(", ")
    assert {*order} == {*stages.values()}
    rows = {row.what: row for row in ROWS}
    told = re.findall(r"^\| (?!what changes)([^|]+) \| ([^|]+) \|", page, re.MULTILINE)
    assert len(told) == len({what for what, _ in told}) > 50
    for what, said in told:
        again = {stages[rule] for rule in rows[what].jobs}
        first = next((stage for stage in order if stage in again), None)
        if said == f"all from {first} on":
            assert again == {*order[order.index(first) :]}, what
        else:
            assert said == (", ".join(stage for stage in order if stage in again) or "nothing"), what
