"""Lists of regions and label images of any content give each voxel its own region, or are refused."""

import nibabel as nib
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neurobar.data.atlases import read_atlas

SHAPE = (4, 5, 6)
WORDS = st.one_of(
    st.sampled_from(
        ["Hippocampus_L", "Hippocampus_R", "Precuneus", "_L", "x_L_R", "<b>", "Ü", "12", "0", "²", "1.5", "-3"]
    ),
    st.sampled_from(
        ["0", "1", "2", "3", "7", "300", "9" * 9, "9" * 20, "", "\x00", "a" * 300, "\u2028", '"', "\ufeff"]
    ),
    st.text(max_size=5),
)
PLAIN = ["1,Hippocampus_L", "2,Hippocampus_R", "3,Precuneus", "7,Vermis"]
LINES = st.one_of(
    st.sampled_from(
        ["0,Background", "2 Hippocampus_R", "", "index,name", "4\tCuneus", "FAG\tPrecentral_L\t2001", "5 A B"]
    ),
    st.lists(WORDS, min_size=1, max_size=3).map(" ".join),
)
VALUES = st.sampled_from([0, 1, 2, 3, 7, 0.5, -1, 8, 1e9, 3e9, 1.0001, float("nan"), float("inf"), 256, 65536])


@st.composite
def lists_of_regions(draw) -> bytes:
    """Draw a list of which some lines were replaced, added or removed, in some encoding."""
    lines = list(PLAIN)
    for line in draw(st.lists(LINES, max_size=2)):
        place = draw(st.integers(0, len(lines)))
        lines[place : place + draw(st.integers(0, 1))] = [line]
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16"]))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode(encoding, errors="replace")


def test_each_voxel_has_the_region_of_its_code_or_the_atlas_is_refused(tmp_path, tally):
    image, labels = tmp_path / "atlas.nii.gz", tmp_path / "labels.csv"
    plain = np.random.default_rng(0).choice([0, 1, 2, 3, 7], SHAPE)
    kinds = st.sampled_from([np.uint8, np.int16, np.float32, np.float64])

    @given(lists_of_regions(), st.lists(VALUES, max_size=2), kinds, st.sampled_from([3, 3, 3, 2, 4]))
    def read(listed, odd, kind, axes):
        with np.errstate(all="ignore"):
            codes = plain.astype(np.float64)
            codes.flat[: len(odd)] = odd
            stored = np.asarray(codes, kind) if np.issubdtype(kind, np.floating) else np.nan_to_num(codes).astype(kind)
        shown = {2: stored[0], 3: stored, 4: np.stack([stored, stored], axis=-1)}[axes]
        nib.save(nib.Nifti1Image(shown, np.eye(4), dtype=stored.dtype), image)
        labels.write_bytes(listed)
        with tally.case("atlases", image, labels, "The atlas"):
            atlas = read_atlas(image, labels)
            names = names_of(listed.decode("utf-8-sig"))
            assert atlas.volume.shape == stored.shape
            for region, code in zip(atlas.volume.ravel(), stored.ravel(), strict=True):
                said = atlas.names[region - 1] if region else None
                assert said == (names[round(float(code))] if round(float(code)) else None)

    read()
    tally.check("atlases", accepted=0.05, refused=0.3)


def names_of(text: str) -> dict[int, str]:
    """Read a list as its documentation says: the code of a line is a number, its name the last word beside it."""
    names = {}
    for line in text.splitlines():
        words = line.replace(",", " ").split()
        codes = [word for word in words if word.isascii() and word.isdigit()]
        if codes:
            last = [word for word in words if word != codes[0]][-1]
            names[int(codes[0])] = last[:-2] if last.endswith(("_L", "_R")) else last
    return names
