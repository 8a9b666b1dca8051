"""A process that is killed, and what becomes of those it had started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.peers import wait_for


def children_left_alone(*program: str) -> list[int]:
    """Run a Python program that writes the pids of its children in one line, and kill it then."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    parent = subprocess.Popen(
        [sys.executable, *program], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdout is not None
    with parent.stdout:
        children = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
        parent.wait()
    return children


def wait_until_ended(pids: list[int]) -> None:
    """Fails where one of them still runs after a minute."""
    wait_for(lambda: not any(map(_is_running, pids)), 60)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
