"""Starts the installed Vendure shop on 127.0.0.1, in a session of its own, with a log file."""

from __future__ import annotations

import os
import subprocess

from comptoir.merchant_vendure.catalogue import BackOffice
from comptoir.merchant_vendure.install import SHOP, VendureInstallation
from comptoir.shop_install import node_environment, wait_until
from kernel.errors import DomainError


def start_shop(installation: VendureInstallation, port: int) -> subprocess.Popen[bytes]:
    """Start an empty shop on 127.0.0.1:`port`; `end_with_children` ends it, and it ends with us."""
    environment = node_environment(installation.data_dir) | {
        "SHOP_PORT": str(port),
        "SHOP_ACCOUNTS": str(installation.accounts_file),
    }
    log = os.open(installation.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            ["node", str(SHOP / "server.js")],
            env=environment,
            cwd=installation.data_dir,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)


def wait_ready(
    installation: VendureInstallation,
    url: str,
    process: subprocess.Popen[bytes],
    within_s: float = 120,
) -> None:
    """Wait until the account that is made last can log in. DomainError when it never can."""

    def is_ready() -> bool:
        try:
            BackOffice(url, **installation.account("platform")).close()
        except DomainError:
            return False
        return True

    wait_until(is_ready, process, within_s)
