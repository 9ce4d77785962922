"""Profiles of hypothesis, and the count of what became of its cases.

The same code is tried with the same cases, unless HYPOTHESIS_PROFILE is many: then there are FUZZ_CASES of each kind,
drawn anew or from `--hypothesis-seed`. Where FUZZ_TALLY names a file, the counts are written there.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# A slow machine is no failure, and what was found before is kept in a test, not in a folder.
SHARED = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
# To explain a failure takes minutes where a case takes milliseconds.
SHARED |= {"phases": [Phase.explicit, Phase.generate, Phase.shrink], "report_multiple_bugs": False}
settings.register_profile("few", max_examples=400, derandomize=True, **SHARED)
settings.register_profile("many", max_examples=int(os.environ.get("FUZZ_CASES", "4000")), **SHARED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few"))

#: As tests/docs/test_troubleshooting.py reads the page: a message stands alone on its line as code.
PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
MESSAGES = [match[2] for match in re.finditer(r"^(`{1,2})([^`].*?)\1$", PAGE.read_text(), re.MULTILINE)]
#: The most telling first.
PATTERNS = [
    (message, re.compile(".+?".join(map(re.escape, message.split("…")))))
    for message in sorted(MESSAGES, key=lambda message: len(message.replace("…", "")), reverse=True)
]


def message_of(sentence: str) -> str | None:
    """Find the message of *Troubleshooting* that a sentence is."""
    return next((message for message, pattern in PATTERNS if pattern.fullmatch(sentence)), None)


def fault_of(error: ValueError, names: tuple[object, ...]) -> str | None:
    """Say what is wrong with a refusal, which is one sentence of the page that names a file or a key."""
    said = str(error)
    if type(error) is not ValueError or len(said.splitlines()) != 1:
        return f"not one line of our own: {error!r}"
    if not said.startswith("Config: ") and not any(str(name) in said for name in names):
        return f"names nothing: {said}"
    if not said.endswith(".") or message_of(said) is None:
        return f"not in docs/troubleshooting.md: {said}"
    return None


@dataclass
class Kind:
    """What became of the cases of one kind."""

    accepted: int = 0
    refused: Counter = field(default_factory=Counter)
    broken: int = 0


class Tally:
    """Counts cases: read rightly, refused in one sentence of *Troubleshooting*, or broken."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}

    @contextmanager
    def case(self, kind: str, *names: object) -> Iterator[None]:
        """Count one case; inside stand the reading and what holds of everything that is accepted.

        What is refused names one of `names`, or the key of the config.
        """
        found = self.kinds.setdefault(kind, Kind())
        try:
            yield
        except ValueError as error:
            fault = fault_of(error, names)
            if fault is not None:
                found.broken += 1
                raise AssertionError(fault) from error
            found.refused[message_of(str(error))] += 1
        except BaseException:
            found.broken += 1
            raise
        else:
            found.accepted += 1

    def check(self, kind: str, *, accepted: float = 0.0, refused: float = 0.0) -> None:
        """Fail where nothing was tried, or nearly all cases had the same end and so showed little."""
        found = self.kinds[kind]
        tried = found.accepted + found.refused.total()
        assert found.broken == 0
        # What Snakemake refuses itself never comes to us.
        assert tried >= settings().max_examples // 4, tried
        assert found.accepted >= accepted * tried, found
        assert found.refused.total() >= refused * tried, found


@pytest.fixture(scope="session")
def tally() -> Iterator[Tally]:
    """Count all cases of the session."""
    counted = Tally()
    yield counted
    if path := os.environ.get("FUZZ_TALLY"):
        kinds = {
            name: {"accepted": kind.accepted, "refused": dict(kind.refused.most_common()), "broken": kind.broken}
            for name, kind in counted.kinds.items()
        }
        Path(path).write_text(json.dumps(kinds, indent=1, ensure_ascii=False))
