import pandas as pd

from neurobar.draw.sentences import count_jobs, count_scans, name_study


def test_simulated_subjects_are_told():
    assert name_study({"study": "a cohort", "simulated": False}) == "a cohort"
    assert name_study({"study": "a cohort", "simulated": True}) == "a cohort (these subjects are simulated)"


def test_scans_and_subjects_are_counted_once():
    rows = pd.DataFrame({"scan": ["a", "b", "c", "c"], "subject": ["x", "x", "y", "y"]})
    assert count_scans(rows) == "3 scans of 2 subjects"
    assert count_scans(rows[:1]) == "1 scan of 1 subject"


def test_seeds_are_told_where_there_are_several():
    jobs = pd.DataFrame({"fold": [0, 1, 2], "seed": 0})
    assert count_jobs(jobs) == "3 folds"
    assert count_jobs(pd.concat([jobs, jobs.assign(seed=1)])) == "3 folds and 2 seeds"
    assert count_jobs(jobs[:1]) == "1 fold"
