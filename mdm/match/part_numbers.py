"""Part numbers as makers, dealers and other countries write them. Pure.

`SSG-3100GB/ZA` is `SSG-3100GB` as it is sold in America, `CB337WN#140` a cartridge in another box,
and `FEL9180301` what a dealer makes of Fellowes' own 9180301. A colour behind a stroke
(`DSC-W530/B`) is another part, and so is a keyboard, or a computer, with the keys of another
country: where the title speaks of keys, `/FR` says which.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mdm.normalise.text import folded

SHORTEST = 3
# What is left without a market has to name a part by itself.
_SHORTEST_MODEL = 5
# How it is packed; letters in the place of the figures stand for a country, with computers for its
# keyboard.
_OPTION = re.compile(r"(.+)#\d{3}")
_MARKET = re.compile(
    r"(.+)/(?:za|xa[ar]|x[a-z]{2}|e[nu]|uk|us|de|fr|ca|au|pl|es|it|nl|ch|be|edc|zw)"
)
# A country's box, behind a hyphen: Netgear's `-100NAS`, Western Digital's `-NESN`.
_BOX = re.compile(r"(.+)-(?:\d{3}[a-z]{3}|[a-z]esn)")
# Things with keys: what looks like their market is the layout.
_KEYS = re.compile(
    r"keyboard|tastatur|keycap|klawiatur|klavesnic|toetsenbord|tangentbord|"
    r"\b(?:clavier|tastiera|teclado|layout|azerty|qwerty|qwertz)\b"
)
# Behind Philips' numbers a country; behind those of memory how much it holds.
_OF_PHILIPS = re.compile(r"(.+)/\d{2}")
_OF_DEALER = re.compile(r"([a-z]{2,4})(\d{6,})")
_WORD = re.compile(r"[^\W_]+(?:[-./#_][^\W_]+)*")
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[a-z]")
_SHORTEST_SAID = 4
# Figures alone are as likely a size or a year.
_SHORTEST_FIGURES = 5


def compact(text: str) -> str:
    """Letters and digits only, folded: the form in which part numbers are compared."""
    return "".join(filter(str.isalnum, folded(text)))


def part_numbers(stated: str, maker: str | None, text: str = "") -> frozenset[str]:
    """All forms of a stated part number, letters and digits only, the number itself among them.

    `maker` is compact; without one no dealer's letters are known. `text` is the folded title."""
    number = "".join(folded(stated).split())
    forms = {number}
    patterns = [_OPTION, _BOX]
    if not _KEYS.search(text):
        patterns.append(_MARKET)
    if maker is not None and "philips" in maker:
        patterns.append(_OF_PHILIPS)
    for pattern in patterns:
        found = pattern.fullmatch(number)
        if found and len(compact(found[1])) >= _SHORTEST_MODEL and _DIGIT.search(found[1]):
            forms.add(found[1])
    dealers = _OF_DEALER.fullmatch(compact(number))
    if dealers and maker and maker.startswith(dealers[1][:3]):
        forms.add(dealers[2])
    return frozenset(each for each in map(compact, forms) if len(each) >= SHORTEST)


def said_number(numbers: frozenset[str], text: str) -> str | None:
    """Which of these numbers a folded title says as a word of its own: the longest."""
    if not numbers:
        return None
    said = filter(_names_a_part, numbers & _words(text))
    return max(said, key=lambda each: (len(each), each), default=None)


def sister_number(numbers: frozenset[str], text: str) -> str | None:
    """What a folded title says in the very form of one of these numbers with other figures:
    `45010` beside 45013, `BL480` beside BL610."""
    stated = frozenset(each for each in numbers if len(each) >= _SHORTEST_FIGURES)
    if not stated:
        return None
    said = filter(_names_a_part, _words(text))
    return min((each for each in said if are_sisters(stated, frozenset((each,)))), default=None)


def are_sisters(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two part numbers have one form and other figures, as a maker numbers what he makes;
    other letters may be a country's."""
    return any(
        _DIGIT.sub("0", _LETTER.sub("a", each)) == _DIGIT.sub("0", _LETTER.sub("a", beside))
        and _LETTER.sub("", each) != _LETTER.sub("", beside)
        for each in one
        for beside in other
    )


def _names_a_part(number: str) -> bool:
    if number.isdigit():
        return len(number) >= _SHORTEST_FIGURES
    return len(number) >= _SHORTEST_SAID and _DIGIT.search(number) is not None


@lru_cache(maxsize=50_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(map(compact, _WORD.findall(text)))
