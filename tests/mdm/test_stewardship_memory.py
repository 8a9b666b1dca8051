"""What stewards said outlives every run of a feed, and can be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kernel.db import Database
from mdm.stewardship.decisions import ruled_for
from mdm.stewardship.plans import Asked
from mdm.stewardship.trail import history
from tests.mdm.offers_at_hand import load
from tests.mdm.steward_at_hand import (
    CLOCK,
    DRILL,
    FEEDS,
    LAMP,
    A,
    B,
    G,
    do,
    lamp,
    leads,
    open_questions,
    place,
    put,
    undo,
)
from tests.mdm.steward_at_hand import database as database
from tests.mdm.steward_at_hand import loaded as loaded


@pytest.mark.parametrize("kind", ["accept", "reject", "merge", "split", "move"])
def test_every_act_can_be_taken_back_and_the_taking_back_too(database: Database, kind: str) -> None:
    review = put(database)
    before = place(database)
    asked = {
        "accept": Asked("accept", review),
        "reject": Asked("reject", review),
        "merge": Asked("merge", products=(before[A], before[B])),
        "split": Asked("split", products=(before[A],), offers=(G,)),
        "move": Asked("move", products=(before[B],), offers=(A,)),
    }[kind]
    words = ruled(database)
    done = do(database, asked)
    after, said = place(database), ruled(database)
    assert said != words
    back = undo(database, done.act_id)
    assert place(database) == before
    assert ruled(database) == words
    assert open_questions(database) == [review]
    assert all(leads(database, each) == each for each in before.values())
    again = undo(database, back.act_id)
    assert place(database) == after
    assert ruled(database) == said
    with database.platform() as tx:
        assert [each.undone_by for each in history(tx, 3)] == [None, again.act_id, None]


def ruled(database: Database) -> object:
    with database.platform() as tx:
        return ruled_for(tx, [A, B, G, DRILL, CLOCK])


def test_what_went_elsewhere_meanwhile_stays_there(database: Database) -> None:
    before = place(database)
    first = do(database, Asked("merge", products=(before[A], before[B])))
    do(database, Asked("move", products=(before[CLOCK],), offers=(B,)), sure=True)
    undo(database, first.act_id)
    assert place(database)[B] == before[CLOCK]


def test_taking_back_goes_through_a_later_merge(database: Database) -> None:
    before = place(database)
    first = do(database, Asked("merge", products=(before[B], before[CLOCK])))
    do(database, Asked("merge", products=(before[B], before[A])), sure=True)
    undo(database, first.act_id)
    after = place(database)
    assert after[CLOCK] == before[CLOCK]
    assert after[B] == after[A] == before[A]


def again(database: Database) -> None:
    """The whole feed anew, each offer described a little otherwise, so that all are matched."""
    for merchant, offers in FEEDS.items():
        anew = [replace(each, title=f"{each.title} 2026") for each in offers]
        load(database, merchant, anew)
    for merchant, offers in FEEDS.items():
        load(database, merchant, [])
        load(database, merchant, offers)


@pytest.mark.parametrize("kind", ["accept", "reject", "merge", "split", "move"])
def test_what_was_said_outlives_a_run_of_the_whole_feed(database: Database, kind: str) -> None:
    before = place(database)
    review = put(database)
    do(
        database,
        {
            "accept": Asked("accept", review),
            "reject": Asked("reject", review),
            "merge": Asked("merge", products=(before[A], before[B])),
            "split": Asked("split", products=(before[A],), offers=(G,)),
            "move": Asked("move", products=(before[B],), offers=(G,)),
        }[kind],
    )
    said = place(database)
    again(database)
    assert place(database) == said
    load(database, "beta", [lamp("35.00")])
    now = place(database)
    if kind == "reject":
        # It is called the same by now; a person said that it is not.
        assert now[B] not in (now[A], now[G])
    if kind in ("split", "move"):
        assert now[G] != now[A]


def test_an_undone_word_is_no_longer_obeyed(database: Database) -> None:
    done = do(database, Asked("reject", put(database)))
    load(database, "beta", [lamp("35.00")])
    assert place(database)[B] != place(database)[A]
    undo(database, done.act_id)
    load(database, "beta", [lamp("35.00", f"{LAMP} neu")])
    assert place(database)[B] == place(database)[A]
