import datetime
import math

import pytest
import yaml

from neurobar.data.values import check_values


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"a": {"b": [1, math.nan]}}, r"Config: a\.b\.1: nan is not finite\."),
        ({"a": -math.inf}, r"Config: a: -inf is not finite\."),
        ({"a": 2**63}, r"Config: a: the number does not fit into 64 bits\."),
        ({"a": int("f" * 9000, 16)}, r"Config: a: the number does not fit"),
        ({"a": {False: 1}}, r"Config: a: a key is no text \(bool\)"),
        ({"a\n": 1}, r"Config: the file: a key is no text \('a\\n'\)"),
        ({"a": datetime.date(2024, 1, 1)}, r"Config: a: a date is no setting"),
        ({"a": "x\n"}, r"Config: a: the text holds the end of a line"),
        ({"caption": "x\x00"}, r"Config: caption: the text holds .* a control character"),
        ({"a": "\ud800"}, r"Config: a: the text holds"),
        (yaml.safe_load("a: &a [*a]"), r"Config: a: values are nested too deep"),
        ({"a": [[[0] * 500] * 500]}, r"Config: a: values are .* too many"),
    ],
)
def test_what_no_setting_can_be_is_refused_with_its_key(settings, message):
    with pytest.raises(ValueError, match=message):
        check_values(settings)


def test_what_settings_are_made_of_passes():
    check_values({"a": [1, -1.5, True, None, "é {scan} $(x)"], "caption": "two\nlines\n", "b": {"c": {}}})
