import json

import pandas as pd
import pytest

from neurobar.data.atlases import locate_aal2, read_atlas
from neurobar.simulate import measure_losses
from neurobar.simulate.anatomy import LOST_ELSEWHERE, MOST_LOST

NAMES = read_atlas(*locate_aal2()).names


def write_cohort(folder, severities, lost):
    """Write the truth of scans whose regions lost exactly what is asked, in heads of different sizes."""
    rows = []
    for number, severity in enumerate(severities):
        subject, scan = f"sub-{number}", f"sub-{number}_ses-1"
        brain = 1000.0 + 100 * number
        volumes = {name: brain / 50 * (1 - severity * lost.get(name, 0.01)) for name in NAMES}
        path = folder / subject / "ses-1" / "anat" / f"{scan}_truth.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"scan": scan, "severity": severity, "volumes_ml": {"brain": brain, **volumes}}))
        rows.append({"scan": scan, "subject": subject, "session": "ses-1"})
    pd.DataFrame(rows).to_csv(folder / "scans.tsv", sep="\t", index=False)


def measure(folder):
    losses = folder / "losses.tsv"
    measure_losses.main(["--sheet", str(folder / "scans.tsv"), "--folder", str(folder), "--losses", str(losses)])
    return pd.read_csv(losses, sep="\t").set_index("region")


def test_what_each_region_lost_is_measured_whatever_the_size_of_the_head(tmp_path):
    write_cohort(tmp_path, [0.9, 0.0, 0.3, 0.5], {"Hippocampus": 0.4, "Insula": -0.2})
    losses = measure(tmp_path)
    assert tuple(losses.index) == NAMES
    assert losses.at["Hippocampus", "measured"] == pytest.approx(0.4, abs=1e-6)
    assert losses.at["Insula", "measured"] == pytest.approx(-0.2, abs=1e-6)
    assert losses.at["Precentral", "measured"] == pytest.approx(0.01, abs=1e-6)


def test_the_plan_is_that_of_the_simulation_and_knows_its_regions(tmp_path):
    write_cohort(tmp_path, [0.9, 0.0], {})
    planned = measure(tmp_path)["planned"]
    assert planned[planned > LOST_ELSEWHERE].to_dict() == MOST_LOST
    assert (planned[planned <= LOST_ELSEWHERE] == LOST_ELSEWHERE).all()


def test_scans_of_one_severity_are_refused(tmp_path):
    write_cohort(tmp_path, [0.5, 0.5], {})
    with pytest.raises(SystemExit, match="all scans are of one severity"):
        measure(tmp_path)
