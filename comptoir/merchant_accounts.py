"""Our accounts at merchants' own systems: files in `<data>/secrets/`, never rows.

`<merchant>.toml` holds `username`, `password` and, for merchants that sign their notices with a
shared secret, `webhook_secret`; it is readable by its owner only.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from kernel.errors import DomainError


def account_file(data: Path, merchant_id: str) -> Path:
    """Where the account at a merchant is kept."""
    return data / "secrets" / f"{merchant_id.replace('/', '-')}.toml"


def read_account(data: Path, merchant_id: str) -> Mapping[str, str]:
    """The account at a merchant; empty where none is kept. Refuses a file that others can read."""
    file = account_file(data, merchant_id)
    if not file.is_file():
        return {}
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DomainError(
            "secret_exposed",
            f"{file} can be read by other users of this machine.",
            hint=f"chmod 600 {file}",
            status=503,
        )
    try:
        return {key: str(value) for key, value in tomllib.loads(file.read_text("utf-8")).items()}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DomainError("secret_unreadable", f"{file}: {error}", status=503) from error


def write_account(
    data: Path, merchant_id: str, username: str, password: str, webhook_secret: str | None = None
) -> None:
    """Keep an account at a merchant, for its owner's eyes only; what is not given stays."""
    file = account_file(data, merchant_id)
    kept = {**read_account(data, merchant_id), "username": username, "password": password}
    if webhook_secret is not None:
        kept["webhook_secret"] = webhook_secret
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        # A JSON text is a basic string of TOML, whatever is in it.
        stream.writelines(
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in kept.items()
        )
