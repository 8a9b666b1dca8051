"""Second-hand goods: many pieces of one article, each with a grade, photos, text of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Database
from kernel.offer_terms import Condition, Grade
from mdm.catalogue import product_views
from mdm.normalise.grades import grade_of
from mdm.normalise.terms import condition_of
from mdm.unique_items import seat
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import load, merchants, products, raw

PHONE = "Norvalis Lumen 6 Smartphone 128 GB black"
CODE = ("4006381333931",)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("stated", "condition", "grade"),
    [
        ("new", "new", None),
        (None, "new", None),
        ("Comme neuf", "used", Grade.LIKE_NEW),
        ("Open box", "used", Grade.LIKE_NEW),
        ("wie neu", "used", Grade.LIKE_NEW),
        ("B-Ware", "used", Grade.LIKE_NEW),
        ("Used - Very Good", "used", Grade.VERY_GOOD),
        ("Occasion - très bon état", "used", Grade.VERY_GOOD),
        ("gebraucht, sehr guter Zustand", "used", Grade.VERY_GOOD),
        ("Bon état", "used", Grade.GOOD),
        ("used - good", "used", Grade.GOOD),
        ("gut", "used", Grade.GOOD),
        ("État correct", "used", Grade.ACCEPTABLE),
        ("used_acceptable", "used", Grade.ACCEPTABLE),
        ("stark gebraucht", "used", Grade.ACCEPTABLE),
        ("For parts or not working", "used", Grade.FOR_PARTS),
        ("Hors service", "used", Grade.FOR_PARTS),
        ("defekt", "used", Grade.FOR_PARTS),
        ("https://schema.org/DamagedCondition", "used", Grade.FOR_PARTS),
        ("Refurbished - Excellent", "refurbished", Grade.VERY_GOOD),
        ("refurbished", "refurbished", Grade.UNKNOWN),
        ("used", "used", Grade.UNKNOWN),
        ("Zustand 4711", "used", Grade.UNKNOWN),
    ],
)
def test_merchants_words_on_one_scale(
    stated: str | None, condition: str, grade: Grade | None
) -> None:
    read, _ = condition_of(stated, PHONE)
    assert read == condition
    assert grade_of(read, stated, {}, PHONE)[0] == grade


@pytest.mark.parametrize(
    ("attributes", "title", "grade", "note"),
    [
        ({"grade": "A"}, PHONE, Grade.VERY_GOOD, None),
        ({"grade": "Grade B"}, PHONE, Grade.GOOD, None),
        ({"zustand": "sehr gut"}, PHONE, Grade.VERY_GOOD, None),
        ({"etat": "bon"}, PHONE, Grade.GOOD, None),
        ({"grade": "Z9"}, PHONE, Grade.UNKNOWN, "grade_unknown:Z9"),
        ({}, PHONE + " - très bon état", Grade.VERY_GOOD, None),
        ({}, "Good Night lamp", Grade.UNKNOWN, None),
    ],
)
def test_a_grade_in_its_own_field_or_in_the_title(
    attributes: dict[str, str], title: str, grade: Grade, note: str | None
) -> None:
    assert grade_of(Condition.USED, "used", attributes, title) == (grade, note)


@given(st.text(max_size=400), st.text(max_size=400), st.sampled_from(list(Condition)))
def test_no_words_break_it(stated: str, title: str, condition: Condition) -> None:
    grade, _ = grade_of(condition, stated, {"grade": stated}, title)
    assert (grade is None) == (condition is Condition.NEW)
    assert grade is not Grade.NEW


def test_a_merchant_has_many_pieces_of_one_article(database: Database) -> None:
    merchants(database, "attic", "shop")
    load(database, "shop", [raw("new", PHONE, gtins=CODE, image_urls=("https://shop.example/n.jpg",),
                                description="A telephone.")])  # fmt: skip
    pieces = [
        raw(
            f"u{number}", PHONE, f"{200 - number}.00", gtins=CODE, quantity=1, condition=words,
            attributes=(("Zustand", words),), description=f"Piece {number}", image_urls=(f"https://attic.example/{number}.jpg",),
        )
        for number, words in enumerate(("très bon état", "bon état", "bon état", "occasion"))
    ]  # fmt: skip
    load(database, "attic", pieces)
    assert len(set(products(database).values())) == 1
    with database.platform() as tx:
        (view,) = product_views(tx, [products(database)["shop/new"]])
    assert view.image_urls == ("https://shop.example/n.jpg",)
    assert set(view.descriptions.values()) == {"A telephone."}
    assert "zustand" not in view.attributes
    used = sorted((each for each in view.offers if each.condition == "used"), key=lambda e: e.sku)
    assert [each.grade for each in used] == [
        Grade.VERY_GOOD, Grade.GOOD, Grade.GOOD, Grade.UNKNOWN,
    ]  # fmt: skip
    assert [each.image_urls for each in used] == [
        (f"https://attic.example/{number}.jpg",) for number in range(4)
    ]
    assert [each.description for each in used] == [f"Piece {number}" for number in range(4)]
    (new,) = [each for each in view.offers if each.condition == "new"]
    assert (new.grade, new.image_urls, new.description) == (None, (), None)


def test_a_merchant_has_one_refurbished_article_of_each_grade(database: Database) -> None:
    merchants(database, "renew")
    load(
        database,
        "renew",
        [
            raw("a", PHONE, gtins=CODE, condition="refurbished - excellent"),
            raw("b", PHONE, gtins=CODE, condition="refurbished - good"),
            raw("c", PHONE, gtins=CODE, condition="refurbished - good"),
        ],
    )
    places = products(database)
    assert places["renew/b"] != places["renew/c"]
    assert places["renew/a"] in (places["renew/b"], places["renew/c"])


def test_seats() -> None:
    assert seat("new", None, "off_1") == seat("new", None, "off_2")
    assert seat("used", "good", "off_1") != seat("used", "good", "off_2")
    assert seat("refurbished", "good", "off_1") == seat("refurbished", "good", "off_2")
    assert seat("refurbished", None, "off_1") != seat("refurbished", "good", "off_2")
