"""A workflow whose commands compute nothing: each writes down the words that the shell gave it."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

COMMAND = re.compile(r"python -m (neurobar\.\w+\.(\w+)) ")
FIRST = "from __future__ import annotations\n"
#: What stands at the head of a command: it keeps its words, and makes every output that it is asked for.
RECORDER = """
if __name__ == "__main__":
    import json, os, sys
    from pathlib import Path

    name = NAME
    words = [name, *sys.argv[1:]]
    Path("records").mkdir(exist_ok=True)
    Path("records", f"{name}-{os.getpid()}-{os.times().elapsed}").write_text(json.dumps(words))
    options = dict(zip(words, words[1:]))
    made = [word for word in words if word.startswith("results/")]
    if name == "write_table":
        made = [f"{options['--output']}{end}" for end in (".csv", ".differences.csv", ".md", ".tex", ".html")]
    if name == "list_simulated_scans":
        names = ("scans.tsv", "participants.tsv", "dataset_description.json")
        made = [f"results/simulate/{file}" for file in (*names, f"derivatives/truth/{names[-1]}")]
    folders = [options.get("--figures"), options["--output"] if name == "export_model" else None]
    for path in map(Path, made):
        path.parent.mkdir(parents=True, exist_ok=True)
        if str(path) in folders:
            path.mkdir(exist_ok=True)
        elif not path.is_dir():
            path.touch()
    sys.exit()
"""


def list_commands(root: Path) -> dict[str, str]:
    """Return the module of each command that a rule runs, by the command's name."""
    texts = (path.read_text() for path in (root / "workflow" / "rules").glob("*.smk"))
    return {name: module for text in texts for module, name in COMMAND.findall(text)}


@dataclass(frozen=True)
class Recording:
    """A copy of the code with recorders in place of its commands.

    Attributes
    ----------
    root : pathlib.Path
        Holds the copy.
    workflow_class : type
        Of a workflow on it.
    """

    root: Path
    workflow_class: type

    def of_study(self, folder: Path, *targets: str, settings: dict) -> list[list[str]]:
        """Run a study of these settings alone, and return the words of each command, in alphabetical order."""
        (self.root / "config.yaml").write_text(yaml.safe_dump(settings))
        done = self.workflow_class(self.root, folder).run(*targets)
        assert done.returncode == 0, done.stdout + done.stderr
        written = [path.read_text() for path in (folder / "records").iterdir()]
        return sorted(json.loads(text) for text in written)


@pytest.fixture(scope="session")
def commands(root) -> dict[str, str]:
    """Return the module of each command that a rule runs, by the command's name."""
    return list_commands(root)


@pytest.fixture(scope="session")
def recording(root, workflow_class, tmp_path_factory) -> Recording:
    """Copy the code, with recorders in place of its commands."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("src", "workflow", "envs"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(root / "Snakefile", copy)
    for name, module in list_commands(root).items():
        path = copy / "src" / Path(*module.split(".")).with_suffix(".py")
        head, _, tail = path.read_text().partition(FIRST)
        path.write_text(head + FIRST + RECORDER.replace("NAME", repr(name)) + tail)
    return Recording(copy, workflow_class)
