"""Newcomers parted into cases: each once, with what hangs together, and decided as all at once."""

from __future__ import annotations

import random

import numpy as np
import pytest

from mdm.match import bundles
from mdm.match.decide import decide
from mdm.match.decision import Contender, Judge, Pair, Ruled
from mdm.match.features import offer_features
from mdm.match.living_catalogue import EmptyCatalogue
from mdm.match.newcomers import Matching, Newcomer
from mdm.match.scoring import Scored


def _contenders(number: int) -> list[Contender]:
    return [
        Contender(f"off_{each}", f"shop-{each}", "new", offer_features("Kettle", {}))
        for each in range(number)
    ]


def test_what_may_come_together_is_one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a pair, by a product that both may come to, by a steward's word."""
    monkeypatch.setattr(bundles, "LARGE", 3)
    scored = Scored(
        likely=[("off_0", "off_4", 0.9), ("off_1", "old_a", 0.6), ("off_2", "old_b", 0.5)],
        vetoed=[("off_0", "off_5", "packs"), ("off_1", "old_z", "size"), ("off_0", "off_4", "x")],
        products={"old_a": "prd_1", "old_b": "prd_1", "old_c": "prd_2", "old_d": "prd_9"},
        readings={"old_a": b"a", "old_c": b"c", "old_d": b"d"},
    )
    ruled = Ruled(together=frozenset([("off_3", "old_c")]))
    found = bundles.bundles(_contenders(7), scored, ruled)
    cases = {tuple(case.places): case for bundle in found for case in bundle.cases}
    assert sorted(cases) == [(0, 4), (1, 2), (3,), (5,), (6,)]
    assert cases[1, 2].products == {"prd_1"}
    assert cases[3,].products == {"prd_2"}
    assert [each[1] for each in cases[0, 4].vetoed] == ["off_5", "off_4"]
    assert cases[5,].vetoed == [("off_0", "off_5", "packs")]
    assert cases[1, 2].vetoed == [("off_1", "old_z", "size")]
    assert all(sum(len(case.places) for case in bundle.cases) <= 3 for bundle in found)
    kept: dict[str, bytes] = {}
    for bundle in found:
        kept |= bundle.readings
    assert kept == {"old_a": b"a", "old_c": b"c"}


def test_how_many_are_decided_in_one_go_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    words = ["Norvalis", "Kaltron", "steel", "white", "kettle", "toaster"]
    some = [
        Newcomer(
            f"off_{each}",
            f"shop-{each % 9}",
            "new",
            f"{' '.join(chance.sample(words, 4))} KX{chance.randrange(12):03d}Q",
            {},
        )
        for each in range(80)
    ]
    vectors = np.zeros((len(some), 8), dtype=np.float32)
    found = []
    for large in (1_000, 7):
        monkeypatch.setattr(bundles, "LARGE", large)
        decision = Matching(EmptyCatalogue(), some, vectors).decision()
        groups = sorted(
            sorted(each.offer_id for each in group.members) for group in decision.groups
        )
        asked = sorted((each.offer_id, each.against, each.probability) for each in decision.reviews)
        found.append((groups, asked))
    assert found[0] == found[1]
    assert 1 < len(found[0][0]) < len(some)


def test_questions_are_the_same_where_nobody_wants_proposals() -> None:
    """Of two newcomers with many likely others, three questions each."""
    contenders = _contenders(12)
    judge = Judge(
        lambda pairs: [0.6] * len(pairs),
        lambda *_: None,
        lambda *_: None,
        lambda *_: [("alike", (1.0,), 1.0)],
    )
    for place in range(2, 12):
        each = contenders[place]
        contenders[place] = Contender(
            each.offer_id, each.merchant_id, "new", each.features, f"prd_{place}"
        )
    pairs = [Pair(new, old, 0.6 - old / 100) for new in (0, 1) for old in range(2, 12)]
    whole = decide(contenders, pairs, [], judge)
    short = decide(contenders, pairs, [], judge, proposes=False)
    assert short.reviews == whole.reviews
    assert len(whole.reviews) in range(3, 7)
    assert (len(whole.proposed), short.proposed) == (1, [])
