import json

import pandas as pd
import pytest

from neurobar.split.audit_folds import main

FOLDS = pd.DataFrame(
    {
        "scan": list("abcdef"),
        "subject": ["s1", "s1", "s2", "s3", "s4", "s5"],
        "label": [0, 0, 1, 0, 1, 1],
        "part": ["0", "0", "1", "1", "test", "0"],
    }
)


def audit(folder, folds, *landmarks, by="subject"):
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False)
    paths = []
    for fold, scans in enumerate(landmarks):
        paths.append(str(folder / f"{fold}.json"))
        (folder / f"{fold}.json").write_text(json.dumps({"scans": list(scans)}))
    words = ["--folds", str(folder / "folds.tsv"), "--landmarks", *paths, "--by", by]
    main([*words, "--audit", str(folder / "audit.json")])
    return json.loads((folder / "audit.json").read_text())


def test_a_clean_split_passes_with_its_counts(tmp_path):
    result = audit(tmp_path, FOLDS, "cd", "abf")
    assert result["leaks"] == []
    assert result["parts"]["0"] == {"subjects": 2, "scans": 3}


@pytest.mark.parametrize(
    ("folds", "landmarks", "message"),
    [
        (FOLDS.assign(part=["0", "1", "1", "1", "test", "0"]), ("cd", "f"), "Subject s1 is in two parts"),
        (FOLDS, ("cde", "abf"), "Scan e is in the landmarks of fold 0"),
        (FOLDS, ("cda", "abf"), "Scan a is in the landmarks of fold 0"),
        (pd.concat([FOLDS, FOLDS.iloc[2:3]]), ("cd", "abf"), "Scan c stands twice"),
    ],
)
def test_a_leak_stops_the_run_and_leaves_no_audit(tmp_path, folds, landmarks, message):
    with pytest.raises(SystemExit, match=message):
        audit(tmp_path, folds, *landmarks)
    assert not (tmp_path / "audit.json").exists()


def test_a_split_by_scans_passes_with_the_subjects_it_tears_apart_and_no_other_leak(tmp_path):
    torn = FOLDS.assign(part=["0", "1", "1", "1", "test", "0"])
    assert audit(tmp_path, torn, "bcd", "af", by="scan")["subjects_in_two_parts"] == ["s1"]
    with pytest.raises(SystemExit, match="Scan e is in the landmarks of fold 0"):
        audit(tmp_path, torn, "bcde", "af", by="scan")
