import pkgutil
from importlib import import_module

import pytest
import torch

from neurobar.transforms import mixings
from neurobar.transforms.mixings import boxes as cutmix
from neurobar.transforms.mixings import regions as bar
from neurobar.transforms.regions import RegionMap, voxels_of_regions
from neurobar.transforms.replacements import replace_voxels, share_of_regions, share_of_voxels, soft_label

MIXINGS = [module.name for module in pkgutil.iter_modules(mixings.__path__)]


@pytest.fixture
def regions(small_atlas):
    return RegionMap.of(torch.from_numpy(small_atlas))


@pytest.fixture
def scans():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 1, 6, 7, 8, generator=generator), torch.rand(3, 1, 6, 7, 8, generator=generator)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def replace_in_loops(anchor, donor, atlas, chosen):
    """Equation 2 for one scan, voxel by voxel, and the share of brain voxels that came from the donor."""
    mixed, taken, brain = anchor.clone(), 0, 0
    for z in range(atlas.shape[0]):
        for y in range(atlas.shape[1]):
            for x in range(atlas.shape[2]):
                region = int(atlas[z, y, x])
                brain += region > 0
                if region > 0 and chosen[region - 1]:
                    mixed[0, z, y, x] = donor[0, z, y, x]
                    taken += 1
    return mixed, taken / brain


def test_replacement_and_share_equal_their_definition_in_loops(regions, small_atlas, scans):
    chosen = torch.rand(3, 5, generator=generator()) < 0.5
    taken = voxels_of_regions(chosen, regions)
    mixed, share = replace_voxels(*scans, taken), share_of_voxels(taken, regions)
    for scan in range(3):
        expected, part = replace_in_loops(scans[0][scan], scans[1][scan], small_atlas, chosen[scan].tolist())
        assert torch.equal(mixed[scan], expected)
        assert float(share[scan]) == pytest.approx(part)
    assert torch.allclose(share_of_regions(taken, regions), chosen.float().mean(1))


def test_all_regions_chosen_give_share_one_and_the_donor_inside_the_atlas(regions, small_atlas, scans):
    taken = bar.choose_voxels(ratio=torch.ones(3), regions=regions, generator=generator())
    mixed = replace_voxels(*scans, taken)
    inside = torch.from_numpy(small_atlas > 0).expand_as(mixed)
    assert share_of_voxels(taken, regions).tolist() == [1, 1, 1]
    assert torch.equal(mixed[inside], scans[1][inside])
    assert torch.equal(mixed[~inside], scans[0][~inside])


def test_no_region_chosen_gives_the_anchor(regions, scans):
    taken = bar.choose_voxels(ratio=torch.zeros(3), regions=regions, generator=generator())
    assert torch.equal(replace_voxels(*scans, taken), scans[0])


def test_the_number_of_regions_follows_the_ratio(regions):
    taken = bar.choose_voxels(ratio=torch.tensor([0.2, 0.39, 0.8]), regions=regions, generator=generator())
    assert (share_of_regions(taken, regions) * 5).tolist() == [1, 2, 4]


@pytest.mark.parametrize("mixing", MIXINGS)
def test_every_voxel_comes_from_exactly_one_brain_and_inputs_stand(mixing, regions, scans):
    before = [scan.clone() for scan in scans]
    mixing = import_module(f"{mixings.__name__}.{mixing}")
    taken = mixing.choose_voxels(ratio=torch.tensor([0.3, 0.5, 0.9]), regions=regions, generator=generator())
    mixed = replace_voxels(*scans, taken)
    assert ((mixed == scans[0]) ^ (mixed == scans[1])).all()
    assert all(torch.equal(scan, old) for scan, old in zip(scans, before, strict=True))


@pytest.mark.parametrize("count", [1, 8])
def test_boxes_cover_their_ratio_of_the_brain_whatever_their_overlap(count):
    atlas = torch.zeros(40, 50, 60, dtype=torch.uint8)
    atlas[5:35, 5:45, 5:55] = 1
    large = RegionMap.of(atlas)
    ratio = torch.linspace(0, 1, 21)
    taken = cutmix.choose_voxels(ratio=ratio, regions=large, generator=generator(), count=count)
    # A voxel more of edge changes the share of eight cubes by some percent.
    assert (share_of_voxels(taken, large) - ratio).abs().max() < 0.06
    assert (share_of_voxels(taken, large) - ratio).mean().abs() < 0.02


def test_soft_label_is_mixed_as_the_scans_were():
    label = soft_label(torch.tensor([0, 1, 1]), torch.tensor([1, 0, 1]), torch.tensor([0.25, 0.25, 0.5]))
    assert label.tolist() == [0.25, 0.75, 1.0]


def test_other_shapes_are_refused(scans):
    with pytest.raises(ValueError, match="Shapes differ"):
        replace_voxels(scans[0], scans[1][:2], scans[0] > 0)
