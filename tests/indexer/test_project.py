"""The projection: what a brand shows of a product."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

import tenants
from indexer.document import ProductDocument
from indexer.embed_text import embed_text
from indexer.project import MAX_PHOTOS, MAX_PIECE, project
from kernel.money import Money
from kernel.offer_terms import Availability, Condition, Execution, Grade
from mdm.product_view import Delivery, OfferView, ProductView, Stated
from tenants.brand import Brand, brand_from, read_brand_file

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def brand() -> Brand:
    """The bundled French brand."""
    folder = Path(tenants.__file__).parent / "bundled"
    return brand_from(read_brand_file(folder / "mirabelle.toml")[0])


def offer_view(**changes: object) -> OfferView:
    base = OfferView(
        offer_id="off_1",
        product_id="prd_1",
        merchant_id="darti",
        merchant_name="Darti",
        sku="A-1",
        title="Lave-linge",
        language="fr",
        url="https://darti.example/1",
        price=Money(39900, "EUR"),
        delivery=(Delivery("FR", Money(1990, "EUR"), days_min=1, days_max=3),),
        condition=Condition.NEW,
        availability=Availability.IN_STOCK,
        quantity=4,
        execution=Execution.EXECUTE,
        returns_days=30,
        updated_at=NOW - timedelta(hours=1),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def view(*offers: OfferView) -> ProductView:
    return ProductView(
        product_id="prd_1",
        version=7,
        titles={"fr": "Lave-linge Nordlys", "de": "Waschmaschine Nordlys"},
        descriptions={"fr": "Silencieux."},
        manufacturer="Nordlys",
        gtins=("04006381333931",),
        mpns=("NL-8",),
        category_id=328,
        attributes={"colour": "white"},
        image_urls=(),
        variant_groups=(),
        offers=offers,
        updated_at=NOW,
    )


def shown(brand: Brand, *offers: OfferView) -> ProductDocument | None:
    return project(view(*offers), brand, NOW)


def test_a_used_piece_is_shown_with_its_own_photos_and_grade(brand: Brand) -> None:
    photos = ("http://attic.example/0.jpg", *(f"https://attic.example/{n}.jpg" for n in range(9)))
    used = offer_view(
        condition=Condition.USED, grade=Grade.GOOD, image_urls=photos, description="x" * 2_000
    )
    document = shown(brand, used)
    assert document is not None
    (line,) = document.offers
    assert line.grade == "good"
    assert line.photos == photos[1 : 1 + MAX_PHOTOS]
    assert line.piece == "x" * MAX_PIECE
    assert document.picture.startswith("/drawings/"), "a piece's photo is not the product's picture"
    assert ProductDocument.from_json(orjson.dumps(document)) == document
    (new,) = shown(brand, offer_view()).offers  # type: ignore[union-attr]
    assert (new.grade, new.photos, new.piece) == (None, (), None)


def test_merchants_that_do_not_agree_are_told_among_those_of_the_brand(brand: Brand) -> None:
    brand = replace(brand, merchants=frozenset(("darti", "mine")))
    disputed = replace(
        view(offer_view()),
        attributes={"colour": "white", "power": "9 W", "base": "oak"},
        conflicts={
            "attributes.power": (Stated("12 W", ("off_2",), ("mine",)),),
            "attributes.colour": (Stated("black", ("off_3",), ("nowhere",)),),
            "attributes.base": (Stated("ash", ("off_2",), ("mine",)),),
        },
    )
    document = project(disputed, brand, NOW)
    assert document is not None
    assert document.disputed == {"power": ("12 W",)}


def test_bar_codes_of_a_shop_are_looked_up_like_its_article_numbers(brand: Brand) -> None:
    seen = replace(view(offer_view()), shop_numbers=("2000000000015",))
    document = project(seen, brand, NOW)
    assert document is not None
    assert document.skus[-1] == "2000000000015"
    assert "2000000000015" not in document.gtins


def test_total_is_price_and_delivery_to_the_brands_country(brand: Brand) -> None:
    """The cheapest stated delivery to the country counts."""
    options = (
        Delivery("FR", Money(1990, "EUR"), days_min=1, days_max=2),
        Delivery("FR", Money(490, "EUR"), days_min=3, days_max=5),
        Delivery("DE", Money(0, "EUR")),
    )
    document = shown(brand, offer_view(delivery=options))
    assert document is not None
    (line,) = document.offers
    assert (line.price_minor, line.delivery_minor, line.total_minor) == (39900, 490, 40390)
    assert (line.days_min, line.days_max) == (3, 5)
    assert document.total_minor == 40390
    assert ProductDocument.from_json(document.as_json()) == document


def test_unknown_delivery_is_never_free(brand: Brand) -> None:
    """No statement about delivery: shown, its total unknown."""
    document = shown(brand, offer_view(delivery=()))
    assert document is not None
    assert document.offers[0].total_minor is None
    assert document.total_minor is None


@pytest.mark.parametrize(
    "changes",
    [
        {"price": Money(100, "CHF")},
        {"delivery": (Delivery("DE", Money(0, "EUR")),)},
        {"expires_at": NOW},
        {"expires_at": NOW - timedelta(days=1)},
    ],
)
def test_offers_that_a_brand_does_not_show(brand: Brand, changes: dict[str, object]) -> None:
    """Another currency, delivery elsewhere only, or expired: nothing left, no document."""
    assert shown(brand, offer_view(**changes)) is None
    kept = shown(brand, offer_view(**changes), offer_view(offer_id="off_2"))
    assert kept is not None
    assert [line.offer_id for line in kept.offers] == ["off_2"]


def test_only_the_brands_merchants(brand: Brand) -> None:
    """A brand's list of merchants is its catalogue; sellers of a source count as the source."""
    small = replace(brand, merchants=frozenset({"voltina"}))
    assert shown(small, offer_view()) is None
    seller = shown(small, offer_view(merchant_id="voltina/seller-7"))
    assert seller is not None
    assert seller.merchant_ids == ("voltina/seller-7",)
    assert seller.skus == ("A-1",)


def test_lowest_total_is_that_of_an_available_new_offer(brand: Brand) -> None:
    """A cheaper used or sold-out offer does not set the price, unless there is no other."""
    new = offer_view(offer_id="off_new", price=Money(50000, "EUR"))
    used = offer_view(offer_id="off_used", price=Money(100, "EUR"), condition=Condition.USED)
    sold = offer_view(
        offer_id="off_sold", price=Money(200, "EUR"), availability=Availability.OUT_OF_STOCK
    )
    document = shown(brand, used, sold, new)
    assert document is not None
    assert document.total_minor == 51990
    assert document.availability == "in_stock"
    assert document.conditions == ("new", "used")
    left = shown(brand, used, sold)
    assert left is not None
    assert left.total_minor == 2090


def test_the_text_behind_the_vector(brand: Brand) -> None:
    """Title in the brand's language, maker, kind."""
    document = shown(brand, offer_view())
    assert document is not None
    assert embed_text(document, "fr") == "Lave-linge Nordlys Nordlys Ordinateurs portables"
    assert embed_text(document, "de").startswith("Waschmaschine Nordlys")
