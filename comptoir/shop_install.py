"""How a merchant's real shop is installed into a folder of its own, step by step, and ended.

A step that is done leaves a stamp with the fingerprint of what it was made from, so a kill in the
middle costs that step only, and another version is installed anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from kernel.errors import DomainError

Report = Callable[[str], None]


@contextmanager
def alone(lock_file: Path) -> Iterator[None]:
    """Hold the lock of an installation; others wait, in other processes too."""
    with lock_file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Our commands hold the lock with us: when we are killed, the next install waits for the
        # command that goes on alone, instead of running beside it on the same files.
        os.set_inheritable(handle.fileno(), True)
        yield


def fingerprint(files: Sequence[Path]) -> str:
    """SHA-256 over names and contents."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_done(stamp: Path, wanted: str) -> bool:
    """True where the step was carried out from the same files."""
    return stamp.is_file() and stamp.read_text(encoding="ascii") == wanted


def step(stamp: Path, wanted: str, work: Callable[[], None]) -> None:
    """Do the work unless its stamp says that the same work is done. The stamp comes last."""
    if is_done(stamp, wanted):
        return
    stamp.unlink(missing_ok=True)
    work()
    write_whole(stamp, wanted)


def write_whole(file: Path, text: str, mode: int = 0o644) -> None:
    """Write so that a kill leaves the old file or the new one, never half of one."""
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(file)


def run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> None:
    """Run a step's command. DomainError with the end of what it wrote when it fails."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        close_fds=False,
    )
    if done.returncode:
        raise DomainError(
            "shop_install_failed",
            f"The shop could not be installed: {Path(command[0]).name} {command[1]} failed.",
            hint=(done.stderr or done.stdout)[-2000:],
        )


def has_node() -> bool:
    """True where Node.js and npm are there."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def install_node_packages(sources: Path, folder: Path) -> None:
    """The packages of `sources/package-lock.json` into `folder/node_modules`.

    No package may run a script, and nothing is reported to anybody. DomainError without Node.js.
    """
    if not has_node():
        raise DomainError(
            "node_missing",
            "The shop cannot be installed: Node.js with npm is not there.",
            hint="Install Node.js 20 or newer, for instance from your distribution.",
        )
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(sources / name, folder / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    # Not `npm ci`: it refuses a lock that leaves out other systems' optional packages.
    run(["npm", "install", *quiet], node_environment(folder), folder)


def write_accounts(file: Path, usernames: Mapping[str, str]) -> None:
    """Accounts with new passwords, one for each role; what is there already stays."""
    if file.is_file():
        return
    accounts = {
        role: {"username": name, "password": secrets.token_urlsafe(24)}
        for role, name in usernames.items()
    }
    write_whole(file, json.dumps(accounts, indent=1), 0o600)


def end_with_children(process: subprocess.Popen[bytes], timeout_s: float = 15) -> None:
    """End a shop that was started in a session of its own, and all that it started."""
    if process.stdin is not None:
        process.stdin.close()
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def wait_until(
    is_ready: Callable[[], bool], process: subprocess.Popen[bytes], within_s: float
) -> None:
    """Wait for a shop that was just started. DomainError where it ends or takes longer."""
    deadline = time.monotonic() + within_s
    while process.poll() is None and time.monotonic() < deadline:
        if is_ready():
            return
        time.sleep(0.1)
    raise DomainError(
        "shop_not_ready",
        "The shop did not start." if process.poll() else "The shop does not answer.",
        hint="Its log file in its data folder says why.",
    )


def node_environment(folder: Path) -> dict[str, str]:
    """The environment of a shop's Node processes: ours without what would lead Node astray."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NODE_", "MEDUSA_"))}
    return kept | {
        "NODE_PATH": str(folder / "node_modules"),
        "VENDURE_DISABLE_TELEMETRY": "true",
        "MEDUSA_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
    }
