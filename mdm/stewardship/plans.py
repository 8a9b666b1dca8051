"""What an act comes to, in the catalogue as it is: offers to move, words to keep. Changes nothing.

The older of two products that become one keeps its id; a split leaves the id with the majority.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Literal

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.errors import DomainError, NotFound
from mdm.catalogue import resolve
from mdm.products import oldest
from mdm.stewardship.decisions import Couple, couple
from mdm.stewardship.reviews import read_question

Kind = Literal["accept", "reject", "merge", "split", "move", "undo"]

MOST_NAMED = 200
"""Offers or products that one act may name."""
MOST_WORDS = 2_000
"""Pairs on which one act puts a word."""
TIES = 3
"""So many offers of each side hold two products together, so that one may be withdrawn."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator asked for: a review, or products (the target last) and offers, or an act."""

    kind: Kind
    review_id: int | None = None
    products: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    act_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Its members that are set; the same wish has the same form."""
        return {
            name: value
            for name, value in (
                ("review", self.review_id),
                ("products", sorted(set(self.products))),
                ("offers", sorted(set(self.offers))),
                ("act", self.act_id),
            )
            if value
        }

    @classmethod
    def from_json(cls, kind: Kind, stored: Mapping[str, Any]) -> Asked:
        """The wish as it was stored."""
        return cls(
            kind,
            stored.get("review"),
            tuple(stored.get("products", ())),
            tuple(stored.get("offers", ())),
            stored.get("act"),
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """What an act changed: where offers were and are, decisions begun and ended, questions' states
    before. Turned round, it is what takes the act back."""

    placed: Mapping[str, tuple[str, str]]
    begun: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()
    settled: Mapping[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves by offer (None: one new product for all that have it), and what is said of pairs.

    Open questions between the two sides of each `answered` are answered by it. `takes_back` is
    the effect that an undo turns round.
    """

    moves: Mapping[str, str | None]
    same: tuple[Couple, ...] = ()
    different: tuple[Couple, ...] = ()
    answered: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    takes_back: Effect | None = None


def plan_of(tx: Transaction, asked: Asked) -> Plan:
    """The plan of a wish. DomainError where it cannot be: unknown ids, offers elsewhere by now."""
    if len(asked.offers) > MOST_NAMED or len(asked.products) > MOST_NAMED:
        raise DomainError(
            "act_too_large", f"One act names {MOST_NAMED} offers or products at most."
        )
    match asked.kind:
        case "accept":
            return _accept(tx, asked)
        case "reject":
            return _reject(tx, asked)
        case "merge":
            return _merge(tx, asked)
        case "split":
            return _split(tx, asked)
        case "move":
            return _move(tx, asked)
        case "undo":
            return _undo(tx, asked)


def living(tx: Transaction, product_id: str) -> str:
    """The living product behind an id. NotFound `product_unknown` where there is none."""
    found = resolve(tx, product_id)
    if found is None:
        raise NotFound("product_unknown", f"No product is called {product_id!r}.")
    return found


def live_offers(tx: Transaction, product_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Ids of the live offers of each product, in order."""
    wanted = list(product_ids)
    rows = tx.execute(
        sa.text(
            "SELECT product_id, array_agg(offer_id ORDER BY offer_id) AS offers FROM mdm.offer "
            "WHERE live AND product_id = ANY(:ids) GROUP BY product_id"
        ),
        {"ids": wanted},
    )
    found = {row.product_id: tuple(row.offers) for row in rows}
    return {each: found.get(each, ()) for each in wanted}


def product_of(tx: Transaction, offer_id: str) -> str:
    """The product of a live offer. NotFound `offer_unknown` for any other."""
    found = tx.execute(
        sa.text("SELECT product_id FROM mdm.offer WHERE live AND offer_id = :id"), {"id": offer_id}
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("offer_unknown", f"No live offer is called {offer_id!r}.")
    return str(found)


def _accept(tx: Transaction, asked: Asked) -> Plan:
    one, other = _pair(tx, asked)
    homes = product_of(tx, one), product_of(tx, other)
    return _together(tx, homes, (couple(one, other),))


def _merge(tx: Transaction, asked: Asked) -> Plan:
    homes = tuple(dict.fromkeys(living(tx, each) for each in asked.products))
    if len(set(asked.products)) < 2:
        raise DomainError("act_incomplete", "Name two products at least.")
    offers = live_offers(tx, homes)
    kept = oldest(tx, homes)
    ties = [
        couple(one, other)
        for home in homes
        if home != kept
        for one, other in product(offers[kept][:TIES], offers[home][:TIES])
    ]
    return _together(tx, homes, tuple(ties))


def _together(tx: Transaction, homes: Sequence[str], same: tuple[Couple, ...]) -> Plan:
    kept = oldest(tx, homes)
    going = sorted(set(homes) - {kept})
    rows = tx.execute(
        sa.text("SELECT offer_id FROM mdm.offer WHERE product_id = ANY(:ids) ORDER BY offer_id"),
        {"ids": going},
    )
    offers = live_offers(tx, [kept, *going])
    everything = tuple(each for home in offers.values() for each in home)
    return Plan(dict.fromkeys(rows.scalars(), kept), same, answered=((everything, everything),))


def _reject(tx: Transaction, asked: Asked) -> Plan:
    one, other = _pair(tx, asked)
    homes = product_of(tx, one), product_of(tx, other)
    different = (couple(one, other),)
    offers = live_offers(tx, set(homes))
    if homes[0] == homes[1]:
        # They have come together since the question was put: the one that was in question leaves.
        rest = tuple(each for each in offers[homes[0]] if each != one)
        return Plan({one: None}, different=different, answered=(((one,), rest),))
    return Plan({}, different=different, answered=((offers[homes[0]], offers[homes[1]]),))


def _split(tx: Transaction, asked: Asked) -> Plan:
    home = living(tx, asked.products[0])
    offers = live_offers(tx, [home])[home]
    named = _named(asked, offers, home)
    rest = tuple(each for each in offers if each not in set(named))
    if not rest:
        raise DomainError("split_of_all", "A split leaves one offer at least where it is.")
    moving = named if len(named) <= len(rest) else rest
    return Plan(
        dict.fromkeys(moving),
        same=tuple(couple(named[0], each) for each in named[1:]),
        different=_across(named, rest),
        answered=((named, rest),),
    )


def _move(tx: Transaction, asked: Asked) -> Plan:
    target = living(tx, asked.products[-1])
    moves: dict[str, str | None] = {}
    same: list[Couple] = []
    different: list[Couple] = []
    answered: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    there = tuple(
        each for each in live_offers(tx, [target])[target] if each not in set(asked.offers)
    )
    for offer_id in sorted(set(asked.offers)):
        home = product_of(tx, offer_id)
        same += [couple(offer_id, each) for each in there[:TIES]]
        answered.append(((offer_id,), there))
        if home != target:
            moves[offer_id] = target
            rest = [each for each in live_offers(tx, [home])[home] if each not in set(asked.offers)]
            different += _across([offer_id], rest)
            answered.append(((offer_id,), tuple(rest)))
    if not answered:
        raise DomainError("act_incomplete", "Name one offer at least.")
    return Plan(moves, tuple(same), tuple(different[:MOST_WORDS]), tuple(answered))


def _undo(tx: Transaction, asked: Asked) -> Plan:
    effect = read_effect(tx, int(asked.act_id or 0))
    held = _current(tx, list(effect.placed))
    back: dict[str, str | None] = {}
    ends: dict[str, str | None] = {}
    for offer_id, (before, after) in effect.placed.items():
        if after not in ends:
            ends[after] = resolve(tx, after)
        # What has gone elsewhere meanwhile stays there.
        if held.get(offer_id) in (after, ends[after]):
            back[offer_id] = before
    return Plan(back, takes_back=effect)


def read_effect(tx: Transaction, act_id: int) -> Effect:
    """What an act changed. NotFound `act_unknown`; DomainError `act_waits` where it has not yet."""
    row = tx.execute(
        sa.text(
            "SELECT e.act_id, placed, begun, ended, settled FROM mdm.stewardship_act a "
            "LEFT JOIN mdm.stewardship_effect e USING (act_id) WHERE a.act_id = :id"
        ),
        {"id": act_id},
    ).one_or_none()
    if row is None:
        raise NotFound("act_unknown", f"There is no act {act_id}.")
    if row.act_id is None:
        raise DomainError("act_waits", f"Act {act_id} has not taken effect yet.", status=409)
    return Effect(
        {offer_id: (was, now) for offer_id, (was, now) in row.placed.items()},
        tuple(row.begun),
        tuple(row.ended),
        {int(each): state for each, state in row.settled.items()},
    )


def _current(tx: Transaction, offer_ids: Sequence[str]) -> dict[str, str]:
    rows = tx.execute(
        sa.text("SELECT offer_id, product_id FROM mdm.offer WHERE offer_id = ANY(:ids)"),
        {"ids": list(offer_ids)},
    )
    return {row.offer_id: row.product_id for row in rows}


def _pair(tx: Transaction, asked: Asked) -> tuple[str, str]:
    question = read_question(tx, asked.review_id or 0)
    if question is None:
        raise NotFound("review_unknown", f"There is no review {asked.review_id}.")
    return question.offer_id, question.against


def _named(asked: Asked, offers: Sequence[str], home: str) -> tuple[str, ...]:
    named = tuple(sorted(set(asked.offers)))
    if not named:
        raise DomainError("act_incomplete", "Name one offer at least.")
    for each in named:
        if each not in offers:
            raise DomainError("offer_elsewhere", f"{each!r} is no live offer of {home}.")
    return named


def _across(ones: Sequence[str], others: Sequence[str]) -> tuple[Couple, ...]:
    return tuple(islice((couple(one, other) for one, other in product(ones, others)), MOST_WORDS))
