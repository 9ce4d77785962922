"""Which code made a file."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
NESTING = ("body", "orelse", "finalbody", "handlers", "cases")  # where a statement holds others
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_digest(*modules: str) -> str:
    """Hash the code that some modules run, so that a workflow notices edits in imported code.

    The hash covers the syntax trees, without docstrings and comments, of the modules and of every module of this
    package that they import, at any depth and also inside functions. Modules that are found by name at run time
    (the mixings) have to be given by the caller.

    Parameters
    ----------
    *modules : str
        Dotted names, `neurobar.losses.contrastive`.

    Returns
    -------
    str
        Twelve hexadecimal digits.

    Raises
    ------
    ModuleNotFoundError
        If a given name is no module of this package.
    """
    return _digest(modules, PACKAGE)


@cache
def _digest(modules: tuple[str, ...], package: Path) -> str:
    reached: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached[name], imported = _read(name, package)
        waiting += imported
    text = "\n".join(f"# {name}\n{reached[name]}" for name in sorted(reached))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache  # dozens of rules import the same modules, and parsing them is what loading the workflow takes
def _read(name: str, package: Path) -> tuple[str, list[str]]:
    path = _source_of(name, package)
    if path is None:
        raise ModuleNotFoundError(f"{name} is no module of {package.name}.")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [found for found in _imports(tree, name) if _source_of(found, package)]
    return ast.unparse(_without_docstrings(tree)), imported


@cache
def _source_of(name: str, package: Path) -> Path | None:
    first, *rest = name.split(".")
    if first != package.name:
        return None
    path = package.joinpath(*rest)
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    # Neither an import nor a docstring is inside an expression, and most of a tree is expressions.
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [inner for name in NESTING for inner in getattr(node, name, [])]


def _imports(tree: ast.Module, module: str) -> Iterator[str]:
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield base
            # `from neurobar.losses import contrastive` names a module, `from ... import code_digest` does not.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in _statements(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree
