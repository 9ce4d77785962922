"""No name of a config or a sheet leads out of the folder that it is meant for."""

import copy
import re

import pandas as pd
import pytest
import yaml

from neurobar.data.settings import check_settings
from neurobar.data.sheets import NAME, read_scans

CLINIC = {"scans": "clinic.tsv", "study": "a clinic"}
#: A block of each section whose names become those of folders, files or modules.
BLOCKS = {
    "external": {"scans": "scans.tsv", "study": "another"},
    "splits": {},
    "runs": {"contrast": "infonce"},
    "tasks": {"run": None},
    "baselines": {"split": "subjects", "features": ["age"]},
    "applied": {"task": "bar", "cohort": "clinic"},
    "tables": {"caption": "c", "rows": [{"framework": "f", "method": "m", "task": "bar"}]},
    "controls": {"caption": "c", "rows": [{"framework": "f", "method": "m", "task": "bar"}]},
}
#: Where a name is said that stands in a block elsewhere, or chooses a module.
SAID = ["pretrain.split", "pretrain.mixing", "finetune.split", "runs.bar.split", "runs.bar.mixing", "tasks.bar.run"]
SAID += ["baselines.age_sex.split", "tables.table_1.reference", "tables.table_1.rows.0.task", "explain.tasks.0"]
NAMES = ["../../etc", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "a\0b", "a\n", "\n", "-n", "$(touch x)", "`x`", "~"]
NAMES += ["a b", "{scan}", "*", "A", "é", "os.path", "__init__", "a" * 101]


@pytest.fixture(scope="module")
def schema(root):
    return root / "workflow" / "schemas" / "config.schema.yaml"


@pytest.fixture(scope="module")
def default(root):
    return yaml.safe_load((root / "config.yaml").read_text()) | {"external": {"clinic": dict(CLINIC)}}


@pytest.fixture
def config(default):
    return copy.deepcopy(default)


def put(config, place, value):
    """Put a value where the dotted path says."""
    *steps, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    block = config
    for step in steps:
        block = block[step]
    block[last] = value


def open_objects(node, path=""):
    """List the paths of the schema's objects whose keys are free, and what is asked of these keys."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return
    if node.get("type") == "object" and node.get("additionalProperties") is not False:
        yield path, node.get("propertyNames")
    for key, value in node.items():
        yield from open_objects(value, f"{path}.{key}")


def test_every_key_that_a_user_makes_up_is_a_name(schema):
    found = dict(open_objects(yaml.safe_load(schema.read_text())))
    free = {path for path, names in found.items() if names != {"$ref": "#/$defs/name"}}
    # Keyword arguments of a mixing, which are compared with its own.
    assert {path.split(".")[-1] for path in free} == {"mixing_settings"}
    named = {path.split(".")[-1] for path in set(found) - free}
    assert named == {*BLOCKS} - {"controls"}  # shares the definition of tables


@pytest.mark.parametrize("section", BLOCKS)
def test_a_block_of_a_good_name_is_taken(config, schema, section):
    config[section] = config[section] | {"a_2": BLOCKS[section]}
    check_settings(config, schema)


@pytest.mark.parametrize(
    ("section", "name"), [*((section, "../../etc") for section in BLOCKS), *(("runs", name) for name in NAMES)]
)
def test_a_block_of_another_name_is_refused_in_one_sentence(config, schema, section, name):
    config[section] = config[section] | {name: BLOCKS[section]}
    with pytest.raises(ValueError, match=rf"^Config: {section}: [^\n]*(does not match|no text)[^\n]*\.$"):
        check_settings(config, schema)


@pytest.mark.parametrize("place", SAID)
def test_what_is_named_elsewhere_is_refused_too(config, schema, place):
    put(config, place, "../../etc")
    with pytest.raises(ValueError, match=r"^Config: [^\n]*$"):
        check_settings(config, schema)


@pytest.mark.parametrize("mixing", ["os", "views", "regions_", "mixings"])
def test_a_mixing_is_one_of_the_modules_that_stand_there(config, schema, mixing):
    config["runs"]["bar"] = config["runs"]["bar"] | {"mixing": mixing}
    with pytest.raises(ValueError, match=r"runs\.bar\.mixing .* is none of none, boxes, regions\."):
        check_settings(config, schema)


@pytest.mark.parametrize(("place", "value"), [("training.device", "cuda:1"), ("template.sha256", "a" * 64)])
def test_a_line_break_hides_at_no_end(config, schema, place, value):
    config["template"]["head"] = "head.nii.gz"
    put(config, place, value)
    check_settings(config, schema)
    put(config, place, f"{value}\n")
    with pytest.raises(ValueError, match=rf"^Config: {place}: the text holds the end of a line"):
        check_settings(config, schema)


TEXTS = ["study", "cohort.scans", "cohort.label", "cohort.negative", "cohort.positive", "template.head", "atlas.image"]
TEXTS += ["atlas.labels", "external.clinic.scans", "external.clinic.study", "tables.table_1.rows.0.method"]


@pytest.mark.parametrize("place", TEXTS)
def test_a_text_that_no_command_can_be_told_is_refused(config, schema, place):
    config["atlas"] = {"image": "image.nii.gz", "labels": "labels.csv"}
    config["cohort"]["scans"] = "scans.tsv"
    config["cohort"] |= {"label": "group", "negative": "no", "positive": "yes"}
    check_settings(config, schema)
    put(config, place, "a\0b")
    with pytest.raises(
        ValueError, match=rf"^Config: {re.escape(place)}: the text holds the end of a line or a control"
    ):
        check_settings(config, schema)


@pytest.mark.parametrize("name", [*sorted({*NAMES} - {"A", "os.path", "a" * 101, ""}), ".hidden", "a" * 201])
@pytest.mark.parametrize("column", ["scan", "subject"])
def test_a_name_in_a_sheet_leads_nowhere(config, tmp_path, column, name):
    table = pd.DataFrame({"scan": ["a", "b"], "subject": ["a", "b"], "path": ["a.nii", "b.nii"]})
    for path in table["path"]:
        (tmp_path / path).touch()
    table["diagnosis"] = ["CN", "AD"]
    table.loc[0, column] = name
    table.to_csv(tmp_path / "scans.tsv", sep="\t", index=False)
    with pytest.raises(ValueError, match=r"^[^\n]*scans\.tsv[^\n]*$"):
        read_scans(tmp_path / "scans.tsv", config["cohort"])


def test_wildcards_take_the_names_that_sheet_and_schema_take_and_no_others(root, schema):
    text = (root / "workflow" / "rules" / "common.smk").read_text()
    constraints = text[text.index("wildcard_constraints:") :].split("\n\n")[0]
    taken = dict(re.findall(r'(\w+)=r?"([^"]+)"', constraints))
    assert taken.pop("scan") == NAME.pattern
    assert {taken.pop(number) for number in ("fold", "seed")} == {r"\d+"}
    pattern = yaml.safe_load(schema.read_text())["$defs"]["name"]["pattern"]
    # Beside the tables lies a page of that name.
    assert taken.pop("table") == rf"(?!provenance\b){taken['run']}"
    assert {f"^{of_wildcard}$" for of_wildcard in taken.values()} == {re.sub(r"\{.*\}\$.*", "*$", pattern)}


def refusal(workflow, *words, settings):
    """Return what a dry run says that is refused."""
    done = workflow.run("--dry-run", *words, settings=settings)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("section", "name"),
    [("tables", "report"), ("tables", "provenance"), ("controls", "all"), ("controls", "judge_external")],
)
def test_a_table_takes_the_place_of_no_rule(workflow, section, name):
    said = refusal(workflow, settings={section: {name: BLOCKS["tables"]}})
    assert f"Config: the table {name} has the name of a rule or of another page; give it another." in said


@pytest.mark.parametrize("name", ["cohort.npy", "checks.tsv"])
def test_a_scan_takes_the_place_of_no_file_of_the_cohort(workflow, name):
    rows = ["scan\tsubject\tpath\tdiagnosis", f"{name}\ta\ta.nii\tCN", "b\tb\tb.nii\tAD"]
    (workflow.folder / "scans.tsv").write_text("\n".join(rows))
    for path in ("a.nii", "b.nii"):
        (workflow.folder / path).touch()
    said = refusal(workflow, "preprocess", settings={"cohort": {"scans": "scans.tsv"}})
    assert "child to another output" in said


def test_a_path_that_is_too_long_for_any_file_is_refused_in_one_sentence(workflow):
    said = refusal(workflow, settings={"cohort": {"scans": "x" * 5000}})
    assert "does not exist; see cohort.scans" in said
    assert "pathlib.py" not in said
