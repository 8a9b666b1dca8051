"""What an index tells of itself, and what it never loses or takes, on each search engine."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.engine import Delete, Engine, Upsert
from indexer.inventory import Held, State, digest_of
from kernel.errors import DomainError
from tests.contracts.search_engines import fill, found, seen_soon
from tests.indexer.documents import DIMENSIONS, direction, document, upsert

PRODUCTS = ("prd_a", "prd_b", "prd_c")
SHUFFLED = "shuffled"
Step = tuple[str, int, bool]
"""A product, a version of it, and whether it is shown from then on."""


def everything(engine: Engine, index: str, limit: int) -> list[Held]:
    """The whole inventory, page by page."""
    rows: list[Held] = []
    after = ""
    while page := engine.inventory(index, after=after, limit=limit):
        assert len(page) <= limit
        rows += page
        after = page[-1].product_id
    return rows


def test_the_inventory_names_every_product_once(engine: Engine, brand: str) -> None:
    """Whatever the size of a page; deleted ones are not in it, versions and hashes are told."""
    written = [upsert(document(f"prd_{n}", f"lamp {n}"), 7) for n in range(25)]
    index = fill(engine, brand, [*written, Delete("prd_3", 9), Delete("prd_never", 9)])
    seen_soon(lambda: len(everything(engine, index, 100)) == 24)
    for limit in (1, 7, 24):
        rows = everything(engine, index, limit)
        assert len(rows) == 24
        assert {row.product_id for row in rows} == {
            change.document.product_id for change in written
        } - {"prd_3"}
    expected = digest_of(written[0].document)
    assert {row for row in rows if row.product_id == "prd_0"} == {Held("prd_0", 7, expected)}


def test_what_is_held_is_known_at_once(engine: Engine, brand: str) -> None:
    """By id, without waiting for a refresh: content, version, and what is shown no longer."""
    index = fill(engine, brand, [upsert(document("prd_a", "lamp", total=900), 1)])
    before = engine.held(index, ["prd_a", "prd_b"])
    assert set(before) == {"prd_a"}
    dearer = document("prd_a", "lamp", total=901)
    engine.write(index, [upsert(dearer, 2)])
    after = engine.held(index, ["prd_a"])["prd_a"]
    assert after == Held("prd_a", 2, digest_of(dearer))
    assert after.digest != before["prd_a"].digest
    engine.write(index, [Delete("prd_a", 3)])
    assert engine.held(index, ["prd_a"]) == {}
    assert engine.held(index, []) == {}


def test_the_hash_depends_on_every_part_and_on_no_order() -> None:
    base = document("prd_a", "lamp", attributes={"a": "1", "b": "2"})
    turned = replace(base, attributes={"b": "2", "a": "1"})
    assert digest_of(base) == digest_of(turned)
    others = [
        replace(base, titles={"en": "lamps"}),
        replace(base, total_minor=999),
        replace(base, offers=(replace(base.offers[0], quantity=3),)),
        replace(base, attributes={"a": "1"}),
    ]
    digests = {digest_of(each) for each in (base, *others)}
    assert len(digests) == 5
    assert all(0 <= digest < 2**63 for digest in digests)


def test_generations_are_told_apart(engine: Engine, brand: str) -> None:
    """Live, the one before, and what is neither; a second publish of the former leads back."""
    assert engine.generations(brand) == ()
    first = fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    second = fill(engine, brand, [upsert(document("prd_b", "lamp"))])
    third = engine.create(brand, model_id="other", dimensions=DIMENSIONS)
    fill(engine, f"{brand}-x", [upsert(document("prd_z", "lamp"))])
    seen_soon(lambda: sorted(row.count or 0 for row in engine.generations(brand)) == [0, 1, 1])
    rows = {row.index: row for row in engine.generations(brand)}
    assert {index: row.state for index, row in rows.items()} == {
        first: State.PREVIOUS,
        second: State.LIVE,
        third: State.SPARE,
    }
    assert [rows[index].count for index in (first, second, third)] == [1, 1, 0]
    assert rows[third].model_id == "other"
    assert all(
        abs(datetime.now(UTC) - row.created_at) < timedelta(minutes=5) for row in rows.values()
    )
    assert engine.publish(brand, first) == second
    assert engine.previous(brand) == second
    assert engine.publish(brand, second) == first
    assert engine.previous(brand) == first
    engine.drop(brand, first)
    assert {row.index for row in engine.generations(brand)} == {second, third}
    assert engine.previous(brand) is None


def test_a_dropped_index_is_not_made_anew_by_a_write(engine: Engine, brand: str) -> None:
    """A refresh that comes late is told so; nothing is left behind."""
    first = fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    second = fill(engine, brand, [upsert(document("prd_a", "lamp"))])
    engine.write(first, [upsert(document("prd_b", "lamp"))])
    engine.drop(brand, first)
    with pytest.raises(DomainError) as refusal:
        engine.write(first, [upsert(document("prd_b", "lamp"), 2)])
    assert refusal.value.status == 503
    assert [row.index for row in engine.generations(brand)] == [second]


def test_one_bad_document_holds_up_no_other(engine: Engine, brand: str) -> None:
    """Each refusal names its product and says why; the others are written."""
    index = fill(engine, brand, [])
    wrong = upsert(document("prd_wrong", "lamp"), vector=np.ones(3, dtype=np.float32))
    huge = document("prd_huge", "lamp", total=2**70)
    torn = document("prd_torn", "half a character \ud83d")
    report = engine.write(
        index,
        [
            upsert(document("prd_a", "lamp")),
            wrong,
            upsert(huge),
            upsert(torn),
            upsert(document("prd_b", "lamp")),
        ],
    )
    assert report.written == 2
    assert {row.product_id for row in report.refused} == {"prd_wrong", "prd_huge", "prd_torn"}
    assert all(row.reason for row in report.refused)
    seen_soon(lambda: sorted(found(engine, brand, "lamp")) == ["prd_a", "prd_b"])
    assert set(engine.held(index, ["prd_a", "prd_b", "prd_huge", "prd_torn"])) == {"prd_a", "prd_b"}


def test_a_refused_document_leaves_what_was_there(engine: Engine, brand: str) -> None:
    """The former state stays visible and a better one is taken."""
    index = fill(engine, brand, [upsert(document("prd_a", "lamp"), 1)])
    refused = engine.write(index, [upsert(document("prd_a", "lamp", total=2**70), 2)])
    assert [row.product_id for row in refused.refused] == ["prd_a"]
    assert engine.read(brand, ["prd_a"])["prd_a"].total_minor == 1000
    assert engine.write(index, [upsert(document("prd_a", "lamp", total=700), 3)]).written == 1
    assert engine.read(brand, ["prd_a"])["prd_a"].total_minor == 700


def _change(turn: str, step: Step) -> Upsert | Delete:
    name, version, is_shown = step
    product_id = f"{name}_{turn}"
    if not is_shown:
        return Delete(product_id, version)
    total = version * 10
    return upsert(document(product_id, f"state {version}", total=total), version, direction(1.0))


_HISTORIES = st.lists(
    st.tuples(st.sampled_from(PRODUCTS), st.booleans()), min_size=1, max_size=12
).map(lambda steps: [(name, place + 1, shown) for place, (name, shown) in enumerate(steps)])


@st.composite
def _deliveries(draw: st.DrawFn) -> tuple[list[Step], list[list[Step]]]:
    """A history, and the batches in which its parts arrive: doubled, shuffled, cut anywhere."""
    history: list[Step] = draw(_HISTORIES)
    doubled = history + draw(st.lists(st.sampled_from(history), max_size=6))
    order: Sequence[Step] = draw(st.permutations(doubled))
    cuts = sorted(draw(st.sets(st.integers(0, len(order)), max_size=3)))
    edges = [0, *cuts, len(order)]
    return history, [list(order[a:b]) for a, b in pairwise(edges) if a < b]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deliveries=_deliveries())
def test_a_late_or_doubled_update_never_wins(
    engine: Engine, deliveries: tuple[list[Step], list[list[Step]]]
) -> None:
    """In any order and however often: each product ends in its last state, deletions included."""
    history, batches = deliveries
    turn = uuid.uuid4().hex[:8]
    index = _published(engine)
    for batch in batches:
        report = engine.write(index, [_change(turn, step) for step in batch])
        assert report.refused == ()
        assert report.written + report.deleted + report.late == len(batch)
    last = {f"{name}_{turn}": (version, shown) for name, version, shown in history}
    shown = {name: version for name, (version, is_shown) in last.items() if is_shown}
    names = [f"{name}_{turn}" for name in PRODUCTS]
    held = engine.held(index, names)
    assert {name: row.version for name, row in held.items()} == shown
    documents = engine.read(SHUFFLED, names)
    assert {name: each.total_minor for name, each in documents.items()} == {
        name: version * 10 for name, version in shown.items()
    }


def _published(engine: Engine) -> str:
    """One index for all examples: each has products of its own."""
    stats = engine.stats(SHUFFLED)
    return stats.index if stats is not None else fill(engine, SHUFFLED, [])
