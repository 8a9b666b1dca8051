"""What a question says the thing is to be without, and words of every day, in answers of a shop."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from indexer.analysis import query_words
from search_api.answer import SearchAnswer
from search_api.query import read_query
from search_api.search import Shop
from search_api.understanding.compounding import taken_apart
from search_api.understanding.dropping import least_telling_first, says_little
from search_api.understanding.everyday import everyday_readings, meanings
from search_api.understanding.recognition import kinds_named
from search_api.understanding.snapshot import Snapshot
from search_api.understanding.spelling import corrected
from tenants.brand import Brand
from tests.indexer.documents import document
from tests.search_api.shop_at_hand import bundled_brand, shop_of

VACUUM, HEADPHONES, FRIDGE, LAPTOP = 619, 543626, 686, 328


@pytest.fixture(scope="module")
def brand() -> Brand:
    return bundled_brand("mirabelle")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, brand: Brand) -> Shop:
    titles = {
        "prd_cyclone": ("Aspirateur traîneau Cyclone sans sac", VACUUM),
        "prd_bagged": ("Aspirateur traîneau Classic avec sac 4 litres", VACUUM),
        "prd_robot": ("Aspirateur robot Ronda", VACUUM),
        "prd_bags": ("Lot de 5 sacs pour aspirateur", None),
        "prd_wired": ("Casque audio Studio avec fil", HEADPHONES),
        "prd_corded": ("Casque audio filaire Ancre", HEADPHONES),
        "prd_silent": ("Casque audio Silence", HEADPHONES),
        "prd_free": ("Casque audio Nomade sans fil", HEADPHONES),
        "prd_bluetooth": ("Casque audio Bluetooth, fil de charge fourni", HEADPHONES),
        "prd_fridge": ("Réfrigérateur combiné 300 l", FRIDGE),
        "prd_laptop": ("Ordinateur portable 15 pouces", LAPTOP),
        "prd_cable": ("Bobine de fil électrique", None),
    }  # fmt: skip
    rows = [
        document(name, title, language="fr", category=category)
        for name, (title, category) in titles.items()
    ]
    return shop_of(rows, brand, "fr", tmp_path_factory.mktemp("denied"))


def ask(shop: Shop, brand: Brand, text: str, **more: str) -> SearchAnswer:
    query = read_query([("q", text), *more.items()], brand.currency)
    return shop.search(query, brand, "fr")


def ids(answer: SearchAnswer) -> list[str]:
    return [row.id for row in answer.products]


def test_what_is_denied_is_not_shown(shop: Shop, brand: Brand) -> None:
    """Said to be without first, then what says nothing of it; none that has it."""
    answer = ask(shop, brand, "aspirateur sans sac")
    assert ids(answer) == ["prd_cyclone", "prd_robot"]
    assert answer.relaxation is not None
    assert (answer.relaxation.step, answer.relaxation.matched_all) == ("half_of_words", 1)


def test_a_denial_is_named_and_can_be_undone(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "Aspirateur SANS sac")
    assert [(one.kind, one.text, one.label) for one in answer.understood] == [
        ("denied", "SANS sac", "SANS sac")
    ]
    pairs = parse_qsl(urlsplit(answer.understood[0].url).query)
    undone = shop.search(read_query(pairs, brand.currency), brand, "fr")
    assert undone.understood == ()
    assert {"prd_bagged", "prd_bags"} <= set(ids(undone)[:2])


def test_one_thing_said_in_several_ways(shop: Shop, brand: Brand) -> None:
    """`Bluetooth` has no wire, whatever wire it is charged by."""
    for text in ("casque sans fil", "casque sans câble", "casque wireless"):
        answer = ask(shop, brand, text)
        assert set(ids(answer)[:2]) == {"prd_free", "prd_bluetooth"}, text
    without = ids(ask(shop, brand, "casque sans fil"))
    assert set(without) == {"prd_free", "prd_bluetooth", "prd_silent"}
    assert set(ids(ask(shop, brand, "casque filaire"))[:2]) == {"prd_wired", "prd_corded"}


def test_a_denial_that_leaves_nothing_is_given_up_and_said(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "bobine sans fil")
    assert ids(answer) == ["prd_cable"]
    assert answer.relaxation is not None
    assert answer.relaxation.dropped == ("sans fil",)
    assert answer.understood == ()


def test_what_was_denied_is_marked_in_titles(shop: Shop, brand: Brand) -> None:
    first = ask(shop, brand, "aspirateur sans sac").products[0]
    assert "sans sac" in {part.text for part in first.highlight if part.matched}


@pytest.mark.parametrize(
    ("text", "first"),
    [("frigo", "prd_fridge"), ("Frigos", "prd_fridge"), ("ordi", "prd_laptop"),
     ("ordi portable", "prd_laptop"), ("aspi robot", "prd_robot"), ("laptop", "prd_laptop")],
)  # fmt: skip
def test_words_of_every_day(shop: Shop, brand: Brand, text: str, first: str) -> None:
    answer = ask(shop, brand, text)
    assert ids(answer)[0] == first
    assert answer.relaxation is None or answer.relaxation.matched_all


def test_an_everyday_word_names_a_kind_of_thing(shop: Shop, brand: Brand) -> None:
    snapshot = shop.snapshots.of(brand.id)
    assert kinds_named("petit frigo", "fr", snapshot) == (1,)
    assert kinds_named("nordlys casque", "fr", snapshot) == (1,)
    answer = ask(shop, brand, "frigo moins de 400 €")
    assert [one.kind for one in answer.understood if one.kind == "category"] == ["category"]


def test_words_that_titles_have_are_hardly_widened() -> None:
    shown = Snapshot(words={"fr": {"ordi": 1, "ordinateur": 3}})
    rare = everyday_readings("ordi", "fr", shown)[0][0]
    frequent = everyday_readings("ordi", "fr", Snapshot(words={"fr": {"ordi": 2, "ordinateur": 3}}))
    assert (rare.text, rare.weight) == ("ordinateur", 0.9)
    assert frequent[0][0].weight < 0.1


@pytest.mark.parametrize(
    ("text", "language", "meant"),
    [
        ("piles LR6", "fr", "aa"), ("Mignon Batterien", "de", "aa"),
        ("double a batteries", "en", "aa batteries"), ("Wanderstiefel", "de", "wanderschuhe"),
        ("Tischlampe", "de", "tischleuchte"), ("reading light for my desk", "en", "desk lamp"),
        ("ddr4 ram 16 gb", "en", "memory module"), ("lan cable 5 m", "en", "patch cable"),
        ("wifi booster", "en", "range extender"), ("vacuum cleaners", "en", "vacuum"),
        ("laptop chargers", "en", "power adapter"), ("Parfum Damen EDT", "de", "eau de toilette"),
        ("receipt printers", "en", "pos printer"), ("Kassendrucker", "de", "bondrucker"),
        ("thermal paste", "en", "heat sink compound"), ("waste toner box", "en", "toner collector"),
        ("téléphone remis à neuf", "fr", "refurbished"),
        ("wiederaufbereitetes Handy", "de", "refurbished"),
        ("vélo d'occasion", "fr", "used"), ("gebrauchtes Fahrrad", "de", "used"),
        ("casque anti-bruit", "fr", "réduction de bruit"),
    ],
)  # fmt: skip
def test_what_people_call_it_is_read_as_what_it_is_called(
    text: str, language: str, meant: str
) -> None:
    rows = everyday_readings(text, language, Snapshot())
    assert meant in {row.text for found in rows.values() for row in found}


def test_no_word_stands_for_itself() -> None:
    for language in ("fr", "de", "en"):
        rows = meanings(language)
        assert rows
        assert not [said for said, meant in rows if said == meant]


def test_without_the_thing_its_absence_is_nothing_to_look_for(shop: Shop, brand: Brand) -> None:
    """`sans fil` alone would be anything; what is to be without it goes before any word."""
    snapshot = shop.snapshots.of(brand.id)
    order = least_telling_first("zzyxq casque sans fil", "fr", snapshot)
    assert order == ["sans fil", "zzyxq", "casque"]
    answer = ask(shop, brand, "zzyxq sans fil")
    assert answer.relaxation is not None
    assert answer.relaxation.step != "drop_word"


@pytest.mark.parametrize(
    ("rest", "text", "expected"),
    [
        ("star", "lego star wars", True),
        ("lego star", "lego star wars", False),
        # A kind of thing, a maker or a number is what was asked for.
        ("laptop", "zzyxq vvbnm laptop", False),
        ("nordlys", "zzyxq nordlys vvbnm", False),
        ("g502", "zzyxq g502 vvbnm", False),
        # Single letters are no word to find a thing by, nor is a size; a model's number is.
        ("e", "e zzyxq", True),
        ("42", "zzyxq vvbnm 42", True),
        ("501", "zzyxq vvbnm 501", False),
    ],
)
def test_what_little_says_something(rest: str, text: str, expected: bool) -> None:
    snapshot = Snapshot(manufacturers={"nordlys": "Nordlys"}, categories={LAPTOP: 12})
    assert says_little(rest, text, "en", snapshot) is expected


def test_a_maker_is_left_out_after_words_that_tell_more() -> None:
    snapshot = Snapshot(
        words={"en": {"wireless": 3, "laptop": 900}, "xx": {"nordlys": 500}},
        manufacturers={"nordlys": "Nordlys"}, categories={LAPTOP: 900},
    )  # fmt: skip
    order = least_telling_first("nordlys wireless zzyxq laptop", "en", snapshot)
    assert order == ["zzyxq", "wireless", "nordlys", "laptop"]


def test_words_without_their_blank_are_taken_apart_in_every_language() -> None:
    shown = Snapshot(
        words={"en": {"wireless": 9, "mouse": 9, "dish": 2, "washer": 2, "dishwasher": 4}},
        is_word={"waterproofing"}.__contains__,
    )
    assert taken_apart("wirelessmouse", "en", shown)[0][0].text == "wireless mouse"
    # What products show, or is a word at all, is meant as it is.
    assert taken_apart("dishwasher", "en", shown) == {}
    assert taken_apart("waterproofing", "en", shown) == {}


def test_a_letter_doubled_at_the_end_of_a_french_stem_is_a_slip() -> None:
    words = {"fr": {"machine": 9, "laver": 9, "traditionnelle": 2}}
    stems = {"fr": frozenset({"machin", "laver", "traditionnel"})}
    shown = Snapshot(words=words, stems=stems)
    corrected_text = corrected("machinne à lavver", "fr", shown)
    assert corrected_text is not None
    assert corrected_text.text == "machine à laver"
    assert corrected("traditionnelle", "fr", shown) is None


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("what is the best laptop", "en", ["laptop"]),
        ("le moins cher ordinateur", "fr", ["ordinateur"]),
        ("welcher günstigste Laptop", "de", ["laptop"]),
        ("quel aspirateur", "fr", ["aspirateur"]),
        ("best", "en", ["best"]),
        ("je voudrais un aspirateur qui lave aussi", "fr", ["aspirateur", "lave"]),
        ("ich suche eine leise Spülmaschine", "de", ["leise", "spulmaschine"]),
        ("reading lamp for my desk", "en", ["reading", "lamp", "desk"]),
    ],
)
def test_words_of_a_question_that_say_nothing_of_the_thing(
    text: str, language: str, words: list[str]
) -> None:
    assert [word.text for word in query_words(text, language)] == words
