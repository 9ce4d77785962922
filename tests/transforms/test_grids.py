import numpy as np
import pytest
import torch

from neurobar.transforms.grids import coarsen_atlas, coarsen_volumes


def test_cubes_are_averaged():
    volumes = torch.rand(2, 1, 4, 6, 8, generator=torch.Generator().manual_seed(0))
    coarse = coarsen_volumes(volumes, 2)
    assert coarse.shape == (2, 1, 2, 3, 4)
    for z, y, x in np.ndindex(2, 3, 4):
        cube = volumes[1, 0, 2 * z : 2 * z + 2, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
        assert float(coarse[1, 0, z, y, x]) == pytest.approx(float(cube.mean()), rel=1e-5)


def test_regions_stay_where_they_are(small_atlas):
    blocks = torch.from_numpy(small_atlas.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    assert torch.equal(coarsen_atlas(blocks, 2), torch.from_numpy(small_atlas))


def test_a_factor_of_one_changes_nothing(small_atlas):
    volumes = torch.rand(1, 1, 3, 4, 5)
    assert torch.equal(coarsen_volumes(volumes, 1), volumes)
    assert torch.equal(coarsen_atlas(torch.from_numpy(small_atlas), 1), torch.from_numpy(small_atlas))


def test_a_grid_that_cannot_be_coarsened_is_refused():
    with pytest.raises(ValueError, match=r"\(4, 6, 9\) voxels cannot be coarsened by 2"):
        coarsen_volumes(torch.zeros(1, 1, 4, 6, 9), 2)
