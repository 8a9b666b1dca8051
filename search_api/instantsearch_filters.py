"""Filters as InstantSearch writes them -> conditions of ours: `filters`, `facetFilters`,
`numericFilters`. A subset, read exactly: what cannot be said in our terms is refused by name.

Values of one attribute are alternatives, attributes add up. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from kernel.errors import DomainError

MOST_CONDITIONS = 100
_MOST_TEXT = 4_000
_NUMERIC = re.compile(r"^\s*([\w.]+)\s*(>=|<=|!=|=|>|<)\s*(-?\d{1,9}(?:\.\d{1,6})?)\s*$")
_BETWEEN = re.compile(
    r"^\s*([\w.]+)\s*:\s*(-?\d{1,9}(?:\.\d{1,6})?)\s+TO\s+(-?\d{1,9}(?:\.\d{1,6})?)\s*$",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])|(?P<word>(?:AND|OR|NOT)\b)
    |(?P<term>[\w.]+\s*:\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|-?[\d.]+\s+TO\s+-?[\d.]+|[^\s()]+)
    |[\w.]+\s*(?:>=|<=|!=|=|>|<)\s*-?[\d.]+))""",
    re.VERBOSE,
)


@dataclass(slots=True)
class Conditions:
    """`alternatives[attribute]` are groups that all have to hold; amounts are in major units."""

    alternatives: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    at_least: Decimal | None = None
    above: Decimal | None = None
    at_most: Decimal | None = None
    below: Decimal | None = None


def refused(message: str) -> DomainError:
    """400 in the words that an InstantSearch client shows."""
    return DomainError("filter_unsupported", message, status=400)


def read_conditions(filters: object, facet_filters: object, numeric: object) -> Conditions:
    """All three parameters together. Raises DomainError 400."""
    found = Conditions()
    for group in _groups(facet_filters, "facetFilters"):
        _add(found, [_term(text) for text in group])
    for group in _groups(numeric, "numericFilters"):
        if len(group) != 1:
            raise refused("numericFilters: alternatives of numbers are not supported")
        _number(found, group[0])
    if filters:
        if not isinstance(filters, str) or len(filters) > _MOST_TEXT:
            raise refused("filters: a text of at most 4,000 characters")
        for group in _parsed(filters):
            _add_parsed(found, group)
    return found


def _groups(value: object, name: str) -> list[list[str]]:
    """A text, a list of texts, or a list of lists of texts, as groups of alternatives."""
    if not value:
        return []
    if isinstance(value, str):
        return [[part.strip()] for part in value.split(",") if part.strip()]
    if not isinstance(value, list):
        raise refused(f"{name}: a text or a list")
    groups: list[list[str]] = []
    for row in value[: MOST_CONDITIONS + 1]:
        group = row if isinstance(row, list) else [row]
        if not all(isinstance(text, str) and len(text) <= 500 for text in group):
            raise refused(f"{name}: texts of at most 500 characters")
        if group:
            groups.append(list(group))
    if sum(len(group) for group in groups) > MOST_CONDITIONS:
        raise refused(f"{name}: at most {MOST_CONDITIONS} conditions")
    return groups


def _term(text: str) -> tuple[str, str]:
    attribute, colon, value = text.partition(":")
    value = _unquoted(value.strip())
    if not colon or not attribute.strip() or not value:
        raise refused(f"{_shown(text)}: attribute:value was expected")
    if value.startswith("-"):
        raise refused(f"{_shown(text)}: exclusions are not supported")
    return attribute.strip(), value.removeprefix("\\")


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def _add(found: Conditions, terms: Iterable[tuple[str, str]]) -> None:
    pairs = list(terms)
    attributes = {attribute for attribute, _ in pairs}
    if len(attributes) != 1:
        raise refused("alternatives across attributes are not supported: " + _shown(str(pairs)))
    group = tuple(dict.fromkeys(value for _, value in pairs))
    found.alternatives.setdefault(attributes.pop(), []).append(group)


def _number(found: Conditions, text: str) -> None:
    between = _BETWEEN.match(text)
    if between:
        _bound(found, between[1], ">=", between[2])
        _bound(found, between[1], "<=", between[3])
        return
    simple = _NUMERIC.match(text)
    if not simple:
        raise refused(f"{_shown(text)}: a comparison such as price>=100 was expected")
    _bound(found, simple[1], simple[2], simple[3])


def _bound(found: Conditions, attribute: str, sign: str, number: str) -> None:
    if attribute != "price":
        raise refused(f"{_shown(attribute)}: price is the only number that can be compared")
    try:
        value = Decimal(number)
    except InvalidOperation:
        raise refused(f"{_shown(number)}: not a number") from None
    if sign == "!=":
        raise refused("price!=: exclusions are not supported")
    if sign in {">=", "="}:
        found.at_least = value if found.at_least is None else max(found.at_least, value)
    if sign in {"<=", "="}:
        found.at_most = value if found.at_most is None else min(found.at_most, value)
    if sign == ">":
        found.above = value if found.above is None else max(found.above, value)
    if sign == "<":
        found.below = value if found.below is None else min(found.below, value)


def _parsed(text: str) -> list[list[str]]:
    """`a:1 AND (b:2 OR b:3) AND price<4` -> groups of alternatives."""
    groups: list[list[str]] = [[]]
    is_inside = False
    expects_term = True
    for kind, part in _tokens(text):
        if kind == "term" and expects_term:
            groups[-1].append(part)
            expects_term = False
        elif part == "(" and expects_term and not is_inside:
            is_inside = True
        elif part == ")" and is_inside and not expects_term:
            is_inside = False
        elif part == "OR" and not expects_term:
            expects_term = True
        elif part == "AND" and not expects_term and not is_inside:
            groups.append([])
            expects_term = True
        else:
            raise refused(f"filters: {_shown(part)} is not supported at this place")
    if is_inside or expects_term:
        raise refused("filters: the expression is not complete")
    return groups


def _tokens(text: str) -> list[tuple[str, str]]:
    place = 0
    found: list[tuple[str, str]] = []
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if token is None or len(found) > 4 * MOST_CONDITIONS:
            raise refused(f"filters: {_shown(text[place:].strip())} cannot be read")
        kind = token.lastgroup or ""
        found.append((kind, token[kind]))
        place = token.end()
    return found


def _add_parsed(found: Conditions, group: list[str]) -> None:
    if len(group) == 1 and (_NUMERIC.match(group[0]) or _BETWEEN.match(group[0])):
        _number(found, group[0])
        return
    _add(found, [_term(text) for text in group])


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:60])
