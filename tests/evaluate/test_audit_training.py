import json

import pandas as pd
import pytest

from neurobar.evaluate.audit_training import audit as audit_jobs
from neurobar.evaluate.audit_training import main

FOLDS = pd.DataFrame(
    {"scan": list("abcdef"), "subject": ["s1", "s1", "s2", "s3", "s4", "s5"], "part": ["0", "0", "1", "1", "test", "2"]}
)


EXTERNAL = pd.DataFrame({"scan": list("xyz"), "subject": ["e1", "e1", "e2"], "part": "test"})


def audit(folder, external=None, **roles):
    path = folder / "pretrain" / "bar" / "fold-1" / "seed-0" / "seen.tsv"
    path.parent.mkdir(parents=True)
    pairs = [(role, scan) for role, scans in roles.items() for scan in scans]
    pd.DataFrame(pairs, columns=["role", "scan"]).to_csv(path, sep="\t", index=False)
    FOLDS.to_csv(folder / "folds.tsv", sep="\t", index=False)
    words = ["--external"]
    if external is not None:
        external.to_csv(folder / "external.tsv", sep="\t", index=False)
        words.append(str(folder / "external.tsv"))
    words += ["--folds", str(folder / "folds.tsv"), "--seen", str(path)]
    main([*words, "--audit", str(folder / "audit.json")])
    return json.loads((folder / "audit.json").read_text())


def test_jobs_that_kept_to_their_part_pass(tmp_path):
    assert audit(tmp_path, anchor="abf", donor="af", select="cd") == {"leaks": [], "jobs": 1, "uses": 7}


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"anchor": "abf", "donor": "ac"}, "scan c was donor outside its part of fold 1"),
        ({"anchor": "abe"}, "scan e was anchor outside"),
        ({"train": "d"}, "scan d was train outside"),
        ({"select": "e"}, "scan e was select outside"),
    ],
)
def test_a_leak_is_named_and_leaves_no_audit(tmp_path, roles, message):
    with pytest.raises(SystemExit, match=message):
        audit(tmp_path, **roles)
    assert not (tmp_path / "audit.json").exists()


def test_a_split_by_scans_is_audited_by_scans(tmp_path):
    folds = pd.DataFrame({"scan": list("abcd"), "subject": ["s1", "s1", "s2", "s3"], "part": ["0", "1", "test", "1"]})
    seen = {"pretrain/bar/fold-0/seed-0/seen.tsv": pd.DataFrame({"role": ["anchor", "anchor"], "scan": ["b", "d"]})}
    assert audit_jobs(seen, folds, by="scan") == []
    assert len(audit_jobs(seen, folds)) == 1


def test_a_task_on_an_external_cohort_passes_where_its_subjects_were_tested_alone(tmp_path):
    assert audit(tmp_path, EXTERNAL, anchor="abf", donor="f", select="cd", test="xyz")["leaks"] == []


@pytest.mark.parametrize(
    ("external", "roles", "message"),
    [
        # The same subject under two names of scans; the split by itself sees nothing wrong.
        (
            EXTERNAL.assign(subject=["e1", "e1", "s5"]),
            {"anchor": "abf", "test": "xyz"},
            "scan f was anchor, of subject s5",
        ),
        (EXTERNAL.assign(subject=["e1", "e1", "s5"]), {"donor": "f", "test": "xyz"}, "scan f was donor, of subject s5"),
        (
            EXTERNAL.assign(subject=["s2", "e1", "e2"]),
            {"select": "cd", "test": "xyz"},
            "scan c was select, of subject s2",
        ),
        (EXTERNAL, {"train": "ax", "test": "xyz"}, "scan x was train outside its part of fold 1"),
        (EXTERNAL, {"train": "ax", "test": "xyz"}, "scan x was train, of subject e1 in the external cohort"),
        (EXTERNAL, {"train": "ab", "test": "xye"}, "scan e was test outside"),
    ],
)
def test_a_subject_of_an_external_cohort_that_was_learned_from_is_named(tmp_path, external, roles, message):
    with pytest.raises(SystemExit, match=message):
        audit(tmp_path, external, **roles)
    assert not (tmp_path / "audit.json").exists()


def test_a_subject_that_nothing_was_learned_from_may_be_in_an_external_cohort(tmp_path):
    # s4 is in the test set of the split alone.
    assert audit(tmp_path, EXTERNAL.assign(subject=["e1", "e1", "s4"]), train="ab", test="xyz")["leaks"] == []
