"""Questions understood: corrected, recognised, taken apart, marked, and how that is undone."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.document import ProductDocument
from indexer.embedded import EmbeddedEngine
from indexer.engine import SearchRequest, SearchResult
from search_api.answer import SearchAnswer
from search_api.highlight import highlighted, wanted_terms
from search_api.query import read_query
from search_api.search import Shop
from search_api.understanding.recognition import kinds_named
from search_api.understanding.snapshot import measure_term
from search_api.understanding.synonyms import expansions
from tenants.brand import Brand
from tenants.ranking.document import RankingDocument
from tenants.ranking.inheritance import Stated
from tenants.ranking.profile import Synonym
from tests.indexer.documents import document
from tests.search_api.shop_at_hand import bundled_brand, shop_of

WASHER, LAPTOP, TV = 2549, 328, 404


def products() -> list[ProductDocument]:
    """Washing machines in two sizes, a fridge, televisions, laptops and a bag for them."""
    rows = [
        document(
            f"prd_w{size}{n}", f"Lave-linge hublot Hydranor WX{size}0-{n} {size} kg",
            language="fr", category=WASHER, manufacturer="Hydranor", mpns=(f"WX{size}0-{n}",),
            attributes={"capacity_kg": f"{size} kg", "colour": ("white", "black", "grey")[n]},
            total=price,
        )
        for size, prices in ((8, (35_000, 52_000, 61_000)), (10, (39_000, 70_000)))
        for n, price in enumerate(prices)
    ]  # fmt: skip
    rows += [
        document(
            "prd_class_e", "Retro-Kühlschrank 250 l Energieklasse E", language="de", category=None
        ),
        document("prd_tv", "OLED-Fernseher Visorel 55 Zoll", language="de", category=TV),
        document("prd_bag16", "Sacoche ordinateur portable 16 GB", language="fr", category=None),
        document("prd_toy16", "Jouet ordinateur portable 16 GB", language="fr", category=None),
        document("prd_sewing", "Machine à coudre Filette", language="fr", category=None),
        document("prd_mixer", "Mixeur Soufflerie 8 vitesses", language="fr", category=None),
        document(
            "prd_bag",
            "Sacoche pour ordinateur portable",
            language="fr",
            category=None,
            descriptions={"fr": "Avec une souflerie."},
        ),
    ]
    rows += [
        document(
            f"prd_l{n:02}", f"Ordinateur portable Quelvane Note {n}", language="fr",
            category=LAPTOP, manufacturer="Quelvane", attributes={"memory": "16 GB"},
        )
        for n in range(12)
    ]  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def brand() -> Brand:
    return bundled_brand("mirabelle")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, brand: Brand) -> Shop:
    return shop_of(products(), brand, "fr", tmp_path_factory.mktemp("search"))


def ask(shop: Shop, brand: Brand, text: str, language: str = "fr", **more: str) -> SearchAnswer:
    query = read_query([("q", text), *more.items()], brand.currency)
    return shop.search(query, brand, language)


def follow(shop: Shop, brand: Brand, url: str) -> SearchAnswer:
    pairs = parse_qsl(urlsplit(url).query)
    return shop.search(read_query(pairs, brand.currency), brand, "fr")


def test_category_capacity_and_price_become_pieces(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "lave-linge 8 kg moins de 550 €")
    assert {row.id for row in answer.products} == {"prd_w80", "prd_w81"}
    assert [(one.kind, one.label) for one in answer.understood] == [
        ("price", "moins de 550 €"), ("category", "Lave-linge"), ("attribute", "8 kg"),
    ]  # fmt: skip
    assert answer.understood[0].high is not None
    assert answer.understood[0].high.minor == 55_000
    assert answer.relaxation is None


def test_each_piece_can_be_taken_as_words_again(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "lave-linge 8 kg moins de 550 €")
    by_kind = {one.kind: one for one in answer.understood}
    without_size = follow(shop, brand, by_kind["attribute"].url)
    assert "attribute" not in {one.kind for one in without_size.understood}
    as_words = ask(shop, brand, "lave-linge 8 kg moins de 550 €", words="all")
    assert as_words.understood == ()
    assert as_words.relaxation is not None


def test_a_colour_is_undone_without_the_size_beside_it(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "lave-linge 8 kg noir")
    by_key = {one.key: one for one in answer.understood}
    assert {row.id for row in answer.products} == {"prd_w81"}
    without_colour = follow(shop, brand, by_key["colour"].url)
    assert {one.key for one in without_colour.understood} == {"", "capacity_kg"}
    assert {row.id for row in without_colour.products} >= {"prd_w80", "prd_w81"}


def test_a_recognition_that_leaves_nothing_is_taken_back_and_said(shop: Shop, brand: Brand) -> None:
    """As little of it as needed: the same machines for more, and none of ten kilograms."""
    answer = ask(shop, brand, "lave-linge 8 kg moins de 5 €")
    assert {one.kind for one in answer.understood} == {"category", "attribute"}
    assert {one.kind for one in answer.taken_back} == {"price"}
    assert {row.id for row in answer.products} == {"prd_w80", "prd_w81", "prd_w82"}
    nowhere = ask(shop, brand, "lave-linge quelvane note moins de 5 €")
    assert nowhere.understood == ()
    assert {one.kind for one in nowhere.taken_back} == {"price", "category", "manufacturer"}


def test_words_that_nothing_there_has_say_more_than_a_category(shop: Shop, brand: Brand) -> None:
    """A toy like a laptop is no laptop, whatever number stands beside it."""
    answer = ask(shop, brand, "jouet ordinateur portable 16 gb")
    assert answer.products[0].id == "prd_toy16"
    assert answer.understood == ()
    assert {one.kind for one in answer.taken_back} == {"category", "attribute"}


def test_what_an_accessory_is_for_is_no_category(shop: Shop, brand: Brand) -> None:
    """A bag for laptops is on no shelf of laptops; a laptop with a bag is."""
    bag = ask(shop, brand, "sacoche ordinateur portable 16 gb")
    assert (bag.understood, bag.taken_back) == ((), ())
    assert bag.products[0].id == "prd_bag16"
    laptop = ask(shop, brand, "ordinateur portable 16 gb avec housse")
    assert "category" in {one.kind for one in laptop.understood}


@pytest.mark.parametrize(
    ("text", "language", "ids"),
    [
        ("lave-linge blanche moins de 400 €", "fr", {"prd_w80", "prd_w100"}),
        ("weiße waschmaschine unter 400 €", "de", {"prd_w80", "prd_w100"}),
        ("black washing machine 8 kg", "en", {"prd_w81"}),
    ],
)
def test_a_colour_beside_its_category_is_a_piece(
    shop: Shop, brand: Brand, text: str, language: str, ids: set[str]
) -> None:
    answer = ask(shop, brand, text, language)
    assert {row.id for row in answer.products} == ids
    assert "colour" in {one.key for one in answer.understood}
    assert answer.relaxation is None


def test_a_colour_alone_stays_a_word(shop: Shop, brand: Brand) -> None:
    """The grey ones first, then those in other colours."""
    answer = ask(shop, brand, "lave-linge hydranor gris")
    assert answer.understood == ()
    assert answer.total > 2


def test_a_slip_hides_neither_maker_nor_category(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "hydrnor lave-linge moins de 550 €")
    assert [(one.kind, one.label) for one in answer.understood][1:] == [
        ("category", "Lave-linge"), ("manufacturer", "Hydranor"),
    ]  # fmt: skip
    assert {row.id for row in answer.products} == {"prd_w80", "prd_w81", "prd_w100"}


def test_words_alone_stay_words(shop: Shop, brand: Brand) -> None:
    assert ask(shop, brand, "lave-linge").understood == ()
    assert ask(shop, brand, "quelvane").understood == ()


def test_the_ladder_names_its_steps(shop: Shop, brand: Brand) -> None:
    half = ask(shop, brand, "quelvane note chaussette rayée")
    assert half.relaxation is not None
    assert half.relaxation.step == "half_of_words"
    dropped = ask(shop, brand, "zzyx qqwv jjkl quelvane vvbn")
    assert dropped.relaxation is not None
    assert dropped.relaxation.step == "drop_word"
    assert "quelvane" not in dropped.relaxation.dropped
    nothing = ask(shop, brand, "zzyxqq")
    assert nothing.relaxation is not None
    assert nothing.relaxation.step in {"similar", "popular", "popular_in_category"}
    assert nothing.products


def test_german_compounds_by_the_words_of_the_index(shop: Shop, brand: Brand) -> None:
    answer = ask(shop, brand, "oledfernseher", language="de")
    assert [row.id for row in answer.products[:1]] == ["prd_tv"]


def test_the_thing_comes_before_what_is_made_for_it(shop: Shop, brand: Brand) -> None:
    ids = [row.id for row in ask(shop, brand, "ordinateur portable").products]
    assert set(ids[-2:]) == {"prd_bag", "prd_bag16"}
    assert ask(shop, brand, "sacoche ordinateur").products[0].id == "prd_bag"


def test_synonyms_one_way_two_way_and_weighted(shop: Shop, brand: Brand) -> None:
    one_way = Synonym(("calculateur",), ("ordinateur portable",), weight=0.5)
    two_way = Synonym(("lessiveuse",), ("lave-linge",), two_way=True)
    found = expansions("calculateur quelvane", "fr", [one_way])
    assert [(row.text, row.weight) for row in found[0]] == [("ordinateur portable", 0.5)]
    assert expansions("ordinateur portable", "fr", [one_way]) == {}
    assert set(expansions("lave-linge", "fr", [two_way])) == {0}
    document = RankingDocument.model_validate(
        {"synonyms": [{"words": ["calculateur"], "replacements": ["ordinateur portable"]}]}
    )
    with_synonym = brand.with_rankings([Stated("brand", None, document)])
    assert ask(shop, with_synonym, "calculateur").total >= 12
    before = ask(shop, brand, "calculateur").relaxation
    assert before is not None


@pytest.mark.parametrize(
    ("title", "text", "language", "marked"),
    [
        ("Lave-linge Hydranor 8 kg blanc", "lave linge 8kg", "fr", ["Lave-linge", "8 kg"]),
        ("Écrans d'ordinateurs", "écran ordinateur", "fr", ["Écrans", "ordinateurs"]),
        ("WX80-T240 von Hydranor", "wx80t240", "de", ["WX80-T240"]),
        ("Filterkaffeemaschine rot", "kaffeemaschinen", "de", ["Filterkaffeemaschine"]),
        ("Laptop 8 GB", "8 kg", "en", []),
        ("<b>Laptop</b>", "laptop", "en", ["Laptop"]),
    ],
)
def test_matched_words_are_marked(title: str, text: str, language: str, marked: list[str]) -> None:
    parts = highlighted(title, wanted_terms(text, language), language)
    assert "".join(part.text for part in parts) == title
    assert [part.text.strip(" '") for part in parts if part.matched] == marked


@given(st.text(max_size=60), st.text(max_size=60))
def test_marking_never_changes_a_title(title: str, text: str) -> None:
    parts = highlighted(title, wanted_terms(text, "fr"), "fr")
    assert "".join(part.text for part in parts) == title


def test_measures_of_values() -> None:
    assert measure_term("8 kg") == "8kg"
    assert measure_term("15.6 in") == "15.6inch"
    assert measure_term("black") == ""
    assert measure_term("2240 x 1400") == ""


def test_a_common_page_costs_one_question(
    shop: Shop, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text, vectors, facets and order in one call of the engine."""
    shop.overviews.of(brand.id)
    asked: list[SearchRequest] = []
    plain = EmbeddedEngine.search

    def counted(self: EmbeddedEngine, brand_id: str, request: SearchRequest) -> SearchResult:
        asked.append(request)
        return plain(self, brand_id, request)

    monkeypatch.setattr(EmbeddedEngine, "search", counted)
    answer = ask(shop, brand, "ordinateur portable quelvane")
    assert answer.total == 12
    assert len(asked) == 1


def test_a_rule_narrows_and_can_be_undone(shop: Shop, brand: Brand) -> None:
    rule = {
        "id": "washers", "kind": "filter", "when": {"query": "hydranor"},
        "narrow": {"categories": [LAPTOP]},
    }  # fmt: skip
    document = RankingDocument.model_validate({"rules": [rule]})
    ruled = brand.with_rankings([Stated("brand", None, document)])
    assert ask(shop, ruled, "hydranor", words="rules").total == 5
    assert replace(ruled, revision=2).ranking_profile("fr").rules


def test_as_many_are_said_to_have_all_words_as_come_first(shop: Shop, brand: Brand) -> None:
    """`8 kg` is no `8 vitesses`: the mixer has the number alone and stands among the others."""
    answer = ask(shop, brand, "hydranor 8 kg", words="all")
    assert answer.relaxation is not None
    assert answer.relaxation.matched_all == 3
    assert {row.id for row in answer.products[:3]} == {"prd_w80", "prd_w81", "prd_w82"}
    mixer = ask(shop, brand, "mixeur 8 kg", words="all")
    assert mixer.relaxation is not None
    assert mixer.relaxation.matched_all == 0


@pytest.mark.parametrize(
    ("text", "language", "places"),
    [
        ("lave-linge silencieux", "fr", (0,)),
        ("petite machine à laver", "fr", (1, 2)),
        ("leise Waschmaschine", "de", (1,)),
        ("quiet washing machine", "en", (1, 2)),
        # Nothing but the thing, as one word or two; none of the shop's things, no thing at all.
        ("lave-linge", "fr", (0,)), ("lave linge", "fr", (0, 1)),
        ("tondeuse silencieuse", "fr", ()), ("hydranor 8 kg", "fr", ()),
        # The head of a phrase stands at its end, and in French in front.
        ("laptop television", "en", (1,)), ("Notebook Fernseher", "de", (1,)),
        ("téléviseur notebook", "fr", (0,)),
    ],
)  # fmt: skip
def test_words_that_name_the_kind_of_thing(
    shop: Shop, brand: Brand, text: str, language: str, places: tuple[int, ...]
) -> None:
    assert kinds_named(text, language, shop.snapshots.of(brand.id)) == places


def test_half_of_the_name_of_a_thing_is_another_thing(shop: Shop, brand: Brand) -> None:
    """Five washing machines are few, and a sewing machine is none: not even among the further."""
    washers = {row.product_id for row in products() if row.category_id == WASHER}
    answer = ask(shop, brand, "machine à laver")
    assert answer.relaxation is None or answer.relaxation.step == "similar"
    assert {row.id for row in answer.products[:5]} == washers
    fast = ask(shop, brand, "machine à laver rapide")
    assert fast.relaxation is not None
    assert fast.relaxation.step == "half_of_words"
    assert {row.id for row in fast.products} == washers


def test_what_names_the_thing_is_left_out_last(shop: Shop, brand: Brand) -> None:
    """No television is pink or has 99 inches; what has, is no television."""
    answer = ask(shop, brand, "fernseher rosafarben 99 zoll", "de", words="all")
    assert answer.relaxation is not None
    assert answer.relaxation.step == "drop_word"
    assert set(answer.relaxation.dropped) == {"rosafarben", "99inch"}
    assert [row.id for row in answer.products] == ["prd_tv"]


def test_a_single_letter_is_no_half_of_a_question(shop: Shop, brand: Brand) -> None:
    """What is called E has no half of `e zzyxq`; a kind of thing beside a letter is asked for."""
    for text in ("e zzyxq", "zzyxq e"):
        answer = ask(shop, brand, text, "de")
        assert answer.relaxation is not None
        assert answer.relaxation.step != "half_of_words"
    laptops = ask(shop, brand, "x laptop", "en")
    assert {row.category_id for row in laptops.products} == {LAPTOP}


def test_the_kind_of_thing_is_no_word_to_do_without(shop: Shop, brand: Brand) -> None:
    """Who asks for a washing machine with speeds (`vitesses`) is shown no mixer that has them."""
    answer = ask(shop, brand, "lave-linge vitesses", words="all")
    assert answer.relaxation is not None
    assert answer.relaxation.step == "half_of_words"
    assert {row.id for row in answer.products} == {
        "prd_w80", "prd_w81", "prd_w82", "prd_w100", "prd_w101"
    }  # fmt: skip
    assert "prd_mixer" in {row.id for row in ask(shop, brand, "hydranor vitesses").products}
