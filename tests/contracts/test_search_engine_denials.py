"""What a thing is said to be without, on each of the search engines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.engine import Engine, Expansion, Match, SearchRequest, Words
from tests.contracts.search_engines import fill, found, ids, new_brand
from tests.indexer.documents import document, upsert

CATALOGUE = (
    document("prd_1", "Kopfhörer ohne Kabel", language="de", category=None),
    document("prd_2", "Kopfhörer kabellos mit Ladekabel", language="de", category=None),
    document("prd_3", "Kopfhörer mit Kabel ohne Mikrofon", language="de", category=None),
    document("prd_4", "Kopfhörer Studio", language="de", category=None),
    document("prd_5", "Kabel ohne Stecker", language="de", category=None),
    document("prd_6", "Kopfhörer Bluetooth mit Ladekabel", language="de", category=None),
    document("prd_7", "Casque sans fil", language="fr", category=None),
    document("prd_8", "Casque avec fil sans micro", language="fr", category=None),
    document("prd_9", "Sugar-free cola", language="en", category=None),
    document("prd_10", "Cola with sugar", language="en", category=None),
)


@pytest.fixture(scope="module")
def catalogue(engine: Engine) -> str:
    """A brand that every test here only reads."""
    brand = new_brand()
    fill(engine, brand, [upsert(row) for row in CATALOGUE])
    return brand


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Kopfhörer ohne Kabel", "de", {"prd_1", "prd_2"}),
        ("kopfhörer kabellos", "de", {"prd_1", "prd_2"}),
        ("Kopfhörer mit Kabel", "de", {"prd_2", "prd_3", "prd_6"}),
        ("casque sans fil", "fr", {"prd_7"}),
        ("casque sans le fil", "fr", {"prd_7"}),
        ("casque sans fil ni micro", "fr", set()),
        ("casque fil", "fr", {"prd_8"}),
        ("cola without sugar", "en", {"prd_9"}),
        ("sugar-free cola", "en", {"prd_9"}),
    ],
)
def test_what_is_denied_is_found_by_those_who_want_it_away(
    engine: Engine, catalogue: str, text: str, language: str, expected: set[str]
) -> None:
    assert set(found(engine, catalogue, text, language)) == expected


def test_where_fewer_words_are_enough_nothing_has_what_is_denied(
    engine: Engine, catalogue: str
) -> None:
    """Those that say so first, then those that say nothing of it; never a cable alone."""
    rows = found(engine, catalogue, "Kopfhörer ohne Kabel", "de", Match.HALF)
    assert set(rows[:2]) == {"prd_1", "prd_2"}
    assert rows[2:] == ["prd_4"]


def test_another_name_of_what_is_wanted_speaks_for_a_product(
    engine: Engine, catalogue: str
) -> None:
    words = Words(
        "Kopfhörer ohne Kabel", "de", Match.HALF, expansions={1: (Expansion("bluetooth", 0.3),)}
    )
    rows = ids(engine, catalogue, SearchRequest(words))
    assert set(rows[:3]) == {"prd_1", "prd_2", "prd_6"}
    assert rows[3:] == ["prd_4"]


def test_another_language_is_refused_by_its_own_word(engine: Engine, catalogue: str) -> None:
    """Both say `casque`; only one of them has a wire, and says so in French."""
    asked = Words("Casque ohne Kabel", "de", Match.HALF)
    assert set(ids(engine, catalogue, SearchRequest(asked))) == {"prd_7", "prd_8"}
    known = replace(asked, expansions={1: (Expansion("sans fil", 0.5),)})
    assert ids(engine, catalogue, SearchRequest(known)) == ["prd_7"]


def test_a_denial_alone_is_a_word_like_others(engine: Engine, catalogue: str) -> None:
    assert set(found(engine, catalogue, "ohne Kabel", "de", Match.HALF)) == {"prd_1", "prd_2"}
