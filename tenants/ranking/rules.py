"""A brand's rules applied to one question: what is narrowed, moved, pinned, hidden or paid for.

In: the question and the profile; rules come in order of precedence, and the first one that speaks
about a product, a place or a filter wins. A pinned product has to be shown by the brand and to
pass the shopper's filters. Pure; the clock is an argument.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from tenants.ranking.products import RankedProduct
from tenants.ranking.profile import Placement, RankingProfile, Rule, RuleFilter, When
from tenants.ranking.wording import rule_words


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. `categories` are those chosen, each with the ones above it."""

    text: str
    language: str
    categories: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RulePlan:
    """What the rules say about a question, before and after retrieval.

    `pins` and `paid` are (place from 1, product id, ...) in order of place; `hidden` and `moves`
    are rules whose target decides product by product.
    """

    applied: tuple[Rule, ...] = ()
    redirect: str | None = None
    narrow: RuleFilter = field(default_factory=RuleFilter)
    hidden: tuple[Rule, ...] = ()
    moves: tuple[Rule, ...] = ()
    pins: tuple[tuple[int, str, Rule], ...] = ()
    paid: tuple[tuple[int, str, Placement], ...] = ()

    @property
    def placed_ids(self) -> tuple[str, ...]:
        """Products that may be shown though the words did not find them."""
        return tuple(dict.fromkeys(id_ for _, id_, _ in (*self.paid, *self.pins)))


@dataclass(frozen=True, slots=True)
class Placed:
    """A product in its place: its score where it was found, and who put it where it stands."""

    product_id: str
    ranked: RankedProduct | None = None
    pinned_by: str | None = None
    sponsored: Placement | None = None


def plan_rules(question: Question, profile: RankingProfile, now: datetime) -> RulePlan:
    """Rules and paid places in force for a question at a moment (time zone aware)."""
    words = rule_words(question.text)
    places = {place for word in ("", *words) for place in profile.rules_by_word.get(word, ())}
    applied = [
        rule
        for rule in (profile.rules[place] for place in sorted(places))
        if is_valid(rule, now)
        and rule.locale in (None, question.language)
        and when_matches(rule.when, words, question.categories)
    ]
    if not applied and not profile.paid.allowed:
        return RulePlan()
    return RulePlan(
        applied=tuple(applied),
        redirect=next((rule.url for rule in applied if rule.kind == "redirect"), None),
        narrow=_narrow(applied),
        hidden=_hidden(applied),
        moves=tuple(rule for rule in applied if rule.kind in ("boost", "bury")),
        pins=_pins(applied),
        paid=_paid(profile, words, question, now),
    )


def when_matches(when: When, words: Sequence[str], categories: Sequence[int]) -> bool:
    """Whether a condition holds for these words and chosen categories."""
    if when.categories and not set(when.categories) & set(categories):
        return False
    if when.query is None:
        return True
    if not when.words:
        return False
    if when.match == "exact":
        return tuple(words) == when.words
    if when.match == "all_words":
        return set(when.words) <= set(words)
    return is_within(when.words, words)


def is_within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether the words of `part` stand in `whole` side by side and in order."""
    length = len(part)
    return any(
        tuple(whole[at : at + length]) == tuple(part) for at in range(len(whole) - length + 1)
    )


def place_products(
    plan: RulePlan, ordered: Sequence[RankedProduct], available: Collection[str] = ()
) -> list[Placed]:
    """The list with pinned and paid products in their places.

    `available` are ids of the plan's `placed_ids` that the brand shows under the shopper's filters,
    found by the words or not. A paid place goes before a pinned one; others move down.
    """
    if not plan.paid and not plan.pins:
        return [Placed(row.product_id, row) for row in ordered]
    found = {row.product_id: row for row in ordered}
    places: dict[int, Placed] = {}
    taken: set[str] = set()
    for position, id_, placement in plan.paid:
        if id_ not in taken and (id_ in found or id_ in available):
            taken.add(id_)
            places[_free(places, position)] = Placed(id_, found.get(id_), sponsored=placement)
    for position, id_, rule in plan.pins:
        if id_ not in taken and (id_ in found or id_ in available):
            taken.add(id_)
            places[_free(places, position)] = Placed(id_, found.get(id_), pinned_by=rule.id)
    rest = iter([Placed(row.product_id, row) for row in ordered if row.product_id not in taken])
    return _merged(places, rest, len(taken | found.keys()))


def _merged(places: dict[int, Placed], rest: Iterator[Placed], length: int) -> list[Placed]:
    merged: list[Placed] = []
    waiting = sorted(places)
    while len(merged) < length:
        if waiting and waiting[0] <= len(merged) + 1:
            merged.append(places[waiting.pop(0)])
            continue
        following = next(rest, None)
        merged.append(following if following is not None else places[waiting.pop(0)])
    return merged


def _free(places: dict[int, Placed], position: int) -> int:
    while position in places:
        position += 1
    return position


def is_valid(rule: Rule | Placement, now: datetime) -> bool:
    """Whether its dates have begun and not ended."""
    return (rule.valid_from is None or rule.valid_from <= now) and (
        rule.valid_to is None or now < rule.valid_to
    )


def _narrow(applied: Sequence[Rule]) -> RuleFilter:
    """Filters of all rules; of two that narrow the same field the first one wins."""
    found = RuleFilter()
    for rule in applied:
        if rule.kind == "filter":
            stated = {
                member.name: getattr(rule.narrow, member.name)
                for member in fields(RuleFilter)
                if getattr(rule.narrow, member.name) and not getattr(found, member.name)
            }
            found = replace(found, **stated)
    return found


def _hidden(applied: Sequence[Rule]) -> tuple[Rule, ...]:
    """Rules that hide, without the products that a rule before them pins."""
    hidden = []
    pinned: set[str] = set()
    for rule in applied:
        if rule.kind == "pin":
            pinned |= set(rule.target.products)
        elif rule.kind == "hide":
            kept = tuple(id_ for id_ in rule.target.products if id_ not in pinned)
            if kept or not rule.target.products:
                hidden.append(replace(rule, target=replace(rule.target, products=kept)))
    return tuple(hidden)


def _pins(applied: Sequence[Rule]) -> tuple[tuple[int, str, Rule], ...]:
    """Places by rule, products of one rule side by side; what was hidden before is not pinned."""
    pins: dict[str, tuple[int, str, Rule]] = {}
    hidden: set[str] = set()
    for rule in applied:
        if rule.kind == "hide":
            hidden |= set(rule.target.products)
        elif rule.kind == "pin":
            for offset, id_ in enumerate(rule.target.products):
                if id_ not in hidden:
                    pins.setdefault(id_, (rule.position + offset, id_, rule))
    order = {rule.id: place for place, rule in enumerate(applied)}
    return tuple(sorted(pins.values(), key=lambda pin: (pin[0], order[pin[2].id], pin[1])))


def _paid(
    profile: RankingProfile, words: Sequence[str], question: Question, now: datetime
) -> tuple[tuple[int, str, Placement], ...]:
    """At most `slots` paid products, in the order of the document."""
    if not profile.paid.allowed:
        return ()
    bought = [
        (placement.position + offset, id_, placement)
        for placement in profile.paid.placements
        if placement.shown_in == "results"
        and is_valid(placement, now)
        and when_matches(placement.when, words, question.categories)
        for offset, id_ in enumerate(placement.products)
    ]
    return tuple(sorted(bought[: profile.paid.slots], key=lambda slot: slot[:2]))
