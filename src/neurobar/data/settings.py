"""Settings of a study, checked against their schema."""

from __future__ import annotations

import ast
import itertools
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from neurobar.data.placeholders import find_placeholder
from neurobar.data.studies import Study
from neurobar.data.values import check_values
from neurobar.data.volumes import GRID_SHAPE, GRID_SPACING_MM

#: In JSON 16.0 is an integer, but no loop runs 16.0 times.
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)
MIXINGS = Path(__file__).parents[1] / "transforms" / "mixings"


def check_settings(settings: dict[str, Any], schema: str | Path) -> None:
    """Check the settings of a study, first against the schema and then against themselves.

    Parameters
    ----------
    settings : dict
        The merged configuration.
    schema : path
        JSON schema in YAML.

    Raises
    ------
    ValueError
        One sentence that names the key.
    """
    check_values(settings)
    fault = best_match(_read_schema(schema).iter_errors(settings))
    if fault is not None:
        raise ValueError(f"Config: {_sentence(fault)}")
    _check_names(settings)
    _check_external(settings)
    _check_splits(settings)
    _check_paths(settings)
    _check_preprocessing(settings)
    _check_percentiles(settings["landmarks"]["percentiles"])
    _check_cohort(settings)
    _check_grid(settings)
    for name, run in settings["runs"].items():
        _check_run(name, settings["pretrain"] | run)


@cache
def _read_schema(path: str | Path) -> Any:
    return Validator(yaml.safe_load(Path(path).read_text(encoding="utf-8")))


def _sentence(fault: ValidationError) -> str:
    key = ".".join(str(step) for step in fault.absolute_path)
    if fault.validator == "additionalProperties":
        unknown = sorted(set(fault.instance) - set(fault.schema.get("properties", {})))
        shown = [name if name and name.strip() == name else repr(name) for name in unknown]
        names = ", ".join(f"{key}.{name}" if key else name for name in shown)
        known = ", ".join(sorted(fault.schema.get("properties", {})))
        return f"unknown key {names}; known here are {known}."
    if fault.validator == "required":
        missing = [name for name in fault.validator_value if name not in fault.instance]
        return f"the key {'.'.join([*filter(None, [key]), missing[0]])} is missing."
    message = fault.message if len(fault.message) < 300 else f"{fault.message[:100]} ... {fault.message[-190:]}"
    return f"{key or 'the file'}: {message}."


def _check_names(settings: dict[str, Any]) -> None:
    study, runs, tasks = Study(settings), settings["runs"], settings["tasks"]
    rows = ("tasks", "baselines", "applied")
    for section, other in (*itertools.combinations(rows, 2), ("tables", "controls")):
        for name in settings[section].keys() & settings[other]:
            raise ValueError(f"Config: {section} and {other} both have {name!r}; give one of them another name.")
    for name, task in tasks.items():
        if task["run"] is not None and task["run"] not in runs:
            raise ValueError(f"Config: tasks.{name}.run names {task['run']!r}, which is not among runs.")
        if task["run"] is None and study.task(name)["frozen"]:
            raise ValueError(f"Config: tasks.{name} would freeze an encoder that no run has trained.")
    for name, table in study.tables.items():
        _check_table(name, table, {name for section in rows for name in settings[section]})
    for name in settings["explain"]["tasks"]:
        if name not in study.tasks_of(settings["tables"]) or name not in tasks:
            raise ValueError(f"Config: explain.tasks names {name!r}, which is no task with a row in tables.")


def _check_table(name: str, table: dict[str, Any], known: set[str]) -> None:
    rows = [row["task"] for row in table["rows"]]
    for task in rows:
        if task not in known:
            raise ValueError(
                f"Config: the table {name} has a row for {task!r}, which is not among tasks, baselines or applied."
            )
        if rows.count(task) > 1:
            raise ValueError(f"Config: the table {name} has two rows for {task!r}.")
    if table.get("reference", rows[0]) not in rows:
        raise ValueError(f"Config: the table {name} compares with {table['reference']!r}, which is none of its rows.")


def _check_external(settings: dict[str, Any]) -> None:
    for name, applied in settings["applied"].items():
        task, cohort = applied["task"], applied["cohort"]
        if task in settings["baselines"]:
            raise ValueError(f"Config: applied.{name}.task names the baseline {task!r}; only tasks can be applied.")
        if task not in settings["tasks"]:
            raise ValueError(f"Config: applied.{name}.task names {task!r}, which is not among tasks.")
        if cohort not in settings["external"]:
            raise ValueError(f"Config: applied.{name}.cohort names {cohort!r}, which is not among external.")
    studies = [settings["study"]]
    for name, cohort in Study(settings).external.items():
        if cohort["study"] in studies:
            raise ValueError(f"Config: external.{name}.study: another cohort is called {cohort['study']!r} as well.")
        studies.append(cohort["study"])
        if str(cohort["negative"]) == str(cohort["positive"]):
            raise ValueError(f"Config: external.{name}.negative and positive are the same class.")
        if found := find_placeholder(cohort["scans"]):
            raise ValueError(
                f"Config: external.{name}.scans: Snakemake takes {found!r} for a placeholder; rename the file."
            )


def _check_splits(settings: dict[str, Any]) -> None:
    if (settings["split"]["by"], settings["split"]["labels"]) != ("subject", "own"):
        raise ValueError(
            "Config: split.by and split.labels go wrong on purpose elsewhere: give a split of its own under splits."
        )
    study = Study(settings)
    jobs = {f"runs.{name}": study.run(name)["split"] for name in settings["runs"]}
    jobs |= {f"tasks.{name}": study.task(name)["split"] for name in settings["tasks"]}
    jobs |= {f"baselines.{name}": study.task(name)["split"] for name in settings["baselines"]}
    for name, split in jobs.items():
        if split not in settings["splits"]:
            raise ValueError(f"Config: {name}.split names {split!r}, which is not among splits.")
    for name, task in settings["tasks"].items():
        of_task, of_run = jobs[f"tasks.{name}"], jobs.get(f"runs.{task['run']}")
        if of_run not in (None, of_task):
            raise ValueError(
                f"Config: tasks.{name} has the split {of_task} and its run {of_run}: test subjects would be trained on."
            )


def _check_paths(settings: dict[str, Any]) -> None:
    for section, key in (("template", "head"), ("atlas", "image"), ("atlas", "labels"), ("cohort", "scans")):
        found = find_placeholder(settings[section][key] or "")
        if found:
            raise ValueError(f"Config: {section}.{key}: Snakemake takes {found!r} for a placeholder; rename the file.")


def _check_preprocessing(settings: dict[str, Any]) -> None:
    template, preprocess = settings["template"], settings["preprocess"]
    if template["head"] == "computed" and template["sha256"] is not None:
        raise ValueError("Config: template.sha256 belongs to a head that template.head names; a computed one has none.")
    if both := sorted({*preprocess["keep"]} & {*preprocess["exclude"]}):
        raise ValueError(f"Config: preprocess.keep and preprocess.exclude both name {both[0]!r}.")
    ranges = preprocess["limits"] | {"scales": preprocess["registration"]["scales"]}
    for name, (smallest, largest) in ranges.items():
        if smallest is not None and largest is not None and smallest >= largest:
            raise ValueError(f"Config: preprocess: the limits of {name}, {smallest} and {largest}, let nothing pass.")


def _check_percentiles(percentiles: list[float]) -> None:
    if any(later <= earlier for earlier, later in itertools.pairwise(percentiles)):
        raise ValueError("Config: landmarks.percentiles must increase.")


def _check_cohort(settings: dict[str, Any]) -> None:
    cohort, atlas = settings["cohort"], settings["atlas"]
    # Cells of a sheet are text: 1 and "1" are the same class.
    if str(cohort["negative"]) == str(cohort["positive"]):
        raise ValueError("Config: cohort.negative and cohort.positive are the same class.")
    classes = (cohort["label"], {cohort["negative"], cohort["positive"]})
    if cohort["scans"] is None and classes != ("diagnosis", {"CN", "AD"}):
        raise ValueError("Config: the simulated cohort has the label diagnosis with the classes CN and AD; see cohort.")
    if atlas["image"] != "aal2" and atlas["labels"] is None:
        raise ValueError("Config: atlas.labels is missing: an atlas of your own needs its list of codes and names.")


def _check_grid(settings: dict[str, Any]) -> None:
    encoder, voxel_mm = settings["encoder"], settings["training"]["voxel_mm"]
    length = round(GRID_SHAPE[0] * GRID_SPACING_MM / voxel_mm)
    if length % encoder["patch"]:
        raise ValueError(
            f"Config: encoder.patch {encoder['patch']} does not divide the {length} voxels of {voxel_mm} mm of an axis."
        )
    if encoder["width"] % encoder["heads"]:
        raise ValueError("Config: encoder.width must be a multiple of encoder.heads.")
    training = settings["training"]
    if ":" in training["device"] and training["devices"] > 1:
        raise ValueError(f"Config: training.device {training['device']} is one device; for training.devices say cuda.")
    for name in settings["runs"]:
        run = Study(settings).run(name)
        for boxes in ("inner_cuts", "outer_cuts", "shuffle"):
            if run[boxes]["size"] > length:
                raise ValueError(f"Config: runs.{name}: boxes of {boxes} are larger than the grid of {length} voxels.")


def _check_run(name: str, run: dict[str, Any]) -> None:
    contrasts = run["contrast"] != "none" and run["contrast_weight"] > 0
    if not contrasts and run["reconstruction_weight"] == 0:
        raise ValueError(f"Config: runs.{name} has neither a contrast nor a reconstruction_weight, so no loss.")
    if run["mixing"] == "none":
        return
    source = MIXINGS / f"{run['mixing']}.py"
    if not source.is_file():
        known = sorted(path.stem for path in MIXINGS.glob("[a-z]*.py"))
        raise ValueError(f"Config: runs.{name}.mixing {run['mixing']!r} is none of none, {', '.join(known)}.")
    own = _own_settings(source)
    for key, value in run["mixing_settings"].items():
        if key not in own:
            raise ValueError(f"Config: runs.{name}.mixing_settings.{key} is unknown to the mixing {run['mixing']}.")
        if own[key] is not None and type(value) not in {type(own[key]), *([int] if type(own[key]) is float else [])}:
            kind = type(own[key]).__name__
            raise ValueError(f"Config: runs.{name}.mixing_settings.{key}: {value!r} is not of type {kind!r}.")


def _own_settings(mixing: Path) -> dict[str, Any]:
    """Read the keyword arguments of a mixing, and their defaults where they are plain, from its source.

    Importing it would import torch.
    """
    functions = [node for node in ast.parse(mixing.read_text()).body if isinstance(node, ast.FunctionDef)]
    choose = next(function for function in functions if function.name == "choose_voxels").args
    named = zip(choose.kwonlyargs, choose.kw_defaults, strict=True)
    defaults = {
        argument.arg: default.value if isinstance(default, ast.Constant) else None for argument, default in named
    }
    return {key: value for key, value in defaults.items() if key not in ("ratio", "regions", "generator")}
