"""The grid, and the refusal of what is no head."""

import gzip
import os
import shutil

import nibabel as nib
import numpy as np
import pytest

from neurobar.data import volumes
from neurobar.data.volumes import GRID_AFFINE, GRID_SHAPE, read_head, read_volume, write_volume

SHAPE = (34, 36, 40)


def volume(shape=SHAPE):
    """Return seeded intensities."""
    return np.random.default_rng(0).uniform(1, 100, shape).astype(np.float32)


def save(path, array, spacing=(2, 2, 2), code=1):
    """Write an image with a spacing and an orientation code."""
    image = nib.Nifti1Image(array, np.diag([*spacing, 1]))
    image.set_sform(image.affine, code=code)
    image.set_qform(image.affine, code=code)
    nib.save(image, path)
    return path


def patched(path, offset, raw):
    """Overwrite bytes of an uncompressed header."""
    content = bytearray(path.read_bytes())
    content[offset : offset + len(raw)] = raw
    path.write_bytes(content)
    return path


def refusal(path):
    """Return the sentence with which a file is refused."""
    with pytest.raises(ValueError, match=r"\.$") as error:
        read_head(path)
    sentence = str(error.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    return sentence


def test_the_grid_is_symmetric_about_the_midline():
    first = GRID_AFFINE[0, 3]
    last = first + (GRID_SHAPE[0] - 1) * GRID_AFFINE[0, 0]
    assert first == -last


def test_the_grid_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        GRID_AFFINE[0, 0] = 1


def test_a_head_keeps_its_axes_and_affine(tmp_path):
    path = save(tmp_path / "a head with spaces.nii.gz", volume(), (1, 2, 3))
    image = read_head(path)
    assert image.shape == SHAPE
    assert np.allclose(image.affine, np.diag([1, 2, 3, 1]))
    assert np.allclose(np.asarray(image.dataobj), volume())


def test_a_trailing_axis_of_length_one_is_no_fourth_axis(tmp_path):
    assert read_head(save(tmp_path / "x.nii", volume()[..., None])).shape == SHAPE


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (volume((*SHAPE, 2)), "three axes"),
        (volume((40, 40)), "three axes"),
        (volume((31, 40, 40)), "at least 32"),
        (np.zeros(SHAPE, np.float32), "empty or constant"),
        (np.full(SHAPE, 7, np.float32), "empty or constant"),
        (np.where(volume() < 3, np.nan, volume()), "NaN or infinite"),
        (volume().astype(np.complex64), "no numbers on a scale"),
        (np.where(volume() < 60, -1000, 30 * volume()).astype(np.int16), "far below 0, as in CT"),
        (volume() - 50, "far below 0"),
        (-volume(), "far below 0"),
    ],
)
def test_what_is_no_head_is_refused(tmp_path, array, words):
    assert words in refusal(save(tmp_path / "x.nii.gz", array))


def test_few_undefined_voxels_become_zero(tmp_path):
    array = volume()
    array[0, 0, :3] = np.nan, np.inf, -5
    assert np.asarray(read_head(save(tmp_path / "x.nii.gz", array)).dataobj)[0, 0, :3].tolist() == [0, 0, 0]


def test_the_ringing_of_an_interpolation_is_no_ct(tmp_path):
    array = np.where(volume() < 50, -1, volume())
    array[:3, :3] = -40
    assert np.asarray(read_head(save(tmp_path / "x.nii.gz", array)).dataobj).min() == 0


def test_a_file_without_orientation_is_refused(tmp_path):
    assert "left and right" in refusal(save(tmp_path / "x.nii", volume(), code=0))


def test_thick_slices_are_refused(tmp_path):
    assert "6.5 mm" in refusal(save(tmp_path / "x.nii", volume(), (1, 1, 6.5)))


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x1f\x8b broken"])
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_what_is_no_nifti_is_refused(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    refusal(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    assert "no such file" in refusal(tmp_path / "x.nii.gz")


def test_a_folder_is_no_head(tmp_path):
    (tmp_path / "x.nii.gz").mkdir()
    refusal(tmp_path / "x.nii.gz")


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_a_truncated_file_is_refused(tmp_path, name):
    path = save(tmp_path / name, volume())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refusal(path)


def test_a_damaged_compression_is_refused(tmp_path):
    path = save(tmp_path / "x.nii.gz", volume())
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    path.write_bytes(content)
    refusal(path)


def test_a_claim_of_absurd_size_is_refused_before_it_is_read(tmp_path):
    path = save(tmp_path / "x.nii", volume())
    patched(path, 42, np.array([30000, 30000, 30000], "<i2").tobytes())
    assert "30000" in refusal(path)
    zipped = tmp_path / "x.nii.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert "30000" in refusal(zipped)


@pytest.mark.parametrize("spacing", [0.0, -1.0, np.nan])
def test_a_spacing_that_is_not_positive_is_refused(tmp_path, spacing):
    refusal(patched(save(tmp_path / "x.nii", volume()), 80, np.array([spacing], "<f4").tobytes()))


def test_an_unreadable_file_is_named(tmp_path, monkeypatch):
    path = save(tmp_path / "x.nii.gz", volume())

    def refuse(*_arguments, **_keywords):
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, who may read everything.
    monkeypatch.setattr(volumes, "read_header", refuse)
    assert "permission" in refusal(path)


def test_a_written_volume_keeps_zero_and_what_is_above(tmp_path):
    array = volume()
    array[:5] = 0
    array[6] = 1e-5
    write_volume(tmp_path / "x.nii.gz", array, GRID_AFFINE)
    back, affine = read_volume(tmp_path / "x.nii.gz")
    assert back.dtype == np.float32
    assert (back[:5] == 0).all()
    assert (back[6] > 0).all()
    assert np.abs(back - array).max() < 100 / 32767
    assert np.array_equal(affine, GRID_AFFINE)


def test_a_written_mask_keeps_its_type(tmp_path):
    mask = (volume() > 50).astype(np.uint8)
    write_volume(tmp_path / "x.nii.gz", mask, GRID_AFFINE)
    back, _ = read_volume(tmp_path / "x.nii.gz")
    assert back.dtype == np.uint8
    assert np.array_equal(back, mask)


def grow(path):
    path.write_bytes(path.read_bytes() + b"more")


def rewrite(path):
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(0, 0))


def replace(path):
    shutil.copy2(path, path.with_suffix(".copy"))
    os.replace(path.with_suffix(".copy"), path)


def cut(path):
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
@pytest.mark.parametrize("change", [grow, rewrite, replace, cut])
@pytest.mark.parametrize("step", ["read_header", "check_length", "read_affine"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, name, change, step):
    path = save(tmp_path / name, volume())
    read = getattr(volumes, step)

    def read_and_change(*words):
        found = read(*words)
        change(path)
        return found

    monkeypatch.setattr(volumes, step, read_and_change)
    assert "the file changed while it was read" in refusal(path)


def test_voxels_that_begin_in_the_header_are_refused(tmp_path):
    path = patched(save(tmp_path / "x.nii", volume()), 108, np.array([0], "<f4").tobytes())
    assert "its voxels begin at byte 0" in refusal(path)


def test_a_lost_row_of_voxels_or_one_too_many_is_noticed(tmp_path):
    path = save(tmp_path / "x.nii", volume())
    patched(path, 42, np.array([SHAPE[0] - 1], "<i2").tobytes())
    assert "longer than its header says" in refusal(path)
    patched(path, 42, np.array([SHAPE[0] + 1], "<i2").tobytes())
    assert "shorter than its header says" in refusal(path)
    patched(path, 42, np.array([SHAPE[0]], "<i2").tobytes())
    grow(path)
    assert read_head(path).shape == SHAPE


def test_a_sign_that_is_none_does_not_tell_left_from_right(tmp_path):
    path = save(tmp_path / "x.nii", volume())
    patched(path, 76, np.array([-2], "<f4").tobytes())
    assert read_head(path).shape == SHAPE
    patched(path, 254, np.array([0], "<i2").tobytes())
    assert "pixdim[0] is -2" in refusal(path)
