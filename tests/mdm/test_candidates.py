"""Which offers are found worth comparing, among newcomers and in the living catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from mdm.match.candidates import (
    FEW,
    MOST,
    Candidates,
    PieceIndex,
    all_pairs,
    asked_pieces,
    indexed,
    merchant_piece,
    seat_of,
)
from mdm.match.decision import Contender
from mdm.match.features import offer_features
from mdm.match.neighbours import BANDS, DOUBTFUL, asked_codes, held_codes
from mdm.match.recent_offers import RecentOffers
from mdm.match.term_index import TermIndex
from tests.mdm.offers_at_hand import WordEncoder

ENCODER = WordEncoder()


def contender(number: int, title: str, merchant: str = "", **facts: object) -> Contender:
    seller = merchant or f"shop-{number}"
    return Contender(f"off_{number:03d}", seller, "new", offer_features(title, facts))


def _lookup(newcomers: list[Contender], living: PieceIndex | None = None) -> Candidates:
    vectors = ENCODER.encode([each.features.reading.text for each in newcomers])
    return Candidates(RecentOffers() if living is None else living, newcomers, vectors)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bosch KGN36VL35G", "KGN 36VL35G fridge"),
        ("Samsung UE49NU8000TXXU 4K TV", "nu8000 samsung television"),
        ("Visorel KX4411", "Televisore KX4411GB"),
        ("Waschmaschine Brandon", "machine à laver Brandon"),
    ],
    ids=["split", "within", "beginning", "one-word"],
)
def test_what_shares_a_telling_piece_is_found(one: str, other: str) -> None:
    shelf = [contender(number, f"Lamp LX{number}99A brass") for number in range(60)]
    found = _lookup([*shelf, contender(70, one), contender(71, other)])
    assert 61 in found.of(60)[0][:3]
    assert 60 in found.of(61)[0][:3]


def test_identifiers_find_what_titles_do_not() -> None:
    shelf = [contender(number, f"Lamp LX{number}99A brass") for number in range(40)]
    same_gtin = [contender(50, "Drill", gtins=["1"]), contender(51, "Perceuse", gtins=["1"])]
    maker = {"manufacturer": "Bohrwick", "mpn": "BW-18/2"}
    same_part = [contender(52, "Saw", **maker), contender(53, "Scie", **maker)]
    found = _lookup([*shelf, *same_gtin, *same_part])
    assert found.of(40)[0][0] == 41
    assert found.of(42)[0][0] == 43


def test_a_part_number_is_found_in_another_title() -> None:
    stated = contender(1, "Saw", mpn="BW-1822", manufacturer="Bohrwick")
    found = _lookup([stated, contender(2, "Scie BW1822 rouge"), contender(3, "Lamp")])
    assert found.of(0)[0][0] == 1


def test_an_offer_of_the_same_merchant_and_condition_is_no_candidate() -> None:
    twins = [contender(1, "red kettle KX1", "m"), contender(2, "red kettle KX1", "m")]
    used = Contender("off_003", "m", "used", twins[0].features)
    found = _lookup([*twins, used])
    assert found.of(0) == ([2], [])
    assert sorted(found.of(2)[0]) == [0, 1]


def test_living_offers_and_newcomers_are_ranked_on_one_scale() -> None:
    living = TermIndex()
    old = [contender(100, "kettle steel KX100Q"), contender(101, "kettle steel")]
    living.add(indexed(old, ENCODER.encode(["kettle steel kx100q", "kettle steel"])))
    new = [contender(1, "KX100Q kettle"), contender(2, "Kettle KX100Q red"), contender(3, "Lamp")]
    pairs, outer = all_pairs(_lookup(new, living), [0, 1])
    assert pairs == [(0, 1)]
    assert outer[0][0].offer_id == outer[1][0].offer_id == "off_100"


def test_a_changed_offer_is_not_found_in_its_old_shape() -> None:
    living = RecentOffers()
    living.add(indexed([contender(1, "kettle KX100Q")], ENCODER.encode(["kettle kx100q"])))
    found = _lookup([contender(1, "toaster"), contender(2, "kettle KX100Q")], living)
    assert found.of(1) == ([], [])


def test_no_offer_has_more_candidates_than_thirty() -> None:
    many = [contender(number, "phone KX1234Q black") for number in range(80)]
    found = _lookup(many)
    assert all(len(found.of(place)[0]) == MOST for place in range(80))


def test_large_batches_are_looked_up_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = [contender(number, f"Lamp LX{number % 20}99A brass {number}") for number in range(60)]
    few = all_pairs(_lookup(shelf), range(60))
    monkeypatch.setattr("mdm.match.candidates._SMALL_BATCH", 10)
    many = all_pairs(_lookup(shelf), range(60))
    agreed = len(set(few[0]) & set(many[0])) / len(few[0])
    assert agreed > 0.9, "ties at the end of a list may fall the other way, no more"


def test_near_titles_without_a_shared_word_are_found_by_their_vectors() -> None:
    chance = np.random.default_rng(7)
    table = chance.standard_normal((400, 256)).astype(np.float32)
    table[1] = table[0] + 0.25 * chance.standard_normal(256).astype(np.float32)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    words = ["".join("abcdefghij"[int(digit)] for digit in str(number)) for number in range(400)]
    newcomers = [contender(number, word) for number, word in enumerate(words)]
    found = Candidates(RecentOffers(), newcomers, table)
    assert 1 in found.of(0)[0][:FEW]
    assert 0 in found.of(1)[0][:FEW]


def test_codes_of_vectors() -> None:
    vectors = ENCODER.encode(["kettle", "kettle", "toaster"])
    held = list(held_codes(vectors))
    assert held[0] == held[1] != held[2]
    asked = asked_codes(vectors[0])
    assert set(held[0]) <= set(asked)
    assert len(asked) == len(set(asked)) == BANDS * (1 + DOUBTFUL)
    nothing = np.zeros((1, 64), dtype=np.float32)
    assert list(held_codes(nothing)) == [()]
    assert asked_codes(nothing[0]) == []
    assert list(held_codes(nothing[:0])) == []


def test_what_is_indexed_is_what_is_asked_the_seat_and_the_merchant() -> None:
    each = contender(1, "Bosch KGN36", gtins=["1"], manufacturer="Bosch", mpn="KG-N36/1")
    ((offer_id, pieces, _),) = indexed([each], np.zeros((1, 64), dtype=np.float32))
    assert offer_id == "off_001"
    whose = {seat_of(each.merchant_id, "new"), merchant_piece(each.merchant_id)}
    assert pieces - asked_pieces(each.features) == whose
    assert {"g:1", "p:bosch:kgn361", "kgn361", "bosch"} <= pieces


def test_what_shares_a_common_word_only_is_no_candidate() -> None:
    shelf = [contender(number, f"Lamp LX{number}99A brass") for number in range(60)]
    wanted = contender(70, "Norvalis KX214Q lamp with dimmer and switch")
    twin = contender(71, "KX214Q Norvalis lamp")
    found = _lookup([*shelf, wanted, twin])
    assert found.of(60)[0] == [61]
