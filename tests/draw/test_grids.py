import pytest

from neurobar.draw.grids import lay_out, title_of


@pytest.mark.parametrize(
    ("number", "grid"), [(1, (1, 1)), (5, (5, 1)), (6, (3, 2)), (8, (4, 2)), (11, (4, 3)), (15, (5, 3))]
)
def test_rows_of_pictures_are_about_equally_full(number, grid):
    assert lay_out(number) == grid


def test_a_title_is_broken_where_its_picture_ends():
    assert title_of("Contrastive and Recon", 38) == "Contrastive and\nRecon"
    assert title_of("Contrastive and Recon", 60) == "Contrastive and Recon"
