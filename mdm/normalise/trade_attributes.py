"""What parts two things of one trade and no other, out of a title: the lens that comes with a
camera, how many SIM cards a telephone takes, for how many people a dishwasher washes, whether a
tool comes with its batteries, how much and how fast a tyre carries, how strong a perfume is. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# The second number carries the unit, or both do: `18-55mm`, `24 mm - 105 mm`. Where a blank stands
# beside the dash and the first has no unit, it belongs to what stands before: `Pulse 2 - 45 mm`.
_LENS = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[.,]\d)?)(?:\s?mm\s?[-\u2013]\s?|[-\u2013])(\d{2,3})\s?mm\b(?!\s?x)"
)
_LOOSE_LENS = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[.,]\d)?)\s?(?:mm)?\s?[-\u2013]\s?(\d{2,3})\s?mm\b(?!\s?x)"
)
_LENS_SAID = re.compile(r"objecti[fv]|objekti[fv]|obiettiv|objetivo|\b(?:lens|zoom)\b|\bf ?/ ?\d")
# Where shops leave the dash out, and the unit, only ranges that lenses have: `18 55mm`, `18 55`.
_ZOOMS = (
    "10 18|12 32|12 40|12 60|14 42|14 45|14 140|14 150|15 45|16 35|16 50|16 80|18 55|18 105|18 135"
    "|18 140|18 150|18 200|18 300|24 70|24 105|24 120|28 70|28 75|35 100|40 150|45 150|45 200"
    "|50 230|50 250|55 200|55 210|55 250|55 300|70 200|70 300|75 300|100 300|100 400|150 600"
)
_BARE_LENS = re.compile(rf"(?<![\w.,])({_ZOOMS})(?:\s?mm)?(?![\w.,]*\d)")
_BODY_ONLY = re.compile(
    r"\b(?:body only|camera body|slr body|nur gehause|kameragehause|boitier (?:nu|seul)|"
    r"solo cuerpo|solo corpo|solo body|alleen body)\b"
)
_CAMERA = re.compile(r"kamera|\b(?:camera|d?slr|csc\b|mirrorless|eos|lumix|alpha|nikon|fuji)")
# The last one is what is left of `Gehäuse` where a feed has lost its umlauts.
_BODY = re.compile(r"\b(?:body|gehause|boitier|geh use)\b")
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
_SOLO = re.compile(r"(?=.*\b\d{2}\s?v\b).*\b(?:solo|bare|body|machine seule|losse machine)\b")
_BATTERIES = re.compile(
    r"\b(?:mit \d?\s?akkus?|avec \d?\s?(?:batteries?|accus?)|with \d?\s?batter(?:y|ies)|"
    r"con \d?\s?batteri[ae]s?|[1-4]\s?x?\s?akkus?|[1-4]\s?x?\s?batteri(?:es|as?|e)|"
    r"(?:inkl|incl|mit|avec|with|con)\.? (?:\d\s?x\s?)?\d{1,2}(?:[.,]\d)?\s?ah)\b|"
    r"(?<![\w.,])[1-4]\s?x\s?\d{1,2}(?:[.,]\d)?\s?ah\b"
)
_SCENT = re.compile(
    r"\b(?:eau de (toilette|parfum|cologne)|(extrait) de parfum|e\.?d\.?([ptc])\b(?!\.\d))"
)
_SCENTS = {
    "c": "eau de cologne", "cologne": "eau de cologne", "extrait": "extrait de parfum",
    "p": "eau de parfum", "parfum": "eau de parfum", "t": "eau de toilette",
    "toilette": "eau de toilette",
}  # fmt: skip
_TYRE = re.compile(r"\b\d{3}\s?/\s?\d{2}\s?z?r\s?f?\s?\d{2}c?\b")
_LOAD = re.compile(r"(?<![\w./])(\d{2,3})(?:/\d{2,3})?\s?([jkl-nq-tvwyh])\b")
_SAID = {"yes": "yes", "oui": "yes", "ja": "yes", "no": "no", "non": "no", "nein": "no"}


# What a bare number under such a key counts, as titles say it.
_COUNTED = {"sim_cards": "sim", "place_settings": "couverts"}
TRADE_KEYS = (
    "lens_range", "sim_cards", "place_settings", "batteries_included", "tyre_index", "scent",
)  # fmt: skip


def trade_attributes(plain: str) -> Mapping[str, str | None]:
    """Of a folded title, by key; None where it says nothing, or two things at once."""
    read = (
        _lens(plain),
        _sims(plain),
        _places(plain),
        _batteries(plain),
        _tyre(plain),
        _scent(plain),
    )
    return dict(zip(TRADE_KEYS, read, strict=True))


def trade_attribute(key: str, plain: str) -> str | None:
    """The same of what a merchant states under one of the keys; a bare number is one of these."""
    if key == "batteries_included" and plain in _SAID:
        return _SAID[plain]
    if key in _COUNTED and plain.isdigit():
        plain = f"{plain} {_COUNTED[key]}"
    return trade_attributes(plain)[key]


def _lens(plain: str) -> str | None:
    is_camera = _CAMERA.search(plain)
    ranges: set[str] = set()
    if "mm" in plain:
        pattern = _LOOSE_LENS if is_camera or _LENS_SAID.search(plain) else _LENS
        ranges.update(
            f"{found[1]}-{found[2]} mm"
            for found in pattern.finditer(plain)
            if float(found[1].replace(",", ".")) < float(found[2])
        )
    if is_camera:
        found_bare = _BARE_LENS.findall(plain)
        ranges.update(f"{each.replace(' ', '-')} mm" for each in found_bare)
    if ranges:
        return "/".join(sorted(ranges)[:3])
    return "body only" if _BODY_ONLY.search(plain) or (is_camera and _BODY.search(plain)) else None


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


def _scent(plain: str) -> str | None:
    """How strong a perfume is; None of a set of several."""
    found = {_SCENTS[max(each)] for each in _SCENT.findall(plain)}
    return found.pop() if len(found) == 1 else None


def _tyre(plain: str) -> str | None:
    """Load and speed behind the size of a tyre: `205/55 R16 91H`."""
    size = _TYRE.search(plain)
    found = _LOAD.search(plain, size.end()) if size else None
    return f"{found[1]}{found[2].upper()}" if found else None
