"""Installs the Vendure shop into a data folder: its packages and its accounts.

In: an empty or half-made folder. Out: a shop ready to start. Its data live in memory: each start is
a fresh shop. Doing it again does only what is missing; two at once wait for each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from comptoir.shop_install import (
    Report,
    alone,
    fingerprint,
    install_node_packages,
    is_done,
    step,
    write_accounts,
)

SHOP = Path(__file__).parent / "shop"
PACKAGES_STAMP = "packages.done"
USERNAMES = {"admin": "admin", "platform": "comptoir@shop.example"}


@dataclass(frozen=True, slots=True)
class VendureInstallation:
    """Where the shop lies. `data_dir` holds all of it: packages, accounts, log."""

    data_dir: Path

    @property
    def log_file(self) -> Path:
        """What the server wrote."""
        return self.data_dir / "shop.log"

    @property
    def accounts_file(self) -> Path:
        """Users and passwords, readable by the owner alone."""
        return self.data_dir / "accounts.json"

    def account(self, role: str) -> dict[str, str]:
        """`username` and `password` of the `admin` or the `platform` account."""
        accounts = json.loads(self.accounts_file.read_text(encoding="utf-8"))
        return {key: str(accounts[role][key]) for key in ("username", "password")}


def install_shop(data_dir: Path, report: Report) -> VendureInstallation:
    """Install or complete the shop in `data_dir`, telling each step to `report`.

    Raises DomainError without Node.js, or with the end of the failing command's output.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    installation = VendureInstallation(data_dir)

    def packages() -> None:
        report("Vendure: installing its packages (160 MB, about a minute)")
        install_node_packages(SHOP, data_dir)

    with alone(data_dir / "install.lock"):
        write_accounts(installation.accounts_file, USERNAMES)
        step(data_dir / PACKAGES_STAMP, _fingerprint(), packages)
    return installation


def is_installed(data_dir: Path) -> bool:
    """True where a complete shop of this version lies in the folder."""
    return is_done(data_dir / PACKAGES_STAMP, _fingerprint())


def _fingerprint() -> str:
    return fingerprint([SHOP / "package-lock.json"])
