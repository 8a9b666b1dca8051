"""What parts two things of one trade and no other, out of a title: the lens that comes with a
camera, how many SIM cards a telephone takes, for how many people a dishwasher washes, whether a
tool comes with its batteries. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# The second number carries the unit, or both do: `18-55mm`, `24 mm - 105 mm`.
_LENS = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[.,]\d)?)\s?(?:mm)?\s?[-\u2013]\s?(\d{2,3})\s?mm\b(?!\s?x)"
)
_BODY_ONLY = re.compile(
    r"\b(?:body only|camera body|slr body|nur gehause|kameragehause|boitier (?:nu|seul)|"
    r"solo cuerpo|solo corpo|solo body|alleen body)\b"
)
_TWO_SIMS = re.compile(r"\b(?:(?:dual|2|double|doppel|doppio|doble)[- ]?sim|duos)\b")
_ONE_SIM = re.compile(r"\b(?:single|mono|1)[- ]?sim\b")
_PLACES = re.compile(
    r"(?<![\w.,])(\d{1,2})\s?-?(?:(?:place|pl\.?|p)(?:[ /]settings?)|place\b|places? setting|"
    r"(?:mass)?gedecke?\b|couverts?\b|coperti\b|cubiertos\b)"
)
_FEWEST_PLACES, _MOST_PLACES = 4, 18
# `solo` is said of tools, which state their voltage, and of headphones.
_NO_BATTERIES = re.compile(
    r"\b(?:ohne akkus?|sans (?:batteries?|accus?)|without batter(?:y|ies)|bare (?:tool|unit)|"
    r"machine nue|senza batteri[ae]|sin baterias?|zonder accu'?s?|bez akumulatora)\b"
)
_SOLO = re.compile(r"(?=.*\b\d{2}\s?v\b).*\bsolo\b")
_BATTERIES = re.compile(
    r"\b(?:mit \d?\s?akkus?|avec \d?\s?(?:batteries?|accus?)|with \d?\s?batter(?:y|ies)|"
    r"con \d?\s?batteri[ae]s?|[1-4]\s?x?\s?akkus?|[1-4]\s?x?\s?batteries)\b|"
    r"(?<![\w.,])[1-4]\s?x\s?\d{1,2}(?:[.,]\d)?\s?ah\b"
)
_SAID = {"yes": "yes", "oui": "yes", "ja": "yes", "no": "no", "non": "no", "nein": "no"}


# What a bare number under such a key counts, as titles say it.
_COUNTED = {"sim_cards": "sim", "place_settings": "couverts"}
TRADE_KEYS = ("lens_range", "sim_cards", "place_settings", "batteries_included")


def trade_attributes(plain: str) -> Mapping[str, str | None]:
    """Of a folded title, by key; None where it says nothing, or two things at once."""
    read = (_lens(plain), _sims(plain), _places(plain), _batteries(plain))
    return dict(zip(TRADE_KEYS, read, strict=True))


def trade_attribute(key: str, plain: str) -> str | None:
    """The same of what a merchant states under one of the keys; a bare number is one of these."""
    if key == "batteries_included" and plain in _SAID:
        return _SAID[plain]
    if key in _COUNTED and plain.isdigit():
        plain = f"{plain} {_COUNTED[key]}"
    return trade_attributes(plain)[key]


def _lens(plain: str) -> str | None:
    if "mm" in plain:
        ranges = {f"{found[1]}-{found[2]} mm" for found in _LENS.finditer(plain)}
        if ranges:
            return "/".join(sorted(ranges)[:3])
    return "body only" if _BODY_ONLY.search(plain) else None


def _sims(plain: str) -> str | None:
    if "sim" not in plain and "duos" not in plain:
        return None
    two, one = _TWO_SIMS.search(plain), _ONE_SIM.search(plain)
    if two and one:
        return None
    return "2" if two else "1" if one else None


def _places(plain: str) -> str | None:
    found = _PLACES.search(plain)
    if not found or not _FEWEST_PLACES <= int(found[1]) <= _MOST_PLACES:
        return None
    return str(int(found[1]))


def _batteries(plain: str) -> str | None:
    without = _NO_BATTERIES.search(plain) or _SOLO.match(plain)
    included = _BATTERIES.search(plain)
    if bool(without) == bool(included):
        return None
    return "no" if without else "yes"
