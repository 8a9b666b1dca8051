"""Is it the thing itself, an accessory for it, or several things as one? By the title. Pure."""

from __future__ import annotations

import re

from mdm.normalise.text import folded
from mdm.normalise.vocabulary import ACCESSORIES, ACCESSORY_FOR, CERTAIN_ACCESSORIES

_WORDS = re.compile(r"[^\W_]+")
# `USB-A + USB-C` are plugs of one thing, an adapter comes with every second memory card, and with a
# chain its link.
_PLUS = re.compile(
    r"\s\+\s(?!usb|hdmi|lan|wifi|type|ada|reader|lecteur|leser|sd|attache|colou?r|couleur|farb)"
    r"(?=[^\W\d_]{2})"
)
# A tool and what it runs on: whether that comes along is an attribute of its own.
_CORDLESS = re.compile(r"(?=.*\b\d{2}\s?v\b).*\b(?:akkus?|accus?|batter[a-z]+)\b")
_TOGETHER = re.compile(r"\bbundle\b|\bim set mit\b|\bdazu\b")
_WITH = frozenset(("with", "mit", "avec", "inkl", "incl", "inklusive", "including"))


def is_bundle(title: str) -> bool:
    """`Camera X + memory card Y`, `Phone bundle`."""
    plain = folded(title)
    comes_along = _PLUS.search(plain) and not _CORDLESS.match(plain)
    return bool(comes_along or _TOGETHER.search(plain))


def added(plain: str) -> frozenset[str]:
    """Words behind the plus of a folded title: what comes along with the thing."""
    found = _PLUS.search(plain)
    return frozenset(_WORDS.findall(plain[found.end() :])) if found else frozenset()


def is_accessory(title: str) -> bool:
    """`Case for Phone X`: a noun of accessories that leads, not one that comes along."""
    words = _WORDS.findall(folded(title))
    for place, word in enumerate(words):
        if word in _WITH:
            return False
        # German joins the noun to its kind: Klapphülle, Lederhülle.
        if word in CERTAIN_ACCESSORIES or word.endswith("hulle"):
            return True
        if word in ACCESSORIES and ACCESSORY_FOR.intersection(words[place + 1 :]):
            return True
    return False
