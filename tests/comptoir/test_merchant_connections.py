"""What each merchant's connector is given: its record, our account there, and who we are."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from checkout.merchant_connectors import connector_names
from checkout.merchant_connectors.acp import AcpConnector
from checkout.merchant_connectors.ucp import UcpConnector
from checkout.platform_profile import connector_settings, key_file
from comptoir.commands.merchant import command
from comptoir.merchant_accounts import account_file, read_account, write_account
from comptoir.merchant_connections import connections
from kernel.db import Database
from kernel.errors import DomainError
from kernel.settings import Settings
from mdm.merchants import Merchant
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import merchants


def merchant(name: str, connector: str | None, **settings: str) -> Merchant:
    return Merchant(name, name.title(), "FR", connector=connector, connector_settings=settings)


def test_a_ucp_merchant_is_signed_to_with_the_key_of_this_installation(tmp_path: Path) -> None:
    settings = Settings(comptoir_data=tmp_path, public_url="https://shop.example/")
    opened = connections(settings)
    acme = merchant("acme", "ucp", url="https://acme.example")
    connector = opened(acme)
    assert isinstance(connector, UcpConnector)
    assert opened(acme) is connector
    assert key_file(settings).is_file()
    given = connector_settings(settings, "market/acme")["platform_profile"]
    assert given == "https://shop.example/.well-known/ucp?merchant=market%2Facme"


def test_an_acp_merchant_is_met_with_our_account_there(tmp_path: Path) -> None:
    write_account(tmp_path, "acme", "unused", "the key")
    opened = connections(Settings(comptoir_data=tmp_path))
    connector = opened(merchant("acme", "acp", url="https://acme.example/acp"))
    assert isinstance(connector, AcpConnector)


def test_who_has_no_connector_takes_no_orders_here(tmp_path: Path) -> None:
    opened = connections(Settings(comptoir_data=tmp_path))
    for name, code in [(None, "merchant_not_connected"), ("no-such", "connector_unknown")]:
        with pytest.raises(DomainError) as refusal:
            opened(merchant("acme", name))
        assert refusal.value.code == code
    assert {"ucp", "acp"} < set(connector_names())


def test_an_account_keeps_its_notices_secret_whatever_is_in_it(tmp_path: Path) -> None:
    write_account(tmp_path, "market/acme", "me", 'it\'s "here"\\', "sécret")
    write_account(tmp_path, "market/acme", "you", "another")
    assert read_account(tmp_path, "market/acme") == {
        "username": "you",
        "password": "another",
        "webhook_secret": "sécret",
    }
    write_account(tmp_path, "market/acme", "you", 'it\'s "here"\\', "new")
    assert read_account(tmp_path, "market/acme")["password"] == 'it\'s "here"\\'
    assert account_file(tmp_path, "market/acme").stat().st_mode & 0o777 == 0o600


def test_the_command_asks_for_the_secret_of_notices_only_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    url = fresh_database(postgres_url)
    with closing(Database(url, pool_size=1)) as database:
        merchants(database, "acme")
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", url)
    given = ["account", "acme", "--username", "us", "--password", "key"]
    first = CliRunner().invoke(command, given)
    assert (first.exit_code, "webhook_secret" in read_account(tmp_path, "acme")) == (0, False)
    second = CliRunner().invoke(command, [*given, "--webhook-secret"], input="whsec\n")
    assert second.exit_code == 0, second.output
    assert "whsec" not in second.output
    assert read_account(tmp_path, "acme")["webhook_secret"] == "whsec"
