"""A disk that is full and a folder that takes nothing: said in a sentence, and nothing is lost."""

import shutil

import pytest

pytestmark = pytest.mark.slow

#: What the file system has to spare beside what is there [KB]: less than the weights of all jobs and the figures.
TO_SPARE_KB = 500
#: In a shell of its own: the results on a small file system, a run, room, and the same run again.
FULL = f"""
cd "$0" || exit 9
mv results kept && mkdir results
mount -t tmpfs -o size=200m none results
cp -a kept/. results/
mount -o remount,size=$(( $(df -k --output=used results | tail -1) + {TO_SPARE_KB} ))k results
"$@" >first 2>&1
echo $? >code
find results -name '.partial-*' >left
mount -o remount,size=200m results
"$@"
ended=$?
rm -r kept && cp -a results kept
exit $ended
"""
READ_ONLY = """
cd "$0" || exit 9
mount --bind results results && mount -o remount,bind,ro results || exit 9
"$@" >first 2>&1
echo $? >code
umount results
exec "$@"
"""


def first_of(study):
    """Return how the first of two runs ended, and what it said."""
    return int((study.folder / "code").read_text()), (study.folder / "first").read_text()


def test_a_full_disk_is_named_and_the_same_command_goes_on_when_there_is_room(unbroken, preprocessed, mounting):
    done = preprocessed.run(around=(*mounting, "sh", "-c", FULL, str(preprocessed.folder)))
    shutil.rmtree(preprocessed.folder / "results")
    (preprocessed.folder / "kept").rename(preprocessed.folder / "results")
    code, said = first_of(preprocessed)
    assert code != 0
    assert "could not be written (No space left on device); mend that and give the command again." in said
    assert "Traceback" not in said
    assert (preprocessed.folder / "left").read_text() == ""
    assert done.returncode == 0, done.stdout
    preprocessed.assert_equal(unbroken)


def test_a_folder_that_takes_no_results_is_named_before_anything_starts(unbroken, tmp_path, mounting):
    study = unbroken.copy(tmp_path / "run", without=("report",))
    done = study.run(around=(*mounting, "sh", "-c", READ_ONLY, str(study.folder)))
    code, said = first_of(study)
    assert code == 1
    place = study.folder / "results"
    assert said == (
        f"neurobar run: {place} cannot be written to (Read-only file system); a run writes its results there.\n"
    )
    assert done.returncode == 0, done.stdout
    study.assert_equal(unbroken)
