import os

import pytest

from neurobar.data.gpus import Gpu, choose_visible, list_gpus, parse_list

LISTED = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-aaaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-0001)
  MIG 1g.5gb      Device  1: (UUID: MIG-GPU-5d5ba0d6-aaaa/11/0)
GPU 1: NVIDIA RTX A6000 (UUID: GPU-77abcdef-bbbb)
GPU 2: Quadro (old) (UUID: GPU-77ffffff-cccc)
"""
PARTS = ["MIG-c6d4f1ef-0001", "MIG-GPU-5d5ba0d6-aaaa/11/0"]
SECOND, THIRD = "GPU-77abcdef-bbbb", "GPU-77ffffff-cccc"


def visible(setting):
    return [gpu.uuid for gpu in choose_visible(parse_list(LISTED), setting)]


def test_a_divided_gpu_stands_for_its_parts():
    gpus = parse_list(LISTED)
    assert [gpu.uuid for gpu in gpus] == [*PARTS, SECOND, THIRD]
    assert [gpu.number for gpu in gpus] == [0, 0, 1, 2]
    assert [gpu.is_whole for gpu in gpus] == [False, False, True, True]
    assert {gpu.whole for gpu in gpus[:2]} == {"GPU-5d5ba0d6-aaaa"}
    assert gpus[3] == Gpu(THIRD, 2, THIRD, "Quadro (old)")
    assert str(gpus[0]) == "GPU 0 (3g.20gb of NVIDIA A100-SXM4-40GB, MIG-c6d4f1ef-0001)"


@pytest.mark.parametrize("text", ["", "No devices found.\n", "  MIG 1g.5gb  Device  0: (UUID: MIG-1)\n"])
def test_what_lists_no_gpu_gives_none(text):
    assert parse_list(text) == []


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (None, [*PARTS, SECOND, THIRD]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("2,1", [THIRD, SECOND]),
        (" 1 , 2 ", [SECOND, THIRD]),
        ("0", PARTS),
        ("1,7,2", [SECOND]),
        ("1,1", []),
        ("1,GPU-77a", []),
        (f"{THIRD},1", [THIRD, SECOND]),
        ("GPU-77f", [THIRD]),
        ("GPU-77", []),
        ("GPU-", []),
        ("GPU-5d", PARTS),
        (PARTS[1], [PARTS[1]]),
        (",".join(PARTS[::-1]), PARTS[::-1]),
        ("MIG-c6d4f1ef-0002", []),
    ],
)
def test_a_job_chooses_among_the_visible_ones(setting, expected):
    assert visible(setting) == expected


def put_on_path(monkeypatch, folder, text):
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_the_driver_is_asked_for_its_list(monkeypatch, tmp_path):
    put_on_path(monkeypatch, tmp_path, '[ "$*" = -L ] && echo "GPU 0: Card (UUID: GPU-1)"')
    assert list_gpus() == [Gpu("GPU-1", 0, "GPU-1", "Card")]


def test_without_a_driver_there_are_no_gpus(monkeypatch, tmp_path):
    put_on_path(monkeypatch, tmp_path, 'echo "GPU 0: Card (UUID: GPU-1)"; exit 9')
    assert list_gpus() == []
    (tmp_path / "nvidia-smi").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list_gpus() == []
