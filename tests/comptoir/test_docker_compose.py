"""docker-compose.yml means what a Docker engine would make of it: anchors, references, ports.

No engine runs in the tests, so the file is resolved here as `docker compose config` would.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from comptoir.brand_gate import HEALTH
from comptoir.cli import COMMANDS
from kernel.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ROLES = {"shop", "backoffice", "worker"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    values = {name: f"value-of-{name}" for name in re.findall(r"\$\{(\w+)", text)}
    resolved = re.sub(r"\$\{(\w+)(?::[?-][^}]*)?\}", lambda found: values[found[1]], text)
    loaded: dict[str, Any] = yaml.safe_load(resolved)
    return loaded


def test_the_three_stores_and_the_three_roles_are_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == ROLES | {"postgres", "elasticsearch", "redis", "migrate"}


def test_every_dependency_exists_and_can_meet_its_condition(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services, f"{name} depends on {needed}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed], f"{needed} has no health check"


def test_every_volume_is_declared(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in compose["volumes"], f"{name}: {volume}"


def test_roles_run_commands_that_exist_with_settings_that_exist(compose: dict[str, Any]) -> None:
    known = {field.upper() for field in Settings.model_fields}
    for role in ROLES:
        service = compose["services"][role]
        assert service["command"] == ["comptoir", "serve", "--role", role]
        assert set(service["environment"]) <= known, role
    assert compose["services"]["migrate"]["command"][1] in COMMANDS


def test_ports_are_published_on_loopback_only_and_nothing_is_secret(
    compose: dict[str, Any],
) -> None:
    for service in compose["services"].values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), port
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for line in text.splitlines():
        if re.search(r"(PASSWORD|KEY|SECRET)\s*:", line):
            assert "${" in line, f"a secret is written out: {line.strip()}"


def test_health_checks_ask_what_answers_under_an_address(compose: dict[str, Any]) -> None:
    """No brand has the name under which a container asks itself."""
    for role, port in (("shop", 8000), ("backoffice", 8001)):
        (command,) = (
            part for part in compose["services"][role]["healthcheck"]["test"] if "(" in part
        )
        assert f"http://127.0.0.1:{port}{HEALTH}" in command
        assert Settings.model_fields[f"{role}_port"].default == port


def test_the_guide_names_every_value_that_the_file_wants() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    guide = (ROOT / "docs" / "guides" / "operations.md").read_text("utf-8")
    (named,) = re.findall(r"^```\n(POSTGRES_PASSWORD=.*?)^```", guide, re.MULTILINE | re.DOTALL)
    told = {line.partition("=")[0] for line in named.splitlines()}
    assert set(re.findall(r"\$\{(\w+):\?", text)) <= told <= set(re.findall(r"\$\{(\w+)", text))
