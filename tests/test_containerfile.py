"""The recipe of the container is in step with the project; nothing is built."""

import json
import re
import tomllib

import pytest
from packaging.specifiers import SpecifierSet

#: The Python that releases of Debian bring.
PYTHON_OF = {"bullseye": "3.9.2", "bookworm": "3.11.2", "trixie": "3.13.5"}


@pytest.fixture(scope="module")
def steps(root):
    """Return each step of the recipe: its word and what follows."""
    lines = [line for line in (root / "Containerfile").read_text().splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in whole.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def said(steps, word):
    return [rest for step, rest in steps if step == word]


def copied(steps):
    """Return what goes into the image, from the root of the repository."""
    return [name for rest in said(steps, "COPY") for name in rest.split()[:-1]]


def test_the_python_of_the_base_is_one_that_the_project_takes(steps, project):
    base = re.fullmatch(r"BASE=docker\.io/library/debian:(\w+)-slim", said(steps, "ARG")[0])
    assert steps[1] == ("FROM", "${BASE}")
    assert SpecifierSet(project["requires-python"]).contains(PYTHON_OF[base[1]])


def test_all_is_installed_by_the_pins_and_torch_first(steps):
    installed = re.findall(r"pip install ([^&]*)", "&".join(said(steps, "RUN")))
    assert [words.split()[-1] for words in installed] == ["torch", "."]
    assert installed[1].split()[-2] == "--editable"
    assert all("--constraint constraints.txt " in words for words in installed)


def test_what_is_copied_exists_and_is_what_a_build_is_given(steps, root):
    names = copied(steps)
    assert len(names) > 8
    for name in names:
        assert (root / name).exists(), name
    rules = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {name.split("/")[0] for name in names}


def test_all_parts_of_the_workflow_are_copied(steps):
    assert {"Snakefile", "config.yaml", "envs", "profiles", "src", "studies", "workflow"} <= set(copied(steps))


def test_the_pins_come_before_the_code(steps):
    order = [rest for step, rest in steps if step in ("COPY", "RUN")]
    assert next(i for i, rest in enumerate(order) if "pip install" in rest) < order.index("src src")


def test_it_runs_the_command_as_no_administrator_and_knows_its_commit(steps, project):
    assert said(steps, "USER") == ["neurobar"]
    entry = json.loads(said(steps, "ENTRYPOINT")[0])
    assert set(entry) <= set(project["scripts"])
    assert steps.index(("ARG", "NEUROBAR_COMMIT=")) < steps.index(("ENV", "NEUROBAR_COMMIT=${NEUROBAR_COMMIT}"))


def test_its_page_names_options_that_the_recipe_has(steps, root):
    named = re.findall(r"--build-arg (\w+)=", (root / "docs" / "container.md").read_text())
    assert len(named) > 2
    assert set(named) <= {rest.partition("=")[0] for rest in said(steps, "ARG")}
