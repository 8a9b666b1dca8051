"""A merchant's TOML: what it gives, and what its errors say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import comptoir
from crawlers.merchant_file import (
    feed_format,
    feed_options,
    merchant_of,
    read_merchant_file,
    source_url,
)
from kernel.errors import DomainError
from kernel.money import Money

WHOLE: dict[str, Any] = {
    "id": "werkhof", "name": "Werkhof", "country": "DE", "languages": ["de"],
    "website": "https://werkhof.example", "returns_days": 14,
    "source": {
        "format": "csv", "path": "/export.csv", "decimal": ",", "currency": "EUR",
        "mapping": {"sku": "Nr", "title": "Name", "price": "Preis"},
    },
    "orders": {"execution": "execute", "connector": "oscar", "settings": {"base_url": "x"}},
    "default_delivery": {"DE": 495},
}  # fmt: skip


def test_a_whole_file_gives_a_merchant_and_how_to_read_it() -> None:
    merchant = merchant_of(WHOLE, "werkhof.toml")
    assert (merchant.id, merchant.currency, merchant.decimal) == ("werkhof", "EUR", ",")
    assert (merchant.connector, merchant.connector_settings) == ("oscar", {"base_url": "x"})
    assert merchant.default_delivery[0].price == Money(495, "EUR")
    assert feed_format(merchant) == "csv_mapping"
    options = feed_options(merchant)
    assert (options.language, options.decimal) == ("de", ",")
    assert options.mapping is not None
    assert source_url(merchant) == "https://werkhof.example/export.csv"
    assert source_url(merchant, "http://127.0.0.1:8002") == "http://127.0.0.1:8002/export.csv"
    moved = replace(merchant, source={**merchant.source, "url": "https://x.example/f"})
    assert source_url(moved) == "https://x.example/f"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"id": "Werk Hof"}, "id"),
        ({"name": None}, "name"),
        ({"country": "Germany"}, "country"),
        ({"languages": "de"}, "languages"),
        ({"returns_days": -1}, "returns_days"),
        ({"source": []}, "source"),
        ({"source": {"format": "fax"}}, "source.format"),
        ({"source": {"currency": "EURO"}}, "source.currency"),
        ({"source": {"mapping": {"title": "x"}}}, "mapping.sku"),
        ({"source": {"colour": "x"}}, "colour"),
        ({"orders": {"execution": "magic"}}, "orders.execution"),
        ({"default_delivery": {"DE": 4.95}}, "default_delivery.DE"),
    ],
)
def test_an_error_names_the_key_and_what_is_expected(change: dict[str, Any], key: str) -> None:
    with pytest.raises(DomainError) as refused:
        merchant_of({**WHOLE, **change}, "werkhof.toml")
    assert f"{key}: expected" in refused.value.message


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("id = ")
    with pytest.raises(DomainError) as refused:
        read_merchant_file(path)
    assert refused.value.message.startswith("broken.toml")


def test_a_source_without_an_address_says_so() -> None:
    merchant = merchant_of({**WHOLE, "source": {"format": "push"}}, "x")
    with pytest.raises(DomainError) as refused:
        source_url(merchant)
    assert "source.url" in refused.value.message


def test_the_demo_merchants_are_readable() -> None:
    folder = Path(comptoir.__file__).parent / "demo_market" / "merchants"
    merchants = [read_merchant_file(path) for path in sorted(folder.glob("*.toml"))]
    assert {merchant.id for merchant in merchants} >= {
        "atelier-boreal", "lumiporte", "maison-oscar", "werkkontor",
    }  # fmt: skip
