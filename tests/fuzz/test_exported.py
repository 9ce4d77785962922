"""A folder that says it is an exported model is whole and describes itself, or is refused."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurobar.commands.exported import open_exported
from neurobar.export.export_model import FETCHED, FORMAT

CONFIG = {"format": FORMAT, "folds": [0, 1], "seeds": [3], "code": "0", "neurobar": "0", "task": "bar", "method": "BAR"}
CONFIG |= {"study": "x", "simulated": True, "cohort": {}, "healthy": {}}
CONFIG |= {"classes": {"label": "diagnosis", "negative": "CN", "positive": "AD"}}
CONFIG |= {
    "preprocess": {"registration": {}, "skull_strip": "atlas", "mask_growth_mm": 1.0, "n4_spline_mm": 200, "limits": {}}
}
CONFIG["preprocess"]["normalisation"] = "affine"
CONFIG |= {"percentiles": [1, 99], "threshold": 0.5, "voxel_mm": 2}
ODD = [
    None,
    True,
    0,
    1,
    1.0,
    -1,
    [],
    [0],
    [1, 0],
    [0, 0],
    [True],
    ["0"],
    ["../../etc"],
    [[0]],
    [0.0],
    [10**30],
    "01",
    {},
]
VALUES = st.one_of(st.sampled_from(ODD), st.recursive(st.none() | st.text(max_size=3), st.lists, max_leaves=4))


@pytest.fixture
def folder(tmp_path):
    """Write the files of an exported model of two networks; nothing in them is read."""
    names = [f"fold-{fold}_seed-3/classifier.safetensors" for fold in (0, 1)]
    names += [f"fold-{fold}/{name}" for fold in (0, 1) for name in ("landmarks.json", "healthy.safetensors")]
    for name in (*names, *(f"fetch/{name}" for name in FETCHED), "scores.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def sums_of(folder, config: bytes) -> str:
    (folder / "config.json").write_bytes(config)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    digests = [(hashlib.sha256(path.read_bytes()).hexdigest(), path.relative_to(folder)) for path in files]
    return "".join(f"{digest}  {path.as_posix()}\n" for digest, path in digests)


def test_an_exported_model_is_whole_or_refused(folder, tally):
    plain = json.dumps(CONFIG).encode()
    changed = st.dictionaries(st.sampled_from([*CONFIG, "more"]), VALUES, max_size=2).map(lambda new: CONFIG | new)
    removed = st.sampled_from([*CONFIG]).map(lambda key: {name: CONFIG[name] for name in CONFIG if name != key})
    texts = st.sampled_from([b"", b"[]", b"{", b"\xff", b"[" * 5000, b"null", b'{"format": 1e400}', plain + b"}"])
    harmless = {"study": st.text(), "method": st.text(), "threshold": st.floats(0, 1), "more": VALUES}
    whole = st.fixed_dictionaries({}, optional=harmless).map(lambda new: CONFIG | new)
    configs = st.one_of(*[made.map(lambda new: json.dumps(new).encode()) for made in (whole, changed, removed)], texts)
    cuts = st.tuples(st.integers(0, 900), st.integers(0, 3), st.binary(max_size=3))
    damages = st.sampled_from([None, None, None, True]).flatmap(lambda cut: cuts if cut else st.none())

    @given(configs, damages)
    def read(config, cut):
        sums = sums_of(folder, config).encode()
        if cut:
            sums = sums[: cut[0]] + cut[2] + sums[cut[0] + cut[1] :]
        (folder / "SHA256SUMS").write_bytes(sums)
        with tally.case("exported models", folder):
            exported = open_exported(folder)
            for numbers in (exported.config["folds"], exported.config["seeds"]):
                assert all(type(number) is int and number >= 0 for number in numbers)
                assert len({*numbers}) == len(numbers) > 0
            for path in exported.files():
                assert path.read_text() == path.relative_to(folder).as_posix()
            assert all(exported.config[name] is not None for name in CONFIG)
            assert exported.is_of_this_code is False

    read()
    tally.check("exported models", accepted=0.08, refused=0.3)
