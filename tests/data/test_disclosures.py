import copy

import pytest
import yaml

from neurobar.data.disclosures import MOST_NAMED, NOT_TOLD, cover_path, tell_settings


@pytest.fixture
def config(root):
    """Return the settings of a study with scans that are named and files of its own."""
    settings = yaml.safe_load((root / "config.yaml").read_text())
    settings["cohort"]["scans"] = "/home/me/ZQX/scans.tsv"
    settings["external"] = {"clinic": {"scans": "clinic/ZQX.tsv", "study": "a clinic"}}
    settings["preprocess"] |= {"keep": ["ZQX-1"], "exclude": ["ZQX-2", "ZQX-3"]}
    settings["template"]["head"] = "heads/ZQX.nii.gz"
    settings["atlas"] = {"image": "atlas/ZQX.nii.gz", "labels": "atlas/ZQX.txt"}
    return settings


def test_settings_are_told_whole_where_nothing_is_to_be_left_out(config):
    told = tell_settings(config, anonymise=False)
    assert told == config
    assert told is not config


def test_no_name_and_no_path_is_told_of_an_anonymised_study(config):
    before = copy.deepcopy(config)
    told = tell_settings(config, anonymise=True)
    assert "ZQX" not in str(told)
    assert config == before
    assert (told["preprocess"]["keep"], told["preprocess"]["exclude"]) == (1, 2)
    assert told["cohort"]["scans"] == told["external"]["clinic"]["scans"] == NOT_TOLD
    assert told["template"]["head"] == told["atlas"]["image"] == told["atlas"]["labels"] == NOT_TOLD
    assert told["external"]["clinic"]["study"] == "a clinic"
    assert told["pretrain"] == config["pretrain"]


def test_what_is_no_path_is_told(root):
    config = yaml.safe_load((root / "config.yaml").read_text())
    told = tell_settings(config, anonymise=True)
    assert {name: told[name] for name in ("cohort", "template", "atlas")} == {
        name: config[name] for name in ("cohort", "template", "atlas")
    }


def test_of_many_scans_there_is_their_number(config):
    config["preprocess"]["exclude"] = [f"scan-{number}" for number in range(MOST_NAMED + 1)]
    told = tell_settings(config, anonymise=False)["preprocess"]
    assert told["exclude"] == MOST_NAMED + 1
    assert told["keep"] == ["ZQX-1"]


@pytest.mark.parametrize(
    ("path", "covered"), [(None, None), ("aal2", "aal2"), ("aal3", NOT_TOLD), ("", NOT_TOLD), ("a/b", NOT_TOLD)]
)
def test_a_path_is_covered_and_a_word_that_is_none_is_not(path, covered):
    assert cover_path(path, ("aal2",)) == covered
