"""The memory of answers: its bounds, its two forms, and that it never gives an old answer."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.cache import MemoryCache
from search_api.answer import Degraded, SearchAnswer
from search_api.answer_json import as_json, with_own_parts
from search_api.answer_memory import AnswerMemory, Kept, Shown, until_of
from search_api.answering import Answering, NoLog
from search_api.cards import product_card
from search_api.query import ShopQuery
from search_api.query_id import QueryIds
from tenants.brand import Brand
from tenants.ranking.profile import PaidPolicy, Placement, RankingProfile, Rule
from tests.browser.samples_of_search import results
from tests.indexer.documents import document, offer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AWKWARD = 'lamp ","ignored":["x"],"took_ms":1} \\" \U0001f600'


def answer(title: str = "lamp", **changes: Any) -> SearchAnswer:
    row = document("prd_a", title, offers=(offer("darti", 900, title=title),))
    card = product_card(row, RankingProfile(), "en", NOW).in_answer(
        (), sponsored=False, sponsored_by=None
    )
    return replace(results("fr", products=(card,)), query_id="", took_ms=0.0, **changes)


def kept(made: SearchAnswer, state: str | None = "s", **changes: Any) -> Kept:
    return Kept(Shown.of(made), state, changes.pop("until", math.inf), made, **changes)


@pytest.mark.parametrize("degraded", [None, Degraded(reason="search_unavailable", age_s=1.5)])
def test_a_packed_answer_is_the_same_answer(degraded: Degraded | None) -> None:
    own: dict[str, Any] = {
        "query_id": 'w"1', "ignored": ("page", AWKWARD), "degraded": degraded, "took_ms": 2.5,
    }  # fmt: skip
    for made in (
        answer(AWKWARD),
        answer(query=AWKWARD),
        answer(ignored=("sort", AWKWARD)),
        replace(answer(), products=()),
    ):
        one = kept(made)
        whole = one.json(**own)
        assert orjson.loads(whole) == orjson.loads(as_json(replace(made, **own)))
        one.pack()
        assert one.answer is None
        assert one.json(**own) == whole
        assert as_json(one.read()) == as_json(made)


def test_what_is_not_written_as_an_answer_is_refused() -> None:
    for text in (b"", b"{}", b'{"query_id":"","a":1}', b'{"query_id":"x","ignored":[]}'):
        with pytest.raises(ValueError, match="not how an answer"):
            with_own_parts(text, "w", (), None, 1.0)


def test_few_are_at_hand_and_the_others_are_packed_within_their_bytes() -> None:
    room = kept(answer()).room
    one = kept(answer())
    one.pack()
    memory = AnswerMemory(
        MemoryCache(), keep_ms=1, unchanged_s=60, at_hand=3, most_bytes=10 * one.room
    )
    assert room < one.room
    for number in range(50):
        memory.keep(f"k{number}", kept(answer(query=f"q{number}")))
    assert len(memory._at_hand) == 3
    assert memory._bytes <= 10 * one.room
    assert 8 <= len(memory._packed) <= 10
    assert memory._bytes == sum(each.room for each in memory._packed.values())
    assert all(each.answer is None for each in memory._packed.values())
    assert memory.fresh("k0", "s") is None, "longest unused: gone"
    for number in (49, 40):
        found = memory.fresh(f"k{number}", "s")
        assert found is not None
        assert memory.answer_of(f"k{number}", found).query == f"q{number}"
        assert f"k{number}" in memory._at_hand
    assert memory._bytes == sum(each.room for each in memory._packed.values())


def test_what_has_no_state_is_never_packed() -> None:
    memory = AnswerMemory(MemoryCache(), keep_ms=60_000, unchanged_s=60, at_hand=2)
    for number in range(5):
        memory.keep(f"k{number}", kept(answer(), state=None))
    assert (len(memory._at_hand), len(memory._packed), memory._bytes) == (2, 0, 0)
    assert memory.fresh("k4", "s") is not None, "for its moment"


def test_an_answer_ends_with_the_first_moment_that_makes_it_another() -> None:
    ends = (NOW + timedelta(hours=2)).isoformat()
    row = document("prd_a", "lamp", offers=(offer("darti", 900, expires_at=ends),))
    made = results("fr", products=(product_card(row, RankingProfile(), "en", NOW),))
    assert until_of(made, [None]) == datetime.fromisoformat(ends).timestamp()
    turn = NOW + timedelta(hours=1)
    assert until_of(made, [turn]) == turn.timestamp()
    assert until_of(replace(made, products=()), [None]) == math.inf
    memory = AnswerMemory(MemoryCache(), keep_ms=60_000, unchanged_s=60)
    memory.keep("k", kept(made, until=time.time() - 0.001))
    assert memory.fresh("k", "s") is None
    assert memory.stale("k") is None, "what is no longer true stands in for nothing"


def test_an_engine_that_is_away_is_stood_in_for_by_what_was_good_until_then() -> None:
    memory = AnswerMemory(MemoryCache(), keep_ms=1, unchanged_s=60)
    memory.keep("old", kept(answer(), made_at=time.monotonic() - 40))
    assert memory.stale("old") is None, "nobody has seen it to be good for 40 seconds"
    assert memory.fresh("old", "s") is not None
    found = memory.stale("old")
    assert found is not None
    assert found[1] < 30


def test_a_profile_tells_when_time_alone_will_change_it() -> None:
    day = timedelta(days=1)
    rule = Rule("r", "boost", valid_from=NOW + day, valid_to=NOW + 3 * day)
    place = Placement("p", "results", "darti", "Darti", valid_to=NOW + 2 * day)
    profile = RankingProfile(rules=(rule, Rule("s", "bury")), paid=PaidPolicy(placements=(place,)))
    asked = [profile.next_turn(NOW + days * day) for days in range(5)]
    assert asked == [NOW + day, NOW + 2 * day, NOW + 3 * day, None, None]
    assert RankingProfile().next_turn(NOW) is None


class Catalogue:
    """A catalogue whose state changes, and comes back, also while an answer is being made."""

    def __init__(self) -> None:
        self.state = 0
        self.while_made: tuple[str, int] | None = None
        self.encoder = SimpleNamespace(model_id="m")

    def known(self, brand_id: str) -> str:
        del brand_id
        return "known"

    def search(self, query: ShopQuery, brand: Brand, language: str, **_: Any) -> SearchAnswer:
        del brand, language
        when, change = self.while_made or ("", 0)
        self.while_made = None
        if when == "before":
            self.state = change
        made = answer(query=query.text, total=self.state)
        if when == "after":
            self.state = change
        return made


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 4)),
        st.tuples(st.just("change"), st.integers(0, 3)),
        st.tuples(st.sampled_from(["before", "after"]), st.integers(0, 3)),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def brand() -> Brand:
    stands_for: Any = SimpleNamespace(
        id="b", revision=1, ranking_profile=lambda _: RankingProfile(), languages=("fr",)
    )
    return cast("Brand", stands_for)


@settings(max_examples=300, deadline=None)
@given(acts=ACTS)
def test_no_answer_is_of_another_state_than_the_present_one(
    acts: list[tuple[str, int]], brand: Brand
) -> None:
    """Whatever changes between questions and within them, and wherever a state returns to."""
    catalogue = Catalogue()
    door = Answering(
        cast("Any", catalogue),
        cache=MemoryCache(),
        ids=QueryIds(b"k"),
        log=NoLog(),
        keep_ms=-1,
        index_stamp=lambda _: str(catalogue.state),
    )
    for act, value in acts:
        if act == "change":
            catalogue.state = value
        elif act != "ask":
            catalogue.while_made = (act, value)
        else:
            began = catalogue.state
            given_ = door.answer(ShopQuery("EUR", text=f"q{value}"), brand, "fr", "api")
            assert given_.total in {began, catalogue.state}
            if catalogue.while_made is None and began == catalogue.state:
                assert given_.total == began


def test_threads_leave_the_memory_as_one_would() -> None:
    memory = AnswerMemory(
        MemoryCache(), keep_ms=60_000, unchanged_s=60, at_hand=4, most_bytes=20_000
    )

    def ask(seed: int) -> None:
        for step in range(150):
            number = (seed * 7 + step * step) % 23
            found = memory.fresh(f"k{number}", "s")
            if found is None:
                memory.keep(f"k{number}", kept(answer(query=f"q{number}")))
            else:
                assert memory.answer_of(f"k{number}", found).query == f"q{number}"
                assert b'"query":"q%d"' % number in found.json(
                    query_id="w", ignored=(), degraded=None, took_ms=1.0
                )

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(ask, range(6)))
    assert len(memory._at_hand) <= 4
    assert not memory._at_hand.keys() & memory._packed.keys()
    assert memory._bytes == sum(each.room for each in memory._packed.values()) <= 20_000
