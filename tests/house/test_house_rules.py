"""The rules of the house that no linter knows: sizes, names, docstrings, who commits."""

from __future__ import annotations

import ast
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("comptoir", "search_api", "checkout", "indexer", "crawlers", "mdm", "tenants", "kernel")
BANNED = {"utils", "util", "helpers", "helper", "manager", "service", "services", "base", "common"}
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
KERNEL_MODULES = 15


@lru_cache(maxsize=1)
def _modules() -> dict[Path, ast.Module]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    files = [Path(name) for name in listed] or [
        path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    ]
    return {
        path: ast.parse((ROOT / path).read_text("utf-8"))
        for path in files
        if path.parts[0] in PACKAGES and (ROOT / path).is_file()
    }


def test_files_stay_short() -> None:
    lines = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path in _modules()}
    assert {str(path): count for path, count in lines.items() if count > MOST_LINES} == {}


def test_functions_stay_short() -> None:
    long = [
        f"{path}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path, tree in _modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MOST_FUNCTION_LINES
        # A router factory is a list of routes; each route inside is counted by itself.
        and not any(isinstance(child, ast.FunctionDef) for child in node.body)
    ]
    assert long == []


def test_no_file_or_folder_is_named_after_nothing() -> None:
    wrong = [str(path) for path in _modules() if {path.stem, *path.parts[:-1]} & BANNED]
    assert wrong == []


def test_every_module_says_what_it_owns() -> None:
    silent = [str(path) for path, tree in _modules().items() if not ast.get_docstring(tree)]
    assert [path for path in silent if not path.endswith("__init__.py")] == []


def test_only_the_kernel_opens_and_commits_transactions() -> None:
    allowed = {
        Path("kernel/db.py"),
        Path("comptoir/database_schema.py"),  # migrations have a transaction for each step
    }
    # The demo's merchant and payment provider are systems of their own.
    peers = {("comptoir", "merchant_oscar"), ("comptoir", "payment_simulator")}
    committing = [
        f"{path}:{node.lineno}"
        for path, tree in _modules().items()
        if path not in allowed
        and path.parts[:2] not in peers
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        # tantivy's writer commits an index, not a transaction
        and path.parts[0] != "indexer"
        and path != Path("mdm/match/term_index.py")
    ]  # fmt: skip
    assert committing == []


def test_money_is_never_a_float() -> None:
    floats = [
        f"{path}:{node.lineno}"
        for path, tree in _modules().items()
        if path.parts[0] in {"checkout", "mdm"} or path == Path("kernel/money.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign | ast.arg)
        and node.annotation is not None
        and "float" in ast.unparse(node.annotation)
        and any(
            word in (ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else node.arg)
            for word in ("price", "amount", "total", "minor", "cost")
        )
    ]
    assert floats == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_it_is(package: str) -> None:
    assert ast.get_docstring(_modules()[Path(package, "__init__.py")])


def test_the_kernel_stays_small() -> None:
    modules = {path.parts[1] for path in _modules() if path.parts[0] == "kernel"} - {"__init__.py"}
    assert len(modules) <= KERNEL_MODULES, sorted(modules)
