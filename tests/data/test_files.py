import pytest

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
