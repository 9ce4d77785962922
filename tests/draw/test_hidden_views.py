import numpy as np

from neurobar.draw.hidden_views import CHANGE_COLOURS, clearest_plane, draw_hidden_views, paint_changes
from neurobar.draw.view_steps import steps_of_cuts


def test_voxels_have_the_colour_of_what_became_of_them_last(scene, run_settings):
    inner, _ = steps_of_cuts(scene, run_settings)
    anchor = scene.anchor[0, 0].numpy()
    painted = paint_changes(anchor, inner)
    colours = {
        name: tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)) for name, colour in CHANGE_COLOURS.items()
    }
    shuffled = inner.volumes[1] != inner.volumes[0]
    assert np.allclose(painted[shuffled, :3], colours["shuffled"])
    assert np.allclose(painted[(inner.volumes[0] != anchor) & ~shuffled, :3], colours["hidden by noise"])
    assert (painted[(inner.volumes[1] == anchor) & ~shuffled & (inner.volumes[0] == anchor)] == 0).all()


def test_the_plane_shows_what_changed_and_what_did_not():
    brain, changed = np.ones((2, 3, 4), bool), np.zeros((2, 3, 4), bool)
    changed[:, :, 0] = True
    changed[0, :, 2] = True
    changed[0, 0, 3] = True
    assert clearest_plane(changed, brain) == (2, 2)


def test_views_are_drawn_once_for_each_kind(scene, run_settings, all_words):
    masked = run_settings | {"mixing": "none", "noise_regions_on_view_2": 0.5}
    plain = run_settings | {"mixing": "none", "noise_regions": 0.0}
    titles = all_words(draw_hidden_views(scene, {"plain": plain}))
    assert titles.count("anchor") == 2
    assert "View 1" not in titles
    titles = all_words(
        draw_hidden_views(scene, {"masked": masked, "plain": plain, "bar": run_settings, "more": masked})
    )
    assert titles.count("anchor") == 4
    assert "mixed by BAR" in titles  # though another run comes first
    assert "50 % of the rest hidden" in titles
