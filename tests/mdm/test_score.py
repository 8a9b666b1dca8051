"""The evidence of a pair, the learned score and what identifiers add to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from kernel.errors import DomainError
from mdm.match.card_formats import card_format
from mdm.match.decide import LIKELY, MERGE
from mdm.match.ensemble import read_ensemble
from mdm.match.evidence import Evidence, evidence
from mdm.match.features import Features, offer_features
from mdm.match.rarity import Rarity
from mdm.match.score import (
    MODEL,
    explain,
    identifier_evidence,
    probabilities,
    shipped_model,
    title_evidence,
)
from mdm.match.vetoes import doubt, veto

RARITY = Rarity(0, lambda _: 0)


def features(title: str, **facts: Any) -> Features:
    return offer_features(title, facts)


def _row(one: Features, other: Features, cosine: float = 0.7) -> Evidence:
    return evidence(one, other, cosine, RARITY)


def _probability(one: Features, other: Features, cosine: float = 0.7) -> float:
    known = identifier_evidence(one, other)
    return float(probabilities([_row(one, other, cosine)], [known])[0])


FRIDGE = "Bosch KGN36VL35G fridge freezer 324 l"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (FRIDGE, "Kühl-Gefrierkombination Bosch KGN 36VL35G weiß"),
        ("Canon EOS 80D 24MP + 18-55mm", "EOS 80D body black"),
        ("", "Bosch"),
        ("!!!", "???"),
        ("日本語のタイトル 123", "Заголовок 123"),
    ],
)
def test_evidence_is_symmetric_and_bounded(one: str, other: str) -> None:
    left, right = features(one, description="a 5 l jug"), features(other, manufacturer="Bosch")
    assert _row(left, right) == _row(right, left)
    assert all(-1 <= value <= 20 for value in _row(left, right))


def test_evidence_names_what_differs() -> None:
    row = _row(features(FRIDGE), features("Bosch KGN36VL3AG fridge 324 l"))
    assert row.code_unmatched_on_both_sides > 0.5
    assert row.unmatched_codes_alike >= 0.8
    assert row.code_beginning_shared >= 0.7
    assert row.quantities_equal == 1
    other = _row(features("Disk 64GB blue"), features("Disk 128 GB red"))
    assert other.quantities_unequal == 1
    colours = (
        features("Disk", attributes={"colour": "blue"}),
        features("Disk", attributes={"colour": "red"}),
    )
    assert _row(*colours).same_colour == -1


def test_a_code_within_another_is_not_unmatched() -> None:
    row = _row(features("Samsung UE75NU8000"), features("Samsung UE75NU8000TXXU"))
    assert row.code_unmatched_on_both_sides == 0
    assert row.code_beginning_shared >= 0.9


def test_a_code_is_one_however_hyphens_hold_it_together() -> None:
    one, other = features("Norvalis case nv13aquseev2"), features("Norvalis NV13-AQU-SEE-V2, case")
    assert "nv13aquseev2" in one.codes & other.codes
    assert _row(one, other).longest_code_shared == 1.2
    assert "0101072300" in features("cable 010-10723-00").codes
    nothing_whole = features("all-weather 2.5-inch usb-c 10/100/1000 16:9 512gb-ssd").codes
    assert not {"512gbssd", "101001000", "25inch"} & nothing_whole


def test_what_the_description_says_is_not_left_over() -> None:
    told = "Spare part ws-c2960x-24ts-l of the copper series"
    one = features("Catalyst 24 ports copper WS-C2960X-24TS-L")
    row = _row(one, features("Catalyst switch 24", description=told))
    assert row.code_in_description > 0.5
    assert row.code_unmatched_on_one_side == 0
    bare = _row(one, features("Catalyst switch 24"))
    assert row.rarest_left_over_more < bare.rarest_left_over_more


def test_a_maker_is_found_in_the_other_title() -> None:
    stated = features("Chain checker", manufacturer="Bohrwick")
    assert _row(stated, features("Bohrwick chain checker")).same_manufacturer == 0.5
    assert _row(stated, features("Chain checker")).same_manufacturer == -0.5
    by_dealer = features("Bohrwick chain checker", manufacturer="Norvalis")
    assert _row(stated, by_dealer).same_manufacturer == 1
    assert _row(stated, features("Checker", manufacturer="Norvalis")).same_manufacturer == -1
    assert _row(features("Checker"), features("Checker")).same_manufacturer == 0


def test_a_colour_is_found_in_the_description() -> None:
    blue = features("Case", attributes={"colour": "blue"})
    assert _row(blue, features("Case", description="Plastique bleu")).same_colour == 0.5
    assert _row(blue, features("Case", description="plastic green")).same_colour == -0.5
    assert _row(blue, features("Case", description="plastic")).same_colour == 0


def test_a_pack_that_only_a_description_names_is_no_other_pack() -> None:
    three = features("Disc 3 pack", attributes={"pack_count": "3"})
    assert veto(three, features("Disc")) == "packs of 3 and of 1"
    assert veto(three, features("Disc", description="1.4 GB, 3 pack")) is None


def test_the_same_model_is_likelier_than_its_sister() -> None:
    one = features("Bosch Serie 4 KGN36VL35G fridge freezer 324 l white")
    same = features("Bosch KGN36VL35G freestanding fridge freezer")
    sister = features("Bosch KGN39XI4PG freestanding fridge freezer")
    assert _probability(one, same) > LIKELY > _probability(one, sister)


def test_codes_that_agree_in_parts_only_are_put_before_a_person() -> None:
    one = features("Liebherr TP1414 under counter fridge comfort")
    sister = features("Liebherr TSP1414 under counter fridge comfort")
    assert doubt(one, sister) == doubt(sister, one) == "model codes agree in parts only"
    assert doubt(one, features("Liebherr TP 1414 under counter fridge comfort")) is None
    assert doubt(one, features("Liebherr under counter fridge comfort")) is None
    # Feeds put a sister's GTIN on a thing; no title speaks against a GTIN by saying less.
    stated = features("Liebherr TP1414 fridge", gtins=["1"]), features("TSP1414", gtins=["1"])
    assert doubt(*stated) == "model codes agree in parts only"
    v15, v12 = (features(f"Liebherr V{n} detect cleaner", gtins=["1"]) for n in (15, 12))
    assert doubt(v15, v12) == "one says v15 where the other says v12"
    said_less = features("Liebherr fridge", gtins=["1"])
    assert doubt(features("Liebherr TP1414 fridge pro", gtins=["1"]), said_less) is None
    numbered = (features(title, gtins=["1"], mpn="99-77") for title in ("TP1414", "TSP1414"))
    assert doubt(*numbered) is None


def test_identifiers() -> None:
    one = features("Drill", manufacturer="Bohrwick", mpn="BW-18", gtins=["1"])
    same = features("Drill", manufacturer="bohrwick", mpn="bw18")
    assert identifier_evidence(one, same)[0][0] == "same_part_number"
    other = features("Drill", manufacturer="Bohrwick", mpn="BW-20", gtins=["2"])
    assert [code for code, *_ in identifier_evidence(one, other)] == [
        "other_gtin",
        "other_part_number",
    ]
    assert _probability(one, same) > MERGE > _probability(one, other)


def test_a_model_code_counts_for_more_beside_its_maker() -> None:
    one = features(FRIDGE, manufacturer="Bosch")
    other = features("Kühlschrank KGN 36VL35G", manufacturer="Bosch")
    assert identifier_evidence(one, other) == [("same_model_code", ("kgn36vl35g",), 1.5)]
    whole = features("Kühlschrank KGN36VL35G", manufacturer="Bosch")
    assert identifier_evidence(one, whole) == [("same_model_code", ("kgn36vl35g",), 2.0)]
    assert identifier_evidence(one, features("Kühlschrank KGN 36VL35G")) == []
    assert _probability(one, other) > MERGE


def test_a_rare_model_code_counts_where_no_maker_is_stated() -> None:
    one, other = features(FRIDGE), features("Kühlschrank KGN 36VL35G")
    assert title_evidence(one, other, Rarity(100, lambda _: 3)) == [
        ("same_model_code", ("kgn36vl35g",), 1.5)
    ]
    assert title_evidence(one, other, Rarity(100_000, lambda _: 5_000)) == []
    bosch, neff = features(FRIDGE, manufacturer="Bosch"), features(FRIDGE, manufacturer="Neff")
    assert "same_model_code" not in dict.fromkeys(
        code for code, *_ in title_evidence(bosch, neff, Rarity(100, lambda _: 3))
    )


def test_a_code_that_both_write_whole_counts_for_more() -> None:
    rare = Rarity(100, lambda _: 3)
    whole, joined = features("Norvalis KGN36VL35G fridge"), features("Norvalis KGN 36VL35G fridge")
    told = [title_evidence(whole, other, rare)[0] for other in (whole, joined)]
    assert told == [("same_model_code", ("kgn36vl35g",), by) for by in (2.0, 1.5)]


def test_measures_are_no_model_code() -> None:
    assert not features("fridge 154x60cm 177x56x55mm").codes
    assert "1770x56cmk" in features("fridge 1770x56cmk").codes


def test_the_same_title_counts_unless_it_names_a_kind_only() -> None:
    one, other = features("Norvalis walnut chopping board large"), features("Large board walnut")
    again = features("Norvalis large chopping board, walnut")
    rare = Rarity(1_000, lambda _: 2)
    assert [code for code, *_ in title_evidence(one, again, rare)] == ["same_title"]
    assert title_evidence(one, other, rare) == []
    assert title_evidence(one, again, Rarity(30_000, lambda _: 30_000)) == []


def test_cards_that_fit_no_common_slot_are_not_one() -> None:
    micro = features("Norvalis Ultra 32 GB micro SDHC + SD adapter")
    told = title_evidence(micro, features("Carte Norvalis SDHC Ultra 32 Go"), RARITY)
    assert ("other_card", ["microsd", "sd"], -3.0) in told
    stick = features("Clé USB Norvalis Ultra 32 Go")
    assert "other_card" in [code for code, *_ in title_evidence(stick, micro, RARITY)]
    for other in ("Norvalis microSDHC Ultra 32GB", "Norvalis Ultra 32GB", "Norvalis USB 32GB"):
        assert "other_card" not in [
            code for code, *_ in title_evidence(micro, features(other), RARITY)
        ]


@pytest.mark.parametrize(
    ("title", "card"),
    [
        ("XQD SD card 64GB", "xqd"),
        ("CompactFlash 64GB", "cf"),
        ("SDXC 64GB", "sd"),
        ("USB flash drive 64GB", "usb"),
        ("Pendrive USB 3.0 64GB", "usb"),
        ("Phone 64GB, USB C", None),
    ],
)
def test_the_kind_of_card(title: str, card: str | None) -> None:
    assert card_format(features(title).reading.tokens) == card


@pytest.mark.parametrize("title", ["b", "b!", "- 8 -", ".", "tv"])
def test_a_title_of_a_letter_or_two_is_nobodys(title: str) -> None:
    short, long = features(title), features("Norvalis dishwasher DV14 class B tv 8")
    assert veto(short, long) == veto(long, short) == "a title that short names nothing"
    assert veto(short, features(title)) == "a title that short names nothing"
    by_number = {"gtins": ["04006381333931"]}
    assert veto(features(title, **by_number), features("Norvalis DV14", **by_number)) is None
    assert veto(features("K7"), features("Kernwerk K70")) is not None
    assert veto(features("K70"), features("Kernwerk K70")) is None


def test_boxed_and_loose_ware_are_kept_apart() -> None:
    boxed = features("Kernwerk K7 4770 processor retail boxed")
    loose = features("Kernwerk K7 4770 processor OEM")
    assert veto(boxed, loose) == "one comes boxed, the other without its box"
    assert veto(features("Kernwerk K7 4770 processor"), loose) is None
    # A fridge has an ice box, another one trays.
    assert veto(features("Norvalis fridge with ice box"), features("Norvalis fridge, tray")) is None


def test_part_numbers_tell_boxed_processors_from_loose_ones() -> None:
    boxed = features("Kernwerk K7 4770 BX80646K74770")
    loose = features("Kernwerk K7 4770 CM8064601464303")
    reason = "one comes boxed, the other without its box"
    assert veto(boxed, loose) == veto(loose, boxed) == reason
    assert veto(boxed, features("Kernwerk K7 4770 OEM")) == reason
    assert veto(loose, features("Kernwerk K7 4770 PIB")) == reason
    assert veto(boxed, features("Kernwerk K7 4770 processor")) is None
    assert veto(boxed, features("Kernwerk K7 4770 box")) is None


def test_a_part_of_a_computer_maker_is_not_that_of_its_own_maker() -> None:
    own = features("Intel Xeon E5-2620 2 GHz processor")
    option = features("HP DL360p Intel Xeon E5-2620 2 GHz processor")
    assert veto(own, option) == veto(option, own) == "one is a part of a computer maker"
    assert veto(option, features("Hewlett Packard Intel Xeon E5-2620 processor")) is None
    # A computer is named by its series where a shop leaves its maker out.
    assert veto(features("HP Elitebook 840 Intel i5"), features("Elitebook 840 Intel i5")) is None


def test_titles_that_lead_with_different_makers_speak_of_two_things() -> None:
    one, other = features("Norvalis fridge X200 white"), features("Bohrwick fridge X200 white")
    told = title_evidence(one, other, RARITY)
    assert told == [("other_lead", ("norvalis", "bohrwick"), -2.0)]
    assert [code for code, *_ in title_evidence(other, one, RARITY)] == ["other_lead"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (features("Norvalis fridge"), features("Fridge X200 by Norvalis")),
        # A kind of thing leads one of them, whatever the language.
        (features("Kühlschrank Norvalis X200"), features("Bohrwick X200")),
        (features("X200 fridge"), features("Norvalis fridge")),
        (
            features("Norvalis kettle", description="Made by Bohrwick"),
            features("Bohrwick kettle"),
        ),
        (
            features("Aqualine", manufacturer="Bosch"),
            features("Serie kettle", manufacturer="Bosch"),
        ),
        # What shops say of a piece is no maker.
        (features("SIM free Lumen 7 128 GB"), features("Norvalis Lumen 7 128 GB")),
        (features("Norvalis kettle X200"), features("Open box kettle X200")),
        # One whole model code weighs more than who leads.
        (features("Norvalis KX214QTZ kettle"), features("Bohrwick KX214QTZ kettle")),
    ],
)
def test_leads_that_say_nothing(one: Features, other: Features) -> None:
    for pair in ((one, other), (other, one)):
        assert "other_lead" not in [code for code, *_ in title_evidence(*pair, RARITY)]


def test_what_shares_no_code_has_to_be_surer() -> None:
    one, other = features("Norvalis retro fridge"), features("Norvalis fridge with retro handle")
    rarity = Rarity(1_000, lambda _: 2)
    assert doubt(one, other, rarity) == "no model code that both state"
    assert doubt(one, other) is None
    assert doubt(one, features("Norvalis fridge retro"), rarity) is None


def test_a_gtin_that_names_several_things_weighs_less() -> None:
    one, other = features("Lamp", gtins=["1"]), features("Lampe", gtins=["1"])
    ((clear, _, by),) = identifier_evidence(one, other)
    ((shared, _, less),) = identifier_evidence(one, other, frozenset("1"))
    assert (clear, shared) == ("same_gtin", "shared_gtin")
    assert by > less > 0
    assert _probability(one, other) > MERGE


def test_the_explanation_adds_up_to_the_score() -> None:
    model = shipped_model()
    row = _row(features(FRIDGE), features("Bosch KGN36VL35G"))
    moved = model.contributions(row)
    total = model.log_odds(np.array([row], dtype=np.float64))[0]
    assert model.start + sum(moved.values()) == pytest.approx(total, abs=0.01)
    told = explain(row, [("same_gtin", ("1",), 8.0)])
    assert told[0] == ("same_gtin", ("1",), 8.0)
    assert [abs(by) for *_, by in told] == sorted((abs(by) for *_, by in told), reverse=True)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"names": ["other"]},
        {"trees": [[[0, 0.5, 0, 9, 0.0]]]},
        {"trees": [[[99, 0.5, 0, 0, 0.0]]]},
        {"depth": 99},
        {"trees": "no"},
    ],
)
def test_a_model_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(orjson.dumps({**orjson.loads(MODEL.read_bytes()), **change}))
    with pytest.raises(DomainError) as refused:
        read_ensemble(path, Evidence._fields)
    assert refused.value.code == "match_model_unreadable"


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DomainError):
        read_ensemble(tmp_path / "model.json", Evidence._fields)


def test_words_keep_their_weight_from_one_comparison_to_the_next() -> None:
    asked: list[str] = []

    def count(word: str) -> int:
        asked.append(word)
        return 1

    rarity = Rarity(10, count)
    one = features("Norvalis kettle KX214Q")
    before = rarity.weighed(one)
    rarity.forget_offers()
    looked_up = len(asked)
    assert rarity.weighed(one) == before
    assert rarity.weighed(one) is not before
    assert len(asked) == looked_up
