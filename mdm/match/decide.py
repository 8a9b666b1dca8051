"""Which offers come together, which are put before a person, which stay alone. Pure.

Nearest groups first, by the likeness of their offers, under what a comparator may never do: a
product holds one offer of a merchant in each condition, no veto stands between any two of its
offers, and what stewards ruled is obeyed. The result does not depend on the order of the offers.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, starmap
from statistics import fmean
from typing import Any

from mdm.match.decision import (
    NOTHING_RULED,
    Contender,
    Decision,
    Group,
    Judge,
    Pair,
    Review,
    Ruled,
    plain,
)
from mdm.match.rivals import Rivals

# Chosen by the figures in docs/matching-card.md.
# What is at least this likely is merged with nobody looking.
MERGE = 0.83
# What names no model that both share has to be this likely for it.
SURE = 0.85
# What is likelier than this is what the matcher would say if it had to answer.
LIKELY = 0.5
# What is at least this likely is put before a person; below, an offer founds a product.
ASK = 0.3

MAX_OFFERS = 400
"""Offers of one product: what would grow beyond is kept apart, with this as the reason."""
MAX_COMPARED = 6
MAX_CHECKED = 40
MAX_REASONS = 4
MAX_ASKED = 3
# Likenesses that differ by less are the same.
_ABOUT = 1e-6


def decide(
    contenders: Sequence[Contender],
    pairs: Iterable[Pair],
    vetoed: Iterable[tuple[str, str, str]],
    judge: Judge,
    ruled: Ruled = NOTHING_RULED,
    *,
    proposes: bool = True,
) -> Decision:
    """Group contenders. `vetoed` are pairs of offers found forbidden before, with why: told to
    those of them that are here, never joined. `proposes` says whether anybody wants to know what
    would be proposed: questions are the same without."""
    gathering = _Gathering(contenders, judge, ruled)
    gathering.note(vetoed)
    gathering.obey(ruled)
    left = gathering.merge(pairs)
    groups = gathering.groups()
    reviews = gathering.ask(left, to_the_end=proposes)
    return Decision(groups, reviews, gathering.proposed() if proposes else [])


@dataclass(slots=True, eq=False)
class _Cluster:
    """Offers by place, on their way into a group."""

    members: list[int]
    products: dict[str, float]
    sellers: set[tuple[str, str]]


_Waiting = tuple[float, int, int]
"""(minus how likely, place, place): the order of a heap."""


class _Gathering:
    """Contenders in the order of their ids, so that the order of arrival plays no part."""

    def __init__(self, contenders: Sequence[Contender], judge: Judge, ruled: Ruled) -> None:
        order = sorted(range(len(contenders)), key=lambda each: contenders[each].offer_id)
        self._place = {given: place for place, given in enumerate(order)}
        self._all = [contenders[each] for each in order]
        self._judge = judge
        self._cluster = _clusters_at_first(self._all)
        self._evidence: dict[int, dict[str, Any]] = {}
        self._against: dict[int, list[str]] = defaultdict(list)
        self._held_back: dict[int, str] = {}
        self._known: dict[int, float] = {}
        self._links: dict[tuple[_Cluster, _Cluster], float] = {}
        self._voice: dict[int, int] = {}
        self._rivals = Rivals(self._all, judge.veto)
        self._apart: dict[str, set[str]] = defaultdict(set)
        for one, other in ruled.apart:
            self._apart[one].add(other)
            self._apart[other].add(one)

    def note(self, vetoed: Iterable[tuple[str, str, str]]) -> None:
        """Remember why pairs stay apart, to be told with the decision."""
        by_id = {each.offer_id: place for place, each in enumerate(self._all)}
        for left, right, why in vetoed:
            for each, beside in ((left, right), (right, left)):
                if each in by_id:
                    self._tell(by_id[each], beside, why)

    def obey(self, ruled: Ruled) -> None:
        """Join what stewards put together, whatever the score says."""
        by_id = {each.offer_id: place for place, each in enumerate(self._all)}
        for left, right in sorted(ruled.together):
            if left not in by_id or right not in by_id:
                continue
            one, other = by_id[left], by_id[right]
            self._tie(one, other)
            here, there = self._cluster[one], self._cluster[other]
            if here is there:
                continue
            # Their own word counts for these two, not for others that would come along.
            is_alone = len(here.members) == len(there.members) == 1
            if here.sellers & there.sellers and not is_alone:
                self._note(one, other, "one merchant offers both")
            else:
                self._join(one, other, "ruled")

    def merge(self, pairs: Iterable[Pair]) -> list[_Waiting]:
        """Join what nobody has to look at; returns what is left."""
        waiting = [self._waiting(each) for each in pairs]
        heapq.heapify(waiting)
        self._rivals.meet((one, other) for score, one, other in sorted(waiting) if -score >= LIKELY)
        left: list[_Waiting] = []
        while waiting and -waiting[0][0] >= MERGE:
            link, one, other = self._next(waiting)
            if link < MERGE:
                if link >= ASK:
                    left.append((-link, one, other))
                    self._hold_back(one, other, f"alike by {link:.2f} on the whole")
                continue
            doubt = self._rivals.doubt(one, other)
            doubt = doubt or self._judge.doubt(self._all[one], self._all[other], link)
            reason = doubt or self._obstacle(one, other)
            if doubt:
                left.append((-link, one, other))
                self._hold_back(one, other, doubt)
            elif reason:
                self._note(one, other, reason)
            else:
                self._join(one, other, "joined")
        return [*waiting, *left]

    def groups(self) -> list[Group]:
        """The groups as they are now, with the evidence of their new offers."""
        found = []
        for cluster in dict.fromkeys(self._cluster):
            oldest_first = sorted(cluster.products.items(), key=lambda each: (each[1], each[0]))
            kept = oldest_first[0][0] if oldest_first else None
            evidence = {
                self._all[place].offer_id: self._evidence_of(place, cluster)
                for place in cluster.members
                if self._all[place].product_id is None
            }
            members = [self._all[place] for place in cluster.members]
            ended = tuple(product for product, _ in oldest_first[1:])
            found.append(Group(members, kept, evidence, ended))
        return found

    def ask(self, waiting: list[_Waiting], *, to_the_end: bool) -> list[Review]:
        """Questions for a person. Likely ones are taken as answered with yes, so that nobody is
        asked twice about the same two groups. Ends where nothing can be asked any more, or goes on
        to what the answers would lead to."""
        heapq.heapify(waiting)
        reviews: list[Review] = []
        asked: dict[int, int] = defaultdict(int)
        done: set[tuple[_Cluster, _Cluster]] = set()
        open_to = {self._newer(one, other)[0] for _, one, other in waiting}
        while waiting and -waiting[0][0] >= ASK and (open_to or to_the_end):
            link, one, other = self._next(waiting)
            clusters = (self._cluster[one], self._cluster[other])
            if link < ASK or clusters in done or self._obstacle(one, other):
                continue
            done |= {clusters, clusters[::-1]}
            new, old = self._newer(one, other)
            if self._all[new].product_id is None and asked[new] < MAX_ASKED:
                asked[new] += 1
                reviews.append(self._review(new, old, link))
                if asked[new] == MAX_ASKED:
                    open_to.remove(new)
            if link >= LIKELY:
                self._join(one, other, None)
        return reviews

    def proposed(self) -> list[list[Contender]]:
        """The offers as they stand together now."""
        clusters = dict.fromkeys(self._cluster)
        return [[self._all[place] for place in cluster.members] for cluster in clusters]

    def _newer(self, one: int, other: int) -> tuple[int, int]:
        return (one, other) if self._all[one].product_id is None else (other, one)

    def _waiting(self, pair: Pair) -> _Waiting:
        one, other = sorted((self._place[pair.left], self._place[pair.right]))
        probability = round(pair.probability, 6)
        self._known[self._key(one, other)] = probability
        return -probability, one, other

    def _next(self, waiting: list[_Waiting]) -> _Waiting:
        """The nearest two with the likeness of their groups; 0 where they are joined already or
        have to wait, because their groups are less alike than they."""
        score, one, other = heapq.heappop(waiting)
        here, there = self._cluster[one], self._cluster[other]
        if here is there:
            return 0.0, one, other
        link = self._link(here, there)
        # Behind what is as alike: which comes first must not depend on who else is waiting.
        if waiting and link < -score - _ABOUT and -link >= waiting[0][0]:
            heapq.heappush(waiting, (-link, one, other))
            return 0.0, one, other
        return link, one, other

    def _link(self, one: _Cluster, other: _Cluster) -> float:
        """How alike two groups are, by their voices; what a steward put together counts once."""
        key = (one, other) if one.members < other.members else (other, one)
        if key not in self._links:
            here, there = self._voices(one), self._voices(other)
            self._know((each, beside) for each in chain(*here) for beside in chain(*there))
            self._links[key] = _together(
                [
                    [
                        max(self._compare(each, beside) for each in left for beside in right)
                        for right in there
                    ]
                    for left in here
                ]
            )
        return self._links[key]

    def _tie(self, one: int, other: int) -> None:
        ends = {self._voice.get(one, one), self._voice.get(other, other)}
        tied = {each for each, first in self._voice.items() if first in ends} | {one, other}
        self._voice.update(dict.fromkeys(tied, min(ends)))

    def _voices(self, cluster: _Cluster) -> list[list[int]]:
        """Its offers, a bounded number spread over all; those tied together are one."""
        voices: dict[int, list[int]] = defaultdict(list)
        for each in cluster.members:
            voices[self._voice.get(each, each)].append(each)
        return [each[:MAX_COMPARED] for each in voices.values()][:: -(-len(voices) // MAX_COMPARED)]

    def _compare(self, one: int, other: int) -> float:
        self._know([(one, other)])
        return self._known[self._key(one, other)]

    def _know(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Compare at once what was not compared before."""
        new = [pair for pair in pairs if self._key(*pair) not in self._known]
        if new:
            found = self._judge.compare([(self._all[one], self._all[other]) for one, other in new])
            self._known.update(zip(starmap(self._key, new), found, strict=True))

    def _key(self, one: int, other: int) -> int:
        return min(one, other) * len(self._all) + max(one, other)

    def _obstacle(self, left: int, right: int) -> str | None:
        """Why the groups of two offers may not come together; None when they may."""
        one, other = self._cluster[left], self._cluster[right]
        if one.sellers & other.sellers:
            return "one merchant offers both"
        if len(one.members) + len(other.members) > MAX_OFFERS:
            return f"more than {MAX_OFFERS} offers"
        if self._are_apart(one, other):
            return "a steward keeps them apart"
        for here in one.members[:MAX_CHECKED]:
            for there in other.members[:MAX_CHECKED]:
                reason = self._judge.veto(self._all[here], self._all[there])
                if reason:
                    return reason
        return None

    def _are_apart(self, one: _Cluster, other: _Cluster) -> bool:
        if not self._apart:
            return False
        ids = {self._all[each].offer_id for each in other.members}
        return any(ids & self._apart.get(self._all[each].offer_id, set()) for each in one.members)

    def _join(self, left: int, right: int, decision: str | None) -> None:
        """`decision` is told as evidence; None for what is only proposed."""
        one, other = self._cluster[left], self._cluster[right]
        if decision:
            for each, beside in ((left, right), (right, left)):
                if self._all[each].product_id is None and each not in self._evidence:
                    self._evidence[each] = self._told(decision, each, beside)
        joined = _Cluster(
            sorted(one.members + other.members),
            {**one.products, **other.products},
            one.sellers | other.sellers,
        )
        for place in joined.members:
            self._cluster[place] = joined

    def _review(self, new: int, old: int, link: float) -> Review:
        against = self._all[old]
        evidence = self._told("asked", new, old)
        held_back = self._held_back.get(self._key(new, old))
        if held_back:
            evidence["held_back"] = held_back
        return Review(
            self._all[new].offer_id, against.offer_id, against.product_id, round(link, 4), evidence
        )

    def _told(self, decision: str, each: int, beside: int) -> dict[str, Any]:
        pieces = self._judge.explain(self._all[each], self._all[beside])
        return {
            "decision": decision,
            "score": round(self._compare(each, beside), 4),
            "for": [plain(piece) for piece in pieces if piece[2] > 0],
            "against": [plain(piece) for piece in pieces if piece[2] < 0],
            "compared_with": self._all[beside].offer_id,
        }

    def _evidence_of(self, place: int, cluster: _Cluster) -> dict[str, Any]:
        decision = "founded" if len(cluster.members) == 1 else "joined"
        nothing: dict[str, Any] = {"decision": decision, "score": None, "for": [], "against": []}
        evidence = self._evidence.get(place, nothing)
        kept_apart = self._against.get(place)
        return {**evidence, "kept_apart": [*kept_apart]} if kept_apart else evidence

    def _hold_back(self, one: int, other: int, why: str) -> None:
        """Not merged with nobody looking: told to both, and to whoever is asked."""
        self._held_back[self._key(one, other)] = why
        self._note(one, other, why)

    def _note(self, one: int, other: int, why: str) -> None:
        for each, beside in ((one, other), (other, one)):
            self._tell(each, self._all[beside].offer_id, why)

    def _tell(self, place: int, offer_id: str, why: str) -> None:
        reasons = self._against[place]
        told = f"{why}: not with {offer_id}"
        if len(reasons) < MAX_REASONS and told not in reasons:
            reasons.append(told)


def band_of(probability: float) -> str:
    """What becomes of two offers that are so likely of one product."""
    if probability >= MERGE:
        return "merge"
    return "steward" if probability >= ASK else "apart"


def _together(table: Sequence[Sequence[float]]) -> float:
    """Of groups whose offers are so alike: between the mean of all and the mean of each one's
    best. What shops write in two languages is one by those who write in both."""
    mean = fmean(map(fmean, table))
    best = (fmean(map(max, table)) + fmean(map(max, zip(*table, strict=True)))) / 2
    return round((mean + best) / 2, 6)


def _clusters_at_first(contenders: Sequence[Contender]) -> list[_Cluster]:
    by_product: dict[str, _Cluster] = {}
    clusters = []
    for place, each in enumerate(contenders):
        cluster = _Cluster([], {}, set())
        if each.product_id is not None:
            cluster = by_product.setdefault(each.product_id, cluster)
            cluster.products[each.product_id] = each.since
        cluster.members.append(place)
        cluster.sellers.add((each.merchant_id, each.condition))
        clusters.append(cluster)
    return clusters
