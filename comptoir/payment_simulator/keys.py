"""A platform's key and webhook secret, kept in the simulator's folder.

Light on purpose: the demonstration reads them before the simulator runs.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

DEFAULT_PLATFORM = "comptoir"


@dataclass(frozen=True, slots=True)
class Platform:
    """Who may call: its name, its key, and the secret that signs the notices to it."""

    name: str
    api_key: str
    webhook_secret: str


def platform_keys(data_dir: Path) -> Platform:
    """The platform's key and secret, drawn once and kept in the folder for its owner alone."""
    data_dir.mkdir(parents=True, exist_ok=True)
    file = data_dir / "platform.json"
    if not file.is_file():
        part = data_dir / f"platform.{os.getpid()}.part"
        drawn = {
            "api_key": f"sim_{secrets.token_urlsafe(32)}",
            "webhook_secret": f"whsec_{secrets.token_urlsafe(32)}",
        }
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(drawn, handle)
        try:
            # Never over keys that another process has drawn in the meantime.
            os.link(part, file)
        except FileExistsError:
            pass
        finally:
            part.unlink()
    kept = json.loads(file.read_text(encoding="utf-8"))
    return Platform(DEFAULT_PLATFORM, kept["api_key"], kept["webhook_secret"])
