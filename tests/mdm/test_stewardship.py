"""Acts of stewards: what they move, what they refuse, that each is done once and recorded."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from kernel.db import Database, advisory_lock
from kernel.errors import DomainError
from mdm.catalogue import changes_after, head, product_views
from mdm.match.decision import Review
from mdm.stewardship import reviews
from mdm.stewardship.acts import Done, carry_out_waiting, preview
from mdm.stewardship.decisions import couple, ruled_for
from mdm.stewardship.plans import Asked
from mdm.stewardship.trail import history, last_of, read_act
from tests.mdm.offers_at_hand import load, raw
from tests.mdm.steward_at_hand import (
    CLOCK,
    DRILL,
    FEEDS,
    NOW,
    A,
    B,
    G,
    do,
    leads,
    off,
    open_questions,
    place,
    put,
    undo,
)
from tests.mdm.steward_at_hand import database as database
from tests.mdm.steward_at_hand import loaded as loaded


def test_accepting_joins_the_products_and_leaves_a_redirect(database: Database) -> None:
    before = place(database)
    review = put(database)
    with database.platform() as tx:
        position = head(tx)
    done = do(database, Asked("accept", review))
    assert (done.moved, done.waits, done.repeated) == (1, False, False)
    after = place(database)
    # Alpha's product was made before beta's was.
    assert after[A] == after[B] == after[G] == before[A]
    assert leads(database, before[B]) == before[A]
    with database.platform() as tx:
        assert {each for _, each in changes_after(tx, position, 9)} == {before[A], before[B]}
        (view,) = product_views(tx, [before[A]])
        assert ruled_for(tx, [B]).together == {couple(A, B)}
    assert {each.merchant_id for each in view.offers} == {"alpha", "beta", "gamma"}
    assert open_questions(database) == []


def test_rejecting_moves_nothing_and_is_remembered(database: Database) -> None:
    before = place(database)
    review = put(database)
    done = do(database, Asked("reject", review))
    assert (done.moved, place(database)) == (0, before)
    with database.platform() as tx:
        assert ruled_for(tx, [A, B]).apart == {couple(A, B)}
        assert reviews.put_reviews(tx, [Review(B, A, None, 0.6, {})], NOW) == 0


def test_a_merge_moves_withdrawn_offers_too(database: Database) -> None:
    before = place(database)
    do(database, Asked("merge", products=(before[B], before[CLOCK])))
    load(database, "gamma", [FEEDS["gamma"][0]])
    assert CLOCK not in place(database)
    do(database, Asked("merge", products=(place(database)[B], before[A])))
    with database.platform() as tx:
        held = tx.execute(
            sa.text("SELECT product_id FROM mdm.offer WHERE offer_id = :id"), {"id": CLOCK}
        ).scalar_one()
    assert held == place(database)[A]


def test_chains_of_merges_lead_to_the_end(database: Database) -> None:
    before = place(database)
    do(database, Asked("merge", products=(before[B], before[CLOCK])))
    middle = place(database)[B]
    do(database, Asked("merge", products=(middle, before[A])), sure=True)
    end = place(database)[A]
    assert {leads(database, before[each]) for each in (A, B, CLOCK)} == {end}


def test_a_split_leaves_the_id_with_the_majority(database: Database) -> None:
    before = place(database)
    do(database, Asked("merge", products=(before[A], before[B])))
    done = do(database, Asked("split", products=(before[A],), offers=(A, G)), sure=True)
    after = place(database)
    # The two that were named are the majority: the third one leaves.
    assert after[A] == after[G] == before[A] != after[B]
    assert done.moved == 1
    with database.platform() as tx:
        ruled = ruled_for(tx, [B])
    assert ruled.apart == {couple(A, B), couple(G, B)}
    assert ruled.together == set()


def test_an_offer_is_moved_and_kept_apart_from_where_it_was(database: Database) -> None:
    before = place(database)
    do(database, Asked("move", products=(before[B],), offers=(G,)))
    after = place(database)
    assert after[G] == before[B] == after[B]
    assert after[A] == before[A]
    with database.platform() as tx:
        ruled = ruled_for(tx, [G])
    assert (ruled.together, ruled.apart) == ({couple(B, G)}, {couple(A, G)})


def test_the_impact_is_told_before_and_nothing_is_done(database: Database) -> None:
    before = place(database)
    with database.platform() as tx:
        impact = preview(tx, Asked("merge", products=(before[A], before[B])))
    assert place(database) == before
    assert [each.offer_id for each in impact.moved] == [B]
    kept, ended = sorted(impact.changes, key=lambda each: each.ends)
    assert (kept.product_id, kept.offers_before, kept.offers_after) == (before[A], 2, 3)
    assert (str(kept.lowest_before), str(kept.lowest_after)) == ("40.00 EUR", "35.00 EUR")
    assert ended.product_id == before[B]
    assert impact.prices_moved == 2
    assert not impact.needs_confirmation


def test_two_offers_of_one_merchant_need_an_explicit_word(database: Database) -> None:
    before = place(database)
    asked = Asked("merge", products=(before[A], before[DRILL]))
    with pytest.raises(DomainError) as refused:
        do(database, asked)
    assert refused.value.code == "act_needs_confirmation"
    assert "Alpha" in refused.value.message
    assert place(database) == before
    do(database, asked, sure=True)
    after = place(database)
    assert after[A] == after[DRILL]


def test_a_merchant_may_have_several_used_pieces_of_a_product(database: Database) -> None:
    used = [raw(f"used-{n}", f"Pièce {n} Ostmark {n}{n}", "9.00", condition="used") for n in (1, 2)]
    load(database, "beta", [*FEEDS["beta"], *used])
    held = place(database)
    homes = tuple({held[off("beta", f"used-{n}")] for n in (1, 2)} | {held[B]})
    assert len(homes) == 3
    with database.platform() as tx:
        assert preview(tx, Asked("merge", products=homes)).twice == ()


def test_the_last_word_stands_once_it_is_confirmed(database: Database) -> None:
    do(database, Asked("reject", put(database)))
    before = place(database)
    asked = Asked("merge", products=(before[A], before[B]))
    with pytest.raises(DomainError, match="contrary"):
        do(database, asked)
    done = do(database, asked, sure=True)
    with database.platform() as tx:
        assert ruled_for(tx, [A]).apart == frozenset()
    undo(database, done.act_id)
    with database.platform() as tx:
        assert ruled_for(tx, [A]).apart == {couple(A, B)}
    assert place(database) == before


def test_an_act_done_twice_is_done_once(database: Database) -> None:
    before = place(database)
    review = put(database)
    first = do(database, Asked("accept", review))
    assert do(database, Asked("accept", review)) == Done(first.act_id, "accept", repeated=True)
    merge = do(database, Asked("merge", products=(before[A], before[CLOCK])), sure=True)
    again = do(database, Asked("merge", products=(before[CLOCK], before[A])))
    assert (again.act_id, again.repeated) == (merge.act_id, True)
    back = undo(database, merge.act_id)
    assert undo(database, merge.act_id) == Done(back.act_id, "undo", repeated=True)
    with database.platform() as tx:
        assert len(history(tx, 9)) == 3


def test_a_question_is_answered_once(database: Database) -> None:
    review = put(database)
    do(database, Asked("accept", review))
    with pytest.raises(DomainError) as refused:
        do(database, Asked("reject", review), who="Bo")
    assert (refused.value.code, refused.value.status) == ("review_settled", 409)


def test_an_answer_settles_what_follows_from_it(database: Database) -> None:
    first, second = put(database, B, A), 0
    with database.platform() as tx:
        reviews.put_reviews(tx, [Review(B, G, None, 0.5, {})], NOW)
    assert len(open_questions(database)) == 2
    done = do(database, Asked("accept", first))
    assert open_questions(database) == []
    with database.platform() as tx:
        second = next(n for n in range(first, first + 3) if n != first)
        asked = reviews.read_question(tx, second)
        assert asked is not None
        assert asked.state == "lapsed"
    undo(database, done.act_id)
    assert len(open_questions(database)) == 2


def test_while_a_feed_is_matched_an_act_waits_its_turn(database: Database) -> None:
    before = place(database)
    review = put(database)
    held, done = threading.Event(), threading.Event()

    def match() -> None:
        with database.platform() as tx:
            advisory_lock(tx, "mdm.match")
            held.set()
            done.wait(20)

    matching = threading.Thread(target=match)
    matching.start()
    held.wait(20)
    try:
        waiting = do(database, Asked("accept", review))
        with pytest.raises(DomainError, match="answered"):
            do(database, Asked("reject", review), who="Bo")
        back = undo(database, waiting.act_id)
        assert waiting.waits
        assert back.waits
        assert place(database) == before
        assert open_questions(database) == []
        again = do(database, Asked("merge", products=(before[A], before[B])))
        assert again.waits
    finally:
        done.set()
        matching.join()
    with database.platform() as tx:
        assert carry_out_waiting(tx, NOW) == 3
        assert carry_out_waiting(tx, NOW) == 0
    after = place(database)
    assert after[A] == after[B]
    assert open_questions(database) == []


def test_refusals_name_what_is_wrong(database: Database) -> None:
    home = place(database)[A]
    for asked, code in (
        (Asked("accept", 999), "review_unknown"),
        (Asked("merge", products=(home,)), "act_incomplete"),
        (Asked("merge", products=(home, "prd_no")), "product_unknown"),
        (Asked("split", products=(home,), offers=(A, G)), "split_of_all"),
        (Asked("split", products=(home,)), "act_incomplete"),
        (Asked("split", products=(home,), offers=(B,)), "offer_elsewhere"),
        (Asked("move", products=(home,), offers=("off_no",)), "offer_unknown"),
        (Asked("move", products=(home,), offers=tuple(map(str, range(201)))), "act_too_large"),
        (Asked("undo", act_id=77), "act_unknown"),
    ):
        with pytest.raises(DomainError) as refused:
            do(database, asked)
        assert refused.value.code == code, asked
    with pytest.raises(DomainError, match="1 to 100"):
        do(database, Asked("accept", put(database)), who=" ")


def test_the_trail_tells_who_what_why_before_and_after(database: Database) -> None:
    before = place(database)
    done = do(database, Asked("merge", products=(before[A], before[B])))
    with database.platform() as tx:
        record = read_act(tx, done.act_id)
        assert record is not None
        assert (record.who, record.kind, record.why) == ("Ann", "merge", "as seen")
        assert record.placed == {B: (before[B], before[A])}
        assert [each.act_id for each in history(tx, 5, product_id=before[B])] == [done.act_id]
        assert history(tx, 5, who="Bo") == []
        assert last_of(tx, "Ann") == done.act_id
        assert last_of(tx, "Bo") is None


@pytest.mark.parametrize("table", ["stewardship_act", "stewardship_effect"])
@pytest.mark.parametrize("change", ["UPDATE mdm.{} SET at = now()", "DELETE FROM mdm.{}"])
def test_nobody_changes_the_record(database: Database, table: str, change: str) -> None:
    with pytest.raises(ProgrammingError), database.platform() as tx:
        tx.execute(sa.text(change.format(table)))
    with pytest.raises(ProgrammingError), database.engine.begin() as tx:
        tx.execute(sa.text(change.format(table)))
