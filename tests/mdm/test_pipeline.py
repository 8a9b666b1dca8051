"""Matching through the database: GTIN traps, stable ids, leaving, retiring, redirects, kills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from kernel.db import Database
from kernel.gtin import check_digit
from mdm import pipeline
from mdm.catalogue import all_product_ids, changes_after, head, product_views, resolve
from mdm.match_index import stored_models
from mdm.offer_rows import offer_id_of
from mdm.offers import match_evidence
from mdm.pending import next_turn
from mdm.raw_offer import RawOffer
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import WordEncoder, load, merchants, products, raw, snapshot


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(fresh_database(postgres_url))
    merchants(opened, "alpha", "beta", "gamma")
    yield opened
    opened.close()


def gtin(body: str) -> str:
    return body + check_digit(body)


PHONE = gtin("952000000001")
OTHER = gtin("952000000002")


def _places(database: Database, **feeds: Sequence[RawOffer]) -> dict[str, str]:
    for merchant, offers in feeds.items():
        load(database, merchant, offers, match=False)
    pipeline.match_landed(database, WordEncoder())
    return products(database)


def _together(database: Database, one: RawOffer, other: RawOffer) -> bool:
    places = _places(database, alpha=[one], beta=[other])
    return places[f"alpha/{one.sku}"] == places[f"beta/{other.sku}"]


TITLE = "Norvalis Lumen 6 Smartphone 128 GB black"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (raw("a", TITLE, gtins=(PHONE,)), raw("b", "Lumen 6 von Norvalis", gtins=("0" + PHONE,))),
        (raw("a", TITLE, gtins=(PHONE,)), raw("b", TITLE, gtins=(OTHER,), mpn="X1")),
        (raw("a", TITLE, gtins=(PHONE,)), raw("b", TITLE, gtins=(PHONE,), condition="refurbished")),
        (raw("a", TITLE), raw("b", "NORVALIS Lumen 6 128GB Smartphone - black")),
        (
            raw("a", "Bosch KGN36VL35G fridge freezer", manufacturer="Bosch"),
            raw("b", "Kühlschrank KGN 36VL35G", manufacturer="BOSCH GmbH"),
        ),
        (
            raw("a", "Perceuse sans fil", manufacturer="Bohrwick", mpn="BW-18/2"),
            raw("b", "Akku-Bohrschrauber", manufacturer="Bohrwick", mpn="BW 18 2"),
        ),
        (raw("a", TITLE, gtins=("7.8332E+11",)), raw("b", TITLE, gtins=("2000000010007",))),
    ],
    ids=["gtin", "two-gtins", "refurbished", "title", "split-code", "part-number", "bad-gtins"],
)
def test_offers_of_one_product(database: Database, one: RawOffer, other: RawOffer) -> None:
    assert _together(database, one, other)


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (TITLE, TITLE.replace("black", "white"), "colour"),
        (TITLE, TITLE.replace("128", "256"), "capacity"),
        ("Alkaline AA cells Norvalis", "Alkaline AA cells Norvalis 4er-Pack", "packs of"),
        (TITLE, TITLE + " + headphones Sonderik Pico", "bundle"),
        (TITLE, "Coque pour " + TITLE, "accessory"),
        ("Stridenko Court Sneaker Größe 41", "Stridenko Court Sneaker Größe 42", "size"),
        ("Visorel TV X9000 55 Zoll", "Visorel TV X9000 65 Zoll", "screen size"),
        ("Brantholm Werk 16 QWERTZ", "Brantholm Werk 16 AZERTY", "keyboard"),
        ("Brulange Sidamo Kaffee 250 g", "Brulange Sidamo Kaffee 1 kg", "content"),
    ],
)
def test_one_gtin_on_two_variants_does_not_merge_them(
    database: Database, one: str, other: str, reason: str
) -> None:
    places = _places(
        database, alpha=[raw("a", one, gtins=(PHONE,))], beta=[raw("b", other, gtins=(PHONE,))]
    )
    assert places["alpha/a"] != places["beta/b"]
    with database.platform() as tx:
        evidence = match_evidence(tx, offer_id_of("alpha", "a"))
    assert evidence is not None
    assert reason in evidence["kept_apart"][0]


def test_a_merchant_has_one_offer_of_a_product_in_each_condition(database: Database) -> None:
    new, twin = raw("new", TITLE, gtins=(PHONE,)), raw("twin", TITLE, gtins=(PHONE,))
    used = raw("used", TITLE, gtins=(PHONE,), condition="used")
    places = _places(database, alpha=[new, twin, used])
    assert places["alpha/new"] != places["alpha/twin"]
    assert places["alpha/used"] in (places["alpha/new"], places["alpha/twin"])


def test_evidence_is_told_in_words_and_numbers(database: Database) -> None:
    _places(
        database, alpha=[raw("a", TITLE, gtins=(PHONE,))], beta=[raw("b", TITLE, gtins=(PHONE,))]
    )
    with database.platform() as tx:
        evidence = match_evidence(tx, offer_id_of("beta", "b"))
    assert evidence is not None
    assert evidence["decision"] == "joined"
    assert evidence["score"] > 0.99
    assert ["same_gtin", [f"0{PHONE}"], 8.0] in evidence["for"]
    assert evidence["compared_with"] == offer_id_of("alpha", "a")


def test_new_offers_join_living_products_and_nothing_else_is_touched(database: Database) -> None:
    first = _places(database, alpha=[raw("a", TITLE, gtins=(PHONE,)), raw("z", "Toaster T1")])
    with database.platform() as tx:
        position = head(tx)
    second = _places(database, beta=[raw("b", "Norvalis Lumen 6 128GB", gtins=(PHONE,))])
    assert second["beta/b"] == first["alpha/a"]
    assert second["alpha/z"] == first["alpha/z"]
    with database.platform() as tx:
        assert [each for _, each in changes_after(tx, position, 10)] == [first["alpha/a"]]
        (view,) = product_views(tx, [first["alpha/a"]])
    assert view.version == 2
    assert {each.merchant_id for each in view.offers} == {"alpha", "beta"}
    assert view.gtins == ("0" + PHONE,)
    assert view.provenance["gtins"] in {each.offer_id for each in view.offers}


def test_a_changed_offer_that_no_longer_fits_leaves(database: Database) -> None:
    first = _places(
        database, alpha=[raw("a", TITLE, gtins=(PHONE,))], beta=[raw("b", TITLE, gtins=(PHONE,))]
    )
    other = raw("b", "Norvalis Slate 11 Tablet 64 GB white", gtins=(OTHER,))
    second = _places(database, beta=[other])
    assert second["alpha/a"] == first["alpha/a"] != second["beta/b"]
    back = _places(database, beta=[raw("b", TITLE, gtins=(PHONE,))])
    assert back == first
    with database.platform() as tx:
        assert resolve(tx, second["beta/b"]) == first["alpha/a"]
        assert product_views(tx, [second["beta/b"]]) == []


def test_a_small_change_of_the_only_offer_keeps_the_product(database: Database) -> None:
    first = _places(database, alpha=[raw("a", "Kettle steel", gtins=(PHONE,))])
    second = _places(database, alpha=[raw("a", "Kettle steel, 1.7 litres", gtins=(OTHER,))])
    assert first == second


def test_empty_products_retire_and_revive_under_their_id(database: Database) -> None:
    shelf = [raw(f"s{n}", f"Kettle KX{n:03d}Q") for n in range(12)]
    placed = _places(database, alpha=shelf)
    _places(database, alpha=shelf[1:])
    gone = placed["alpha/s0"]
    with database.platform() as tx:
        position = head(tx)
        assert product_views(tx, [gone]) == []
        assert resolve(tx, gone) is None
        assert gone not in all_product_ids(tx, "", 100)
        assert changes_after(tx, position - 1, 10) == [(position, gone)]
    assert _places(database, alpha=shelf) == placed


def test_an_offer_refused_later_is_hidden(database: Database) -> None:
    load(database, "alpha", [raw("a", TITLE)])
    with database.platform() as tx:
        tx.exec_driver_sql(
            "UPDATE mdm.raw_offer SET pending = true, raw = jsonb_set(raw, '{price}', '\"1.299\"')"
        )
    pipeline.match_landed(database, WordEncoder())
    assert products(database) == {}


def test_the_same_data_in_an_empty_database_gives_the_same_ids(
    database: Database, postgres_url: str
) -> None:
    feeds = {
        name: [
            raw(f"{name}{n}", f"Norvalis KX{n:03d}Q kettle {n} W", gtins=(gtin(f"9520001{n:05d}"),))
            for n in range(15)
        ]
        for name in ("alpha", "beta", "gamma")
    }
    first = _places(database, **feeds)
    other = Database(fresh_database(postgres_url))
    merchants(other, "alpha", "beta", "gamma")
    for name in ("gamma", "alpha", "beta"):
        load(other, name, feeds[name])
    assert products(other) == first
    assert len(set(first.values())) == 15
    other.close()


class _DyingEncoder(WordEncoder):
    """Encodes so many batches, then the process is as good as dead."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return super().encode(texts)


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_a_kill_in_the_middle_leaves_whole_batches(
    database: Database, postgres_url: str, survived: int
) -> None:
    calm = Database(fresh_database(postgres_url))
    merchants(calm, "alpha", "beta", "gamma")
    offers = [raw(f"s{n:02d}", f"Kettle KX{n // 2:03d}Q steel") for n in range(30)]
    for each in (database, calm):
        load(each, "alpha", offers[::2], match=False)
        load(each, "beta", offers[1::2], match=False)
    pipeline.match_landed(calm, WordEncoder(), batch=10)
    with pytest.raises(KeyboardInterrupt):
        pipeline.match_landed(database, _DyingEncoder(survived), batch=10)
    assert len(products(database)) == survived * 10
    pipeline.match_landed(database, WordEncoder(), batch=10)
    assert snapshot(database) == snapshot(calm)
    pipeline.match_landed(database, WordEncoder(), batch=10)
    assert snapshot(database) == snapshot(calm)
    calm.close()


def test_vectors_of_two_models_are_never_mixed(database: Database) -> None:
    _places(database, alpha=[raw("a", TITLE), raw("b", "Toaster T1")])
    load(database, "beta", [raw("c", TITLE)], match=False)
    pipeline.match_landed(database, WordEncoder("words-2"))
    with database.platform() as tx:
        rows = tx.exec_driver_sql("SELECT model_id, count(*) FROM mdm.offer_vector GROUP BY 1")
        assert [tuple(row) for row in rows] == [("words-2", 3)]
    places = products(database)
    assert places["beta/c"] == places["alpha/a"]
    another = WordEncoder("words-3")
    assert pipeline.match_landed(database, another) == 0
    with database.platform() as tx:
        assert stored_models(tx) == [("words-3", another.dimensions, 3)]


def test_a_sale_that_begins_is_shown_without_a_new_feed(database: Database) -> None:
    sale = raw("a", TITLE, sale_price="8.00", sale_interval="2090-01-01/2091-01-01")
    load(database, "alpha", [sale])
    with database.platform() as tx:
        (view,) = product_views(tx, all_product_ids(tx, "", 9))
        assert view.offers[0].price is not None
        assert view.offers[0].price.minor == 1000
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at IS NOT NULL"
        assert tx.exec_driver_sql(waiting).scalar_one() == 1
        pending = next_turn(tx, 10, datetime(2090, 6, 1, tzinfo=UTC), after_pushed=False).records
        assert [row.sku for row in pending] == ["a"]


def test_price_and_stock_changes_do_not_match_again(database: Database) -> None:
    offer = raw("a", TITLE, quantity=3)
    load(database, "alpha", [offer])
    load(database, "alpha", [replace(offer, price="9.00", quantity=0)], match=False)
    # An encoder that may not be asked: a changed price needs no vector.
    assert pipeline.match_landed(database, _DyingEncoder(0)) == 1
    with database.platform() as tx:
        (view,) = product_views(tx, all_product_ids(tx, "", 9))
        assert [each for _, each in changes_after(tx, 0, 9)] == [view.product_id] * 2
    # What describes the product is as it was, so its golden record was not merged again.
    assert view.version == 1
    assert view.offers[0].availability == "out_of_stock"
