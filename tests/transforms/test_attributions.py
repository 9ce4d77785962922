import pytest
import torch

from neurobar.transforms.attributions import integrate_gradients, mark_each_region, sum_by_region
from neurobar.transforms.regions import RegionMap


@pytest.fixture
def regions(small_atlas):
    return RegionMap.of(torch.from_numpy(small_atlas))


@pytest.fixture
def volumes():
    return torch.rand(3, 1, 6, 7, 8, generator=torch.Generator().manual_seed(0))


def test_nothing_is_marked_first_and_then_each_region_alone(regions):
    marked = mark_each_region(regions)
    assert marked.shape == (6, 1, 6, 7, 8)
    for region in range(6):
        expected = torch.zeros_like(marked[0, 0]) if region == 0 else regions.atlas == region
        assert torch.equal(marked[region, 0], expected)


def test_the_sum_of_a_region_is_that_of_its_voxels(regions, volumes):
    sums = sum_by_region(volumes, regions)
    for number, volume in enumerate(volumes):
        for region in range(1, 6):
            expected = volume[0][regions.atlas == region].double().sum().item()
            assert sums[number, region - 1].item() == pytest.approx(expected)


def test_integrated_gradients_of_a_linear_model_are_weight_times_difference(volumes):
    weight = torch.randn(6, 7, 8, generator=torch.Generator().manual_seed(1))
    baseline = volumes[:1] / 2
    gradients = integrate_gradients(lambda batch: (batch[:, 0] * weight).sum((1, 2, 3)), volumes, baseline, steps=3)
    torch.testing.assert_close(gradients, weight * (volumes - baseline))


def test_integrated_gradients_add_up_to_the_difference_of_a_curved_model(volumes):
    baseline = torch.zeros_like(volumes[:1])

    def model(batch):
        return batch.mean((1, 2, 3, 4)) ** 3

    total = integrate_gradients(model, volumes, baseline, steps=8).sum((1, 2, 3, 4))
    torch.testing.assert_close(total, model(volumes) - model(baseline))
