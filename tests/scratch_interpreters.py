"""Interpreters with somebody else's packages, for tests that run them and never import them.

Each is installed once for a checkout; a test is left out, loudly, where that cannot be done.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from comptoir.shop_install import alone, is_done, step
from tests.shops import leave_out, shop_home, tell

_SECONDS_TO_INSTALL = 180


def interpreter_with(name: str, packages: Sequence[str]) -> Path:
    """The interpreter that has exactly these packages, each named with its version."""
    home = shop_home(name)
    home.mkdir(parents=True, exist_ok=True)
    stamp, wanted = home / "packages", " ".join(packages)
    python = home / "venv" / "bin" / "python"

    def install() -> None:
        tell(f"{name}: installing its packages")
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "venv", "--clear", "-q", "--python", sys.executable, str(home / "venv")])
        _run([*uv, "pip", "install", "-q", "--no-deps", "--python", str(python), *packages])

    with alone(home / "install.lock"):
        try:
            step(stamp, wanted, install)
        except (OSError, subprocess.SubprocessError) as error:
            leave_out(f"{name} cannot be installed: {error}")
    assert is_done(stamp, wanted)
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=_SECONDS_TO_INSTALL, capture_output=True)
