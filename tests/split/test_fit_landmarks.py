import json

import numpy as np

from neurobar.split.fit_landmarks import main


def fit(cohort, folder, percentiles):
    words = dict(zip(cohort.arguments[::2], cohort.arguments[1::2], strict=True))
    words = {name: words[name] for name in ("--volumes", "--table", "--folds", "--fold")}
    words |= {"--percentiles": str(percentiles), "--landmarks": str(folder / "landmarks.json")}
    main([word for pair in words.items() for word in pair])
    return json.loads((folder / "landmarks.json").read_text())


def test_only_training_scans_are_read(tiny_cohort, tmp_path):
    percentiles = np.load(tiny_cohort.folder / "percentiles.npy")
    before = fit(tiny_cohort, tmp_path, tiny_cohort.folder / "percentiles.npy")
    training = [int(scan.split("_")[0][4:]) >= 8 for scan in before["scans"]]
    assert all(training)
    assert len(before["scans"]) == 8
    # Scans of the test set and of the selecting fold may be anything.
    percentiles[:8] = percentiles[16:] = np.nan
    np.save(tmp_path / "other.npy", percentiles)
    assert fit(tiny_cohort, tmp_path, tmp_path / "other.npy") == before
