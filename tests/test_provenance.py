import pytest

from neurobar.provenance import _digest, _read, _source_of, code_digest

LOSS = '''"""Losses."""
def loss(x):
    """Square."""
    return 2 * x  # twice
'''
JOB = """from tiny.losses.square import loss
def main():
    from . import late
    return loss(1)
"""


@pytest.fixture
def package(tmp_path):
    """Write a package: job imports losses.square at the top and late inside a function; other stands alone."""
    files = {"losses/square.py": LOSS, "stage/job.py": JOB, "stage/late.py": "X = 1\n", "stage/other.py": "Y = 1\n"}
    for name in ("", "losses/", "stage/"):
        files[f"{name}__init__.py"] = ""
    for name, text in files.items():
        (tmp_path / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tiny" / name).write_text(text)
    return tmp_path / "tiny"


def digest(package, *modules):
    for remembered in (_source_of, _read, _digest):
        remembered.cache_clear()
    return _digest(modules, package)


def edit(package, name, old, new):
    path = package / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_docstrings_comments_and_layout_change_nothing(package):
    before = digest(package, "tiny.stage.job")
    edit(package, "losses/square.py", "Square.", "The square.")
    edit(package, "losses/square.py", "# twice", "# two times\n")
    edit(package, "losses/square.py", "Losses.", "All losses.")
    assert digest(package, "tiny.stage.job") == before


@pytest.mark.parametrize(
    ("name", "old", "new"), [("losses/square.py", "2 * x", "3 * x"), ("stage/late.py", "X = 1", "X = 2")]
)
def test_a_number_in_an_imported_module_changes_the_digest(package, name, old, new):
    before = digest(package, "tiny.stage.job")
    edit(package, name, old, new)
    assert digest(package, "tiny.stage.job") != before


NESTED = """
try:
    for _ in range(1):
        pass
    else:
        {}
except ImportError:
    {}
finally:
    match 1:
        case 1:
            async def f():
                with open("x"):
                    {}
"""


@pytest.mark.parametrize("place", range(3))
def test_an_import_and_a_docstring_are_found_however_deep_they_stand(package, place):
    places = ["pass"] * 3
    places[place] = 'from tiny.losses import square; import tiny.stage.other\n\nclass X:\n    """Words."""'
    indented = [text.replace("\n", "\n" + " " * indent) for text, indent in zip(places, (8, 4, 20), strict=True)]
    (package / "stage" / "deep.py").write_text(NESTED.format(*indented))
    before = digest(package, "tiny.stage.deep")
    edit(package, "stage/deep.py", "Words", "Other words")
    assert digest(package, "tiny.stage.deep") == before
    edit(package, "losses/square.py", "2 * x", "3 * x")
    after = digest(package, "tiny.stage.deep")
    edit(package, "stage/other.py", "Y = 1", "Y = 2")
    assert len({before, after, digest(package, "tiny.stage.deep")}) == 3


def test_code_that_is_not_imported_changes_nothing(package):
    before = digest(package, "tiny.stage.job")
    edit(package, "stage/other.py", "Y = 1", "Y = 2")
    assert digest(package, "tiny.stage.job") == before


def test_a_further_module_given_by_name_counts(package):
    assert digest(package, "tiny.stage.job", "tiny.stage.other") != digest(package, "tiny.stage.job")


def test_a_module_that_is_not_there_is_refused():
    with pytest.raises(ModuleNotFoundError, match=r"neurobar\.nowhere is no module"):
        code_digest("neurobar.nowhere")
