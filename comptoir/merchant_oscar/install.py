"""Installs the merchant's shop into a data folder: own interpreter, database, accounts.

In: an empty or half-made folder. Out: a shop ready to start. Doing it again does only what is
missing, so a kill in the middle costs nothing; two at once wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kernel.errors import DomainError

HERE = Path(__file__).parent
SHOP = HERE / "shop"
LOCK = HERE / "requirements.lock"
PLATFORM_USER = "comptoir"
ADMIN_USER = "admin"
VENV_STAMP = "venv.done"
DATABASE_STAMP = "database.done"
DATABASE = "shop.sqlite3"

Report = Callable[[str], None]


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
    with _alone(data_dir / "install.lock"):
        _write_secrets(installation)
        _step(
            data_dir / VENV_STAMP,
            _venv_fingerprint(),
            lambda: _make_interpreter(installation, python or Path(sys.executable), report),
        )
        _step(
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
    return _is_done(data_dir / VENV_STAMP, _venv_fingerprint()) and _is_done(
        data_dir / DATABASE_STAMP, _database_fingerprint()
    )


@contextmanager
def _alone(lock_file: Path) -> Iterator[None]:
    with lock_file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Our commands hold the lock with us: when we are killed, the next install waits for the
        # command that goes on alone, instead of running beside it on the same database.
        os.set_inheritable(handle.fileno(), True)
        yield


def _fingerprint(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _venv_fingerprint() -> str:
    return _fingerprint([LOCK])


def _database_fingerprint() -> str:
    return _fingerprint([LOCK, *sorted(SHOP.rglob("*.py"))])


def _is_done(stamp: Path, fingerprint: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint


def _step(stamp: Path, fingerprint: str, work: Callable[[], None]) -> None:
    """Do the work unless its stamp says that the same work is done. The stamp comes last."""
    if _is_done(stamp, fingerprint):
        return
    stamp.unlink(missing_ok=True)
    work()
    _write_whole(stamp, fingerprint)


def _write_whole(file: Path, text: str, mode: int = 0o644) -> None:
    """Write so that a kill leaves the old file or the new one, never half of one."""
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(file)


def _write_secrets(installation: OscarInstallation) -> None:
    secret = installation.data_dir / "django-secret"
    if not secret.is_file():
        _write_whole(secret, secrets.token_urlsafe(48), 0o600)
    if not installation.accounts_file.is_file():
        accounts = {
            role: {
                "username": name,
                "email": f"{name}@shop.example",
                "password": secrets.token_urlsafe(24),
            }
            for role, name in (("admin", ADMIN_USER), ("platform", PLATFORM_USER))
        }
        _write_whole(installation.accounts_file, json.dumps(accounts, indent=1), 0o600)


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
    _run([uv, "venv", "--clear", "--python", str(base), venv], environment)
    _run(
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
    _run(
        [str(installation.python), str(SHOP / "manage.py"), "prepare_shop"],
        installation.environment(),
    )


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        env=environment,
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
