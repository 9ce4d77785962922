import copy

import pytest
import yaml

from neurobar.data.settings import check_settings

COHORT = {"scans": "a.tsv", "label": "group", "ignored": []}


@pytest.fixture
def settings(root):
    return copy.deepcopy(yaml.safe_load((root / "config.yaml").read_text()))


@pytest.fixture
def with_external(settings):
    """Return the settings with an external cohort that a task is applied to."""
    settings["external"] = {"oasis": {"scans": "oasis.tsv", "study": "OASIS-3"}}
    settings["applied"] = {"bar_oasis": {"task": "bar", "cohort": "oasis"}}
    settings["tables"]["table_1"]["rows"].append({"framework": "BAR", "method": "On OASIS-3", "task": "bar_oasis"})
    return settings


@pytest.fixture
def schema(root):
    return root / "workflow" / "schemas" / "config.schema.yaml"


def test_the_default_study_is_valid(settings, schema):
    check_settings(settings, schema)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("pretrain", "epochz"), 3, r"unknown key pretrain\.epochz; known here are .*epochs"),
        (("runs", "bar", "sigmma"), 1, r"unknown key runs\.bar\.sigmma"),
        (("study_name",), "x", r"unknown key study_name"),
        (("simulate", "subjectz"), 1, r"unknown key simulate\.subjectz"),
        (("preprocess", "n5"), 1, r"unknown key preprocess\.n5"),
        (("tasks", "bar", "run"), "bra", r"tasks\.bar\.run names 'bra'"),
        (("pretrain", "beta"), [0.8, 0], r"pretrain\.beta\.1: 0 is less than or equal to"),
        (("pretrain", "epochs"), "many", r"pretrain\.epochs: 'many' is not of type 'integer'"),
        (("runs", "none"), {}, r"runs\.none has neither a contrast nor"),
        (("landmarks", "percentiles"), [10, 5], r"percentiles must increase"),
        (("pretrain", "epochs"), 16.0, r"pretrain\.epochs: 16\.0 is not of type 'integer'"),
        (("encoder", "patch"), 8.0, r"encoder\.patch: 8\.0 is not of type 'integer'"),
        (("pretrain", "rate"), float("nan"), r"pretrain\.rate: nan is not finite"),
        (("runs", "bar\n"), {}, r"runs: a key is no text \('bar\\n'\)"),
        (("runs", ""), {}, r"runs: '' does not match"),
        (("pretrain", ""), 1, r"unknown key pretrain\.'';"),
        (("runs", "cutmix", "mixing_settings"), {"count": "8"}, r"mixing_settings\.count: '8' is not of type 'int'"),
        (("cohort",), COHORT | {"negative": 1, "positive": "1"}, r"the same class"),
        (("encoder", "heads"), 7, r"multiple of encoder\.heads"),
        (("cohort", "positive"), "CN", r"the same class"),
        (("runs", "bar", "mixing"), "region", r"runs\.bar\.mixing 'region' is none of none, boxes, regions"),
        (("runs", "cutmix", "mixing_settings"), {"cuont": 6}, r"mixing_settings\.cuont is unknown to the mixing boxes"),
        (("encoder", "patch"), 32, r"patch 32 does not divide the 48 voxels of 4 mm"),
        (("atlas", "image"), "own.nii.gz", r"atlas\.labels is missing"),
        (("template", "head"), "heads/{scan}.nii.gz", r"template\.head: Snakemake takes '\{scan\}' for a placeholder"),
        (("template", "sha256"), "abc", r"template\.sha256"),
        (("template", "sha256"), "a" * 64, r"template\.sha256 belongs to a head"),
        (("preprocess", "limits", "brain_ml"), [2100, 850], r"limits of brain_ml, 2100 and 850, let nothing pass"),
        (("preprocess", "exclude"), ["a", "a"], r"preprocess\.exclude: \['a', 'a'\] has non-unique elements"),
        (("cohort", "label"), "sex", r"the simulated cohort has the label diagnosis"),
        (("pretrain", "outer_cuts"), {"count": 0, "size": 5}, r"pretrain\.outer_cuts\.count: 0 is less than"),
        (("split", "by"), "scan", r"split\.by and split\.labels go wrong on purpose"),
        (("tasks", "scratch", "frozen"), True, r"tasks\.scratch would freeze an encoder that no run has trained"),
        (("tasks", "bar", "split"), "scans", r"tasks\.bar has the split scans and its run subjects"),
        (("baselines", "age_sex", "split"), "nowhere", r"baselines\.age_sex\.split names 'nowhere'"),
        (("runs", "contrastive", "contrast_weight"), 0, r"runs\.contrastive has neither"),
        (("training", "strategy"), "banana", r"training\.strategy: 'banana' is not one of"),
        (("pretrain", "inner_cuts"), {"count": 2, "size": 60}, r"boxes of inner_cuts are larger than the grid of 48"),
        (
            ("tables", "table_2", "reference"),
            "bar",
            r"table_2 compares with 'bar', which is none of",
        ),
        (("explain", "tasks"), ["age_sex"], r"explain\.tasks names 'age_sex'"),
        (("runs", "Bad Name"), {"contrast": "infonce"}, r"'Bad Name' does not match"),
    ],
)
def test_a_fault_is_named_by_its_key_in_one_sentence(settings, schema, keys, value, message):
    block = settings
    for key in keys[:-1]:
        block = block[key]
    block[keys[-1]] = value
    with pytest.raises(ValueError, match=message) as caught:
        check_settings(settings, schema)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(settings, schema):
    del settings["pretrain"]["sigma"]
    with pytest.raises(ValueError, match=r"the key pretrain\.sigma is missing"):
        check_settings(settings, schema)


def test_a_table_of_an_unknown_task_is_refused(settings, schema):
    settings["tables"]["table_1"]["rows"][0]["task"] = "nothing"
    with pytest.raises(ValueError, match=r"the table table_1 has a row for 'nothing'"):
        check_settings(settings, schema)


def test_a_scan_cannot_be_kept_and_excluded(settings, schema):
    settings["preprocess"] |= {"keep": ["a", "b"], "exclude": ["b"]}
    with pytest.raises(ValueError, match="both name 'b'"):
        check_settings(settings, schema)


def test_a_task_can_be_applied_to_an_external_cohort(with_external, schema):
    check_settings(with_external, schema)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("applied", "bar_oasis", "task"), "bra", r"applied\.bar_oasis\.task names 'bra', which is not among tasks"),
        (("applied", "bar_oasis", "task"), "age_sex", r"names the baseline 'age_sex'; only tasks can be applied"),
        (("applied", "bar_oasis", "task"), "bar_oasis", r"names 'bar_oasis', which is not among tasks"),
        (("applied", "bar_oasis", "cohort"), "aibl", r"applied\.bar_oasis\.cohort names 'aibl', .* not among external"),
        (("applied", "bar"), {"task": "bar", "cohort": "oasis"}, r"tasks and applied both have 'bar'"),
        (("applied", "age_sex"), {"task": "bar", "cohort": "oasis"}, r"baselines and applied both have 'age_sex'"),
        (("applied", "bar_oasis"), {"task": "bar"}, r"the key applied\.bar_oasis\.cohort is missing"),
        (
            ("applied", "bar_oasis", "split"),
            "scans",
            r"unknown key applied\.bar_oasis\.split; known here are cohort, task",
        ),
        (("external", "oasis", "scan"), "a.tsv", r"unknown key external\.oasis\.scan; known here are ignored"),
        (("external", "oasis", "scans"), None, r"external\.oasis\.scans: None is not of type 'string'"),
        (("external", "oasis"), {"scans": "oasis.tsv"}, r"the key external\.oasis\.study is missing"),
        (
            ("external", "aibl"),
            {"scans": "a.tsv", "study": "OASIS-3"},
            r"aibl\.study: another cohort is called 'OASIS-3'",
        ),
        (
            ("external", "oasis", "study"),
            "simulated cohort",
            r"oasis\.study: another cohort is called 'simulated cohort'",
        ),
        (("external", "oasis", "positive"), "CN", r"external\.oasis\.negative and positive are the same class"),
        (("external", "oasis", "scans"), "{scan}.tsv", r"external\.oasis\.scans: Snakemake takes '\{scan\}'"),
        (("explain", "tasks"), ["bar_oasis"], r"explain\.tasks names 'bar_oasis'"),
    ],
)
def test_a_fault_of_an_external_cohort_is_named(with_external, schema, keys, value, message):
    test_a_fault_is_named_by_its_key_in_one_sentence(with_external, schema, keys, value, message)
