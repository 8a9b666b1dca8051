"""How complete a record is, and what is asked for next."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Database
from mdm.golden.completeness import ENOUGH_PRODUCTS, completeness
from mdm.golden.expectations import (
    learn_expectations,
    product_completeness,
    read_expectations,
)
from tests.mdm.offers_at_hand import load, merchants, products, raw

FULL: dict[str, Any] = {
    "titles": {"fr": "Lampe", "de": "Lampe"},
    "descriptions": {"fr": "Une lampe", "de": "Eine Lampe"},
    "manufacturer": "Norvalis",
    "gtins": ["1"],
    "mpns": ["L1"],
    "category_id": 4636,
    "attributes": {"power": "9 W", "colour": "black"},
    "image_urls": ["https://x.example/1.jpg"],
}
EXPECTED = {"power": 90, "colour": 60}


def test_nothing_is_missing_from_a_full_record() -> None:
    found = completeness(FULL, EXPECTED, ("fr", "de"))
    assert (found.percent, found.missing) == (100, ())
    assert found.by_language == {"fr": 100, "de": 100}


def test_what_is_missing_is_named_by_field_and_language() -> None:
    record = {**FULL, "gtins": [], "mpns": [], "attributes": {"colour": "black"}}
    record["descriptions"] = {"fr": "Une lampe"}
    found = completeness(record, EXPECTED, ("fr", "de"))
    assert found.missing == ("identifier", "attributes.power", "descriptions.de")
    assert found.by_language["de"] < found.by_language["fr"] < 100
    # A maker's number identifies too, beside the maker's name.
    assert "identifier" not in completeness({**record, "mpns": ["L1"]}, {}, ("fr",)).missing


def test_what_a_category_does_not_state_is_not_asked_for() -> None:
    assert completeness({**FULL, "attributes": {}}, {}, ("fr",)).percent == 100


@given(
    st.dictionaries(st.sampled_from(["power", "colour", "size"]), st.integers(50, 100)),
    st.sets(st.sampled_from([name for name in FULL if name != "category_id"])),
)
def test_saying_more_never_counts_less(expected: dict[str, int], left_out: set[str]) -> None:
    empty: dict[str, Any] = {
        name: type(value)() if name != "manufacturer" else None
        for name, value in FULL.items()
        if name in left_out
    }
    less = completeness({**FULL, **empty}, expected, ("fr", "de", "en"))
    more = completeness(FULL, expected, ("fr", "de", "en"))
    assert 0 <= less.percent <= more.percent <= 100
    assert set(more.missing) <= set(less.missing)


def test_expectations_are_learnt_from_the_catalogue(database: Database) -> None:
    merchants(database, "shop")
    lamps = [
        raw(
            f"l{n}", f"Norvalis Lampe de bureau KX{n:03d}Q",
            attributes=(("power", "9 W"), *((("base", "oak"),) if n % 4 == 0 else ())),
        )
        for n in range(ENOUGH_PRODUCTS)
    ]  # fmt: skip
    few = [raw("t1", "Grille-pain T1", attributes=(("power", "900 W"),))]
    load(database, "shop", [*lamps, *few])
    with database.platform() as tx:
        assert learn_expectations(tx) == 1
        assert learn_expectations(tx) == 1, "again, and the same"
        assert read_expectations(tx) == {4636: {"power": 100}}
        lamp, toaster = products(database)["shop/l1"], products(database)["shop/t1"]
        found = product_completeness(tx, lamp, ("fr", "de"))
        assert found is not None
        assert "attributes.power" not in found.missing
        assert "image" in found.missing
        assert product_completeness(tx, toaster, ("fr",)) is not None
        assert product_completeness(tx, "prd_none", ("fr",)) is None
