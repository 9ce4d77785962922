import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from neurobar.regress.measure_regions import fit_classes, main, measure_scan

SHAPE = (40, 44, 48)
SPACING_MM = np.array([2.0, 2.0, 2.0])
VOXEL_ML = 0.008
FLUID, GREY, WHITE = 0.3, 0.95, 1.3
BRAIN = np.s_[2:38, 2:42, 2:46]
VENTRICLE = np.s_[14:26, 16:28, 18:32]
CORTEX, HIPPOCAMPUS = np.s_[6:12, 8:36, 8:40], np.s_[28:34, 10:18, 12:34]


@pytest.fixture
def regions():
    atlas = np.zeros(SHAPE, np.uint8)
    atlas[CORTEX] = 1
    atlas[HIPPOCAMPUS] = 2
    return atlas


def draw_brain(seed=0, noise=0.05):
    """Half grey and half white, with a ventricle of 16 ml in its middle and hippocampi of grey matter."""
    volume = np.zeros(SHAPE, np.float32)
    volume[BRAIN] = GREY
    volume[20:38, 2:42, 2:46] = WHITE
    volume[HIPPOCAMPUS] = GREY
    volume[VENTRICLE] = FLUID
    noisy = volume + np.random.default_rng(seed).normal(0, noise, SHAPE)
    return np.where(volume > 0, np.maximum(noisy, 1e-3), 0).astype(np.float32)


def lose_tissue(volume, share):
    """Turn a part of the hippocampus into fluid, as a mixture in every voxel."""
    less = volume.copy()
    less[HIPPOCAMPUS] += share * (FLUID - GREY)
    return less


def test_the_brightness_of_fluid_and_tissues_is_found():
    volume = draw_brain()
    fluid, _, grey, white = fit_classes(volume[volume > 0])
    assert [fluid, grey, white] == pytest.approx([FLUID, GREY, WHITE], abs=0.05)


def test_a_region_without_fluid_has_its_own_size(regions):
    cortex, hippocampus, _, _ = measure_scan(draw_brain(), regions, 2, SPACING_MM)
    assert cortex == pytest.approx(np.count_nonzero(regions == 1) * VOXEL_ML, rel=0.06)
    assert hippocampus == pytest.approx(np.count_nonzero(regions == 2) * VOXEL_ML, rel=0.06)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_tissue_that_became_fluid_is_missing_from_its_region_alone(regions, share):
    healthy = measure_scan(draw_brain(), regions, 2, SPACING_MM)
    shrunken = measure_scan(lose_tissue(draw_brain(), share), regions, 2, SPACING_MM)
    assert shrunken[1] / healthy[1] == pytest.approx(1 - share, abs=0.05)
    assert shrunken[0] == pytest.approx(healthy[0], rel=0.02)


def test_the_ventricle_is_deep_fluid_and_a_cleft_near_the_surface_is_fluid(regions):
    size_ml = np.prod([part.stop - part.start for part in VENTRICLE]) * VOXEL_ML
    assert measure_scan(draw_brain(), regions, 2, SPACING_MM)[2:] == pytest.approx([size_ml, size_ml], rel=0.02)
    cleft = draw_brain()
    cleft[5:8, 20:30, 5:8] = FLUID
    fluid, deep = measure_scan(cleft, regions, 2, SPACING_MM)[2:]
    assert fluid == pytest.approx(size_ml + 90 * VOXEL_ML, rel=0.02)
    assert deep == pytest.approx(size_ml, rel=0.02)


def test_the_dark_border_of_the_mask_counts_for_nothing(regions):
    bare = lose_tissue(draw_brain(), 0.5)
    rimmed = np.zeros(SHAPE, np.float32)
    rimmed[1:39, 1:43, 1:47] = 0.05
    rimmed = np.where(bare > 0, bare, rimmed)
    changed = measure_scan(rimmed, regions, 2, SPACING_MM)
    assert changed[:2] == pytest.approx(measure_scan(bare, regions, 2, SPACING_MM)[:2], rel=0.02)


def test_the_gain_of_a_scanner_changes_no_volume(regions):
    volume = draw_brain()
    assert measure_scan(volume * 3, regions, 2, SPACING_MM) == pytest.approx(
        measure_scan(volume, regions, 2, SPACING_MM), rel=1e-3
    )


def test_volumes_grow_with_the_voxels(regions):
    at_2_mm = measure_scan(draw_brain(), regions, 2, SPACING_MM)
    at_3_mm = measure_scan(draw_brain(), regions, 2, SPACING_MM * np.array([1.0, 1.0, 1.5]))
    assert at_3_mm[:2] == pytest.approx(1.5 * at_2_mm[:2], rel=0.02)


def write_cohort(folder, volumes, regions, names=("Cortex", "Hippocampus"), used=None):
    folder.mkdir(exist_ok=True)
    np.save(folder / "cohort.npy", np.stack(volumes).astype(np.float16))
    used = [True] * len(volumes) if used is None else used
    scans = [f"{number:03d}" for number in range(len(used))]
    pd.DataFrame({"scan": scans, "used": used}).to_csv(folder / "cohort.tsv", sep="\t", index=False)
    nib.save(nib.Nifti1Image(regions, np.diag([2.0, 2.0, 2.0, 1.0])), folder / "atlas.nii.gz")
    pd.DataFrame({"region": [1, 2], "name": names}).to_csv(folder / "regions.tsv", sep="\t", index=False)
    files = {"volumes": "cohort.npy", "table": "cohort.tsv", "atlas": "atlas.nii.gz", "regions": "regions.tsv"}
    words = [word for name, file in files.items() for word in (f"--{name}", str(folder / file))]
    main([*words, "--measures", str(folder / "volumes.tsv")])
    return pd.read_csv(folder / "volumes.tsv", sep="\t", dtype={"scan": str})


def test_each_scan_that_takes_part_has_one_row_in_the_order_of_the_table(regions, tmp_path):
    volumes = [draw_brain(), lose_tissue(draw_brain(1), 0.5)]
    table = write_cohort(tmp_path, volumes, regions, used=[True, False, True])
    assert table.columns.tolist() == ["scan", "Cortex", "Hippocampus", "fluid", "deep_fluid"]
    assert table["scan"].tolist() == ["000", "002"]
    assert table["Hippocampus"][1] < 0.6 * table["Hippocampus"][0]


def test_a_scan_is_measured_without_regard_to_the_others(regions, tmp_path):
    alone = write_cohort(tmp_path / "alone", [draw_brain()], regions)
    beside = write_cohort(tmp_path / "beside", [draw_brain(), 5 * lose_tissue(draw_brain(1), 0.5)], regions)
    pd.testing.assert_frame_equal(alone, beside[:1])


def test_a_brain_without_an_inside_and_without_contrast_is_measured_all_the_same(regions):
    sheet = np.zeros(SHAPE, np.float32)
    sheet[8:10, 8:36, 8:40] = 1.0
    assert np.isfinite(measure_scan(sheet, regions, 2, SPACING_MM)).all()


def test_a_region_with_the_name_of_another_column_is_refused(regions, tmp_path):
    with pytest.raises(SystemExit, match="No region of the atlas may be called 'fluid'"):
        write_cohort(tmp_path, [draw_brain()], regions, names=("Cortex", "fluid"))


def test_an_atlas_on_another_grid_is_refused(regions, tmp_path):
    with pytest.raises(SystemExit, match="do not fit"):
        write_cohort(tmp_path, [draw_brain()], regions[1:])
