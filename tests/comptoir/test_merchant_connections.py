"""What each merchant's connector is given: its record, our account there, and who we are."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkout.merchant_connectors import connector_names
from checkout.merchant_connectors.acp import AcpConnector
from checkout.merchant_connectors.ucp import UcpConnector
from checkout.platform_profile import connector_settings, key_file
from comptoir.merchant_accounts import write_account
from comptoir.merchant_connections import connections
from kernel.errors import DomainError
from kernel.settings import Settings
from mdm.merchants import Merchant


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
