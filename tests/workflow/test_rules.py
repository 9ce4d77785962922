"""Every rule keeps the promises of a rule."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", re.MULTILINE | re.DOTALL)
BORROW = re.compile(r"^use rule (\w+) as (\w+) with:\n(.*?)(?=^use rule |^rule |\Z)", re.MULTILINE | re.DOTALL)
FLAGS = {"params.simulated", "params.paper"}  # an option or nothing, chosen in the rule itself
RULES = {
    name: (path.stem, body)
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    for name, body in RULE.findall(path.read_text())
}
BORROWED = {
    name: (source, body)
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    for source, name, body in BORROW.findall(path.read_text())
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_runs_the_module_of_its_name_and_has_a_test(name):
    stage, body = RULES[name]
    assert f"python -m neurobar.{stage}.{name} " in body
    assert (ROOT / "src" / "neurobar" / stage / f"{name}.py").is_file()
    assert (ROOT / "tests" / stage / f"test_{name}.py").is_file()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_leaves_log_and_benchmark_and_names_environment_and_resources(name):
    _, body = RULES[name]
    for directive in ("output", "log", "benchmark", "conda", "threads", "resources", "params", "shell"):
        assert re.search(rf"^    {directive}:", body, re.MULTILINE), directive
    assert "mem_mb=" in body
    assert "runtime=" in body
    assert "code=code_" in body
    assert ">{log:q} 2>&1" in body


@pytest.mark.parametrize("name", BORROWED)
def test_a_borrowed_rule_runs_the_command_of_its_source_and_writes_what_is_its_own(name):
    source, body = BORROWED[name]
    for directive in ("input", "output", "log", "benchmark"):
        assert re.search(rf"^    {directive}:", body, re.MULTILINE), directive
    assert f'"results/logs/{name}/' in body
    assert f'"results/benchmarks/{name}/' in body
    written, of_source = (
        re.findall(r'"(results/[^"]+)', re.search(r"    output:\n(.*?)    log:", text, re.DOTALL)[1])
        for text in (body, RULES[source][1])
    )
    assert len(written) == len(of_source) > 0
    assert not {*written} & {*of_source}


@pytest.mark.parametrize("name", ["pretrain_encoder", "finetune_classifier"])
def test_a_job_that_can_be_taken_up_knows_its_code(name):
    assert "--code {params.code:q}" in RULES[name][1]


@pytest.mark.parametrize("name", RULES)
def test_every_value_in_a_command_is_quoted(name):
    _, body = RULES[name]
    values = re.findall(r"\{((?:input|output|params|wildcards|log|config)[^}]*)\}", body[body.index("shell:") :])
    unquoted = [value for value in values if not value.endswith(":q") and value not in FLAGS]
    assert unquoted == []


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_told_in_one_sentence(name):
    _, body = RULES[name]
    docstring = re.match(r'    """([^"\n]+)"""\n', body)
    assert docstring is not None
    assert docstring.group(1).endswith(".")


@pytest.mark.parametrize("path", sorted((ROOT / "workflow" / "rules").glob("*.smk")), ids=lambda path: path.stem)
def test_a_rule_file_opens_with_what_it_reads_and_writes(path):
    if path.stem not in ("common", "functions"):
        head = path.read_text()[:800]
        assert "READS" in head
        assert "WRITES" in head


def test_files_and_functions_stay_short():
    import ast

    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= 250, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert length <= 30, f"{path}: {node.name} has {length} lines"
