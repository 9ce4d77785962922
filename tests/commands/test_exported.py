import shutil

import pytest

from neurobar.commands.exported import open_exported
from neurobar.export import export_model


@pytest.fixture
def copy(small_model, tmp_path):
    return shutil.copytree(small_model, tmp_path / "copy")


def test_a_whole_folder_is_opened_wherever_it_lies(copy):
    exported = open_exported(copy)
    assert exported.members == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert exported.is_of_this_code
    read = {path.relative_to(copy).as_posix() for path in exported.files()} | {"config.json"}
    listed = {line.split("  ")[1] for line in (copy / "SHA256SUMS").read_text().splitlines()}
    assert listed - read == {"README.md"}
    assert read < listed


@pytest.mark.parametrize("name", ["fold-1_seed-0/classifier.safetensors", "fetch/atlas.nii.gz", "config.json"])
def test_a_file_with_one_other_bit_is_refused(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[-3] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} is not the file that was exported"):
        open_exported(copy)


def test_a_file_that_is_missing_or_not_listed_is_refused(copy):
    sums = (copy / "SHA256SUMS").read_text()
    (copy / "SHA256SUMS").write_text("".join(line for line in sums.splitlines(True) if "fold-0/healthy" not in line))
    with pytest.raises(ValueError, match=r"healthy\.safetensors is not the file that was exported"):
        open_exported(copy)
    (copy / "fold-0" / "healthy.safetensors").unlink()
    with pytest.raises(ValueError, match=r"healthy\.safetensors: there is no such file"):
        open_exported(copy)


def test_a_card_that_was_edited_on_a_hub_does_no_harm(copy):
    (copy / "README.md").write_text("A better card.")
    assert open_exported(copy).config["task"] == "bar"


def test_another_folder_is_no_model(tmp_path):
    with pytest.raises(ValueError, match="is no exported model: there is no SHA256SUMS in it"):
        open_exported(tmp_path)


def test_another_layout_is_refused(changed_model):
    with pytest.raises(ValueError, match=f"is not of format {export_model.FORMAT}"):
        open_exported(changed_model(format=export_model.FORMAT + 1))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"folds": ["../../../etc"]}, r"folds\.0: '../../../etc' is not of type 'integer'"),
        ({"seeds": [-1]}, r"seeds\.0: -1 is less than the minimum of 0"),
        ({"folds": []}, r"folds: \[\] should be non-empty"),
        ({"preprocess": {"skull_strip": "; touch x"}}, r"preprocess"),
        ({"threshold": "--help"}, r"threshold: '--help' is not of type 'number'"),
        ({"classes": "CN"}, r"classes: 'CN' is not of type 'object'"),
    ],
)
def test_settings_that_no_export_writes_are_refused_though_their_checksum_is_right(changed_model, changes, key):
    with pytest.raises(ValueError, match=rf"config\.json is not what an export writes: {key}"):
        open_exported(changed_model(**changes))


def test_a_line_that_is_no_checksum_is_named(copy):
    (copy / "SHA256SUMS").write_text((copy / "SHA256SUMS").read_text() + "<html>\n")
    with pytest.raises(ValueError, match=r"SHA256SUMS, line \d+ is no checksum"):
        open_exported(copy)


@pytest.mark.parametrize(
    "changes",
    [
        {"folds": []},
        {"folds": 3},
        {"folds": ["../.."]},
        {"seeds": [0, 0]},
        {"seeds": [1.0]},
        {"format": True},
        {"code": None},
    ],
)
def test_a_config_that_does_not_describe_a_model_is_refused(changed_model, changes):
    with pytest.raises(ValueError, match=r"config\.json is not (of format|what an export writes)"):
        open_exported(changed_model(**changes))
