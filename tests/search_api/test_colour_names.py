"""Colours asked for in one language, of products that are described in another."""

from __future__ import annotations

import pytest

from search_api.query import read_query
from search_api.search import Shop
from search_api.understanding.colour_names import colour_readings, colours_denied
from tenants.brand import Brand
from tests.indexer.documents import document
from tests.search_api.shop_at_hand import bundled_brand, shop_of

TOASTER = 762


@pytest.fixture(scope="module")
def brand() -> Brand:
    return bundled_brand("taktwerk")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, brand: Brand) -> Shop:
    rows = [
        document("prd_red", "Grille-pain Duo rouge", language="fr", category=TOASTER,
                 attributes={"colour": "red"}),
        document("prd_black", "Grille-pain Duo noir", language="fr", category=TOASTER,
                 attributes={"colour": "black"}),
        document("prd_schw", "Toaster Duo schw.", language="de", category=TOASTER,
                 attributes={"colour": "black"}),
        document("prd_plain", "Toaster Duo", language="de", category=TOASTER),
        *(document(f"prd_{n}", f"Toaster Duo {n} weiß", language="de", category=TOASTER,
                   attributes={"colour": "white"}) for n in range(6)),
    ]  # fmt: skip
    return shop_of(rows, brand, "de", tmp_path_factory.mktemp("colours"))


def ids(shop: Shop, brand: Brand, text: str, language: str) -> list[str]:
    answer = shop.search(read_query([("q", text)], brand.currency), brand, language)
    return [row.id for row in answer.products]


@pytest.mark.parametrize(
    ("text", "language", "colour"),
    [
        ("toaster rot", "de", "red"), ("schwarzer toaster", "de", "black"),
        ("Toaster weißen", "de", "white"), ("bouilloire dorée", "fr", "gold"),
        ("gray kettle", "en", "grey"),
        # The name of attributes itself, and words that are more than a colour's plain name.
        ("red toaster", "en", None), ("encre jet 300", "fr", None), ("menthe", "fr", None),
        # `rose` is pink to readers of French alone, `rot` is red in German.
        ("english rose", "en", None), ("rot", "fr", None),
    ],
)  # fmt: skip
def test_a_colour_is_read_as_attributes_state_it(
    text: str, language: str, colour: str | None
) -> None:
    found = [row.text for rows in colour_readings(text, language).values() for row in rows]
    assert found == ([colour] if colour else [])


def test_a_colour_is_found_whatever_language_the_title_is_in(shop: Shop, brand: Brand) -> None:
    assert ids(shop, brand, "toaster rot", "de")[0] == "prd_red"
    assert set(ids(shop, brand, "schwarzer toaster", "de")[:2]) == {"prd_black", "prd_schw"}


def test_a_colour_that_is_denied_is_refused_in_every_language(shop: Shop, brand: Brand) -> None:
    assert "schwarz" in colours_denied("toaster pas noir", "fr")[1]
    assert colours_denied("casque sans fil", "fr") == {}
    found = ids(shop, brand, "toaster nicht schwarz", "de")
    assert {"prd_red", "prd_plain", "prd_0"} <= set(found)
    assert not {"prd_black", "prd_schw"} & set(found)
