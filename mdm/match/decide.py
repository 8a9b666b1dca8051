"""Which offers come together: best pairs first, under what a comparator may never do. Pure.

A product holds one offer of a merchant in each condition. No veto stands between any two of its
offers, and on the whole they look alike. Products that exist are joined, never merged or split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm.match.features import Features
from mdm.match.vetoes import veto

JOIN = 0.55
ON_THE_WHOLE = 0.45
MAX_COMPARED = 8
MAX_REASONS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """An offer in the matching. `product_id` is set where it already belongs to a product."""

    offer_id: str
    merchant_id: str
    condition: str
    features: Features
    product_id: str | None = None


@dataclass(slots=True)
class Group:
    """Offers found to be of one product. `evidence` tells, by new offer, why."""

    members: list[Contender]
    product_id: str | None
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """A scored pair of contenders, by their places."""

    left: int
    right: int
    probability: float


Compare = Callable[[Contender, Contender], float]
Explain = Callable[[Contender, Contender], list[tuple[str, float]]]


def decide(
    contenders: Sequence[Contender],
    pairs: Iterable[Pair],
    vetoed: Iterable[tuple[int, int, str]],
    compare: Compare,
    explain: Explain,
) -> list[Group]:
    """Group contenders. The result depends on their content alone, not on their order."""
    groups = _groups_at_first(contenders)
    against: dict[str, list[str]] = {}
    for first, second, why in vetoed:
        _note(against, contenders[first], f"{why}: not with {contenders[second].offer_id}")
        _note(against, contenders[second], f"{why}: not with {contenders[first].offer_id}")
    likely = [pair for pair in pairs if pair.probability >= JOIN]
    likely.sort(key=lambda pair: _rank(pair, contenders))
    for pair in likely:
        left, right = contenders[pair.left], contenders[pair.right]
        one, other = groups[left], groups[right]
        if one is other:
            continue
        reason = _obstacle(one, other, compare)
        if reason:
            _note(against, left, f"{reason}: not with {right.offer_id}")
            _note(against, right, f"{reason}: not with {left.offer_id}")
        else:
            _join(groups, left, right, _told(pair, left, right, explain))
    found = list({id(group): group for group in groups.values()}.values())
    for group in found:
        for each in group.members:
            if each.product_id is None:
                _finish(group, each, against.get(each.offer_id, []))
    return found


def _groups_at_first(contenders: Sequence[Contender]) -> dict[Contender, Group]:
    by_product: dict[str, Group] = {}
    groups: dict[Contender, Group] = {}
    for each in contenders:
        if each.product_id is None:
            groups[each] = Group([each], None)
        else:
            group = by_product.setdefault(each.product_id, Group([], each.product_id))
            group.members.append(each)
            groups[each] = group
    return groups


def _rank(pair: Pair, contenders: Sequence[Contender]) -> tuple[float, str, str]:
    ids = sorted((contenders[pair.left].offer_id, contenders[pair.right].offer_id))
    return -round(pair.probability, 6), ids[0], ids[1]


def _obstacle(one: Group, other: Group, compare: Compare) -> str | None:
    """Why two groups may not come together; None when they may."""
    if one.product_id and other.product_id:
        return "both are products already"
    taken = {(each.merchant_id, each.condition) for each in one.members}
    if any((each.merchant_id, each.condition) in taken for each in other.members):
        return "one merchant offers both"
    if len(one.members) == len(other.members) == 1:
        return None
    for left in one.members:
        for right in other.members:
            reason = veto(left.features, right.features)
            if reason:
                return reason
    sides = (_some(one), _some(other))
    scores = [compare(left, right) for left in sides[0] for right in sides[1]]
    mean = sum(scores) / len(scores)
    return f"alike by {mean:.2f} on the whole" if mean < ON_THE_WHOLE else None


def _some(group: Group) -> list[Contender]:
    return sorted(group.members, key=lambda each: each.offer_id)[:MAX_COMPARED]


def _join(
    groups: dict[Contender, Group], left: Contender, right: Contender, told: dict[str, Any]
) -> None:
    one, other = groups[left], groups[right]
    if other.product_id or (not one.product_id and len(other.members) > len(one.members)):
        one, other = other, one
    for each, beside in ((left, right), (right, left)):
        if each.product_id is None:
            evidence = {**told, "compared_with": beside.offer_id}
            groups[each].evidence.setdefault(each.offer_id, evidence)
    for each in other.members:
        groups[each] = one
    one.members += other.members
    one.evidence.update(other.evidence)


def _told(pair: Pair, left: Contender, right: Contender, explain: Explain) -> dict[str, Any]:
    evidence = explain(left, right)
    return {
        "decision": "joined",
        "score": round(pair.probability, 4),
        "for": [[what, round(by, 2)] for what, by in evidence if by > 0],
        "against": [[what, round(by, 2)] for what, by in evidence if by < 0],
    }


def _finish(group: Group, each: Contender, kept_apart: list[str]) -> None:
    evidence = group.evidence.setdefault(
        each.offer_id,
        {
            "decision": "founded" if len(group.members) == 1 else "joined",
            "score": None,
            "for": [],
            "against": [],
        },
    )
    if kept_apart:
        evidence["kept_apart"] = kept_apart


def _note(against: dict[str, list[str]], who: Contender, reason: str) -> None:
    reasons = against.setdefault(who.offer_id, [])
    if len(reasons) < MAX_REASONS and reason not in reasons:
        reasons.append(reason)
