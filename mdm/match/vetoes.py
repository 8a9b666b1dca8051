"""Reasons why two offers can never be of one product, whatever else agrees. Pure.

Condition is not among them: a refurbished unit is an offer of the same product. Colour is
one only where a GTIN would join two colours: shops name colours in many ways, and the learned score
weighs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import product

from mdm.match.features import Features
from mdm.match.lone_marks import lone_mark
from mdm.match.made_for import is_spare, made_for
from mdm.match.model_codes import written_in_two_ways
from mdm.match.rarity import TELLING, Rarity
from mdm.match.shared_codes import shared_codes
from mdm.match.sisters import OPPOSITES, unlike_marks
from mdm.normalise.kind import added
from mdm.normalise.trade_attributes import TRADE_KEYS
from mdm.normalise.vocabulary import ACCESSORIES, PARTS

# Attributes that make variants: stated on both sides and unequal, they part two offers.
EXACT = ("capacity", "memory", "size", "keyboard", *TRADE_KEYS)
# Measured or rounded differently from shop to shop: unequal only beyond this share.
ROUNDED: Mapping[str, Decimal] = {"screen_size": Decimal("0.035"), "content": Decimal("0.01")}
# Inches of screens are cut off as well: 13.6 is sold as 13.
_CUT_FROM = 10

# The same article with its box and what comes in it, or as makers of computers buy it.
_BOXED = frozenset(("box", "boxed", "pib", "retail", "wof"))
_LOOSE = frozenset(("bulk", "oem", "tray"))
# Part numbers of processors begin so.
_BOXED_CODE, _LOOSE_CODE = "#bx80", "#cm80"
# These are also said of other things than the packing: one of a pair has to be plain.
_UNSURE = frozenset(("box", "tray"))
# Those sell processors of these under part numbers of their own.
_COMPUTER_MAKERS = frozenset(("cisco", "dell", "fujitsu", "hewlett", "hp", "hpe", "ibm", "lenovo"))
_PART_MAKERS = frozenset(("amd", "intel", "nvidia"))

# Nouns that German joins to others, and the shortest word that is joined.
_NOUNS = tuple(sorted(PARTS | {each for each in ACCESSORIES if len(each) > 3}))
_SHORTEST_COMPOUND = 8
# What one shop calls this another calls that: told apart by no GTIN.
_NEAR_COLOURS = frozenset(
    map(
        frozenset,
        (
            *(("black", "grey"), ("grey", "silver"), ("silver", "white"), ("beige", "white")),
            *(("beige", "gold"), ("blue", "purple"), ("pink", "purple"), ("orange", "red")),
        ),
    )
)
# Letters and digits of a title that can name a thing.
_NAMES_SOMETHING = 3


def veto(one: Features, other: Features) -> str | None:
    """The first reason against one product, in words; None when nothing forbids it."""
    if (_is_nameless(one) or _is_nameless(other)) and not _share_an_identifier(one, other):
        return "a title that short names nothing"
    kinds = _of_unlike_kinds(one, other)
    if kinds is not None:
        return kinds
    packs = (one.attributes.get("pack_count", "1"), other.attributes.get("pack_count", "1"))
    if packs[0] != packs[1] and not _says(other, packs[0]) and not _says(one, packs[1]):
        return f"packs of {packs[0]} and of {packs[1]}"
    if one.gtins & other.gtins and _colours_differ(one.attributes, other.attributes):
        return f"colour {one.attributes['colour']} and {other.attributes['colour']}"
    if _is_loose(one, other) or _is_loose(other, one):
        return "one comes boxed, the other without its box"
    if _is_option_of(one, other) or _is_option_of(other, one):
        return "one is a part of a computer maker"
    return _attributes(one.attributes, other.attributes) or _audience(one, other)


def _of_unlike_kinds(one: Features, other: Features) -> str | None:
    """The thing itself, an accessory for it, several things as one."""
    if one.is_bundle != other.is_bundle and _is_bundled(one, other):
        return "one of them is a bundle"
    if one.is_accessory != other.is_accessory and _is_for(one, other):
        return "one of them is an accessory"
    if not _share_an_identifier(one, other) and is_spare(one, other):
        return "one of them is made for the other"
    return None


def _audience(one: Features, other: Features) -> str | None:
    """Fields of feeds say whom a thing is for more carelessly than its GTIN."""
    if _share_an_identifier(one, other):
        return None
    return _unequal("audience", one.attributes, other.attributes)


def _is_nameless(offer: Features) -> bool:
    text = offer.reading.text
    return len(text) < 2 * _NAMES_SOMETHING and sum(map(str.isalnum, text)) < _NAMES_SOMETHING


def _share_an_identifier(one: Features, other: Features) -> bool:
    return bool(one.gtins & other.gtins or one.mpns & other.mpns)


def _is_loose(one: Features, other: Features) -> bool:
    """The first is sold without its box, the other in it."""
    loose, boxed = _loose(one), _boxed(other)
    if not loose or not boxed or _boxed(one) or _loose(other):
        return False
    return not (loose <= _UNSURE and boxed <= _UNSURE)


def _loose(offer: Features) -> frozenset[str]:
    said = offer.reading.tokens & _LOOSE
    return said | {_LOOSE_CODE} if _LOOSE_CODE in offer.reading.ends else said


def _boxed(offer: Features) -> frozenset[str]:
    said = offer.reading.tokens & _BOXED
    return said | {_BOXED_CODE} if _BOXED_CODE in offer.reading.ends else said


def _is_option_of(one: Features, other: Features) -> bool:
    """The first is a part as a maker of computers sells it, the other as its own maker does."""
    if not one.reading.tokens & _COMPUTER_MAKERS or other.reading.tokens & _COMPUTER_MAKERS:
        return False
    return other.lead in _PART_MAKERS and other.lead in one.reading.tokens


def _colours_differ(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """One GTIN on two colours is a GTIN of several variants."""
    left, right = one.get("colour"), other.get("colour")
    if not left or not right:
        return False
    pairs = {frozenset(pair) for pair in product(left.split("/"), right.split("/"))}
    return not any(len(pair) == 1 or pair in _NEAR_COLOURS for pair in pairs)


def doubt(one: Features, other: Features, rarity: Rarity | None = None) -> str | None:
    """Why a person has to look before these two join their groups, however alike they are; without
    `rarity` for two that are surely alike.

    Model codes that agree in parts but not as a whole (`tp1414` and `tsl1414`) are sisters as often
    as one, and so are titles of which each has a mark in the place of the other's. Where no telling
    code is shared at all, much the same words name sisters too."""
    if _share_an_identifier(one, other):
        return None if one.mpns & other.mpns else _contradicted(one, other)
    if _colours_differ(one.attributes, other.attributes):
        colours = (one.attributes["colour"], other.attributes["colour"])
        return f"one says {colours[0]} where the other says {colours[1]}"
    shared = shared_codes(one, other)
    if not shared and written_in_two_ways(one, other):
        return None
    if made_for(one, other):
        return "one may be made for the other"
    if one.codes and other.codes and not shared:
        return "model codes agree in parts only"
    told = _unlike(one, other, shared)
    if told or rarity is None or one.reading.tokens == other.reading.tokens:
        return told
    if not any(rarity[each] > TELLING for each in shared):
        return "no model code that both state"
    return None


def _contradicted(one: Features, other: Features) -> str | None:
    """One GTIN, and models that are not one: a feed put a sister's GTIN on one of them.

    Of 434 pairs written to try this, 18 of them with a sister's GTIN, it asks about 11 of these and
    about one other."""
    shared = shared_codes(one, other)
    if one.codes and other.codes and not shared and not written_in_two_ways(one, other):
        return "model codes agree in parts only"
    marks = unlike_marks(one, other, shared)
    if marks and (marks in OPPOSITES or all(any(map(str.isdigit, mark)) for mark in marks)):
        return f"one says {marks[0]} where the other says {marks[1]}"
    return None


def _unlike(one: Features, other: Features, shared: frozenset[str]) -> str | None:
    mark = lone_mark(one, other, shared)
    if mark:
        return mark
    marks = unlike_marks(one, other, shared)
    return f"one says {marks[0]} where the other says {marks[1]}" if marks else None


def _is_bundled(one: Features, other: Features) -> bool:
    """What comes along with one is not named by the other in another way."""
    bundle, single = (one, other) if one.is_bundle else (other, one)
    return not added(bundle.reading.text) & single.reading.tokens


def _is_for(one: Features, other: Features) -> bool:
    """The thing itself names no accessory: else both are one, put in other words."""
    single = other if one.is_accessory else one
    return not any(map(_names_accessory, single.reading.tokens))


@lru_cache(maxsize=100_000)
def _names_accessory(word: str) -> bool:
    """German joins the noun: `Ersatzakku`."""
    return word in ACCESSORIES or (len(word) > _SHORTEST_COMPOUND and word.endswith(_NOUNS))


def _says(offer: Features, count: str) -> bool:
    """A number of pieces stated in words that are not understood, `film 10's`, or in the
    description only."""
    if count == "1" or "pack_count" in offer.attributes:
        return False
    described = offer.reading.described
    is_several = "multipack" in offer.reading.tokens
    return is_several or count in offer.numbers or (count in described and "pack" in described)


def _attributes(one: Mapping[str, str], other: Mapping[str, str]) -> str | None:
    for name in EXACT:
        found = _unequal(name, one, other)
        if found:
            return found
    for name, share in ROUNDED.items():
        left, right = one.get(name), other.get(name)
        if left and right and left != right and _are_apart(left, right, share):
            return f"{name.replace('_', ' ')} {left} and {right}"
    return None


def _unequal(name: str, one: Mapping[str, str], other: Mapping[str, str]) -> str | None:
    left, right = one.get(name), other.get(name)
    if not left or not right or left == right:
        return None
    return f"{name.replace('_', ' ')} {left} and {right}"


def _are_apart(left: str, right: str, share: Decimal) -> bool:
    one, _, unit = left.partition(" ")
    other, _, other_unit = right.partition(" ")
    try:
        numbers = sorted((Decimal(one), Decimal(other)))
    except InvalidOperation:
        return True
    if unit == other_unit == "in" and numbers[0] >= _CUT_FROM and int(numbers[1]) == numbers[0]:
        return False
    return unit != other_unit or numbers[1] - numbers[0] > numbers[1] * share
