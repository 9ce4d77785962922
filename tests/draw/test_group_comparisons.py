import math
import tracemalloc
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neurobar.draw.group_comparisons import (
    compare_groups,
    compare_kinds,
    compare_numbers,
    compare_parts,
    readable_balance,
    standardised_difference,
)


def series(*values):
    return pd.Series(values, dtype=float)


def test_the_standardised_difference_has_a_sign_and_the_mean_variance():
    one, other = series(1, 2, 3), series(2, 6)
    expected = (2 - 4) / math.sqrt((1 + 8) / 2)
    assert standardised_difference(one, other) == pytest.approx(expected)
    assert standardised_difference(other, one) == pytest.approx(-expected)


def test_the_standardised_difference_of_shares_has_their_variance():
    one, other = series(1, 1, 1, 0), series(1, 0)
    expected = (0.75 - 0.5) / math.sqrt((0.75 * 0.25 + 0.5 * 0.5) / 2)
    assert standardised_difference(one, other) == pytest.approx(expected)


@pytest.mark.parametrize(("one", "other"), [((), (1, 2)), ((1, 1), (1, 1)), ((5, 5), (7, 7))])
def test_a_difference_without_spread_is_undefined(one, other):
    assert math.isnan(standardised_difference(series(*one), series(*other)))


def test_mann_whitney_equals_all_ways_to_draw_the_groups():
    one, other = [1.0, 4.0, 9.0], [5.0, 10.0, 11.0, 13.0]
    values = np.array(one + other)

    def wins(chosen):
        rest = [i for i in range(7) if i not in chosen]
        return sum(values[i] > values[j] for i in chosen for j in rest)

    drawn = np.array([wins(chosen) for chosen in combinations(range(7), 3)])
    seen = wins((0, 1, 2))
    expected = min(1, 2 * min((drawn <= seen).mean(), (drawn >= seen).mean()))
    assert compare_numbers(series(*one), series(*other)) == pytest.approx(expected)


def test_ages_that_are_all_alike_do_not_differ_and_one_alone_tells_nothing():
    assert compare_numbers(series(70, 70), series(70, 70, 70)) == 1
    assert math.isnan(compare_numbers(series(70), series(60, 80)))


def test_two_kinds_are_tested_exactly():
    # Of the ways to put three of six women into a group of three, two are as extreme as all or none.
    name, p = compare_kinds(series(1, 1, 1), series(0, 0, 0))
    assert name.startswith("Fisher")
    assert p == pytest.approx(2 / math.comb(6, 3))


def test_more_kinds_are_tested_by_permutations():
    one, other = pd.Series(list("nnnnnnss")), pd.Series(list("wwwwwwss"))
    name, p = compare_kinds(one, other)
    assert "chi-squared" in name
    assert p < 0.01
    assert compare_kinds(one, one)[1] == 1
    assert compare_kinds(one, other) == (name, p)


def test_permutations_of_many_subjects_need_little_memory_and_give_the_p_of_all_at_once():
    kinds = np.random.default_rng(3).integers(0, 3, 240)
    one, other = pd.Series(kinds[:100]), pd.Series(kinds[100:])
    tracemalloc.start()
    _, p = compare_kinds(one, other)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6  # all at once they are more than 9999 x 240 x 8 bytes
    table = np.array([[(group == kind).sum() for kind in range(3)] for group in (one, other)])
    at_once = stats.PermutationMethod(n_resamples=9999, rng=np.random.default_rng(0))
    assert p == stats.chi2_contingency(table, correction=False, method=at_once).pvalue


def test_an_empty_group_is_not_tested():
    assert math.isnan(compare_kinds(series(), series(0, 1))[1])


@pytest.fixture
def scans():
    """Return twelve scans of ten subjects; the positive are older and at another site, the first subject has three."""
    subjects = [0, 0, 0, *range(1, 10)]
    return pd.DataFrame(
        {
            "subject": subjects,
            "label": [i % 2 for i in subjects],
            "age": [70.0 + 5 * (i % 2) + i / 4 for i in subjects],
            "sex": ["F" if i < 5 else "M" for i in subjects],
            "site": ["n" if i % 2 else "s" for i in subjects],
            "part": ["test" if i < 4 else "0" if i < 7 else "1" for i in subjects],
        }
    )


def test_tests_are_on_subjects_and_not_on_scans(scans):
    balance = compare_parts(scans, ("CN", "AD"), "diagnosis").set_index(["groups", "trait"])
    assert balance.loc[("test set against development", "age"), ["n_first", "n_second"]].tolist() == [4, 6]
    assert balance.loc[("AD against CN", "age"), ["n_first", "n_second"]].tolist() == [5, 5]
    assert balance.loc[("AD against CN", "age"), "p"] == pytest.approx(2 / math.comb(10, 5))
    assert balance.loc[("AD against CN", "age"), "first"] == pytest.approx(76.25)
    assert balance.loc[("test set against development", "female"), "first"] == 100
    assert balance.loc[("test set against development", "label"), "first"] == 50
    assert balance.loc[("AD against CN", "site"), "p"] == pytest.approx(2 / math.comb(10, 5))


def test_classes_that_are_sexes_are_not_compared_by_sex(scans):
    balance = compare_parts(scans, ("F", "M"), "sex")
    assert set(balance.loc[balance["groups"].str.startswith("M against F"), "trait"]) == {"age", "site"}
    assert "female" in set(balance.loc[balance["groups"].str.startswith("test"), "trait"])


def test_what_nobody_has_and_a_site_that_all_share_are_passed_over(scans):
    bare = scans.assign(age=np.nan, sex=None, site="n")
    assert compare_parts(bare, ("CN", "AD"), "diagnosis")["trait"].tolist() == ["label"]


def test_a_trait_that_one_group_lacks_has_no_p():
    one = pd.DataFrame({"age": [np.nan, np.nan], "female": [1.0, 0.0]})
    other = pd.DataFrame({"age": [70.0, 71.0], "female": [1.0, 0.0]})
    age, female = compare_groups(one, other, ["age", "female"])
    assert age["n_first"] == 0
    assert math.isnan(age["p"])
    assert female["p"] == 1


def test_cells_have_signs_and_words(scans):
    balance = compare_parts(scans, ("CN", "AD"), "diagnosis")
    cells = readable_balance(balance, ("CN", "AD")).set_index(["Groups", "Trait"])
    age = cells.loc[("test set against development", "age")]
    assert age["Mean or share"] == "72.9 against 74.1 years"
    assert age["Standardised difference"] == "−0.42"
    assert cells.loc[("test set against development", "class"), "Mean or share"] == "50.0 against 50.0 % AD"
    assert cells.loc[("test set against development", "class"), "Standardised difference"] == "0.00"
    assert cells.loc[("AD against CN", "site"), "Mean or share"] == "–"
    assert cells.loc[("AD against CN in the test set", "site"), "p"] == "0.333"
