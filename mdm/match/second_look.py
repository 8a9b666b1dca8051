"""Which products have to be looked at again because one of their offers has changed.

An offer may have held others in its product: by a wrong GTIN, say. Where it corrects itself, what
belonged with it as it was, and does not as it is, may belong elsewhere. Only comparisons; nothing
is moved here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mdm.match.comparison import Comparison, ambiguous_gtins
from mdm.match.decide import LIKELY, MERGE
from mdm.match.decision import Contender
from mdm.match.living_catalogue import LivingCatalogue, contenders_of
from mdm.match.rarity import Rarity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """A live offer as it was, with its product, and as it is."""

    before: Contender
    after: Contender
    vector_before: NDArray[np.float32]
    vector_after: NDArray[np.float32]


def loosened(catalogue: LivingCatalogue, changes: Sequence[Change]) -> set[str]:
    """Products in which a changed offer no longer holds another one that it held before."""
    found: set[str] = set()
    rarity = Rarity(len(catalogue.index), catalogue.index.count)
    for start in range(0, len(changes), _CHUNK):
        chunk = changes[start : start + _CHUNK]
        found |= _loosened(catalogue, chunk, rarity)
    return found


def _loosened(catalogue: LivingCatalogue, changes: Sequence[Change], rarity: Rarity) -> set[str]:
    import numpy as np

    changed = {each.before.offer_id for each in changes}
    products = {each.before.product_id for each in changes if each.before.product_id}
    members, table = contenders_of(
        catalogue.members(sorted(products)), len(changes[0].vector_after)
    )
    beside: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(members):
        if each.offer_id not in changed and each.product_id:
            beside[each.product_id].append(2 * len(changes) + place)
    sides = [side for each in changes for side in (each.before, each.after)]
    vectors = [side for each in changes for side in (each.vector_before, each.vector_after)]
    contenders = sides + members
    comparison = Comparison(
        contenders, np.concatenate([np.stack(vectors), table]), rarity, ambiguous_gtins(members), {}
    )
    pairs, _ = comparison.scored(
        [
            (side, place)
            for number, each in enumerate(changes)
            for place in beside.get(each.before.product_id or "", ())
            for side in (2 * number, 2 * number + 1)
        ]
    )
    alike = {(pair.left, pair.right): pair.probability for pair in pairs}
    return {
        contenders[place].product_id or ""
        for (side, place), before in alike.items()
        if side % 2 == 0 and before >= MERGE and alike.get((side + 1, place), 0.0) < LIKELY
    }
