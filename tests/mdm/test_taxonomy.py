"""Merchants' categories in the taxonomy: by id, by name, by meaning, by a steward's word."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.categories import categories
from kernel.db import Database
from kernel.embedding.encoder import load_encoder
from kernel.errors import DomainError
from mdm.catalogue import changes_after, head, product_views
from mdm.curation import Signature, acts_on
from mdm.pipeline import match_landed
from mdm.taxonomy.corrections import correct, take_back, take_effect
from mdm.taxonomy.mapping import map_categories, sure_percent, waiting_categories
from mdm.taxonomy.memory import load_names
from mdm.taxonomy.names import Named, NameIndex, own_index, own_names, segments_of
from mdm.taxonomy.placement import APPLIED_PERCENT, NAMED, Placement, by_path, place
from mdm.taxonomy.tree import is_department, lineage, parents, shelf_of
from tests.mdm.offers_at_hand import WordEncoder, load, merchants, products, raw

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SIGNED = Signature("Vera", "as the merchant says", NOW)


def test_the_tree_is_whole() -> None:
    known = parents()
    assert len(known) == 5595
    assert all(parent == 0 or parent in known for parent in known.values())
    assert sum(map(is_department, known)) == 21
    assert lineage(267) == (267, 270, 262, 222)
    assert lineage(1) == (1,)
    assert lineage(999_999) == ()


def test_every_shelf_and_every_name_is_of_the_tree() -> None:
    assert set(categories()) <= set(parents())
    assert {each.google_id for each in own_names()} <= set(parents())
    assert all(each.name == each.name.strip() for each in own_names())
    languages = {(each.google_id, each.language) for each in own_names()}
    assert len({google_id for google_id, _ in languages}) > 250


@pytest.mark.parametrize(
    ("google_id", "shelf"),
    [(267, 267), (2353, 2353), (500106, 222), (142, 222), (753, 536), (110, 166), (3237, None)],
)
def test_what_has_no_shelf_of_its_own_stands_on_the_next_wider_one(
    google_id: int, shelf: int | None
) -> None:
    assert shelf_of(google_id) == shelf


@pytest.mark.parametrize(
    ("path", "google_id", "percent"),
    [
        ("Imprimantes", 500106, NAMED),
        ("Informatique > Périphériques > Claviers", 303, NAMED),
        ("Haushalt | Küche » Mikrowellen", 753, NAMED),
        ("Home & Garden / Kitchen / Kettles", 751, NAMED),
        ("Möbel > Sonderposten > Sofas", 460, NAMED),
        ("Möbel > Allerlei", 436, 70),
        ("Alles für Smartphone-Fans", 267, 70),
    ],
)
def test_paths_are_placed_by_name(path: str, google_id: int, percent: int) -> None:
    assert by_path(path) == Placement(google_id, percent, "names")


def test_a_name_of_several_ids_is_told_apart_by_what_stands_above() -> None:
    index = NameIndex([Named(187, "en", "Shoes"), Named(166, "en", "Apparel"),
                       Named(5385, "en", "Shoes"), Named(988, "en", "Sport")])  # fmt: skip
    assert index.along(["Apparel", "Shoes"]) == 187
    assert index.along([]) is None
    assert index.along(["nothing"]) is None


def test_the_order_of_trust() -> None:
    said = {"Divers": Placement(753, 100, "steward"), "Bidules": Placement(303, 85, "meaning")}
    guess = {"Machins": Placement(303, APPLIED_PERCENT - 1, "meaning")}
    nothing = {"Kettles": Placement(None, 100, "steward")}
    assert place("267", "Divers", "x", said) == said["Divers"]
    assert place(None, "Bidules", "Toaster", said) == said["Bidules"]
    assert place("267", "Bidules", "x", said) == Placement(267, 95, "stated")
    assert place(None, "Machins", "x", guess) is None
    assert place(None, "Machins", "Toaster T1", guess) == Placement(762, 60, "title")
    told = place(None, "Kettles", "Kettle", nothing)
    assert told is not None
    assert told.category_id is None
    # A department says less than a name does.
    assert place("222", "Claviers", "x") == Placement(303, NAMED, "names")
    assert place("222", "Divers", "x") == Placement(222, 95, "stated")
    assert place(None, None, "x") is None
    # A title may be closer than the category, never beside it.
    closer = Placement(2353, 85, "title")
    assert place(None, "Accessoires téléphone", "Coque Lumen 6") == closer
    assert place("264", None, "Coque Lumen 6") == closer
    assert place("264", None, "Toaster T1") == Placement(264, 95, "stated")
    assert place("2353", None, "Smartphone") == Placement(2353, 95, "stated")


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=100))
def test_no_text_breaks_it(google: str, stated: str, title: str) -> None:
    found = place(google, stated, title)
    assert found is None or found.google_id in parents()


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_nearer_is_surer(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= sure_percent(low) <= sure_percent(high) <= 100


def test_a_correction_is_remembered_and_reaches_every_offer(database: Database) -> None:
    merchants(database, "shop", "other")
    shelf = [raw(f"s{n}", f"Orvane KX{n:03d}Q", category="Bidules") for n in range(3)]
    load(database, "shop", [*shelf, raw("t1", "Grille-pain T1", category="Cuisine")])
    load(database, "other", [raw("o1", "Zelvane OX1", category="Bidules")])
    before = products(database)
    with database.platform() as tx:
        position = head(tx)
        (first,) = [each for each in waiting_categories(tx) if each.source_id == "shop"][:1]
        assert (first.text, first.offers) == ("Bidules", 3)
        assert correct(tx, "shop", "Bidules", 753, SIGNED) == 3
    match_landed(database, WordEncoder())
    assert products(database) == before, "no product changed its id"
    with database.platform() as tx:
        changed = {product for _, product in changes_after(tx, position, 100)}
        assert changed == {before[f"shop/s{n}"] for n in range(3)}
        views = product_views(tx, sorted(changed))
        assert {(each.category_id, each.google_category_id) for each in views} == {(536, 753)}
        assert "Bidules" not in [e.text for e in waiting_categories(tx) if e.source_id == "shop"]
        assert "Bidules" in [e.text for e in waiting_categories(tx) if e.source_id == "other"]
    # Whoever comes later stands there too, and the same feed again changes nothing.
    load(database, "shop", [*shelf, raw("s9", "Orvane KX999Q", category="Bidules")])
    with database.platform() as tx:
        (late,) = product_views(tx, [products(database)["shop/s9"]])
        assert late.google_category_id == 753
        assert take_back(tx, "shop", "Bidules", SIGNED) == 4
    match_landed(database, WordEncoder())
    with database.platform() as tx:
        (late,) = product_views(tx, [products(database)["shop/s9"]])
        assert late.google_category_id is late.category_id is None
        acts = acts_on(tx, "category_mapping", key="shop Bidules")
    assert [act.after for act in acts] == [
        None,
        {"google_id": 753, "percent": 100, "by": "steward"},
    ]


def test_what_cannot_be_meant_is_refused(database: Database) -> None:
    merchants(database, "shop")
    for text, google_id, code in (("Bidules", 999_999, "category_unknown"),
                                  ("Nowhere", 753, "category_text_unknown")):  # fmt: skip
        with pytest.raises(DomainError) as refused, database.platform() as tx:
            correct(tx, "shop", text, google_id, SIGNED)
        assert refused.value.code == code


def test_what_no_name_places_is_worked_out_and_steward_words_stay(database: Database) -> None:
    merchants(database, "world")
    offers = [
        raw("w1", "Orvane WA1", category="Muebles > Lavadoras"),
        raw("w2", "Orvane WA2", category="Elektronika > Xyzzy"),
        *(raw(f"t{n}", f"Grille-pain T{n}", category="Bidules") for n in range(3)),
    ]
    load(database, "world", offers)
    encoder = load_encoder()
    with database.platform() as tx:
        found = map_categories(tx, encoder, NOW)
        assert found["world", "Bidules"] == Placement(762, APPLIED_PERCENT, "titles")
        washing = found["world", "Muebles > Lavadoras"]
        assert (washing.google_id, washing.by) == (2549, "meaning")
        assert map_categories(tx, encoder, NOW) == {}, "nothing new the second time"
        correct(tx, "world", "Bidules", 753, SIGNED)
        map_categories(tx, encoder, NOW)
        sure = [key for key, each in found.items() if each.percent >= APPLIED_PERCENT]
        take_effect(tx, sure)
    match_landed(database, WordEncoder())
    with database.platform() as tx:
        (toaster,) = product_views(tx, [products(database)["world/t1"]])
    assert toaster.google_category_id == 753


def test_names_of_google_are_loaded_for_matching(database: Database) -> None:
    merchants(database, "foreign")
    load(database, "foreign", [raw("f1", "Orvane F1", category="Dom > Zmywarki przemyslowe")])
    lines = ["# Google_Product_Taxonomy_Version: 2015-02-19", "680 - Dom > Zmywarki przemyslowe"]
    with database.platform() as tx:
        assert load_names(tx, "pl", lines) == 1
        found = map_categories(tx, WordEncoder(), NOW)
        assert found["foreign", "Dom > Zmywarki przemyslowe"] == Placement(680, NAMED, "names")
        with pytest.raises(DomainError):
            load_names(tx, "pl", ["no id here"])
        with pytest.raises(DomainError):
            load_names(tx, "pl", ["99999999 - Unknown"])


@pytest.mark.parametrize(
    ("language", "right"), [("es-ES", 0.84), ("it-IT", 0.84), ("nl-NL", 0.84), ("pl-PL", 0.82)]
)
def test_categories_in_a_language_without_names_are_found_by_meaning(
    shared: Path, language: str, right: float
) -> None:
    from mdm.taxonomy.mapping import nearest_names

    file = shared / "data" / "taxonomy" / f"google_2015-02-19_{language}.txt.gz"
    named = {each.google_id for each in own_names()}
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split(" - ", 1) for line in lines if not line.startswith("#")]
    leaves = {
        int(google_id): segments_of(path.rpartition(" > ")[2].replace("/", " "))[0]
        for google_id, path in rows
        if int(google_id) in named
    }
    found = nearest_names(list(leaves.values()), load_encoder())
    hits = sum(google_id == near for google_id, (near, _) in zip(leaves, found, strict=True))
    assert hits / len(leaves) >= right


def test_our_own_names_find_their_own_ids() -> None:
    wrong = [each for each in own_names() if each.google_id not in own_index().ids(each.name)]
    assert wrong == []
