"""The log of queries: what counts, what is refused, what is not kept, whom it belongs to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from kernel.db import Database
from tenants.query_log import (
    RETENTION_DAYS,
    LoggedQuery,
    QueryEvent,
    Written,
    frequent,
    loggable,
    purge,
    signing_key,
    write_batch,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def asked(query_id: str, words: str = "lave-linge", **changes: object) -> LoggedQuery:
    query = LoggedQuery(
        brand_id="mirabelle",
        query_id=query_id,
        asked_at=NOW,
        door="page",
        language="fr",
        words=words,
        filters={"category": [2549]},
        sort="relevance",
        first_position=1,
        products=("prd_a", "prd_b", "prd_c"),
        total=3,
        relaxation=None,
        ranking_version=1,
    )
    return replace(query, **changes)  # type: ignore[arg-type]


def clicked(query_id: str, product_id: str, position: int) -> QueryEvent:
    return QueryEvent("mirabelle", query_id, "click", product_id, position, NOW)


def test_an_event_counts_once_and_only_where_the_query_showed_the_product(
    database: Database,
) -> None:
    events = [
        clicked("q1", "prd_b", 2),
        clicked("q1", "prd_b", 2),
        clicked("q1", "prd_b", 1),  # another place
        clicked("q1", "prd_x", 2),  # another product
        clicked("q1", "prd_a", 0),
        clicked("q1", "prd_a", -5),
        clicked("q1", "prd_a", 2**31 - 1),
        clicked("q_unknown", "prd_a", 1),
    ]
    with database.brand("mirabelle") as tx:
        written = write_batch(tx, [asked("q1"), asked("q1")], events)
    assert (written.events, written.doubled, written.refused) == (1, 0, 6)
    with database.brand("mirabelle") as tx:
        again = write_batch(tx, [asked("q1")], events[:1])
    assert again == Written(queries=1, doubled=1)


def test_places_of_later_pages_count_from_the_top_of_the_list(database: Database) -> None:
    page = asked("q2", first_position=25)
    with database.brand("mirabelle") as tx:
        written = write_batch(tx, [page], [clicked("q2", "prd_c", 27), clicked("q2", "prd_a", 1)])
    assert (written.events, written.refused) == (1, 1)


def test_the_most_frequent_are_those_asked_most_on_first_pages(database: Database) -> None:
    rows = [
        *[asked(f"f{n}", "Machine à laver") for n in range(3)],
        asked("f9", "machine à laver"),
        asked("fp", "machine à laver", first_position=25),
        *[asked(f"g{n}", "xqzvw", total=0) for n in range(2)],
        asked("h", "télé", relaxation="similar"),
        asked("e", ""),
        asked("d", "Waschmaschine", language="de"),
    ]
    with database.brand("mirabelle") as tx:
        write_batch(tx, [replace(row, brand_id="mirabelle") for row in rows], [])
    with database.platform() as tx:
        found = frequent(tx, "mirabelle", "fr", 10, at_least=2)
        useful = frequent(tx, "mirabelle", "fr", 10, found_only=True)
        german = frequent(tx, "mirabelle", "de", 10)
    assert [(row.words, row.count, row.in_vain) for row in found][:2] == [
        ("Machine à laver", 4, 0),
        ("xqzvw", 2, 2),
    ]
    assert "xqzvw" not in {row.words for row in useful}
    assert "télé" not in {row.words for row in useful}
    assert [row.words for row in german] == ["Waschmaschine"]


def test_a_brand_sees_and_writes_its_own_log_only(database: Database) -> None:
    with database.brand("taktwerk") as tx:
        assert tx.execute(sa.text("SELECT count(*) FROM tenants.logged_query")).scalar_one() == 0
        assert frequent(tx, "mirabelle", "fr", 10) == ()
    with pytest.raises(sa.exc.ProgrammingError), database.brand("taktwerk") as tx:
        write_batch(tx, [asked("q3")], [])
    with pytest.raises(sa.exc.ProgrammingError), database.brand("mirabelle") as tx:
        purge(tx)


def test_old_rows_are_erased_with_their_events(database: Database) -> None:
    old = asked("old", asked_at=NOW - timedelta(days=RETENTION_DAYS + 1))
    young = asked("young", asked_at=NOW - timedelta(days=RETENTION_DAYS - 1))
    with database.brand("mirabelle") as tx:
        write_batch(tx, [old, young], [clicked("old", "prd_a", 1), clicked("young", "prd_a", 1)])
    with database.platform() as tx:
        assert purge(tx, now=NOW) == 1
        statement = sa.text("SELECT query_id FROM tenants.query_event WHERE query_id = ANY(:ids)")
        left = tx.execute(statement, {"ids": ["old", "young"]}).scalars().all()
    assert left == ["young"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("lave-linge 8 kg", "lave-linge 8 kg"),
        ("jeanne@example.org écran", "écran"),
        ("06 12 34 56 78", ""),
        ("rappeler +49 30 1234567 bitte", "rappeler bitte"),
        ("4006381333931", "4006381333931"),  # a bar code with its check digit
        ("4006381333932", ""),
        ("WW80T554DAW", "WW80T554DAW"),
        ("RTX 4070", "RTX 4070"),
    ],
)
def test_what_could_name_a_person_is_not_kept(typed: str, kept: str) -> None:
    assert loggable(typed) == kept


@given(st.text(max_size=200))
def test_no_address_is_ever_kept(typed: str) -> None:
    assert "@" not in loggable(typed)


def test_the_key_is_made_once_and_hidden_from_brands(database: Database) -> None:
    with database.platform() as tx:
        key = signing_key(tx)
    with database.platform() as tx:
        assert signing_key(tx) == key
    assert len(key) == 32
    with pytest.raises(sa.exc.ProgrammingError), database.brand("mirabelle") as tx:
        signing_key(tx)
