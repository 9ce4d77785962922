"""Nothing that a file holds is ever run: no pickle, no YAML tag, no expression; and no command goes through a shell."""

import ast
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from neurobar.commands.__main__ import main as neurobar
from neurobar.data.cohorts import read_cohort
from neurobar.split import fit_landmarks
from neurobar.training.classifiers import load_classifier
from neurobar.training.progress import Progress

ROOT = Path(__file__).parents[2]
#: Modules that run what they read, or that hand words to a shell.
FORBIDDEN = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "imp",
    "runpy",
    "pty",
}
FORBIDDEN |= {"commands", "popen2", "zipfile", "tarfile", "code", "codeop"}
#: Calls that do so, by the end of their dotted name.
CALLS = {"eval", "exec", "__import__", "os.system", "os.popen", "tempfile.mktemp", "pd.read_pickle", "pd.to_pickle"}
CALLS |= {
    "pandas.read_pickle",
    "df.eval",
    "yaml.load",
    "yaml.full_load",
    "yaml.unsafe_load",
    "yaml.load_all",
    "torch.load",
}
CALLS |= {"subprocess.getoutput", "subprocess.getstatusoutput", "shutil.unpack_archive", "os.spawnl", "torch.jit.load"}
CALLS |= {"torch.save", "torch.hub.load", "safe_globals", "np.loadtxt", "yaml.full_load_all", "yaml.unsafe_load_all"}
#: What builds code out of strings, with where it may stand and why.
ALLOWED = {
    ("src/neurobar/commands/__main__.py", "import_module"): "a key of COMMANDS",
    (
        "src/neurobar/transforms/views.py",
        "import_module",
    ): "a module of mixings: check_settings looks whether it is there",
}
PYTHON = [*(ROOT / "src").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "docs" / "hooks").rglob("*.py")]
PYTHON += [*(ROOT / ".ci").rglob("*.py")]


def dotted(node: ast.AST) -> str:
    """Return the name of what is called, as it is written."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def ends_as(name: str, ends: set[str]) -> bool:
    """Tell whether a dotted name is, or ends as, one of some; only a bare `eval` is Python's own."""
    if name.startswith("safetensors."):
        return False
    return any(name == end or name.endswith(f".{end}") for end in ends - {"eval", "exec"}) or name in ends


def dangers(tree: ast.AST) -> list[str]:
    """List what would run something that was read, or hand words to a shell."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            inner = [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            found += [name for name in named if name.split(".")[0] in FORBIDDEN and not getattr(node, "level", 0)]
            found += [name for name in inner if ends_as(name, CALLS)]
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            words = {word.arg: ast.unparse(word.value) for word in node.keywords}
            found += [name] if ends_as(name, CALLS) or name.split(".")[-1] in ("import_module", "safe_globals") else []
            found += [f"{name}(shell)" for _ in [0] if words.get("shell", "False") != "False"]
            found += [f"{name}(allow_pickle)" for _ in [0] if words.get("allow_pickle", "False") != "False"]
            found += [f"{name}(weights_only)" for _ in [0] if words.get("weights_only", "True") != "True"]
            found += ["compile"] if name == "compile" else []
            found += [f"{name}(executable)" for _ in [0] if name.startswith("subprocess.") and "executable" in words]
    return found


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_runs_nothing_that_it_reads(path):
    name = path.relative_to(ROOT).as_posix()
    found = [danger for danger in dangers(ast.parse(path.read_text())) if (name, danger.split(".")[-1]) not in ALLOWED]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "import os.path, marshal",
        "eval(text)",
        "exec(text)",
        "compile(text, '', 'exec')",
        "__import__(name)",
        "importlib.import_module(name)",
        "os.system(line)",
        "from os import system",
        "subprocess.run(line, shell=True)",
        "subprocess.run(words, shell=is_shell)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "yaml.load(text, Loader=yaml.FullLoader)",
        "yaml.unsafe_load(text)",
        "from yaml import unsafe_load",
        "pd.read_pickle(path)",
        "tempfile.mktemp()",
        "shutil.unpack_archive(path)",
        "import zipfile",
    ],
)
def test_the_walk_sees_what_it_looks_for(line):
    assert dangers(ast.parse(line)) != []


@pytest.mark.parametrize(
    "line", ["model.eval()", "re.compile(text)", "torch.compile(model)", "np.load(path)", "yaml.safe_load(x)"]
)
def test_the_walk_lets_pass_what_only_sounds_so(line):
    assert dangers(ast.parse(line)) == []


def test_what_is_allowed_is_still_there():
    for name, call in ALLOWED:
        assert any(danger.split(".")[-1] == call for danger in dangers(ast.parse((ROOT / name).read_text())))


def imported(tree: ast.AST) -> set[str]:
    """Name the modules, and what is taken from them, that are imported at any depth."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    inner = [
        (node.module or "", alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    return names | {module for module, _ in inner} | {f"{module}.{name}" for module, name in inner}


def test_one_module_alone_opens_a_connection():
    reaching = ("urllib.request", "requests", "http", "socket", "ftplib", "smtplib", "huggingface_hub", "aiohttp")
    reaching += ("nilearn.datasets.fetch", "torch.hub", "webbrowser", "asyncio")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if any(name.startswith(reaching) for name in imported(ast.parse(path.read_text())))
    }
    assert found == {"src/neurobar/fetch/whole_heads.py"}


@pytest.mark.parametrize(
    "path", [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")], ids=lambda path: path.name
)
def test_the_workflow_runs_commands_alone(path):
    text = path.read_text()
    assert not any(f"    {directive}:" in text for directive in ("run", "script", "notebook", "wrapper", "cwl"))
    assert not any(word in text for word in ("eval(", "exec(", "pickle", "__use_yte__", "os.system", "subprocess"))


class Malicious:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


@pytest.fixture
def mark(tmp_path):
    """Return the path of a file that only a pickle that ran leaves behind."""
    mark = tmp_path / "ran"
    pickle.loads(pickle.dumps(Malicious(mark)))
    assert mark.is_file(), "the pickle does nothing, so the test would show nothing"
    mark.unlink()
    yield mark
    assert not mark.exists()


def as_array(mark, path):
    np.save(path, np.array([Malicious(mark)], object), allow_pickle=True)


def as_pickle(mark, path):
    path.write_bytes(pickle.dumps(Malicious(mark)))


def as_torch(mark, path):
    torch.save({"weights": Malicious(mark)}, path)


@pytest.mark.parametrize("write", [as_array, as_pickle])
@pytest.mark.parametrize("name", ["cohort.npy", "percentiles.npy"])
def test_a_packed_cohort_with_a_pickle_in_it_is_refused(tiny_cohort, tmp_path, mark, name, write):
    for file in ("cohort.npy", "percentiles.npy", "cohort.tsv"):
        shutil.copy(tiny_cohort.folder / file, tmp_path)
    write(mark, tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name} is no array of numbers \("):
        read_cohort(*(tmp_path / file for file in ("cohort.npy", "percentiles.npy", "cohort.tsv")))


@pytest.mark.parametrize("write", [as_array, as_pickle])
@pytest.mark.parametrize("name", ["cohort.npy", "percentiles.npy"])
def test_a_command_says_so_in_one_sentence(tiny_cohort, tmp_path, mark, name, write):
    shutil.copytree(tiny_cohort.folder, tmp_path / "cohort")
    write(mark, tmp_path / "cohort" / name)
    words = [word.replace(str(tiny_cohort.folder), str(tmp_path / "cohort")) for word in tiny_cohort.arguments]
    words = [*words[: words.index("--landmarks")], "--fold", "0", "--landmarks", str(tmp_path / "landmarks.json")]
    with pytest.raises(SystemExit) as ended:
        fit_landmarks.main(words)
    assert str(ended.value).startswith(f"{tmp_path / 'cohort' / name} is no array of numbers (")
    assert "\n" not in str(ended.value)


@pytest.mark.parametrize("write", [as_array, as_pickle, as_torch])
def test_weights_that_are_a_pickle_are_refused(tmp_path, mark, write):
    path = tmp_path / "classifier.npy"  # NumPy adds its suffix to any other
    write(mark, path)
    with pytest.raises(ValueError, match=r"classifier\.npy is no file of weights"):
        load_classifier(path)


@pytest.mark.parametrize("write", [as_array, as_pickle, as_torch])
def test_progress_that_is_a_pickle_is_none(tmp_path, mark, write):
    path = tmp_path / "progress.npy"
    write(mark, path)
    model = torch.nn.Linear(2, 1)
    before = model.weight.detach().clone()
    assert Progress(path, "settings", {}).restore(model, torch.optim.Adam(model.parameters())) == []
    assert torch.equal(model.weight, before)


TAGS = ['!!python/object/apply:os.system ["touch {mark}"]', "!!python/name:os.system", "!!python/module:os"]
TAGS += [
    "!!python/object/new:os.system [touch {mark}]",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch {mark}']",
]
PROGRAM = """
__use_yte__: true
__definitions__:
  - import os; os.system("touch '{mark}'")
study: a program
"""


@pytest.mark.parametrize("command", ["run", "check"])
def test_settings_that_are_a_program_are_refused_and_not_run(tmp_path, mark, monkeypatch, command):
    # Without the refusal, `run` would turn the tests into Snakemake.
    monkeypatch.setattr(os, "execve", lambda *words: pytest.fail("Snakemake was called"))
    (tmp_path / "study.yaml").write_text(PROGRAM.format(mark=mark))
    words = [command, "--configfile", str(tmp_path / "study.yaml"), "--directory", str(tmp_path), "--dry-run"]
    with pytest.raises(SystemExit, match=r"study\.yaml: __use_yte__ would run code that stands in it"):
        neurobar(words)


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_of_yaml_runs_nothing(tmp_path, mark, tag):
    (tmp_path / "study.yaml").write_text(f"study: {tag.format(mark=mark)}\n")
    words = ["check", "--configfile", str(tmp_path / "study.yaml"), "--directory", str(tmp_path)]
    with pytest.raises(SystemExit, match=r"study\.yaml is not plain YAML"):
        neurobar(words)


@pytest.mark.parametrize("tag", TAGS[:2])
def test_neither_does_snakemake_run_it_by_itself(workflow, mark, tag):
    (workflow.folder / "study.yaml").write_text(f"study: {tag.format(mark=mark)}\n")
    done = workflow.run("--dry-run", "--configfile", str(workflow.folder / "study.yaml"))
    assert done.returncode != 0
    assert "Job stats" not in done.stdout + done.stderr


def test_settings_in_json_are_settings(workflow, mark):
    program = yaml.safe_load(PROGRAM.format(mark=mark))
    (workflow.folder / "study.json").write_text(json.dumps(program))
    done = workflow.run("--dry-run", "--configfile", str(workflow.folder / "study.json"))
    assert "Config: unknown key __definitions__, __use_yte__" in done.stdout + done.stderr
