"""READ_ONLY: everything is shown, nothing is changed, and whoever asks for a change is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from comptoir.backoffice import create_backoffice
from comptoir.cli import cli
from comptoir.installation import Installation
from comptoir.roles import serve
from comptoir.shop import create_shop
from kernel.db import Database, refused_writing
from kernel.errors import DomainError
from kernel.settings import Settings
from mdm.merchants import Merchant, register_merchant
from tenants.brand import read_brand_file
from tenants.merchant_keys import create_key
from tenants.query_log import signing_key
from tenants.registry import apply_brand
from tests.comptoir.test_every_route import calls, visitor, written
from tests.conftest import fresh_database

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"


@pytest.fixture
def resting(postgres_url: str, tmp_path: Path) -> tuple[Installation, str]:
    """An installation that has served before, now told to change nothing; a merchant's key."""
    url = fresh_database(postgres_url)
    database = Database(url)
    with database.platform() as tx:
        apply_brand(tx, *read_brand_file(BUNDLED / "mirabelle.toml"))
        signing_key(tx)
        register_merchant(tx, Merchant(id="norden", name="Norden", country="FR"))
        key = create_key(tx, "norden")
    database.close()
    settings = Settings(
        comptoir_data=tmp_path,
        database_url=url,
        payment_url="http://127.0.0.1:9",
        payment_api_key="key",
        payment_webhook_secret="secret",
        read_only=True,
    )
    return Installation(settings), key


def test_no_route_writes_and_none_breaks(resting: tuple[Installation, str]) -> None:
    installation, key = resting
    before = written(installation)
    broken = []
    for app in (create_shop(installation), create_backoffice(installation)):
        with visitor(app, {"authorization": f"Bearer {key}", "idempotency-key": "1"}) as client:
            for method, address in calls(app):
                status = client.request(method, address, json=None).status_code
                if status == 500:
                    broken.append((method, address))
    assert broken == []
    assert written(installation) == before


def test_a_push_is_refused_and_may_be_made_again(resting: tuple[Installation, str]) -> None:
    installation, key = resting
    with visitor(create_backoffice(installation), {"authorization": f"Bearer {key}"}) as client:
        answer = client.post(
            "/v1/merchants/offers",
            headers={"idempotency-key": "a"},
            json={"offers": [{"sku": "A", "title": "Lamp", "price": "9.90", "currency": "EUR"}]},
        )
    assert answer.status_code == 503
    assert answer.json()["code"] == "read_only"
    assert int(answer.headers["retry-after"]) > 0


def test_the_database_itself_refuses(resting: tuple[Installation, str]) -> None:
    """Whatever a route does: it is not left to the routes."""
    installation, _ = resting
    with pytest.raises(sa.exc.DBAPIError) as refused, installation.database.platform() as tx:
        tx.execute(sa.text("UPDATE tenants.brand SET brand_id = brand_id"))
    assert refused_writing(refused.value)
    assert not refused_writing(ValueError("no"))


def test_no_worker_is_served_and_commands_say_why(
    resting: tuple[Installation, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, _ = resting
    monkeypatch.setenv("READ_ONLY", "true")
    monkeypatch.setenv("DATABASE_URL", installation.url)
    monkeypatch.setenv("COMPTOIR_DATA", str(installation.settings.data))
    with pytest.raises(DomainError, match="READ_ONLY"):
        serve("worker")
    assert CliRunner().invoke(cli, ["brand", "list"]).exit_code == 0
    failed = CliRunner().invoke(cli, ["merchant", "key", "norden"]).exception
    assert failed is not None
