"""Settings of an exported model, which may come from anybody, checked before they are used."""

from __future__ import annotations

from typing import Any

from jsonschema.exceptions import best_match

from neurobar.data.settings import Validator
from neurobar.export.export_model import FORMAT

#: Folds and seeds become parts of paths, so that they are numbers matters most.
NUMBERS = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "integer", "minimum": 0}}
TEXT, OBJECT, POSITIVE = {"type": "string"}, {"type": "object"}, {"type": "number", "exclusiveMinimum": 0}
NUMBER = {"type": "number"}
PREPROCESS = {
    "registration": OBJECT,
    "skull_strip": {"enum": ["atlas", "hd_bet", "supplied"]},
    "mask_growth_mm": NUMBER,
    "n4_spline_mm": POSITIVE,
    "normalisation": {"enum": ["affine", "deformable"]},
    "limits": {"type": "object", "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2}},
}
PROPERTIES = {
    "format": {"const": FORMAT},
    "folds": NUMBERS,
    "seeds": NUMBERS,
    "voxel_mm": POSITIVE,
    "percentiles": {"type": "array", "minItems": 2, "items": {"type": "number", "minimum": 0, "maximum": 100}},
    "threshold": {"type": "number", "minimum": 0, "maximum": 1},
    "classes": {"type": "object", "required": ["label", "negative", "positive"]},
    "preprocess": {"type": "object", "required": [*PREPROCESS], "properties": PREPROCESS},
    **dict.fromkeys(("study", "task", "method", "neurobar", "code"), TEXT),
    **dict.fromkeys(("cohort", "healthy"), OBJECT),
    "simulated": {"type": "boolean"},
}
SCHEMA = {"type": "object", "required": [*PROPERTIES], "properties": PROPERTIES}


def find_fault(settings: Any) -> str | None:
    """Find what is wrong with the settings of a model.

    Parameters
    ----------
    settings : Any
        Of its `config.json`.

    Returns
    -------
    str or None
        The key and what is wrong with it; None where nothing is.
    """
    fault = best_match(Validator(SCHEMA).iter_errors(settings))
    if fault is None:
        return None
    key = ".".join(map(str, fault.absolute_path))
    return f"{key}: {fault.message[:200]}" if key else fault.message[:200]
