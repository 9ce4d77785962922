"""Every message on the page *Troubleshooting* is said by the code, and every message that is provoked here is on it."""

import copy
import importlib.util
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()
#: A message stands alone on its line as code; one that holds backticks itself stands between two.
MESSAGE = re.compile(r"^(`{1,2})([^`].*?)\1$", re.MULTILINE)


def load_cases() -> dict[str, Any]:
    """Return what provokes each message, from all files of `messages/`."""
    cases = {}
    for path in sorted((Path(__file__).parent / "messages").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"messages_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert not cases.keys() & module.CASES.keys(), path
        cases |= module.CASES
    return cases


CASES = load_cases()
ON_PAGE = [match[2] for match in MESSAGE.finditer(PAGE)]


@dataclass(frozen=True)
class Bench:
    """What a case may use: a folder of its own, the default settings, a tiny cohort, a workflow."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    request: pytest.FixtureRequest
    schema: Path = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    config: dict = field(default_factory=lambda: copy.deepcopy(yaml.safe_load((ROOT / "config.yaml").read_text())))

    def fixture(self, name: str) -> Any:
        """Return a fixture by its name, made when a case asks for it."""
        return self.request.getfixturevalue(name)


def lines_of(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines()]


def pattern_of(message: str) -> re.Pattern:
    return re.compile(".+?".join(map(re.escape, message.split("…"))))


def test_every_message_of_the_page_stands_there_once_with_a_cure():
    assert len(ON_PAGE) == len(set(ON_PAGE)) > 100
    for message in ON_PAGE:
        below = PAGE[PAGE.index(f"{message}`") :].splitlines()[1]
        assert below.startswith((":   ", "`")), message


def test_what_the_page_says_is_what_is_provoked_here():
    assert sorted(ON_PAGE) == sorted(CASES)


@pytest.mark.parametrize("message", sorted(CASES))
def test_the_code_says_it(message, tmp_path, monkeypatch, request, capsys):
    try:
        said = CASES[message](Bench(tmp_path, monkeypatch, request))
    except (Exception, SystemExit) as error:  # whatever the user would be told
        said = str(error)
    said = f"{said or ''}\n{''.join(capsys.readouterr())}"
    assert any(pattern_of(message).fullmatch(line) for line in lines_of(said)), said
