"""What is locked can be installed on every Python that the project says it runs on."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def lowest_python() -> str:
    """The first release that `requires-python` allows: 3.11.0 for >=3.11."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["requires-python"]
    found = re.fullmatch(r">=(\d+\.\d+)", wanted)
    assert found is not None
    return f"{found[1]}.0"


def locked(lock: str) -> dict[str, str]:
    """Name and version of each package of a lock file."""
    text = (ROOT / lock).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_runs_on_the_first_python_that_is_allowed(lock: str) -> None:
    installed: dict[str, Distribution] = {
        canonicalize_name(found.name): found for found in distributions()
    }
    asked = {
        name: SpecifierSet(installed[name].metadata["Requires-Python"] or "")
        for name, version in locked(lock).items()
        if name in installed and installed[name].version == version
    }
    assert len(asked) > 50
    assert [name for name, python in asked.items() if lowest_python() not in python] == []


def test_locks_are_made_for_the_first_python_that_is_allowed() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert f"LOWEST := --python-version {lowest_python()}" in makefile
    compiled = re.findall(r"uv pip compile (.*)", makefile)
    assert len(compiled) == 4
    assert all("$(LOWEST)" in line for line in compiled)
