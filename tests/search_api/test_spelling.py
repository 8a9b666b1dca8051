"""Slips of the hand: what is put right, what is only offered, what is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search_api.search import Shop
from search_api.understanding.correction import Correction
from search_api.understanding.snapshot import Near, Snapshot
from search_api.understanding.spelling import corrected, corrections, likeliest, near
from search_api.understanding.written import as_typed, as_written, written
from tenants.brand import Brand
from tests.indexer.documents import document
from tests.search_api.test_understanding import ask, brand, follow, shop

__all__ = ["brand", "shop"]


def test_units_and_names_of_categories_are_never_corrected(shop: Shop, brand: Brand) -> None:
    """`libre` is one slip from `litres`, `lave` from `laver`; neither was meant."""
    snapshot = replace(
        shop.snapshots.of(brand.id), words={"fr": {"libre": 40, "lave": 40}}, stems={}
    )
    assert corrected("congelateur 200 litres", "fr", snapshot) is None
    assert corrected("machine a laver", "fr", snapshot) is None


def test_a_slip_is_corrected_where_nothing_has_it(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "ordinatuer portable")
    assert answer.relaxation is not None
    assert answer.relaxation.step == "corrected"
    assert answer.relaxation.original_query == "ordinatuer portable"
    assert answer.relaxation.corrected_query == "ordinateur portable"
    assert answer.total >= 12
    assert answer.as_typed is not None
    back = follow(shop, brand, answer.as_typed.url)
    assert back.relaxation is not None
    assert back.relaxation.step != "corrected"
    assert back.did_you_mean is None


def test_a_slip_is_only_offered_where_something_has_it(shop: Shop, brand: Brand) -> None:
    """A description has the typed form: it is left alone, and the usual one offered."""
    answer = ask(shop, brand, "souflerie")
    assert [row.id for row in answer.products][:1] == ["prd_bag"]
    assert answer.did_you_mean is not None
    assert answer.did_you_mean.text == "soufflerie"
    meant = follow(shop, brand, answer.did_you_mean.url)
    assert meant.products[0].id == "prd_mixer"
    assert meant.did_you_mean is None


def test_words_that_exist_and_numbers_are_never_corrected(shop: Shop, brand: Brand) -> None:
    snapshot = shop.snapshots.of(brand.id)
    for word in ("hydranor", "ordinateurs", "fernseher", "wx80", "tv"):
        assert near(word, "fr", snapshot) == ()
    assert corrected("WX81-0", "fr", snapshot) is None
    assert corrected("hydrnaor", "fr", snapshot) is not None
    assert corrected("anything", "fr", Snapshot()) is None


def test_a_word_that_exists_is_replaced_by_nothing() -> None:
    """`livre` is a book, though only `libre` is shown; the other may be offered."""
    known = Snapshot(words={"fr": {"libre": 40}}, is_word={"livre"}.__contains__)
    assert corrected("livre", "fr", known) is None
    assert [(way.text, way.is_doubtful) for way in corrections("livre", "fr", known)] == [
        ("libre", True)
    ]
    unheard = replace(known, is_word=lambda _: False)
    assert corrected("livre", "fr", unheard) is not None
    assert corrections("livre", "fr", unheard, stand={"livre"}) == ()


def test_a_word_that_exists_gives_way_where_products_say_so(shop: Shop, brand: Brand) -> None:
    """`ligne` is a line and alone may be meant; beside `lave` products have `linge`."""
    alone = ask(shop, brand, "ligne")
    assert alone.did_you_mean is not None
    assert alone.did_you_mean.text == "linge"
    assert alone.relaxation is not None
    assert alone.relaxation.corrected_query is None
    beside = ask(shop, brand, "lave ligne")
    assert beside.relaxation is not None
    assert beside.relaxation.corrected_query == "lave linge"
    assert {row.id for row in beside.products[:5]} >= {"prd_w80", "prd_w101"}


@pytest.mark.parametrize(
    ("count", "typed", "meant"),
    [
        # `tough` is a word: products have to say that it was not meant, and many of them.
        (0, "red tough", None), (9, "red tough", None), (10, "red tough", "red touch"),
        # Of a kind of thing one is enough.
        (0, "red mouths", None), (1, "red mouths", "red monitor"),
    ],
)  # fmt: skip
def test_how_many_products_bear_a_doubtful_correction_out(
    count: int, typed: str, meant: str | None
) -> None:
    shown = {"en": {"touch": 500, "red": 50}}
    snapshot = Snapshot(words=shown, is_word={"tough", "mouths"}.__contains__)
    snapshot.near["mouths", "en"] = (Near("monitor", 6.0, is_named=True),)
    found = likeliest(corrections(typed, "en", snapshot), lambda _: count)
    assert (found.text if found else None) == meant
    assert found is None or (found.is_doubtful and found.is_sure)


def test_no_word_that_exists_gives_way_to_another_language() -> None:
    """`karte` is no slip in `carte`, nor `cartes` in `karte`; `krate` may be one in either."""
    shown = {"fr": {"carte": 9}, "de": {"speicher": 3}}
    snapshot = Snapshot(words=shown, is_word={"karte"}.__contains__)
    assert near("karte", "de", snapshot) == ()
    assert near("kartes", "de", snapshot) == ()
    assert [row.written for row in near("crate", "de", snapshot)] == ["carte"]


def test_names_of_categories_are_what_was_meant(shop: Shop, brand: Brand) -> None:
    """No title says `laver`: the category of washing machines does."""
    answer = ask(shop, brand, "machine à laveur")
    assert answer.relaxation is not None
    assert answer.relaxation.corrected_query == "machine à laver"
    assert {"prd_w80", "prd_w101"} <= {row.id for row in answer.products}


def test_a_word_of_another_language_is_put_right() -> None:
    """A reader of English looks for what is described in German alone."""
    shown = {"de": {"kopfhorer": 7}, "fr": {"couleur": 3}, "en": {"head": 1}}
    written_words = {"de": {"kopfhorer": "kopfhörer"}}
    snapshot = Snapshot(words=shown, written=written_words)
    found = corrected("kopfhrer", "en", snapshot)
    assert found is not None
    assert found.text == "kopfhörer"
    own = replace(snapshot, words=shown | {"en": {"kopfhired": 7}})
    assert [row.written for row in near("kopfhirer", "en", own)] == ["kopfhired"], "own words first"


def test_a_german_compound_stands_unless_a_kind_of_thing_is_called_nearly_so(
    shop: Shop, brand: Brand
) -> None:
    snapshot = shop.snapshots.of(brand.id)
    found = corrected("Waschmachine", "de", snapshot)
    assert found is not None
    assert found.text == "waschmaschine"
    shown = {"de": dict(snapshot.words["de"]) | {"handytasche": 50}}
    assert near("Handytaschen", "de", replace(snapshot, words=shown, stems={})) == ()
    assert near("Handytisch", "de", replace(snapshot, words=shown, stems={})) == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Laptopruckasck", "laptoprucksack"), ("Laptorucksack", "laptoprucksack"),
        ("Laptoprucksack", None), ("Akkustausauger", "akkustaubsauger"),
        # Two slips, no known part, and a part that is too short to tell.
        ("Lapoprucksak", None), ("Zebraruckasck", None), ("Akkuecks", None),
    ],
)  # fmt: skip
def test_a_slip_in_a_german_compound(typed: str, meant: str | None) -> None:
    words = {"de": {"rucksack": 3, "staubsauger": 8, "akku": 9, "ecke": 2}, "xx": {"laptop": 5}}
    found = corrected(typed, "de", Snapshot(words=words))
    assert (found.text if found else None) == meant


def test_words_are_shown_as_most_texts_write_them() -> None:
    rows = [
        document("prd_1", "Mélangeur à pâte", language="fr", category=None),
        document("prd_2", "MELANGEUR de luxe, pâte douce", language="fr", category=None),
        document("prd_3", "Le mélangeur", language="fr", category=None),
        document("prd_4", "Rührgerät", language="de", category=None),
    ]
    found = written(rows)
    assert found["fr"]["melangeur"] == "mélangeur"
    assert found["de"]["ruhrgerat"] == "rührgerät"
    assert "luxe" not in found["fr"]
    assert "ruhrgerat" not in found["fr"]
    assert as_written("melangeur de luxe", found["fr"]) == "mélangeur de luxe"


def test_a_corrected_word_has_its_accents(shop: Shop, brand: Brand) -> None:
    snapshot = shop.snapshots.of(brand.id)
    known = replace(
        snapshot, words={"fr": {"melangeur": 9}}, written={"fr": {"melangeur": "mélangeur"}}
    )
    found = corrected("melangeurr", "fr", known)
    assert found is not None
    assert found.text == "mélangeur"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pas", None), ("couches", None),
        ("lmp", "lamp"), ("poucse", "pouces"), ("opuces", "pouces"), ("mailel", "maille"),
    ],
)  # fmt: skip
def test_only_slips_of_a_hand_are_put_right(typed: str, meant: str | None) -> None:
    words = {"par": 90, "lamp": 20, "pouces": 50, "maille": 9}
    found = near(typed, "fr", Snapshot(words={"fr": words}))
    assert (found[0].written if found else None) == meant


TOGETHER = {"gps watch": 12, "gps patch": 0, "gps with": 40, "red patch": 3}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        # A stop word is none of them, however often it is written.
        ("gps wath", "gps watch"), ("gps atch", "gps watch"), ("red atch", "red patch"),
        # Alone it is what is shown most; with a word that it never stands beside, it is left alone.
        ("atch", "patch"), ("blue atch", None), ("blue wath", "blue watch"),
    ],
)  # fmt: skip
def test_what_was_meant_is_what_stands_beside_the_other_words(
    typed: str, meant: str | None
) -> None:
    words = {"watch": 10, "patch": 900, "with": 5_000, "gps": 50, "red": 50, "blue": 50}
    ways = corrections(typed, "en", Snapshot(words={"en": words}))
    found = likeliest(ways, lambda text: TOGETHER.get(text, 0))
    assert (found.text if found else None) == meant


def test_a_part_of_compounds_is_a_word() -> None:
    """No product shows `Maschine` by itself; nobody who types it means the French `machine`."""
    shown = Snapshot(words={"fr": {"machine": 50}, "de": {"waschmaschine": 9, "kaffee": 9}})
    assert corrected("wasch maschine", "de", shown) is None
    kept = corrected("kaffe maschine", "de", shown)
    assert kept is not None
    assert kept.text == "kaffee maschine"


def test_one_word_typed_as_two_with_a_slip() -> None:
    shown = Snapshot(words={"de": {"waschmaschine": 9, "machine": 50, "blau": 5}})
    ways = {way.text for way in corrections("wasch maschiene blau", "de", shown)}
    assert "Waschmaschine blau".casefold() in {way.casefold() for way in ways}
    counted = {"waschmaschine blau": 4}
    best = likeliest(
        corrections("wasch maschiene blau", "de", shown),
        lambda said: counted.get(said.casefold(), 0),
    )
    assert best is not None
    assert best.text.casefold() == "waschmaschine blau"
    # Written as it is heard, in two words: `fone` alone is nearer to another word.
    heard = Snapshot(words={"en": {"smartphone": 9}, "xx": {"fonte": 7}})
    ways = {way.text for way in corrections("smart fone", "en", heard)}
    assert {"smart fonte", "smartphone"} <= ways
    # Both words exist: nobody split one.
    assert not any("waschmaschine" in way.text for way in corrections("blau machine", "de", shown))


@pytest.mark.parametrize(
    ("typed", "language"),
    [
        # One of the two words alone, or a guess at both parts, is nothing that was typed in two.
        ("machine à laver", "fr"), ("sac à dos", "fr"), ("cartouche d'encre", "fr"),
        ("robo x weiss", "de"), ("tablet mit stift", "de"), ("in ear kopfhörer", "de"),
        # Right with the word beside it, and as another form of what a category is called.
        ("wasser kocher", "de"), ("Tintenpatronen", "de"),
        # Both parts are known: such a compound stands, though no list has it.
        ("Retrokühlschrank", "de"), ("Oledfernseher", "de"),
    ],
)  # fmt: skip
def test_what_is_right_gets_no_other_spelling(typed: str, language: str) -> None:
    shown = {
        "fr": {"machine": 9, "machines": 2, "sac": 5, "cartouche": 8, "encre": 8, "eau": 7},
        "de": {"kuche": 30, "wasserkocher": 3, "kuhlschrank": 4, "fernseher": 6, "kopfhorer": 9,
               "weiss": 4, "tablet": 9, "mit": 3, "swift": 6},
        "xx": {"robo": 5, "retro": 4, "oled": 6, "laver": 3, "dos": 5, "eau": 5,
               "tintenpatrone": 8},
    }  # fmt: skip
    assert corrections(typed, language, Snapshot(words=shown)) == ()


@pytest.mark.parametrize(
    ("typed", "count", "meant"),
    [
        ("sol blanc", 0, None), ("sol blanc", 3, "solo blanc"),
        ("boisé blanc", 0, None), ("bluetoht blanc", 0, "bluetooth blanc"),
        ("montr blanc", 0, "montre blanc"),
        # Two slips are too many, and so is another language, where nothing bears them out.
        ("leiser blanc", 0, None), ("leiser blanc", 1, "leder blanc"),
        ("pfanen blanc", 0, None), ("pfanen blanc", 1, "pfanne blanc"),
    ],
)  # fmt: skip
def test_a_short_word_is_near_many_by_accident(typed: str, count: int, meant: str | None) -> None:
    """Products bear it out, or it names a kind of thing, or it is long."""
    shown = {
        "fr": {"solo": 5, "brise": 24, "bluetooth": 9, "montre": 9, "blanc": 40, "leder": 9},
        "de": {"pfanne": 9},
    }
    ways = corrections(typed, "fr", Snapshot(words=shown))
    found = likeliest(ways, lambda _: count)
    assert (found.text if found else None) == meant


def test_a_correction_is_of_the_whole_question() -> None:
    """A measure or a price that was understood is searched no more: it stays in what is shown."""
    found = Correction("lave vaisselle", (("vaiselle", "vaisselle"),))
    assert found.of("Lave-VAISELLE 45 cm moins de 400 €") == "Lave-vaisselle 45 cm moins de 400 €"
    assert found.of("quelque chose d'autre") == "lave vaisselle"
    joined = Correction("waschmaschine", (("wasch maschiene", "waschmaschine"),))
    assert joined.of("Wasch Maschiene 8 kg") == "waschmaschine 8 kg"


@pytest.mark.parametrize(
    ("as_typed", "borne_out", "doubtful", "offered"),
    [
        (0, False, False, True), (0, False, True, True),
        (2, True, False, True), (2, False, False, False), (2, True, True, False),
    ],
)  # fmt: skip
def test_beside_products_with_every_word_only_what_products_have_is_offered(
    as_typed: int, borne_out: bool, doubtful: bool, offered: bool
) -> None:
    found = Correction("b", (("a", "b"),), is_borne_out=borne_out, is_doubtful=doubtful)
    assert found.is_offered(as_typed) is offered


def test_a_correction_keeps_what_was_understood(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "ordinatuer portable moins de 9000 €")
    assert answer.relaxation is not None
    assert answer.relaxation.corrected_query == "ordinateur portable moins de 9000 €"


def test_a_word_left_out_is_told_as_it_was_typed(shop: Shop, brand: Brand) -> None:
    assert as_typed(["grossem", "sans fil"], "Kamera mit GROSSEM Zoom, Sans Fil") == (
        "GROSSEM",
        "Sans Fil",
    )
    answer = ask(shop, brand, "zzyxqé vvbnmà ordinateur")
    assert answer.relaxation is not None
    assert answer.relaxation.dropped == ("zzyxqé", "vvbnmà")


def test_three_letters_that_are_a_word_were_meant() -> None:
    """`sol` is a floor: to make `solo` of it is for the shopper to choose."""
    shown = Snapshot(words={"fr": {"solo": 3}}, is_word={"sol"}.__contains__)
    assert [(way.text, way.is_doubtful) for way in corrections("sol", "fr", shown)] == [
        ("solo", True)
    ]


def test_what_a_thing_has_is_right_and_no_name_of_a_thing() -> None:
    """`refurbished` stands where nothing is; `main`, as in `seconde main`, is no kind of thing."""
    shown = Snapshot(words={"fr": {"refurbishes": 9, "main": 9}})
    assert near("refurbished", "fr", shown) == ()
    assert [row.is_named for row in near("maiin", "fr", shown)] == [False]
