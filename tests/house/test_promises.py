"""Each promise in docs/promises.md names tests that exist; none is listed without one."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "promises.md").read_text("utf-8")
HELD = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", TEXT, re.MULTILINE)
HALF = [
    int(number)
    for bold in re.findall(r"^- \*\*(\d+)", TEXT, re.MULTILINE)
    for number in bold.split()
]


@lru_cache
def functions(file: str) -> frozenset[str]:
    """Names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("number", "tests"), [(row[0], row[2]) for row in HELD])
def test_a_promise_is_held_by_tests_that_exist(number: str, tests: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
    assert named, number
    assert [each for each in named if each[1] not in functions(each[0])] == []


def test_every_promise_is_held_or_said_to_be_half_held() -> None:
    assert sorted({int(row[0]) for row in HELD} | set(HALF)) == list(range(1, 36))
