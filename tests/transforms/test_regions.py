import numpy as np
import pytest
import torch

from neurobar.transforms.regions import (
    RegionMap,
    choose_hidden,
    choose_regions,
    count_voxels,
    fill_with_noise,
    voxels_of_regions,
)


@pytest.fixture
def regions(small_atlas):
    return RegionMap.of(torch.from_numpy(small_atlas))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_sizes_are_the_counts_of_voxels(regions, small_atlas):
    assert regions.count == 5
    assert regions.sizes.tolist() == np.bincount(small_atlas.ravel())[1:].tolist()


def test_an_atlas_without_regions_is_refused():
    with pytest.raises(ValueError, match="no region"):
        RegionMap.of(torch.zeros(2, 3, 4, dtype=torch.uint8))


def test_a_region_without_a_voxel_is_refused(small_atlas):
    small_atlas[small_atlas == 3] = 0
    with pytest.raises(ValueError, match="Region 3 of the atlas has no voxel"):
        RegionMap.of(torch.from_numpy(small_atlas))


def test_voxels_of_regions_equal_a_loop_over_voxels(regions, small_atlas):
    chosen = torch.tensor([[True, False, False, True, False], [False] * 5, [True] * 5])
    marked = voxels_of_regions(chosen, regions)
    for scan in range(3):
        for place in np.ndindex(small_atlas.shape):
            region = small_atlas[place]
            assert bool(marked[scan, 0][place]) == (region > 0 and bool(chosen[scan, int(region) - 1]))


def test_counts_equal_a_loop_over_regions(regions, small_atlas):
    marked = torch.rand(3, 1, 6, 7, 8, generator=generator()) < 0.3
    counts = count_voxels(marked, regions)
    for scan in range(3):
        for region in range(1, 6):
            assert int(counts[scan, region - 1]) == int((marked[scan, 0].numpy() & (small_atlas == region)).sum())


def test_as_many_candidates_are_chosen_as_asked_for():
    candidates = torch.tensor([[True, True, False, True, True]] * 3)
    chosen = choose_regions(candidates, torch.tensor([0, 2, 4]), generator=generator())
    assert chosen.sum(1).tolist() == [0, 2, 4]
    assert not chosen[:, 2].any()


def test_every_candidate_is_chosen_equally_often():
    candidates = torch.ones(6000, 5, dtype=torch.bool)
    chosen = choose_regions(candidates, torch.full((6000,), 2), generator=generator())
    # Standard deviation of a frequency: sqrt(0.4 * 0.6 / 6000) = 0.006.
    assert (chosen.float().mean(0) - 0.4).abs().max() < 0.03


def test_hidden_regions_were_untouched_and_are_whole(regions, small_atlas):
    taken = torch.zeros(4, 1, 6, 7, 8, dtype=torch.bool)
    taken[1, 0, 1, 1, 1] = True  # one voxel touches region 1
    taken[2] = voxels_of_regions(torch.tensor([[True, True, True, False, False]]), regions)
    taken[3] = True
    hidden = choose_hidden(taken, regions, fraction=0.5, generator=generator())
    counts = count_voxels(hidden, regions)
    touched = count_voxels(taken, regions) > 0
    assert ((counts == 0) | (counts == regions.sizes)).all()
    assert not (hidden & taken).any()
    assert not ((counts > 0) & touched).any()
    # Half of 5, 4, 2 and 0 untouched regions, rounded to even where it is a tie.
    assert (counts > 0).sum(1).tolist() == [2, 2, 1, 0]


def test_noise_replaces_marked_voxels_alone_and_inputs_stand():
    volumes, noise = torch.rand(2, 2, 1, 6, 7, 8, generator=generator())
    marked = torch.rand(volumes.shape, generator=generator(1)) < 0.4
    before = volumes.clone()
    filled = fill_with_noise(volumes, marked, noise)
    assert torch.equal(filled[marked], noise[marked])
    assert torch.equal(filled[~marked], volumes[~marked])
    assert torch.equal(volumes, before)
