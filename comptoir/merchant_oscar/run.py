"""Starts the installed shop and runs its commands, each in the shop's own interpreter.

The server listens on 127.0.0.1 only and writes its log into the data folder.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from comptoir.merchant_oscar.install import SHOP, OscarInstallation
from kernel.errors import DomainError


def start_shop(installation: OscarInstallation, port: int) -> subprocess.Popen[bytes]:
    """Start the server on 127.0.0.1:`port`. The caller ends the process."""
    with installation.log_file.open("ab") as log:
        return subprocess.Popen(
            [
                *(str(installation.python), "-m", "waitress"),
                *(f"--listen=127.0.0.1:{port}", "--threads=4", "merchant.wsgi:application"),
            ],
            env=installation.environment(),
            cwd=installation.data_dir,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def wait_ready(url: str, timeout_s: float) -> float:
    """Wait until the shop at `url` answers; the seconds it took. DomainError when it does not."""
    import httpx2

    started = time.monotonic()
    with httpx2.Client(base_url=url, timeout=5, trust_env=False) as client:
        while time.monotonic() - started < timeout_s:
            try:
                if client.get("/health/").status_code == 200:
                    return time.monotonic() - started
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
    raise DomainError(
        "shop_not_ready",
        f"The shop at {url} did not answer within {timeout_s:g} s.",
        hint="Its log file in its data folder says why.",
    )


def run_command(
    installation: OscarInstallation, *arguments: str, timeout_s: float = 600
) -> list[str]:
    """Run one of the shop's management commands; its output lines. DomainError when it fails."""
    done = subprocess.run(
        [str(installation.python), str(SHOP / "manage.py"), *arguments],
        env=installation.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise DomainError(
            "shop_command_failed",
            f"The shop's command {arguments[0]} failed.",
            hint=(done.stderr or done.stdout)[-2000:],
        )
    return done.stdout.splitlines()


def load_catalogue(installation: OscarInstallation, sheets: Path) -> str:
    """Load a JSON Lines file of sheets; the line that counts what was done."""
    return run_command(installation, "load_catalogue", str(sheets))[-1]


def push_offers(installation: OscarInstallation, *, url: str, key: str, shop_url: str) -> list[str]:
    """Push the shop's offers to a comparator's push API; one line per batch."""
    return run_command(
        installation, "push_offers", "--url", url, "--key", key, "--shop-url", shop_url
    )
