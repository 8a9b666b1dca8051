"""`make demo` from nothing, in a clone in an empty folder, and again."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure

ROOT = Path(__file__).resolve().parents[1]


def measure() -> Iterator[Figure]:
    """Two runs of the demonstration, each ended once everything has answered."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "comptoir"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        os.chmod(folder, 0o755)
        first = _demo(clone)
        installed = _megabytes(clone / ".venv")
        yield Figure("`make demo` from nothing", f"{first:.0f} s", "180 s")
        yield Figure("installed by it in `.venv`", f"{installed:.0f} MB", "")
        torch = list((clone / ".venv").glob("lib/*/site-packages/torch"))
        yield Figure("torch installed by it", "yes" if torch else "no", "no")
        yield Figure("`make demo` again", f"{_demo(clone):.1f} s", "10 s")


def _demo(clone: Path) -> float:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not re.match(r"COMPTOIR_|VIRTUAL_ENV|PYTHONPATH|MAKE", name)
    }
    start = time.perf_counter()
    subprocess.run(
        ["make", "demo", "FLAGS=--check --port 8300"],
        cwd=clone,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def _megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
