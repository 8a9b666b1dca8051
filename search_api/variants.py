"""What a product also comes in: its siblings in the brand's index, and how each differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from indexer.document import ProductDocument
from indexer.engine import Filters, SearchRequest
from indexer.folding import key
from search_api.answer import Variant
from search_api.cards import money, product_url
from search_api.product_card import Fact
from search_api.search import Shop
from tenants.brand import Brand

MOST_VARIANTS = 60
_STEPS = 3
"""From a product to those of its groups, from these to theirs, and once more."""
# What buyers choose by; of merchants' own facts only what these leave untold.
_CHOSEN_BY = frozenset(
    (
        *("audience", "batteries_included", "capacity", "colour", "content", "keyboard"),
        *("lens_range", "memory", "pack_count", "power", "scent", "screen_size", "sim_cards"),
        "size",
    )
)
# A number and its unit in a merchant's words. Where units are ours, the unit counts too.
_MEASURE = re.compile(r"(\d{1,9}(?:[.,]\d{1,4})?)\D{0,30}")
_OUR_UNITS = frozenset({"capacity", "content", "lens", "memory", "power", "screen_size", "size"})


def variants(
    shop: Shop, document: ProductDocument, brand: Brand, language: str
) -> tuple[Variant, ...]:
    """Siblings that the brand shows, itself among them; none where it stands alone."""
    siblings = _siblings(shop, document, brand)
    if len(siblings) < 2:
        return ()
    told = _facts(siblings)
    rows = [
        Variant(
            id=sibling.product_id,
            url=product_url(sibling.product_id),
            title=sibling.title(language),
            picture=sibling.picture,
            differs=facts,
            from_total=money(sibling.total_minor, sibling.currency),
            availability=sibling.availability,
            selected=sibling.product_id == document.product_id,
        )
        for sibling, facts in zip(siblings, told, strict=True)
    ]
    return tuple(sorted(rows, key=_place))


def _place(variant: Variant) -> tuple[bool, list[tuple[int, str]], str]:
    """By what tells them apart; those told by their titles last."""
    values = [_natural(fact.value) for fact in variant.differs]
    return not variant.differs, values, variant.id


def _siblings(shop: Shop, document: ProductDocument, brand: Brand) -> list[ProductDocument]:
    """All that its groups lead to, and what theirs lead to: who looks from another sees the same.

    A merchant that puts its whole range into one group does not join two makers' things.
    """
    found = {document.product_id: document}
    maker, asked = key(document.manufacturer or ""), frozenset[str]()
    for _ in range(_STEPS):
        groups = frozenset(group for each in found.values() for group in each.variant_groups)
        if groups == asked:
            break
        asked = groups
        request = SearchRequest(
            filters=Filters(variant_groups=tuple(sorted(groups))), limit=MOST_VARIANTS
        )
        ids = [hit.product_id for hit in shop.engine.search(brand.id, request).hits]
        near = shop.engine.read(brand.id, [each for each in ids if each not in found])
        found |= {id_: each for id_, each in near.items() if _is_by(maker, each)}
    return list(found.values())


def _is_by(maker: str, document: ProductDocument) -> bool:
    """Whether nothing says that it is another maker's."""
    return not maker or key(document.manufacturer or "") in ("", maker)


def differing(siblings: Sequence[ProductDocument]) -> list[str]:
    """Attributes that are not the same for all siblings, in whatever language they are stated."""
    names = {name for sibling in siblings for name in sibling.attributes}
    return sorted(
        name
        for name in names
        if len({_said(name, sibling.attributes.get(name)) for sibling in siblings}) > 1
    )


def _facts(siblings: Sequence[ProductDocument]) -> list[tuple[Fact, ...]]:
    """What tells each sibling from the others, each thing once, however often it is stated; nothing
    where it tells two of them alike: their titles do, then."""
    joined = _joined([each.attributes for each in siblings], differing(siblings))
    said = {
        name: [_first(each.attributes, (name, *others)) for each in siblings]
        for name, others in joined.items()
    }
    names = _telling(said)
    told = [
        tuple(Fact(key=name, value=value) for name in names if (value := said[name][place]))
        for place in range(len(siblings))
    ]
    times = Counter(told)
    return [facts if times[facts] == 1 else () for facts in told]


def _telling(said: Mapping[str, Sequence[str | None]]) -> list[str]:
    """What buyers choose by, then each own fact of merchants that tells two apart which are still
    the same: they state them in several languages, and most go with the rest."""
    names = [name for name in said if name in _CHOSEN_BY]
    for name in said:
        if name not in names and _parts(said[name], [said[each] for each in names]):
            names.append(name)
    return names


def _parts(stated: Sequence[str | None], known: Sequence[Sequence[str | None]]) -> bool:
    """Whether two that are the same by what is known state different things; one that is silent
    tells nothing."""
    values: dict[tuple[str | None, ...], set[str]] = {}
    for place, value in enumerate(stated):
        if value is not None:
            values.setdefault(tuple(each[place] for each in known), set()).add(value)
    return any(len(each) > 1 for each in values.values())


def _joined(
    stated: Sequence[Mapping[str, str]], names: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Names with those that say the same: `content` and a merchant's own `volume_ml`."""
    joined: dict[str, list[str]] = {}
    for name in names:
        twin = next((kept for kept in joined if _say_the_same(stated, kept, name)), None)
        if twin is None:
            joined[name] = []
        else:
            joined[twin].append(name)
    return joined


def _say_the_same(stated: Sequence[Mapping[str, str]], one: str, other: str) -> bool:
    """Equal wherever both are stated, letter case and blanks aside, and that at all."""
    pairs = {
        (_plain(each[one]), _plain(each[other])) for each in stated if one in each and other in each
    }
    return bool(pairs) and all(left == right for left, right in pairs)


def _plain(value: str) -> str:
    return "".join(value.split()).casefold().replace(",", ".")


def _first(attributes: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((attributes[name] for name in names if name in attributes), None)


def _said(name: str, value: str | None) -> str | None:
    """`50 Mpx` and `50 Megapixel` say the same, `1 GB` and `1 TB` do not."""
    found = _MEASURE.fullmatch(value) if value and name not in _OUR_UNITS else None
    return found[1].replace(",", ".") if found else value


def _natural(value: str) -> tuple[int, str]:
    """`64 GB` before `128 GB`."""
    digits = re.match(r"\d{1,12}", value)
    return (int(digits[0]) if digits else 0, value)
