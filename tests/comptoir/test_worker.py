"""The worker: what it looks at, and what it leaves alone."""

from __future__ import annotations

import structlog
from pydantic import SecretStr

from comptoir.installation import Installation
from comptoir.worker import purchase_looks
from kernel.settings import Settings
from tests.conftest import fresh_database


def test_where_nothing_can_be_bought_that_is_said_once_and_nothing_is_looked_at(
    postgres_url: str,
) -> None:
    installation = Installation(Settings(database_url=fresh_database(postgres_url)))
    with structlog.testing.capture_logs() as said:
        assert purchase_looks(installation) == ()
    (line,) = said
    assert line["log_level"] == "warning"
    assert "PAYMENT_API_KEY" in line["hint"]


def test_where_something_can_be_bought_purchases_are_looked_at(postgres_url: str) -> None:
    keys = {name: SecretStr("1") for name in ("payment_api_key", "payment_webhook_secret")}
    installation = Installation(Settings(database_url=fresh_database(postgres_url), **keys))
    with structlog.testing.capture_logs() as said:
        assert len(purchase_looks(installation)) == 3
    assert said == []
