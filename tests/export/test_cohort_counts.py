import pandas as pd
import pytest

from neurobar.export.card_parts import describe_age
from neurobar.export.cohort_counts import count_part


@pytest.mark.parametrize(("people", "told"), [(4, False), (5, True)])
def test_ages_and_sexes_of_fewer_than_five_people_are_not_told(people, told):
    part = pd.DataFrame({"subject": [f"sub-{row}" for row in range(people)], "label": 1, "age": 70.0, "sex": "F"})
    counts = count_part(part, {"negative": "CN", "positive": "AD"})["AD"]
    assert counts["subjects"] == people
    assert (counts["age_mean"], counts["age_sd"], counts["sex"]) == ((70, 0, {"F": 5}) if told else (None, None, {}))
    assert describe_age(counts) == ("70.0 ± 0.0" if told else "not told")


def test_an_age_that_is_known_of_few_is_not_told_among_many():
    part = pd.DataFrame({"subject": list("abcdef"), "label": 0, "age": [61.0, 62, 63, 64, None, None], "sex": "M"})
    counts = count_part(part, {"negative": "CN", "positive": "AD"})["CN"]
    assert (counts["age_mean"], counts["sex"]) == (None, {"M": 6})


def test_words_for_sexes_are_made_one_and_others_are_not_handed_on():
    sexes = ["female", " F", "m", "Male", "Jane Doe", None]
    part = pd.DataFrame({"subject": list("abcdef"), "label": 0, "age": 70.0, "sex": sexes})
    assert count_part(part, {"negative": "CN", "positive": "AD"})["CN"]["sex"] == {"F": 2, "M": 2, "unknown": 2}
