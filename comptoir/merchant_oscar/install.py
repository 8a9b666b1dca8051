"""Installs the merchant's shop into a data folder: own interpreter, database, accounts.

In: an empty or half-made folder. Out: a shop ready to start. Doing it again does only what is
missing, so a kill in the middle costs nothing; two at once wait for each other.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from comptoir.shop_install import (
    Report,
    alone,
    fingerprint,
    is_done,
    run,
    step,
    write_whole,
)
from kernel.errors import DomainError

HERE = Path(__file__).parent
SHOP = HERE / "shop"
LOCK = HERE / "requirements.lock"
PLATFORM_USER = "comptoir"
ADMIN_USER = "admin"
VENV_STAMP = "venv.done"
DATABASE_STAMP = "database.done"
DATABASE = "shop.sqlite3"


@dataclass(frozen=True, slots=True)
class OscarInstallation:
    """Where the shop lies. `data_dir` holds all of it: interpreter, database, secrets, logs."""

    data_dir: Path

    @property
    def python(self) -> Path:
        """The shop's own interpreter."""
        return self.data_dir / "venv" / "bin" / "python"

    @property
    def log_file(self) -> Path:
        """What the server wrote."""
        return self.data_dir / "shop.log"

    @property
    def accounts_file(self) -> Path:
        """Users and passwords, readable by the owner alone."""
        return self.data_dir / "accounts.json"

    def password(self, role: str) -> str:
        """The password of the `admin` or the `platform` account."""
        accounts = json.loads(self.accounts_file.read_text(encoding="utf-8"))
        return str(accounts[role]["password"])

    def environment(self) -> dict[str, str]:
        """The environment of the shop's processes: ours without what would lead Python astray."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DJANGO_"))}
        return kept | {
            "OSCAR_SHOP_DATA": str(self.data_dir),
            "DJANGO_SETTINGS_MODULE": "merchant.settings",
            "PYTHONPATH": str(SHOP),
            "PYTHONPYCACHEPREFIX": str(self.data_dir / "bytecode"),
        }


def install_shop(data_dir: Path, python: Path | None, report: Report) -> OscarInstallation:
    """Install or complete the shop in `data_dir`, telling each step to `report`.

    `python` is the interpreter to build on (None: this one). Raises DomainError with the end of the
    failing command's output.
    """
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    installation = OscarInstallation(data_dir)
    with alone(data_dir / "install.lock"):
        _write_secrets(installation)
        step(
            data_dir / VENV_STAMP,
            _venv_fingerprint(),
            lambda: _make_interpreter(installation, python or Path(sys.executable), report),
        )
        step(
            data_dir / DATABASE_STAMP,
            _database_fingerprint(),
            lambda: _make_database(installation, report),
        )
    return installation


def clone_shop(installation: OscarInstallation, data_dir: Path) -> OscarInstallation:
    """Another shop with its own database in `data_dir`, on the same interpreter and accounts."""
    data_dir.mkdir(parents=True)
    for shared in ("venv", "bytecode"):
        (data_dir / shared).symlink_to(installation.data_dir / shared)
    for file in ("django-secret", "accounts.json"):
        shutil.copy2(installation.data_dir / file, data_dir / file)
    # SQLite's own copy is whole even while the shop is open.
    with (
        closing(sqlite3.connect(installation.data_dir / DATABASE)) as origin,
        closing(sqlite3.connect(data_dir / DATABASE)) as copy,
    ):
        origin.backup(copy)
    return OscarInstallation(data_dir)


def is_installed(data_dir: Path) -> bool:
    """True where a complete shop of this version lies in the folder."""
    return is_done(data_dir / VENV_STAMP, _venv_fingerprint()) and is_done(
        data_dir / DATABASE_STAMP, _database_fingerprint()
    )


def _venv_fingerprint() -> str:
    return fingerprint([LOCK])


def _database_fingerprint() -> str:
    return fingerprint([LOCK, *sorted(SHOP.rglob("*.py"))])


def _write_secrets(installation: OscarInstallation) -> None:
    secret = installation.data_dir / "django-secret"
    if not secret.is_file():
        write_whole(secret, secrets.token_urlsafe(48), 0o600)
    if not installation.accounts_file.is_file():
        accounts = {
            role: {
                "username": name,
                "email": f"{name}@shop.example",
                "password": secrets.token_urlsafe(24),
            }
            for role, name in (("admin", ADMIN_USER), ("platform", PLATFORM_USER))
        }
        write_whole(installation.accounts_file, json.dumps(accounts, indent=1), 0o600)


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise DomainError(
            "uv_missing",
            "The shop cannot be installed: uv is not there.",
            hint=f"Install uv beside {sys.executable} (make setup does).",
        )
    return found


def _make_interpreter(installation: OscarInstallation, base: Path, report: Report) -> None:
    """A fresh virtual environment with exactly the locked packages."""
    report("django-oscar: installing its packages")
    cache = installation.data_dir / "download-cache"
    environment = installation.environment() | {"UV_CACHE_DIR": str(cache)}
    # Without this a fallback to another interpreter would be fetched, outside the data folder.
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    venv = str(installation.data_dir / "venv")
    uv = _uv()
    run([uv, "venv", "--clear", "--python", str(base), venv], environment)
    run(
        [
            *(uv, "pip", "sync", "--python", str(installation.python), "--require-hashes"),
            *("--link-mode", "hardlink", str(LOCK)),
        ],
        environment,
    )
    shutil.rmtree(cache, ignore_errors=True)


def _make_database(installation: OscarInstallation, report: Report) -> None:
    """Tables, countries, accounts. Django resumes where an earlier try stopped."""
    report("django-oscar: preparing its database")
    run(
        [str(installation.python), str(SHOP / "manage.py"), "prepare_shop"],
        installation.environment(),
    )
