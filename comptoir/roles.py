"""The three roles of an installation as child processes of one command."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from comptoir.supervisor import Child
from kernel.settings import Settings


def role_child(
    role: str, settings: Settings, environment: Mapping[str, str] | None = None
) -> Child:
    """The process of a role. `environment` adds to ours; the data folder always goes along."""
    ports = {"shop": settings.shop_port, "backoffice": settings.backoffice_port}
    port = ports.get(role)
    return Child(
        name=role,
        arguments=(sys.executable, "-m", "comptoir.cli", "serve", "--role", role),
        environment={"COMPTOIR_DATA": str(settings.data), **(environment or {})},
        log=settings.data / "logs" / f"{role}.log",
        ready_url=f"http://127.0.0.1:{port}/healthz" if port else None,
    )
