"""What a decision of the matcher is made of: offers, pairs judged, groups, questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mdm.match.features import Features

Piece = tuple[str, Sequence[float | str], float]
"""A piece of evidence: the code of its text, what it says, how far it moves the log odds."""


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """An offer in the matching. `product_id` is set where it already belongs to a product; `since`
    is when that product was made (seconds): of two that are merged the older one stays. `pieces`
    are those of an index that keeps them (`mdm.match.kept_reading`)."""

    offer_id: str
    merchant_id: str
    condition: str
    features: Features
    product_id: str | None = None
    since: float = 0.0
    pieces: bytes = b""


@dataclass(slots=True)
class Group:
    """Offers found to be of one product. `evidence` tells, by new offer, why; `merged` names the
    products that end in this one."""

    members: list[Contender]
    product_id: str | None
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A scored pair of contenders, by their places."""

    left: int
    right: int
    probability: float


@dataclass(frozen=True, slots=True)
class Review:
    """Not merged: a person is asked whether these two are of one product. `product_id` is that of
    `against`, where it has one already."""

    offer_id: str
    against: str
    product_id: str | None
    probability: float
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ruled:
    """What stewards decided, by sorted pairs of offer ids."""

    together: frozenset[tuple[str, str]] = frozenset()
    apart: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """`groups` are merged with nobody looking. `proposed` holds the same offers grouped as they
    would be if every question likelier than not were answered with yes; nothing where nobody
    wanted to know."""

    groups: list[Group]
    reviews: list[Review]
    proposed: list[list[Contender]]

    def add(self, others: Decision) -> None:
        """What was decided apart, of other offers."""
        self.groups.extend(others.groups)
        self.reviews.extend(others.reviews)
        self.proposed.extend(others.proposed)


Compare = Callable[[Sequence[tuple[Contender, Contender]]], Sequence[float]]
Veto = Callable[[Contender, Contender], str | None]
Doubt = Callable[[Contender, Contender, float], str | None]
Explain = Callable[[Contender, Contender], Sequence[Piece]]


@dataclass(frozen=True, slots=True)
class Judge:
    """How contenders are judged: how likely pairs are of one product (0 to 1, many at once), what
    forbids a pair, what only a person can settle about one that is so likely, and why."""

    compare: Compare
    veto: Veto
    doubt: Doubt
    explain: Explain


NOTHING_RULED = Ruled()


def plain(piece: Piece) -> list[Any]:
    """A piece of evidence as it is stored: [code, [values], log odds]."""
    code, values, moved = piece
    return [code, [*values], round(moved, 2)]
