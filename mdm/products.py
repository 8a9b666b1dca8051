"""Products as stored: ids that stay, golden records rewritten, empty ones retired and redirected.

An id is derived from what first identified the product (its GTIN, its maker's part number, else its
first offer), so that the same offers loaded into an empty database give the same ids.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.db import Prepared, Transaction, sent_together
from kernel.errors import NotFound
from kernel.ids import derived_id
from mdm.golden.members import Member, Priorities
from mdm.golden.priorities import asked_priorities
from mdm.golden.record import golden_record
from mdm.match.decision import Group

_PAGE = 4000

_KEEP_GOLDEN = Prepared(
    sa.text(
        # Whoever lives leads nowhere else.
        "WITH led AS (DELETE FROM mdm.product_redirect WHERE old_id = ANY(:ids)) "
        "UPDATE mdm.product p SET golden = s.golden, state = 'live', "
        "version = p.version + 1, updated_at = :now "
        "FROM unnest(CAST(:ids AS text[]), CAST(:golden AS jsonb[])) s(product_id, golden) "
        "WHERE p.product_id = s.product_id"
    )
)
_OCCUPIED = Prepared(
    sa.text(
        "SELECT p.product_id FROM mdm.product p WHERE p.product_id = ANY(:ids) AND "
        "(p.state = 'live' OR EXISTS (SELECT FROM mdm.product_redirect WHERE old_id = p.product_id)"
        " OR EXISTS (SELECT FROM mdm.offer o WHERE live AND o.product_id = p.product_id)"
        " OR EXISTS (SELECT FROM mdm.offer o WHERE NOT live AND o.product_id = p.product_id))"
    )
)
_CREATE = Prepared(
    sa.text(
        "INSERT INTO mdm.product (product_id, version, state, golden, updated_at, created_at) "
        "SELECT product_id, 0, 'live', '{}', :now, :now "
        "FROM unnest(CAST(:ids AS text[])) AS s(product_id) ON CONFLICT (product_id) DO NOTHING"
    )
)
_RETIRE = Prepared(
    sa.text(
        "UPDATE mdm.product SET state = 'retired', version = version + 1, updated_at = :now "
        "WHERE product_id = ANY(:ids) AND state = 'live' RETURNING product_id"
    )
)
_LEAD = Prepared(
    sa.text(
        "INSERT INTO mdm.product_redirect (old_id, new_id, why) "
        "SELECT old_id, new_id, CAST(:why AS text) "
        "FROM unnest(CAST(:old AS text[]), CAST(:new AS text[])) AS s(old_id, new_id) "
        "WHERE EXISTS (SELECT FROM mdm.product WHERE product_id = old_id AND state = 'retired') "
        "ON CONFLICT (old_id) DO UPDATE SET new_id = EXCLUDED.new_id, "
        "why = EXCLUDED.why, redirected_at = now()"
    )
)
_PEOPLED = Prepared(
    sa.text(
        "SELECT DISTINCT product_id FROM mdm.offer WHERE live AND product_id = ANY(:ids) "
        "AND NOT offer_id = ANY(:without)"
    )
)
# Two halves, each with an index of its own: asked for at once, all offers would be read.
_ALL_OFFERS = Prepared(
    sa.text(
        "SELECT offer_id FROM mdm.offer WHERE live AND product_id = ANY(:ids) UNION ALL "
        "SELECT offer_id FROM mdm.offer WHERE NOT live AND product_id = ANY(:ids) ORDER BY offer_id"
    )
)
_MEMBERS = Prepared(
    sa.text(
        "SELECT product_id, offer_id, merchant_id, title, language, condition, facts, "
        "described_at FROM mdm.offer WHERE live AND product_id = ANY(:ids)"
    )
)


def name_groups(tx: Transaction, groups: Sequence[Group], previous: Mapping[str, str]) -> list[str]:
    """Give every group without a product its id; answers those of products that are to be made.

    `previous` maps an offer to the product it belonged to; a product that lost all its offers to
    one group lives on in it.
    """
    unnamed = sorted((each for each in groups if each.product_id is None), key=_first_offer)
    held = {each.product_id for each in groups if each.product_id}
    free = _emptied(tx, set(previous.values()) - held, set(previous))
    taken = set(held)
    for group in _by_claim(unnamed, previous, free):
        claims = _claims(group, previous, free)
        name = min(claims, key=lambda each: (-claims[each], each), default=None)
        if name is not None and name not in taken:
            group.product_id = name
            taken.add(name)
    left = [each for each in unnamed if each.product_id is None]
    occupied = _occupied(tx, [name for group in left for name in _names(group)]) - free
    # An id that ended in the product they come from is theirs again, before any other.
    former = {name for group in left for name in _former_names(group, previous)}
    theirs = _led_to(tx, former | occupied, set(previous.values()))
    for group in left:
        again = (name for name in _former_names(group, previous) if name in theirs)
        names = (
            name
            for name in chain(again, _names(group))
            if name not in taken and (name in theirs or name not in occupied)
        )
        group.product_id = next(names, None) or _free_name(tx, _first_offer(group), taken)
        taken.add(group.product_id)
    return [each.product_id for each in unnamed if each.product_id]


def create_products(tx: Transaction, product_ids: Sequence[str], now: datetime) -> None:
    """Make products without anything in them yet; one that is there stays as it is."""
    if product_ids:
        _CREATE.run(tx, {"now": now, "ids": list(product_ids)})


def merge_products(
    tx: Transaction, keep: str, others: Sequence[str], now: datetime, why: str
) -> list[str]:
    """All offers of `others`, withdrawn ones too, go to `keep`; the ids left lead there.

    Golden records are rewritten; returns the products changed, for the change log. `why` stays with
    the redirect. Nothing to move changes nothing.
    """
    rows = _ALL_OFFERS.all(tx, {"ids": sorted(set(others) - {keep})})
    return move_offers(tx, {row.offer_id: keep for row in rows}, now, why)


def move_offers(
    tx: Transaction, moves: Mapping[str, str | None], now: datetime, why: str
) -> list[str]:
    """Give offers other products; None is one new product for all that have it.

    A retired id comes to life when offers come back to it, and leads nowhere else then. Returns the
    products changed, for the change log. DomainError `offer_unknown`, `product_unknown` (404).
    """
    held = _places(tx, list(moves))
    new_id = None
    if None in moves.values():
        new_id = _free_name(tx, min(each for each, to in moves.items() if to is None), set())
        create_products(tx, [new_id], now)
    goes = {each: to or new_id for each, to in moves.items()}
    wanted = {each: to for each, to in goes.items() if to is not None and held[each] != to}
    _require_products(tx, set(wanted.values()))
    tx.execute(
        sa.text(
            "UPDATE mdm.offer o SET product_id = m.product_id, updated_at = :now "
            "FROM unnest(CAST(:offers AS text[]), CAST(:products AS text[])) "
            "AS m(offer_id, product_id) WHERE o.offer_id = m.offer_id"
        ),
        {"offers": list(wanted), "products": list(wanted.values()), "now": now},
    )
    touched = {held[each] for each in wanted} | set(wanted.values())
    left = {each: to for each, to in wanted.items() if held[each]}
    return rewrite(tx, [each for each in touched if each], _went(left, held), now, why)


def oldest(tx: Transaction, product_ids: Iterable[str]) -> str:
    """Which of the products keeps its id when they become one: the one made first.

    Of those made at once, the one with most offers, then the lower id.
    """
    return str(
        tx.execute(
            sa.text(
                "SELECT product_id FROM mdm.product p WHERE product_id = ANY(:ids) "
                "ORDER BY created_at, (SELECT count(*) FROM mdm.offer o "
                "WHERE o.live AND o.product_id = p.product_id) DESC, product_id LIMIT 1"
            ),
            {"ids": list(product_ids)},
        ).scalar_one()
    )


def rewrite(
    tx: Transaction,
    product_ids: Iterable[str],
    moved: Mapping[str, str],
    now: datetime,
    why: str = "",
) -> list[str]:
    """Merge the golden records of these products anew, one version on; returns those changed.

    A product without live offers is retired; `moved` maps such a product to where its offers went,
    `why` says for what reason.
    """
    with sent_together(tx):
        rewritten = asked_rewrite(tx, product_ids, moved, now, why)
    return rewritten()


def asked_rewrite(
    tx: Transaction,
    product_ids: Iterable[str],
    moved: Mapping[str, str],
    now: datetime,
    why: str = "",
) -> Callable[[], list[str]]:
    """The same, their offers asked for now and the records merged when it is called: for statements
    that are sent together."""
    ids = sorted(set(product_ids))
    pages = [ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE)]
    priorities = asked_priorities(tx) if ids else dict
    # Of many no more than a page is held at once.
    first = _MEMBERS.asked(tx, {"ids": pages[0]}) if pages else None

    def merge() -> list[str]:
        changed: list[str] = []
        ranked = priorities()
        for place, page in enumerate(pages):
            asked = first if first and not place else _MEMBERS.asked(tx, {"ids": page})
            changed += _rewritten(tx, page, asked.fetchall(), ranked, now)
        _redirect(tx, moved, why)
        return changed

    return merge


def _rewritten(
    tx: Transaction, page: Sequence[str], rows: Sequence[Any], ranked: Priorities, now: datetime
) -> list[str]:
    members = _by_product(rows)
    golden = [orjson.dumps(golden_record(each, ranked)).decode() for each in members.values()]
    if members:
        _KEEP_GOLDEN.run(tx, {"now": now, "ids": list(members), "golden": golden})
    return [*members, *_retire(tx, [each for each in page if each not in members], now)]


def _places(tx: Transaction, offer_ids: Sequence[str]) -> dict[str, str | None]:
    """Products of these offers, which nobody else changes from now on."""
    rows = tx.execute(
        sa.text(
            "SELECT offer_id, product_id FROM mdm.offer WHERE offer_id = ANY(:ids) "
            "ORDER BY offer_id FOR UPDATE"
        ),
        {"ids": list(offer_ids)},
    )
    held = {row.offer_id: row.product_id for row in rows}
    for each in offer_ids:
        if each not in held:
            raise NotFound("offer_unknown", f"No offer is called {each!r}.")
    return held


def _require_products(tx: Transaction, product_ids: set[str]) -> None:
    rows = tx.execute(
        sa.text("SELECT product_id FROM mdm.product WHERE product_id = ANY(:ids)"),
        {"ids": list(product_ids)},
    )
    for each in sorted(product_ids - set(rows.scalars())):
        raise NotFound("product_unknown", f"No product is called {each!r}.")


def _went(moved: Mapping[str, str], held: Mapping[str, str | None]) -> dict[str, str]:
    """Where the offers of each product left went, by the most of them."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for offer_id, to in moved.items():
        counted[str(held[offer_id])][to] += 1
    return {old: min(to, key=lambda each: (-to[each], each)) for old, to in counted.items()}


def _first_offer(group: Group) -> str:
    return min(each.offer_id for each in group.members)


def _claims(group: Group, previous: Mapping[str, str], free: set[str]) -> Counter[str]:
    """Products without offers that members of the group came from, with how many came."""
    came_from = (previous.get(each.offer_id) for each in group.members)
    return Counter(each for each in came_from if each in free)


def _by_claim(groups: Sequence[Group], previous: Mapping[str, str], free: set[str]) -> list[Group]:
    """Groups with the strongest claim on an old id first; of two as strong the one that the id was
    derived from: what came in by an error does not turn the other out."""

    def strength(group: Group) -> tuple[int, bool, str]:
        claims = _claims(group, previous, free)
        most = max(claims.values(), default=0)
        strongest = {name for name, count in claims.items() if count == most}
        is_own = bool(strongest) and not strongest.isdisjoint(_former_names(group, previous))
        return -most, not is_own, _first_offer(group)

    return sorted(groups, key=strength)


def _names(group: Group) -> Iterator[str]:
    """Ids a new product may take, best first."""
    members = sorted(group.members, key=lambda each: each.offer_id)
    gtins = Counter(gtin for each in members for gtin in each.features.gtins)
    for gtin in sorted(gtins, key=lambda each: (-gtins[each], each))[:2]:
        yield derived_id("prd", "gtin", gtin)
    for each in members:
        if each.features.manufacturer and each.features.mpns:
            yield derived_id("prd", "mpn", each.features.manufacturer, min(each.features.mpns))
            break
    yield derived_id("prd", "offer", members[0].offer_id)


def _former_names(group: Group, previous: Mapping[str, str]) -> Iterator[str]:
    """Ids that those of its members may have had who come from another product, best first."""
    came = [each.offer_id for each in group.members if each.offer_id in previous]
    if came:
        yield from _names(group)
        yield from (derived_id("prd", "offer", each) for each in sorted(came))


def _free_name(tx: Transaction, offer_id: str, taken: set[str]) -> str:
    """An id after the offer, counted on where products have that of its own by now."""
    number = 1
    while True:
        names = [
            derived_id("prd", "offer", offer_id, *([str(each)] if each > 1 else ()))
            for each in range(number, number + 20)
        ]
        occupied = _occupied(tx, names)
        for name in names:
            if name not in occupied and name not in taken:
                return name
        number += 20


def _occupied(tx: Transaction, names: Sequence[str]) -> set[str]:
    """Those of the ids that are in use, or lead somewhere else."""
    if not names:
        return set()
    return {row.product_id for row in _OCCUPIED.all(tx, {"ids": list(names)})}


def _led_to(tx: Transaction, names: set[str], product_ids: set[str]) -> set[str]:
    """Those of the ids that are retired and lead to one of these products."""
    if not names or not product_ids:
        return set()
    rows = tx.execute(
        sa.text(
            "SELECT old_id FROM mdm.product_redirect JOIN mdm.product ON product_id = old_id "
            "WHERE old_id = ANY(:names) AND new_id = ANY(:ids) AND state = 'retired'"
        ),
        {"names": list(names), "ids": list(product_ids)},
    )
    return set(rows.scalars())


def _emptied(tx: Transaction, product_ids: set[str], without: set[str]) -> set[str]:
    """Those of the products that have no live offer but these."""
    if not product_ids:
        return set()
    rows = _PEOPLED.all(tx, {"ids": list(product_ids), "without": list(without)})
    return product_ids - {row.product_id for row in rows}


def _by_product(rows: Iterable[Any]) -> dict[str, list[Member]]:
    members: dict[str, list[Member]] = defaultdict(list)
    for row in rows:
        members[row.product_id].append(Member(*row[1:]))
    return dict(sorted(members.items()))


def _retire(tx: Transaction, product_ids: Sequence[str], now: datetime) -> list[str]:
    if not product_ids:
        return []
    return [row.product_id for row in _RETIRE.all(tx, {"ids": list(product_ids), "now": now})]


def _redirect(tx: Transaction, moved: Mapping[str, str], why: str) -> None:
    """Ids of products that were emptied because their offers moved lead to where they are now."""
    if not moved:
        return
    led = sorted((old, new) for old, new in moved.items() if old != new)
    _LEAD.run(tx, {"old": [old for old, _ in led], "new": [new for _, new in led], "why": why})
