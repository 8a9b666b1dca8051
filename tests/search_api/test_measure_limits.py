"""Limits of measures as people write them, and the values of an attribute that they leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_api.answer import SearchAnswer
from search_api.query import read_query
from search_api.search import Shop
from search_api.understanding.measure_limits import amount_of, measure_limits
from tenants.brand import Brand
from tests.indexer.documents import document
from tests.search_api.shop_at_hand import bundled_brand, shop_of

WASHER, LAPTOP = 2549, 328


@pytest.mark.parametrize(
    ("text", "language", "limits", "said"),
    [
        ("lave linge au moins 8 kg", "fr", (8_000, None, "g"), "au moins 8 kg"),
        ("lave linge 8 kg minimum", "fr", (8_000, None, "g"), "8 kg minimum"),
        ("Notebook unter 1,5 kg", "de", (None, 1_500, "g"), "unter 1,5 kg"),
        ("Laptop leichter als 2 kg schwarz", "de", (None, 2_000, "g"), "leichter als 2 kg"),
        ("tente pas plus de 3 kg", "fr", (None, 3_000, "g"), "pas plus de 3 kg"),
        ("tv between 40 and 50 inches", "en", (40, 50, "inch"), "between 40 and 50 inches"),
        ("Rucksack 20 bis 30 Liter", "de", (20_000, 30_000, "ml"), "20 bis 30 Liter"),
        ("lave-linge 7 ou 8 kg", "fr", (7_000, 8_000, "g"), "7 ou 8 kg"),
        ("clé usb plus de 100 go", "fr", (100_000, None, "mb"), "plus de 100 go"),
        ("<2kg laptop", "en", (None, 2_000, "g"), "<2kg"),
        ("tente à moins de 3 kg", "fr", (None, 3_000, "g"), "à moins de 3 kg"),
        # Names, ages, prices, and a measure that nothing limits.
        ("phone 15 pro max 256 gb", "en", None, ""), ("pad 64 gb mini", "en", None, ""),
        ("Spiel ab 12 Jahren", "de", None, ""), ("lampe moins de 40 €", "fr", None, ""),
        ("laptop 16 gb ram 1 tb", "en", None, ""), ("tv between 50 and 40 inches", "en", None, ""),
    ],
)  # fmt: skip
def test_limits_of_a_measure(
    text: str, language: str, limits: tuple[float | None, float | None, str] | None, said: str
) -> None:
    found = measure_limits(text, language)
    assert ((found.low, found.high, found.unit) if found else None) == limits
    assert found is None or text[found.start : found.end] == said


def test_measures_are_compared_in_one_unit() -> None:
    assert amount_of("1190g") == (1_190, "g")
    assert amount_of("1.2kg") == (1_200, "g")
    assert amount_of("wx80") is None
    found = measure_limits("bis 2 kg", "de")
    assert found is not None
    assert [found.allows(each) for each in ("1190g", "2kg", "2150g", "2cm", "x")] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language", "itself"),
    [
        ("unter 8 kg", "de", False), ("höchstens 8 kg", "de", True), ("über 8 kg", "de", False),
        ("nicht über 8 kg", "de", True), ("nicht unter 8 kg", "de", True), ("ab 8 kg", "de", True),
        ("moins de 8 kg", "fr", False), ("pas moins de 8 kg", "fr", True),
        ("plus de 8 kg", "fr", False), ("pas plus de 8 kg", "fr", True),
        ("plus grand que 8 cm", "fr", False), ("jusqu'à 8 kg", "fr", True),
        ("over 8 kg", "en", False), ("not over 8 kg", "en", True), ("more than 8 kg", "en", False),
        ("no more than 8 kg", "en", True), ("no less than 8 kg", "en", True),
        ("<8kg", "en", False), ("<=8kg", "en", True), (">8kg", "en", False), (">=8kg", "en", True),
    ],
)  # fmt: skip
def test_more_than_an_amount_leaves_it_out(text: str, language: str, itself: bool) -> None:
    found = measure_limits(text, language)
    assert found is not None
    assert found.allows("8cm" if "cm" in text else "8kg") == itself


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    found = measure_limits(text, "fr")
    assert found is None or 0 <= found.start < found.end <= len(text)


@pytest.fixture(scope="module")
def brand() -> Brand:
    return bundled_brand("mirabelle")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, brand: Brand) -> Shop:
    contents = {"content": "900 g"}
    rows = [
        document(f"prd_w{kilos}", f"Lave-linge Hydranor {kilos} kg", language="fr", category=WASHER,
                 attributes={"capacity_kg": f"{kilos} kg"} | (contents if kilos == 7 else {}))
        for kilos in (6, 7, 8, 9, 10, 11)
    ]  # fmt: skip
    rows += [
        document(f"prd_l{memory}_{storage}", f"Ordinateur portable Note {memory}",
                 language="fr", category=LAPTOP,
                 attributes={"memory": f"{memory} GB", "capacity": f"{storage} GB"})
        for memory in (8, 16, 32) for storage in (256, 512)
    ]  # fmt: skip
    return shop_of(rows, brand, "fr", tmp_path_factory.mktemp("limits"))


def ask(shop: Shop, brand: Brand, text: str, **more: str) -> SearchAnswer:
    return shop.search(read_query([("q", text), *more.items()], brand.currency), brand, "fr")


def test_every_value_within_is_shown_and_no_other(shop: Shop, brand: Brand) -> None:
    """`au moins 8 kg` is no question for 8 kg."""
    answer = ask(shop, brand, "lave-linge au moins 8 kg")
    assert {row.id for row in answer.products} == {"prd_w8", "prd_w9", "prd_w10", "prd_w11"}
    more = ask(shop, brand, "lave-linge plus de 8 kg")
    assert {row.id for row in more.products} == {"prd_w9", "prd_w10", "prd_w11"}
    (piece,) = [one for one in answer.understood if one.kind == "attribute"]
    assert (piece.key, piece.label, piece.value) == ("capacity_kg", "au moins 8 kg", "")
    undone = ask(shop, brand, "lave-linge au moins 8 kg", words="attribute")
    assert not [one for one in undone.understood if one.kind == "attribute"]


def test_of_two_attributes_it_is_the_one_that_has_the_amount(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "ordinateur portable au moins 16 go")
    assert {row.id for row in answer.products} == {
        "prd_l16_256", "prd_l16_512", "prd_l32_256", "prd_l32_512",
    }  # fmt: skip
    # Neither has 100 GB: which is meant is not known, nothing is narrowed, and that is said.
    unsure = ask(shop, brand, "ordinateur portable plus de 100 go")
    assert not [one for one in unsure.understood if one.kind == "attribute"]
    assert [one.label for one in unsure.taken_back] == ["plus de 100 go"]
    assert unsure.total == 6


def test_an_attribute_of_few_products_is_not_meant(shop: Shop, brand: Brand) -> None:
    """One washing machine states what weighs 900 g; the capacity is what all have."""
    answer = ask(shop, brand, "lave-linge moins de 6,5 kg")
    assert {row.id for row in answer.products} == {"prd_w6"}


def test_limits_that_leave_nothing_do_not_narrow(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "lave-linge plus de 20 kg")
    assert not [one for one in answer.understood if one.kind == "attribute"]
    assert [one.label for one in answer.taken_back] == ["plus de 20 kg"]
    assert answer.total == 6
