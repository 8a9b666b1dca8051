"""One value out of what several offers state, and the others with who says them. Pure.

The order of reasons: the operator's priority of a source, then consensus (one vote a merchant,
however many offers it has, weighted), then the better source. Nothing depends on arrival.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from mdm.golden.members import Priorities, Source, priority

MAX_CONFLICTS = 10
MAX_SPEAKERS = 20


Stated = tuple[Source, Hashable, Any, int]
"""A source, what makes its value the same as another's, the value, how sure it is in per cent."""


@dataclass(slots=True)
class Claim:
    """A value that some offers state; `votes` holds the weight of each merchant behind it."""

    value: Any
    offer_id: str
    priority: int
    offers: list[str]
    votes: dict[str, int]

    @property
    def weight(self) -> int:
        return sum(self.votes.values())

    def as_conflict(self) -> dict[str, Any]:
        """Stored form of a value that did not survive."""
        return {
            "value": self.value,
            "offers": self.offers[:MAX_SPEAKERS],
            "merchants": sorted(self.votes)[:MAX_SPEAKERS],
        }


@dataclass(slots=True)
class Record:
    """What is being put together: where each value is from, and what else was said."""

    priorities: Priorities
    provenance: dict[str, str]
    conflicts: dict[str, list[dict[str, Any]]]

    def survivor(self, field: str, stated: Sequence[Stated]) -> Any:
        """The value that survives, of statements with the best source first; None without any."""
        if not stated:
            return None
        source, sameness, value, _ = stated[0]
        if not self.priorities and all(each[1] == sameness for each in stated):
            self.provenance[field] = source.member.offer_id
            return value
        claims = self._claims(field, stated)
        top = max(each.priority for each in claims)
        # max keeps the first of equals, and the best source stands first.
        chosen = max((each for each in claims if each.priority == top), key=_weight)
        if len(claims) > 1:
            self.conflicts[field] = conflicts_of(claims, chosen)
        self.provenance[field] = chosen.offer_id
        return chosen.value

    def _claims(self, field: str, stated: Sequence[Stated]) -> list[Claim]:
        found: dict[Hashable, Claim] = {}
        for source, sameness, value, confidence in stated:
            member = source.member
            rank = priority(self.priorities, member.merchant_id, field)
            claim = found.get(sameness)
            if claim is None or (rank > claim.priority):
                kept = claim
                claim = Claim(value, member.offer_id, rank, [], {})
                if kept is not None:
                    claim.offers, claim.votes = kept.offers, kept.votes
                found[sameness] = claim
            claim.offers.append(member.offer_id)
            weight = source.weight * confidence // 100
            held = claim.votes.get(member.merchant_id, 0)
            claim.votes[member.merchant_id] = max(held, weight)
        return list(found.values())


def _weight(claim: Claim) -> int:
    return claim.weight


def conflicts_of(claims: Sequence[Claim], chosen: Claim) -> list[dict[str, Any]]:
    """What else was said, the most supported first."""
    others = [each for each in claims if each is not chosen]
    others.sort(key=lambda each: (-each.priority, -each.weight, str(each.value)))
    return [each.as_conflict() for each in others[:MAX_CONFLICTS]]
