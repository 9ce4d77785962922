import subprocess
from importlib.metadata import version

import pytest

import neurobar
from neurobar.report import versions
from neurobar.report.versions import find_commit, list_versions


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Return a repository with a committed Snakefile, and the hash of its commit."""
    monkeypatch.delenv("NEUROBAR_COMMIT", raising=False)
    root = tmp_path / "clone"
    root.mkdir()
    (root / "Snakefile").write_text("rule all:\n")
    (root / ".gitignore").write_text("results\n")
    who = ["-c", "user.name=A", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "First"]):
        subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)
    asked = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return root, asked.stdout.strip()


def test_a_clean_clone_names_its_commit(clone):
    root, commit = clone
    assert find_commit(root) == {"commit": commit, "clean": True}


def test_what_results_depend_on_is_looked_at_and_nothing_else(clone):
    root, commit = clone
    (root / "notes.txt").write_text("mine")
    assert find_commit(root)["clean"] is True
    (root / "src").mkdir()
    (root / "src" / "new.py").write_text("x = 1")
    assert find_commit(root) == {"commit": commit, "clean": False}


def test_an_edit_is_no_clean_clone(clone):
    root, _ = clone
    (root / "Snakefile").write_text("rule other:\n")
    assert find_commit(root)["clean"] is False


def test_a_folder_in_the_repository_of_something_else_has_no_commit(clone, monkeypatch):
    root, _ = clone
    (root / "neurobar").mkdir()
    assert find_commit(root / "neurobar") == {"commit": None, "clean": None}
    monkeypatch.setenv("NEUROBAR_COMMIT", "abc123")
    assert find_commit(root / "neurobar") == {"commit": "abc123", "clean": None}


def test_the_repository_comes_before_the_environment(clone, monkeypatch):
    root, commit = clone
    monkeypatch.setenv("NEUROBAR_COMMIT", "abc123")
    assert find_commit(root)["commit"] == commit


def test_without_git_nothing_fails(clone, monkeypatch):
    root, _ = clone
    monkeypatch.setenv("PATH", str(root / "empty"))
    assert find_commit(root) == {"commit": None, "clean": None}


def test_a_repository_without_a_commit_has_none(tmp_path, monkeypatch):
    monkeypatch.delenv("NEUROBAR_COMMIT", raising=False)
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True, capture_output=True)
    assert find_commit(tmp_path) == {"commit": None, "clean": None}


def test_a_git_that_does_not_answer_is_not_waited_for(clone, monkeypatch):
    root, _ = clone

    def hang(*words, **options):
        raise subprocess.TimeoutExpired(words, options["timeout"])

    monkeypatch.setattr(versions.subprocess, "run", hang)
    assert find_commit(root) == {"commit": None, "clean": None}


def test_pinned_packages_that_are_installed_have_a_version(tmp_path):
    (tmp_path / "constraints.txt").write_text("# Pins.\nnumpy==0.0.1\nno-such-package==1.0\n")
    found = list_versions(tmp_path)
    assert found.keys() == {"python", "neurobar", "numpy"}
    assert found["numpy"] == version("numpy")
    assert found["neurobar"] == neurobar.__version__


def test_the_versions_of_this_environment_hold_what_computes():
    assert {"torch", "antspyx", "nibabel", "scikit-learn", "snakemake"} <= list_versions().keys()


def test_without_pins_python_and_the_package_are_named(tmp_path):
    assert list_versions(tmp_path).keys() == {"python", "neurobar"}
