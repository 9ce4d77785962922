"""Settings of a study, checked against their schema."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match


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
    validator = Draft202012Validator(yaml.safe_load(Path(schema).read_text(encoding="utf-8")))
    fault = best_match(validator.iter_errors(settings))
    if fault is not None:
        raise ValueError(f"Config: {_sentence(fault)}")
    _check_names(settings)
    _check_percentiles(settings["landmarks"]["percentiles"])
    if settings["encoder"]["width"] % settings["encoder"]["heads"]:
        raise ValueError("Config: encoder.width must be a multiple of encoder.heads.")
    if settings["cohort"]["negative"] == settings["cohort"]["positive"]:
        raise ValueError("Config: cohort.negative and cohort.positive are the same class.")


def _sentence(fault: ValidationError) -> str:
    key = ".".join(str(step) for step in fault.absolute_path)
    if fault.validator == "additionalProperties":
        unknown = sorted(set(fault.instance) - set(fault.schema.get("properties", {})))
        names = ", ".join(f"{key}.{name}" if key else str(name) for name in unknown)
        known = ", ".join(sorted(fault.schema.get("properties", {})))
        return f"unknown key {names}; known here are {known}."
    if fault.validator == "required":
        missing = [name for name in fault.validator_value if name not in fault.instance]
        return f"the key {'.'.join([*filter(None, [key]), missing[0]])} is missing."
    message = fault.message if len(fault.message) < 200 else f"{fault.message[:200]} ..."
    return f"{key or 'the file'}: {message}."


def _check_names(settings: dict[str, Any]) -> None:
    runs, tasks = settings["runs"], settings["tasks"]
    for name, task in tasks.items():
        if task["run"] is not None and task["run"] not in runs:
            raise ValueError(f"Config: tasks.{name}.run names {task['run']!r}, which is not among runs.")
    for name, table in settings["tables"].items():
        for row in table["rows"]:
            if row["task"] not in tasks:
                raise ValueError(f"Config: tables.{name} has a row for {row['task']!r}, which is not among tasks.")
    for name, run in runs.items():
        merged = settings["pretrain"] | run
        if merged["contrast"] == "none" and merged["reconstruction_weight"] == 0:
            raise ValueError(f"Config: runs.{name} has neither a contrast nor a reconstruction_weight, so no loss.")


def _check_percentiles(percentiles: list[float]) -> None:
    if any(later <= earlier for earlier, later in itertools.pairwise(percentiles)):
        raise ValueError("Config: landmarks.percentiles must increase.")
