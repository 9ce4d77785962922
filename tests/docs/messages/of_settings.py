"""Settings that are refused."""

import math
from datetime import date

import yaml

from neurobar.data.rosters import check_preprocessing
from neurobar.data.settings import check_settings
from neurobar.data.sheets import read_scans


def laid_over(config, changes):
    """Lay changes over a config, block by block."""
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict) and value:
            laid_over(config[key], value)
        else:
            config[key] = value
    return config


def of(changes):
    """Return the case that checks the default settings with changes."""
    return lambda bench: check_settings(laid_over(bench.config, changes), bench.schema)


def without_a_key(bench):
    del bench.config["pretrain"]["sigma"]
    check_settings(bench.config, bench.schema)


def with_an_alias_of_itself(bench):
    check_settings(bench.config | yaml.safe_load("runs: &runs\n  bar: *runs\n"), bench.schema)


def with_two_rows_of_a_task(bench):
    rows = bench.config["tables"]["table_1"]["rows"]
    rows.append(rows[0])
    check_settings(bench.config, bench.schema)


def with_a_row_of_no_task(bench):
    bench.config["tables"]["table_1"]["rows"][0]["task"] = "nothing"
    check_settings(bench.config, bench.schema)


def with_a_table_called_as_a_rule(bench):
    table = {"caption": "c", "rows": [{"framework": "f", "method": "m", "task": "bar"}]}
    done = bench.fixture("workflow").run("--dry-run", "--quiet", settings={"tables": {"report": table}})
    return done.stdout + done.stderr


def naming_no_scan(bench):
    for name in "ab":
        (bench.folder / f"{name}.nii.gz").touch()
    rows = ["scan\tsubject\tpath\tdiagnosis", "a\ta\ta.nii.gz\tCN", "b\tb\tb.nii.gz\tAD"]
    (bench.folder / "scans.tsv").write_text("\n".join(rows))
    scans = read_scans(bench.folder / "scans.tsv", bench.config["cohort"])
    check_preprocessing(bench.config["preprocess"] | {"keep": ["c"]}, "scans.tsv", scans, {})


SECOND = {"external": {"oasis": {"scans": "oasis.tsv", "study": "OASIS-3"}}}
CASES = {
    "Config: unknown key …; known here are ….": of({"pretrain": {"epochz": 3}}),
    "Config: the key … is missing.": without_a_key,
    "Config: …: … is not of type ….": of({"finetune": {"rate": "fast"}}),
    "Config: …: … is not one of ….": of({"pretrain": {"noise": "loud"}}),
    "Config: …: … is not valid under any of the given schemas.": of({"evaluate": {"threshold": False}}),
    "Config: …: … is less than the minimum of ….": of({"split": {"folds": 1}}),
    "Config: …: … is less than or equal to the minimum of ….": of({"pretrain": {"sigma": 0}}),
    "Config: …: … is greater than the maximum of ….": of({"split": {"test_share": 0.9}}),
    "Config: …: … does not match ….": of({"runs": {"Bad Name": {"contrast": "infonce"}}}),
    "Config: …: … is greater than or equal to the maximum of ….": of({"landmarks": {"percentiles": [50, 100]}}),
    "Config: …: … has non-unique elements.": of({"seeds": [1, 1]}),
    "Config: …: … should be non-empty.": of({"seeds": []}),
    "Config: …: … is too short.": of({"pretrain": {"beta": [0.8]}}),
    "Config: …: … is too long.": of({"pretrain": {"beta": [0.8, 0.8, 0.8]}}),
    "Config: …: a key is no text (…); put quotation marks around it.": of({"runs": {False: {}}}),
    "Config: …: a … is no setting; put quotation marks around it if it is text.": of({"study": date(2024, 1, 1)}),
    "Config: …: … is not finite.": of({"pretrain": {"rate": math.nan}}),
    "Config: …: the number does not fit into 64 bits.": of({"pretrain": {"epochs": 2**63}}),
    "Config: …: the text holds the end of a line or a control character.": of({"cohort": {"scans": "scans.tsv\n"}}),
    "Config: …: values are nested too deep, or too many.": with_an_alias_of_itself,
    "Config: tasks.….run names …, which is not among runs.": of({"tasks": {"bar": {"run": "bra"}}}),
    "Config: tasks.… would freeze an encoder that no run has trained.": of({"tasks": {"scratch": {"frozen": True}}}),
    "Config: … and … both have …; give one of them another name.": of({"tasks": {"age_sex": {"run": "bar"}}}),
    "Config: explain.tasks names …, which is no task with a row in tables.": of({"explain": {"tasks": ["age_sex"]}}),
    "Config: the table … has a row for …, which is not among tasks, baselines or applied.": with_a_row_of_no_task,
    "Config: the table … has two rows for ….": with_two_rows_of_a_task,
    "Config: the table … has the name of a rule or of another page; give it another.": with_a_table_called_as_a_rule,
    "Config: the table … compares with …, which is none of its rows.": of(
        {"tables": {"table_2": {"reference": "bar"}}}
    ),
    "Config: split.by and split.labels go wrong on purpose elsewhere: give a split of its own under splits.": of(
        {"split": {"by": "scan"}}
    ),
    "Config: ….split names …, which is not among splits.": of({"baselines": {"age_sex": {"split": "nowhere"}}}),
    "Config: tasks.… has the split … and its run …: test subjects would be trained on.": of(
        {"tasks": {"bar": {"split": "scans"}}}
    ),
    "Config: ….…: Snakemake takes … for a placeholder; rename the file.": of({"template": {"head": "{scan}.nii.gz"}}),
    "Config: template.sha256 belongs to a head that template.head names; a computed one has none.": of(
        {"template": {"sha256": "a" * 64}}
    ),
    "Config: preprocess.keep and preprocess.exclude both name ….": of(
        {"preprocess": {"keep": ["a"], "exclude": ["a"]}}
    ),
    "Config: preprocess.keep and exclude: … is no scan of the cohort.": naming_no_scan,
    "Config: preprocess: the limits of …, … and …, let nothing pass.": of(
        {"preprocess": {"limits": {"brain_ml": [2100, 850]}}}
    ),
    "Config: landmarks.percentiles must increase.": of({"landmarks": {"percentiles": [10, 5]}}),
    "Config: cohort.negative and cohort.positive are the same class.": of({"cohort": {"positive": "CN"}}),
    "Config: the simulated cohort has the label diagnosis with the classes CN and AD; see cohort.": of(
        {"cohort": {"label": "sex"}}
    ),
    "Config: atlas.labels is missing: an atlas of your own needs its list of codes and names.": of(
        {"atlas": {"image": "own.nii.gz"}}
    ),
    "Config: encoder.patch … does not divide the … voxels of … mm of an axis.": of({"encoder": {"patch": 32}}),
    "Config: encoder.width must be a multiple of encoder.heads.": of({"encoder": {"heads": 7}}),
    "Config: training.device … is one device; for training.devices say cuda.": of(
        {"training": {"device": "cuda:1", "devices": 2}}
    ),
    "Config: runs.…: boxes of … are larger than the grid of … voxels.": of(
        {"pretrain": {"inner_cuts": {"count": 2, "size": 60}}}
    ),
    "Config: runs.… has neither a contrast nor a reconstruction_weight, so no loss.": of({"runs": {"nothing": {}}}),
    "Config: runs.….mixing … is none of none, ….": of({"runs": {"bar": {"mixing": "region"}}}),
    "Config: runs.….mixing_settings.… is unknown to the mixing ….": of(
        {"runs": {"cutmix": {"mixing_settings": {"cuont": 6}}}}
    ),
    "Config: applied.….task names the baseline …; only tasks can be applied.": of(
        SECOND | {"applied": {"age_oasis": {"task": "age_sex", "cohort": "oasis"}}}
    ),
    "Config: applied.….task names …, which is not among tasks.": of(
        SECOND | {"applied": {"bar_oasis": {"task": "bra", "cohort": "oasis"}}}
    ),
    "Config: applied.….cohort names …, which is not among external.": of(
        {"applied": {"bar_oasis": {"task": "bar", "cohort": "oasis"}}}
    ),
    "Config: external.….negative and positive are the same class.": of(
        {"external": {"oasis": SECOND["external"]["oasis"] | {"positive": "CN"}}}
    ),
    "Config: external.….scans: Snakemake takes … for a placeholder; rename the file.": of(
        {"external": {"oasis": {"scans": "{oasis}.tsv", "study": "OASIS-3"}}}
    ),
}
