"""NIfTI files of any content are read as the format says, or refused before memory is asked for."""

import gzip
import struct
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurobar.data.volumes import MOST_BELOW_ZERO, MOST_UNDEFINED, read_head

SHAPE = (32, 33, 34)
VOXELS = np.random.default_rng(0).integers(1, 200, SHAPE)
#: Offset and format of each field, as the standard has them.
FIELDS = {
    "sizeof_hdr": (0, "i"),
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "xyzt_units": (123, "b"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "quatern": (256, "3f"),
    "qoffset": (268, "3f"),
    "srow": (280, "12f"),
    "magic": (344, "4B"),
    "extension": (348, "4B"),
}
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
WHOLE = {"b": 8, "h": 16, "i": 32}
ODD_INTEGERS = [0, 1, -1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 34, 35, 36, 64, 77, 128, 256, 348, 512, 1536, 1792, 30000]
ODD_FLOATS = [0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.0, 5.9, 6.1, 100.0, 352.0, 352.5, 368.0, 1e4, 1e9, 1e-30, 1e30, 3e38]
ODD_FLOATS += [-1e9, float("nan"), float("inf"), -float("inf")]


def encode(order: str, code: int, sform: int, qform: int, spacing: float) -> bytearray:
    """Return a plain file: header, no extension, the voxels."""
    raw = bytearray(352)
    values = {
        "sizeof_hdr": [348],
        "dim": [3, *SHAPE, 1, 1, 1, 1],
        "datatype": [code],
        "bitpix": [8 * np.dtype(TYPES[code]).itemsize],
        "pixdim": [1.0, spacing, 2.0, 3.0, 0, 0, 0, 0],
        "vox_offset": [352.0],
        "scl_slope": [1.0],
        "qform_code": [qform],
        "sform_code": [sform],
        "quatern": [0.1, 0.2, 0.3],
        "qoffset": [-30.0, -40.0, 20.0],
        "srow": [-spacing, 0, 0.1, 30, 0, 2.0, 0, -40, 0, 0.2, 3.0, 20],
        "magic": list(b"n+1\0"),
    }
    for name, given_values in values.items():
        offset, form = FIELDS[name]
        struct.pack_into(order + form, raw, offset, *given_values)
    highest = 127 if code == 256 else 255
    return raw + np.minimum(VOXELS, highest).astype(np.dtype(TYPES[code]).newbyteorder(order)).tobytes("F")


@dataclass
class Made:
    """A file in memory, the order of its bytes, and what was made odd in it."""

    raw: bytearray
    order: str
    odd: list[tuple] = field(default_factory=list)

    def __str__(self) -> str:
        """Show a case that broke without its voxels."""
        return f"{self.order} {self.odd}, header {bytes(self.raw[:352]).hex()}"

    def _repr_pretty_(self, printer, cycle) -> None:
        printer.text(str(self))


@st.composite
def plain_files(draw) -> Made:
    """Draw a file with nothing wrong."""
    order, code = draw(st.sampled_from("<>")), draw(st.sampled_from([2, 4, 16, 64, 512]))
    codes = draw(st.sampled_from([(1, 0), (0, 1), (2, 2), (4, 1)]))
    return Made(encode(order, code, *codes, draw(st.sampled_from([0.8, 2.0]))), order)


@st.composite
def spoiled_files(draw) -> Made:
    """Draw a file of which some fields, voxels or bytes of the header were made odd."""
    made = draw(plain_files())
    for _ in range(draw(st.integers(1, 2))):
        what = draw(st.sampled_from(["field", "field", "field", "voxels", "flip", "length", "extension"]))
        if what == "field":
            spoil_field(draw, made)
        elif what == "voxels":
            place, new = draw(st.integers(352, len(made.raw) - 64)), draw(st.binary(min_size=64, max_size=64))
            made.raw[place : place + 64] = new
            made.odd.append((what, place, new))
        elif what == "flip":
            place, bit = draw(st.integers(0, 351)), draw(st.integers(0, 7))
            made.raw[place] ^= 1 << bit
            made.odd.append((what, place, bit))
        elif what == "length":
            size = len(made.raw)
            cut = draw(st.sampled_from([0, 1, 100, 347, 348, 351, 352, size // 2, size - 1, size]))
            more = draw(st.sampled_from([0, 1, 512, 3_000_000])) if cut == size else 0
            made.raw[cut:] = bytes(more)
            made.odd.append((what, cut, more))
            break
        else:
            made.raw[348:352] = b"\1\0\0\0"
    return made


def spoil_field(draw, made: Made) -> None:
    name = draw(st.sampled_from(sorted(FIELDS)))
    offset, form = FIELDS[name]
    values = list(struct.unpack_from(made.order + form, made.raw, offset))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(values) - 1))
        if form[-1] == "f":
            odd = st.one_of(st.sampled_from(ODD_FLOATS), st.floats(width=32))
        elif form[-1] == "B":
            odd = st.integers(0, 255)
        else:
            most = 2 ** (WHOLE[form[-1]] - 1) - 1
            odd = st.one_of(st.sampled_from([odd for odd in ODD_INTEGERS if odd <= most]), st.integers(~most, most))
        values[place] = draw(odd)
    struct.pack_into(made.order + form, made.raw, offset, *values)
    made.odd.append((name, values))


def expected(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Read voxels and affine of a file as the standard says, without nibabel."""
    order = "<" if 1 <= struct.unpack_from("<h", raw, 40)[0] <= 7 else ">"
    found = {name: struct.unpack_from(order + form, raw, offset) for name, (offset, form) in FIELDS.items()}
    kind = np.dtype(TYPES[found["datatype"][0]]).newbyteorder(order)
    shape = found["dim"][1:4]
    stored = np.frombuffer(raw, kind, int(np.prod(shape)), int(found["vox_offset"][0])).reshape(shape, order="F")
    (slope,), (inter,) = found["scl_slope"], found["scl_inter"]
    with np.errstate(all="ignore"):
        scaled = stored * float(slope) + float(inter) if slope and np.isfinite(slope) else stored
        return np.asarray(scaled, np.float32), affine_of(found)


def affine_of(found: dict[str, tuple]) -> np.ndarray:
    affine = np.eye(4)
    if 1 <= found["sform_code"][0] <= 5:
        affine[:3] = np.reshape(found["srow"], (3, 4))
        return affine
    b, c, d = map(float, found["quatern"])
    a = np.sqrt(max(1 - b * b - c * c - d * d, 0))
    turn = [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ]
    sign = -1 if found["pixdim"][0] < 0 else 1
    affine[:3, :3] = np.array(turn) @ np.diag([*found["pixdim"][1:3], sign * found["pixdim"][3]])
    affine[:3, 3] = found["qoffset"]
    return affine


def check_head(image: nib.Nifti1Image, raw: bytes) -> None:
    """Assert that an image is what its file says, cleaned as the documentation says."""
    stored, affine = expected(raw)
    undefined = ~np.isfinite(stored)
    clean = np.where(undefined | (stored < 0), 0, stored)
    found = np.asarray(image.dataobj)
    assert found.dtype == np.float32
    assert found.shape == clean.shape
    assert np.allclose(found, clean, rtol=1e-5, atol=1e-5 * clean.max())
    assert undefined.mean() <= MOST_UNDEFINED
    assert (stored < -0.05 * np.sort(clean, axis=None)[-len(clean.ravel()) // 100]).mean() <= 2 * MOST_BELOW_ZERO
    assert np.isfinite(image.affine).all()
    assert np.allclose(image.affine, affine, rtol=1e-4, atol=1e-3)
    assert abs(np.linalg.det(image.affine[:3, :3])) > 0
    # Affine and spacing of a scan that is accepted are those of a head.
    assert np.linalg.norm(image.affine[:3, :3], axis=0).max() <= 6.001


def test_a_file_is_read_as_the_format_says_or_refused(tmp_path, tally):
    @given(st.one_of(plain_files(), spoiled_files()), st.booleans())
    def read(made, compressed):
        raw, path = bytes(made.raw), tmp_path / ("scan.nii.gz" if compressed else "scan.nii")
        path.write_bytes(gzip.compress(raw, 1) if compressed else raw)
        with tally.case("NIfTI headers and voxels", path):
            check_head(read_head(path), raw)
            return
        assert made.odd

    read()
    tally.check("NIfTI headers and voxels", accepted=0.3, refused=0.1)


def test_a_damaged_compression_is_noticed(tmp_path, tally):
    raw = bytes(encode("<", 2, 1, 0, 2.0))
    packed = gzip.compress(raw, 1)
    more = [b"\0", b"\0" * 512, b"junk", gzip.compress(b"x"), packed]
    damages = st.one_of(
        st.tuples(st.just("flip"), st.integers(0, 8 * len(packed) - 1)),
        st.tuples(st.just("cut"), st.integers(0, len(packed) - 1)),
        st.tuples(st.just("add"), st.integers(0, len(more) - 1)),
        st.tuples(st.just("bomb"), st.integers(1, 4)),
        st.tuples(st.just("name"), st.sampled_from(["scan.nii", "scan.img", "scan.nii.bz2", "scan.NII.GZ"])),
    )

    @given(damages)
    def read(damage):
        (what, where), content, path = damage, bytearray(packed), tmp_path / "scan.nii.gz"
        if what == "flip":
            content[where // 8] ^= 1 << where % 8
        elif what == "cut":
            del content[where:]
        elif what == "add":
            content += more[where]
        elif what == "bomb":
            content = gzip.compress(raw + bytes(where << 20), 1)
        else:
            path = tmp_path / where
        path.write_bytes(content)
        with tally.case("damaged compression", path):
            check_head(read_head(path), raw)

    read()
    tally.check("damaged compression", accepted=0.0025, refused=0.5)


LENGTHS = st.one_of(st.integers(32, 32767), st.sampled_from([500, 511, 512, 513]))


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_a_claim_takes_no_memory(tmp_path, tally, name):
    @given(
        st.tuples(LENGTHS, LENGTHS, LENGTHS), st.sampled_from(sorted(TYPES)), st.sampled_from([352.0, 1e6, 6e7, 1e12])
    )
    def read(lengths, code, offset):
        raw = encode("<", 2, 1, 0, 2.0)[: 352 + 2048]
        for name_of, values in {"dim": [3, *lengths, 1, 1, 1, 1], "datatype": [code], "vox_offset": [offset]}.items():
            struct.pack_into("<" + FIELDS[name_of][1], raw, FIELDS[name_of][0], *values)
        # An extension of 2 GB, before voxels that are not there.
        raw[348:360] = b"\1\0\0\0" + struct.pack("<ii", 2**31 - 16, 4)
        path: Path = tmp_path / name
        path.write_bytes(gzip.compress(raw, 1) if name.endswith("gz") else raw)
        tracemalloc.start()
        try:
            with tally.case("claims of memory", path):
                read_head(path)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert most < 4 << 20

    read()
    tally.check("claims of memory", refused=1.0)
