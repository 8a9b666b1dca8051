"""Every locked package has a licence that is allowed, and NOTICE names those that ask most."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.house.test_locks import ROOT, locked

LOCKS = ("requirements.lock", "requirements-dev.lock")
NAMED_SO = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "W3C License": "W3C",
}
"""Trove classifiers by the names of the policy; any other is none of ours."""
ASKING_MOST = re.compile(r"^(LGPL|MPL)")
SAYS_NOTHING = {"OSI Approved", "DFSG approved"}


def tables() -> tuple[set[str], dict[str, str]]:
    """The licences that are allowed, and those of packages that do not say theirs."""
    text = (ROOT / "docs" / "licences.md").read_text("utf-8")
    allowed = set(re.findall(r"^\| `([^`]+)` \| [^`|]", text, re.MULTILINE))
    found = dict(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `", text, re.MULTILINE))
    return allowed, found


@cache
def installed() -> dict[str, Distribution]:
    return {canonicalize_name(each.name): each for each in distributions()}


def stated(package: Distribution) -> set[str]:
    """Every licence that a package names: of several, the policy has to allow each."""
    expression = package.metadata["License-Expression"] or ""
    if expression:
        return set(re.findall(r"[^\s()]+", expression)) - {"AND", "OR", "WITH"}
    said = [
        row.rpartition(" :: ")[2]
        for row in package.metadata.get_all("Classifier") or []
        if row.startswith("License ::")
    ]
    named = {NAMED_SO.get(row, row) for row in said if row not in SAYS_NOTHING}
    text = (package.metadata["License"] or "").strip()
    if named or not text:
        return named
    return set(re.findall(r"[^\s()]+", text)) - {"AND", "OR", "License"}


def licences(lock: str) -> dict[str, set[str]]:
    """Of each package of a lock that is installed here in that very version."""
    _, by_hand = tables()
    return {
        name: {by_hand[name]} if name in by_hand else stated(installed()[name])
        for name, version in locked(lock).items()
        if name in installed() and installed()[name].version == version
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_licence_that_is_allowed(lock: str) -> None:
    allowed, _ = tables()
    found = licences(lock)
    # Some are for other systems or other releases of Python.
    assert len(found) > 0.9 * len(locked(lock))
    assert {name: said for name, said in found.items() if not said or said - allowed} == {}


def test_nothing_is_allowed_that_asks_for_our_own_code() -> None:
    allowed, by_hand = tables()
    assert len(allowed) > 10
    assert not {each for each in allowed if re.match(r"A?GPL|SSPL|BUSL|CC-BY-NC", each)}
    assert set(by_hand) <= set(locked("requirements-dev.lock")), "a package that has gone"
    used = set().union(*(said for lock in LOCKS for said in licences(lock).values()))
    assert allowed - used == set(), "allowed for nobody"


def test_the_notice_names_packages_whose_licence_asks_most() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    asking = {
        name
        for name, said in licences("requirements.lock").items()
        if any(ASKING_MOST.match(each) for each in said)
    }
    assert asking
    assert {name for name in asking if not re.search(rf"\b{re.escape(name)}\b", notice)} == set()


def test_a_bill_of_materials_has_every_package_with_its_licence(tmp_path: Path) -> None:
    """By the tool that `make sbom` uses, of the environment that the tests run in."""
    tool = ROOT / ".venv-supply" / "bin" / "cyclonedx-py"
    if not tool.exists():
        if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
            pytest.fail("the bill of materials is required here: make setup-supply")
        pytest.skip("LEFT OUT: a bill of materials, there is no .venv-supply (make setup-supply)")
    python = shutil.which("python", path=str(ROOT / ".venv" / "bin"))
    assert python is not None
    written = tmp_path / "bom.json"
    subprocess.run(
        [str(tool), "environment", "--pyproject", "pyproject.toml", "--output-reproducible",
         "--output-format", "JSON", "-o", str(written), python],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    document = json.loads(written.read_text("utf-8"))
    assert document["bomFormat"] == "CycloneDX"
    known = {canonicalize_name(row["name"]): row for row in document["components"]}
    for name, version in locked("requirements.lock").items():
        if name in installed():
            assert known[name]["version"] == version
            assert known[name]["purl"].startswith("pkg:pypi/")
            assert known[name]["purl"].endswith(f"@{version}")
            assert known[name]["licenses"], name
