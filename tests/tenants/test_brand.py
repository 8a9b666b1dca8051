"""A brand document is accepted whole or refused by the name of what is wrong."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kernel.errors import DomainError
from tenants.brand import brand_from, read_brand_file

BUNDLED = sorted((Path(__file__).resolve().parents[2] / "tenants" / "bundled").glob("*.toml"))


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(tomllib.loads(BUNDLED[0].read_text("utf-8")))


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_every_bundled_brand_is_complete(path: Path) -> None:
    document, terms = read_brand_file(path)
    brand = brand_from(document)
    assert brand.id == path.stem
    assert len(terms) > 500
    assert brand.shows("any-merchant")


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("id", "Not A Brand", "id"),
        ("hosts", ["http://x"], "hosts"),
        ("hosts", [], "hosts"),
        ("languages", ["fr", "klingon"], "languages"),
        ("country", "France", "country"),
        ("currency", "EURO", "currency"),
        ("timezone", "Europe/Nowhere", "timezone"),
        ("name", "", "name"),
        ("theme", "blue", "theme"),
        ("surprise", 1, "surprise"),
    ],
)
def test_what_is_wrong_is_named(
    document: dict[str, Any], key: str, value: object, named: str
) -> None:
    document[key] = value
    with pytest.raises(DomainError, match=named):
        brand_from(document)


def test_what_is_missing_is_named(document: dict[str, Any]) -> None:
    del document["currency"]
    with pytest.raises(DomainError, match="currency: missing"):
        brand_from(document)


def test_a_ranking_that_is_not_offered_is_refused(document: dict[str, Any]) -> None:
    document["ranking"] = {"offers": "highest_commission"}
    with pytest.raises(DomainError, match="total_price"):
        brand_from(document)


def test_a_brand_with_a_list_of_merchants_shows_only_those(document: dict[str, Any]) -> None:
    document["catalogue"] = {"merchants": ["lumiporte", "bigfeed"]}
    brand = brand_from(document)
    assert brand.shows("lumiporte")
    assert brand.shows("bigfeed/seller-7")
    assert not brand.shows("werkkontor")


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("id = ")
    with pytest.raises(DomainError, match=r"broken\.toml"):
        read_brand_file(file)
