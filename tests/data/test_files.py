import errno
import os
import socket
import subprocess

import pytest
from safetensors import SafetensorError

from neurobar.data.files import written_whole


def test_a_file_is_moved_into_place_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "table.tsv"
    with written_whole(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
        assert partial.suffix == ".tsv"
    assert path.read_text() == "whole"
    assert [file.name for file in path.parent.iterdir()] == ["table.tsv"]


def test_a_job_that_dies_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("old")

    def die():
        with written_whole(path) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.tsv"]


def left_over(folder, process, host=None, name="table.tsv"):
    path = folder / f".partial-{host or socket.gethostname()}-{process}-{name}"
    path.write_text("half")
    return path


def dead_process():
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def test_what_killed_jobs_left_of_the_same_output_is_removed_and_nothing_else(tmp_path):
    gone = left_over(tmp_path, dead_process())
    aged = left_over(tmp_path, 1, host="another-node")
    os.utime(aged, (0, 0))
    kept = [
        left_over(tmp_path, os.getppid()),
        left_over(tmp_path, 2, host="another-node"),
        left_over(tmp_path, dead_process(), name="another.tsv"),
    ]
    with written_whole(tmp_path / "table.tsv") as partial:
        partial.write_text("whole")
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "table.tsv"])
    assert not gone.exists()


def test_a_folder_is_whole_or_absent(tmp_path):
    def fill(folder, *, dies):
        folder.mkdir()
        (folder / "one").write_text("1")
        if dies:
            raise RuntimeError

    with pytest.raises(RuntimeError), written_whole(tmp_path / "model") as partial:
        fill(partial, dies=True)
    assert list(tmp_path.iterdir()) == []
    with written_whole(tmp_path / "model") as partial:
        fill(partial, dies=False)
        assert not (tmp_path / "model").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "one"]


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    path, synced = tmp_path / "table.tsv", []

    def sync(opened):
        assert not path.exists()
        synced.append(os.readlink(f"/proc/self/fd/{opened}"))

    monkeypatch.setattr(os, "fsync", sync)
    with written_whole(path) as partial:
        partial.write_text("whole")
    assert synced == [str(partial)]


def full(path):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_in_rust(path):
    raise SafetensorError("I/O error: No space left on device (os error 28)")


def full_by_name(path):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@pytest.mark.parametrize("write", [full, full_in_rust, full_by_name])
def test_a_full_disk_is_said_in_one_sentence_that_names_the_output(tmp_path, write):
    path = tmp_path / "table.tsv"

    def fill():
        with written_whole(path) as partial:
            partial.write_text("half")
            write(partial)

    with pytest.raises(OSError, match=r"^\S+/table.tsv could not be written \(No space left on device\)"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_an_error_about_a_file_that_is_read_stays_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.tsv"), written_whole(tmp_path / "table.tsv"):
        (tmp_path / "missing.tsv").read_text()
