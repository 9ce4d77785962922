import pytest
import torch

from neurobar.transforms.regions import RegionMap
from neurobar.transforms.views import draw_noise, hidden_view, mixed_view


@pytest.fixture
def scene(tiny_cohort):
    import nibabel as nib
    import numpy as np

    regions = RegionMap.of(torch.from_numpy(np.asarray(nib.load(tiny_cohort.folder / "atlas.nii.gz").dataobj)))
    generator = torch.Generator().manual_seed(0)
    anchor, donor = 2 + torch.rand(2, 4, 1, *regions.shape, generator=generator)
    return anchor, donor, regions, tiny_cohort.settings["pretrain"]


def view_1(scene, ratio, seed=0, **changes):
    anchor, donor, regions, settings = scene
    generator = torch.Generator().manual_seed(seed)
    return mixed_view(anchor, donor, ratio, regions=regions, settings=settings | changes, generator=generator)


def test_without_masking_view_1_holds_the_share_of_the_donor(scene):
    anchor, donor, regions, _ = scene
    view = view_1(scene, torch.tensor([0.0, 0.5, 0.7, 1.0]), noise_regions=0.0)
    inside = regions.atlas > 0
    from_donor = (view.volumes == donor)[:, 0, inside].float().mean(1)
    assert torch.allclose(from_donor, view.share)
    assert view.share.tolist() == pytest.approx([0, 0.5, 4 / 6, 1])
    assert ((view.volumes == anchor) | (view.volumes == donor)).all()


def test_masking_hides_a_part_of_the_untouched_regions_alone(scene):
    anchor, donor, regions, _ = scene
    view = view_1(scene, torch.tensor([0.0, 0.5, 0.5, 1.0]), noise_regions=0.5)
    noise = (view.volumes <= 1)[:, 0]  # scans are 2 or more here, noise is at most 1
    hidden = [{int(region) for region in regions.atlas[scan].unique()} for scan in noise]
    assert [len(names) for names in hidden] == [3, 2, 2, 0]
    assert view.share.tolist() == pytest.approx([0, 0.5, 0.5, 1])
    assert ((view.volumes == anchor) | (view.volumes == donor) | (view.volumes <= 1)).all()


@pytest.mark.parametrize("mixing", ["boxes", "regions", "none"])
def test_views_repeat_with_their_seed_and_inputs_stand(scene, mixing):
    ratio = torch.tensor([0.2, 0.5, 0.7, 0.9])
    before = [scene[0].clone(), scene[1].clone(), ratio.clone()]
    first, again = (view_1(scene, ratio, mixing=mixing, cuts_on_view_1=True) for _ in range(2))
    other = view_1(scene, ratio, mixing=mixing, cuts_on_view_1=True, seed=1)
    assert torch.equal(first.volumes, again.volumes)
    assert not torch.equal(first.volumes, other.volumes)
    assert all(torch.equal(now, old) for now, old in zip((scene[0], scene[1], ratio), before, strict=True))
    assert mixing != "none" or not first.share.any()


def test_view_2_is_cut_and_shuffled_but_not_mixed(scene):
    anchor, _, regions, settings = scene
    view = hidden_view(anchor, regions=regions, settings=settings, generator=torch.Generator().manual_seed(0))
    kept = (view > 1).float().mean((1, 2, 3, 4))
    assert (kept < 1).all()
    assert set(view[view > 1].tolist()) <= set(anchor.flatten().tolist())


def test_noise_is_of_the_kind_asked_for():
    like, generator = torch.empty(40, 50, 60), torch.Generator().manual_seed(0)
    uniform, normal = (draw_noise(like, kind, generator=generator) for kind in ("uniform", "normal"))
    assert 0 <= float(uniform.min()) < 0.001 < 0.999 < float(uniform.max()) <= 1
    assert float(normal.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(normal.std()) == pytest.approx(0.25, abs=0.01)


def test_view_2_hides_regions_in_place_of_cuts_where_the_run_says_so(scene):
    anchor, _, regions, settings = scene
    settings = settings | {"noise_regions_on_view_2": 0.5, "shuffle": {"count": 0, "size": 3}}
    view = hidden_view(anchor, regions=regions, settings=settings, generator=torch.Generator().manual_seed(0))
    for scan, original in zip(view[:, 0], anchor[:, 0], strict=True):
        hidden = {int(region) for region in regions.atlas[scan <= 1].unique()}
        assert len(hidden) == 3
        assert 0 not in hidden
        kept = ~torch.isin(regions.atlas, torch.tensor(sorted(hidden)))
        assert torch.equal(scan[kept], original[kept])
