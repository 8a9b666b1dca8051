"""An install that is killed leaves its last command running; the next one waits for that."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import os, sys
from pathlib import Path
from comptoir import shop_install
folder = Path(sys.argv[1])
with shop_install.alone(folder / "lock"):
    wait = f"touch {folder}/started; sleep 2; touch {folder}/ended"
    shop_install.run(["sh", "-c", wait], dict(os.environ))
"""


def test_the_lock_is_held_until_the_last_command_has_ended(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)])
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    assert not (tmp_path / "ended").exists()
    with (tmp_path / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert (tmp_path / "ended").exists()
