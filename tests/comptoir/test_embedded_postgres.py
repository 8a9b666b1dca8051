"""The embedded server ends with the last process that uses it, also after one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

_START = """
import os, signal, sys
from pathlib import Path
from comptoir.embedded.postgres import start
start(Path(sys.argv[1]))
if sys.argv[2] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "waiting":
    print("up", flush=True)
    sys.stdin.read()
"""


def _use(folder: Path, how: str) -> int:
    command = [sys.executable, "-c", _START, str(folder), how]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder.parent / "run")}
    return subprocess.run(command, env=environment, check=False, timeout=120).returncode


def test_a_killed_user_does_not_keep_the_server_alive(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    assert _use(folder, "killed") == -signal.SIGKILL
    server = int((folder / "postmaster.pid").read_text().split()[0])
    os.kill(server, 0)
    assert _use(folder, "ended") == 0
    assert not (folder / "postmaster.pid").exists()


def test_one_killed_while_another_serves_does_not_keep_it_alive_either(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    command = [sys.executable, "-c", _START, str(folder), "waiting"]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline() == b"up\n"
        assert _use(folder, "killed") == -signal.SIGKILL
        assert (folder / "postmaster.pid").exists()
        serving.communicate(timeout=120)
    assert serving.returncode == 0
    assert not (folder / "postmaster.pid").exists()
