from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from neurobar.transforms.landmarks import fit_landmarks, standardise

AT = [1, 10, 50, 90, 99]


def scans(number, seed=0):
    """Draw scans of unequal contrast with background around them, and read off their percentiles."""
    random = np.random.default_rng(seed)
    volumes = np.zeros((number, 1, 6, 7, 8), np.float32)
    for volume in volumes:
        volume[0, 1:5, 1:6, 1:7] = random.gamma(random.uniform(2, 6), random.uniform(0.2, 2), (4, 5, 6)) + 0.01
    percentiles = np.stack([np.percentile(volume[volume > 0], AT) for volume in volumes]).astype(np.float32)
    return volumes, percentiles


def test_mapping_equals_interpolation_scan_by_scan():
    volumes, percentiles = scans(4)
    landmarks = fit_landmarks(percentiles)
    mapped = standardise(*map(torch.from_numpy, (volumes, percentiles, landmarks)))
    for volume, own, result in zip(volumes, percentiles, mapped.numpy(), strict=True):
        inside = (volume >= own[0]) & (volume <= own[-1])
        assert result[inside] == pytest.approx(np.interp(volume[inside], own, landmarks), abs=1e-5)


def test_landmarks_are_the_mean_of_scaled_percentiles():
    percentiles = np.array([[1, 2, 5], [10, 40, 50]])
    assert fit_landmarks(percentiles).tolist() == pytest.approx([0, (0.25 + 0.75) / 2, 1])


def test_landmarks_of_each_scan_land_on_the_standard_ones():
    _, percentiles = scans(3)
    landmarks = fit_landmarks(percentiles)
    as_volumes = torch.from_numpy(percentiles).view(3, 1, 1, 1, -1)
    mapped = standardise(as_volumes, torch.from_numpy(percentiles), torch.from_numpy(landmarks))
    assert mapped.view(3, -1).numpy() == pytest.approx(np.broadcast_to(landmarks, (3, 5)), abs=1e-5)


def test_mapping_is_monotone_far_outside_the_range_and_background_stays_zero():
    _, percentiles = scans(1)
    values = torch.linspace(0.001, 50, 2000).view(1, 1, 1, 1, -1)
    landmarks = torch.from_numpy(fit_landmarks(percentiles))
    mapped = standardise(values, torch.from_numpy(percentiles), landmarks).flatten()
    assert (mapped.diff() > 0).all()
    assert not standardise(torch.zeros(1, 1, 2, 2, 2), torch.from_numpy(percentiles), landmarks).any()


def test_scaling_a_scan_changes_nothing():
    volumes, percentiles = scans(2)
    landmarks = torch.from_numpy(fit_landmarks(percentiles))
    mapped = standardise(torch.from_numpy(volumes), torch.from_numpy(percentiles), landmarks)
    scaled = standardise(torch.from_numpy(volumes * 1000), torch.from_numpy(percentiles * 1000), landmarks)
    assert torch.allclose(mapped, scaled, atol=1e-4)


def test_inputs_stand_unchanged():
    volumes, percentiles = (torch.from_numpy(array) for array in scans(2))
    before = volumes.clone(), percentiles.clone()
    standardise(volumes, percentiles, torch.linspace(0, 1, 5))
    assert torch.equal(volumes, before[0])
    assert torch.equal(percentiles, before[1])


def test_a_scan_of_one_intensity_is_refused():
    with pytest.raises(ValueError, match="same intensity"):
        fit_landmarks(np.ones((1, 5)))


@pytest.mark.slow
def test_landmarks_and_mapping_are_those_of_torchio(tmp_path):
    import nibabel as nib
    import torchio

    at = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())["landmarks"]["percentiles"]
    volumes, _ = scans(4)
    files = []
    for number, volume in enumerate(volumes[:, 0]):
        files.append((tmp_path / f"{number}.nii", tmp_path / f"{number}_mask.nii"))
        for path, array in zip(files[-1], (volume, (volume > 0).astype(np.uint8)), strict=True):
            nib.save(nib.Nifti1Image(array, np.eye(4)), path)
    paths, masks = zip(*files, strict=True)
    peer = torchio.HistogramStandardization.train(paths, mask_path=masks, progress=False)
    own = np.stack([np.percentile(volume[volume > 0], at) for volume in volumes]).astype(np.float32)
    landmarks = fit_landmarks(own)
    # Theirs run from 0 to 100, and hold the quartiles as well, which their mapping skips.
    assert 100 * landmarks == pytest.approx(np.delete(peer, [3, 9]), abs=1e-3)
    mapped = standardise(*map(torch.from_numpy, (volumes, own, landmarks))).numpy()
    transform = torchio.HistogramStandardization({"t1": peer}, masking_method="brain")
    for (path, mask), volume, ours in zip(files, volumes, mapped, strict=True):
        subject = torchio.Subject(t1=torchio.ScalarImage(path), brain=torchio.LabelMap(mask))
        theirs = transform(subject)["t1"].numpy()
        inside = volume > 0
        assert 100 * ours[inside] == pytest.approx(theirs[inside], abs=2e-2)
        assert not ours[~inside].any()


def test_scans_in_half_precision_are_mapped_as_if_they_were_in_single():
    volumes, percentiles = (torch.from_numpy(values) for values in scans(3))
    landmarks = torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0])
    half = volumes.half()
    assert torch.equal(standardise(half, percentiles, landmarks), standardise(half.float(), percentiles, landmarks))
