"""Model codes that two titles write in different ways: in pieces, with the letters of a market, or
without the letters that they begin with. Pure.

`dsr 15b1 k` is `dsr15b1k`; `ue49nu7100kxxu` is `ue49nu7100` as it is sold in Britain; `49nu7100`,
or `NU7100, 49 inch`, is `ue49nu7100`. Other letters behind a code name other things (`dfg15b1k` is
black, `dfg15b1s` is silver), and so do other letters before it: they are not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, chain

from mdm.match.features import Features
from mdm.match.reading import UNITS

SHORTEST = 6
"""Letters of a code that can name a model."""
_SHORTEST_NUMBER = 7
_MOST_PIECES = 6
_LONGEST = 24
_PIECE = re.compile(r"[^\W_]+")
# What shops put between the pieces of a code.
_BETWEEN = str.maketrans("", "", " -/._")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[a-z]")
# Of makers that put the market behind the model: Samsung (xxu, txxu, auxxu, xeg), LG (pla, plb,
# lla), Sony (bu, su, baep). `uk` and `gb` alone stand behind codes of sisters as well.
_MARKET = re.compile(r"a?[ktu]?xx[a-z]|a?[ktu]?xe[a-z]|a?xu|[pl]?l[abd]|[bs]u|[bs]aep")
_LARGER = "xl"
_MARKET_LETTERS = range(2, 6)
# A size and a series behind the letters of a maker's line; what is left without them has to be long
# enough to name a model by itself.
_LETTERED = re.compile(r"[a-z]{2,4}((?=(?:[a-z]*\d){4})\d[a-z0-9]{6,20})")
_SIZED = re.compile(r"(\d\d)([a-z]{1,3}\d{3}[a-z0-9]{0,16})")


def larger_one(one: Features, other: Features) -> str | None:
    """What one says as the other's model in its larger size: `CL-211XL` beside `CL-211`."""
    found = {*_larger_than(other, one), *_larger_than(one, other)}
    return max(found, key=lambda each: (len(each), each), default=None)


def _larger_than(one: Features, other: Features) -> Iterator[str]:
    """Codes of the other that are one of the first with the letters of a larger size."""
    for code in other.all_codes:
        if code.endswith(_LARGER) and code not in one.all_codes:
            bare = code[: -len(_LARGER)]
            if bare in one.all_codes or bare in one.reading.tokens:
                yield code


def written_in_two_ways(one: Features, other: Features) -> bool:
    """Whether both state one model, in any of these ways."""
    return any(
        same(one, other) for same in (of_another_market, written_in_pieces, without_its_letters)
    )


def written_in_pieces(one: Features, other: Features) -> str | None:
    """The longest code that one title writes whole and the other in three pieces or more."""
    found = {*_in_pieces(one, other), *_in_pieces(other, one)}
    return max(found, key=lambda each: (len(each), each), default=None)


def of_another_market(one: Features, other: Features) -> str | None:
    """The longest model that both state, at least one of them with the letters of a market."""
    here, there = _models(one.codes), _models(other.codes)
    if not here and not there:
        return None
    found = (here | one.all_codes) & (there | other.all_codes) & (here | there)
    return max(found, key=lambda each: (len(each), each), default=None)


def without_its_letters(one: Features, other: Features) -> str | None:
    """The longest model that one states with the letters that it begins with, the other without:
    its size and series in one piece, or apart."""
    found = {*_bare(one, other), *_bare(other, one)}
    return max(found, key=lambda each: (len(each), each), default=None)


def _bare(one: Features, other: Features) -> Iterator[str]:
    lettered = _lettered(one.codes)
    if not lettered:
        return
    written = other.codes | _models(other.codes)
    for code, bare, size, series in lettered:
        is_said = bare in written or (series in written and _says_size(other, size))
        if is_said and not _has_other_letters(other, bare):
            yield code


def _has_other_letters(offer: Features, bare: str) -> bool:
    """Whether letters that are neither a maker nor a unit stand before it: `fridge skb 68821af`,
    `wh-1000xm4`."""
    if any(code.removesuffix(bare).isalpha() for code in offer.codes if code.endswith(bare)):
        return True
    before = (each.removesuffix(bare) for each in offer.joined if each.endswith(bare))
    return any(each.isalpha() and each != offer.lead and each not in UNITS for each in before)


def _says_size(offer: Features, size: str) -> bool:
    stated = offer.attributes.get("screen_size", "").partition(" ")[0]
    return size in offer.reading.tokens or size == stated


@lru_cache(maxsize=100_000)
def _lettered(codes: frozenset[str]) -> tuple[tuple[str, str, str, str], ...]:
    """Codes that begin with the letters of a line: whole, without these, the size, the series."""
    found = []
    for code in sorted(codes | _models(codes)):
        bare = _LETTERED.fullmatch(code)
        if bare:
            sized = _SIZED.fullmatch(bare[1])
            size, series = (sized[1], sized[2]) if sized else ("", "")
            found.append((code, bare[1], size, series))
    return tuple(found)


def _in_pieces(one: Features, other: Features) -> list[str]:
    written = _compact(other.reading.text)
    return [
        code
        for code in one.codes
        if code in written
        and len(code) >= SHORTEST
        and (not code.isdigit() or len(code) >= _SHORTEST_NUMBER)
        and code not in other.all_codes
        and _ends_with_pieces(code, other.reading.text)
    ]


@lru_cache(maxsize=50_000)
def _compact(text: str) -> str:
    return text.translate(_BETWEEN)


def _ends_with_pieces(code: str, text: str) -> bool:
    """Whether a code begins and ends where pieces of a text do."""
    pieces = _PIECE.findall(text)
    return any(
        code in accumulate(pieces[start : start + _MOST_PIECES])
        for start, piece in enumerate(pieces)
        if code.startswith(piece)
    )


@lru_cache(maxsize=100_000)
def _models(codes: frozenset[str]) -> frozenset[str]:
    return frozenset(chain.from_iterable(map(_without_market, codes)))


@lru_cache(maxsize=200_000)
def _without_market(code: str) -> tuple[str, ...]:
    """What is left of a code where its last letters are those of a market."""
    if len(code) > _LONGEST:
        return ()
    ends = ((code[:-length], code[-length:]) for length in _MARKET_LETTERS)
    return tuple(model for model, end in ends if _MARKET.fullmatch(end) and _is_model(model))


def _is_model(text: str) -> bool:
    is_long = len(text) >= SHORTEST
    return is_long and _DIGIT.search(text) is not None and _LETTER.search(text) is not None
