"""Starts the installed Medusa shop on 127.0.0.1, in a session of its own, with a log file."""

from __future__ import annotations

import os
import subprocess

import httpx2

from comptoir.merchant_medusa.install import MedusaInstallation
from comptoir.shop_install import wait_until


def start_shop(
    installation: MedusaInstallation, port: int, database: str
) -> subprocess.Popen[bytes]:
    """Start the shop on one of its databases; `end_with_children` ends it, and it ends with us."""
    environment = installation.environment(database) | {"SHOP_SERVES": "1"}
    log = os.open(installation.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            installation.command("start", "-H", "127.0.0.1", "-p", str(port)),
            env=environment,
            cwd=installation.data_dir,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)


def wait_ready(url: str, process: subprocess.Popen[bytes], within_s: float = 180) -> None:
    """Wait until the shop answers. DomainError when it never does."""

    def is_ready() -> bool:
        try:
            return httpx2.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    wait_until(is_ready, process, within_s)
