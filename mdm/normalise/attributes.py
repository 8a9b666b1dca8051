"""Attributes under stable English keys and values, from what is stated and from the title.

Only what separates one product from another is read: colour, capacity, memory, size, power, screen
size, energy class, pack count, whom it is for. A stated attribute wins over a title; a doubtful one
is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from mdm.normalise.audience import audience_of, narrower
from mdm.normalise.text import folded, plain_text
from mdm.normalise.trade_attributes import TRADE_KEYS, trade_attribute, trade_attributes
from mdm.normalise.vocabulary import COLOUR_OF, KEY_OF, WEAK_COLOURS

MAX_KEY = 60
MAX_VALUE = 200
MAX_OTHERS = 60
MAX_CONTENT = 3000

_WORDS = re.compile(r"[^\W_]+")
_NUMBER = r"(\d{1,5}(?:[.,]\d{1,2})?)"
# A kit of 2 x 8 GB has 16.
_STORAGE = re.compile(
    rf"(?<![\w.,])(?:([2-8])\s?x\s?)?{_NUMBER}\s?-?(tb|to|gb|go|mb|mo)\b(?!/s|ps|it)"
)
_MEMORY_AFTER = re.compile(
    rf"{_NUMBER}\s?(gb|go)\s?(?:de\s)?(?:ddr\d\s?)?(?:ram|arbeitsspeicher)\b"
)
_MEMORY_BEFORE = re.compile(rf"\bram\s?:?\s?{_NUMBER}\s?(gb|go)\b")
_SLASHED = re.compile(r"(?<![\w.,])(\d{1,2})\s?(?:gb|go)?\s?[/+]\s?(\d{2,4})\s?(?:gb|go)\b")
_SCREEN = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[.,]\d{1,2})?)\s?-?(?:\"|''|”|″|inches\b|inch\b|zoll\b|pouces?\b|pulgadas?\b|pollici\b|cali\b"
    r"|in\b(?=\s(?:tv|led|lcd|oled|qled|4k|uhd|smart|screen|display)))"
)
_POWER = re.compile(rf"(?<![\w.,]){_NUMBER}\s?(kw|w|watts?)\b")
_ENERGY = re.compile(
    r"\b(?:energy (?:efficiency )?(?:class|rating)|energieeffizienz(?:klasse)?|eek|"
    r"classe (?:energetique|d'efficacite energetique|energie)|energielabel)\s?:?\s?([a-g]\+{0,3})"
    r"(?![\w+])"
)
_SIZE = re.compile(
    r"\b(?:taille|grosse|groesse|size|pointure|gr\.|eu)\s?:?\s?"
    r"(\d{2}(?:[.,]5)?(?:-\d{2})?|xxs|xs|s|m|l|xl|xxl|3xl|4xl)(?![\w.,])"
)
_KEYBOARD = re.compile(r"\b(azerty|qwerty|qwertz)\b")
# `5g` in one word is a mobile network, `1G SFP` a port, not the weight of a packet.
_CONTENT = re.compile(
    r"(?<![\w.,])(?![2-6]g\b)(\d{1,4}(?:[.,]\d{1,3})?)\s?(g|kg|ml|cl|l)\b(?!\s?q?sfp)"
)
_IN_WORDS = re.compile(r"(?<=\d) ?(m|k)?(?:illi|ilo)?(?:(g)ramm?e?s?|(l)it(?:er|re)s?)\b")
_PACKS = (
    re.compile(r"\b(\d{1,3})\s?er[- ]?(?:pack|set|packung|vorteilspack)\b"),
    re.compile(
        r"\b(?:pack|set|lot|paquet|packung|box|boite|paquete|confezione|zestaw)\s(?:of|de|von|a|mit|da|van)\s(\d{1,3})\b(?![.,]\d|\s?(?:gb|go|tb|ml|g|kg|cm|mm|w))"
    ),
    re.compile(
        r"(?<![\w.,-])(\d{1,3})[\s-]?(?:pack|pk|stuck|stk|st\.|packungen|piles|batterien|sachets|pezzi|stuks|szt|sztuk|unidades|uds)\b"
    ),
    re.compile(r"^(\d{1,2})\s?x\s(?=[a-z])"),
    # Ports are counted alike: `4 x 1G SFP`.
    re.compile(
        r"(?<![\w.,])(\d{1,2})\s?x\s?\d{1,5}(?:[.,]\d{1,3})?\s?(?:g|kg|ml|l|cl)\b(?!\s?q?sfp)"
    ),
    re.compile(r"[(,\[]\s?x\s?(\d{1,2})\s?[)\]]"),
    re.compile(r"(?<=\s)[x×]\s?(\d{1,2})$"),
    re.compile(r"(?<=[a-z]\s)x(\d{1,2})(?=\s(?:for|fur|passend|pour)\s)"),
    re.compile(
        r"(?<=\s)x(\d{1,3})(?=\s(?:capsule|couche|dosette|lingette|pastille|piece|pile|sachet|tablette))"
    ),
    re.compile(r"\b(double|duo|twin|doppel)[- ]?(?:pack|packung)\b"),
)
# Colours that German joins to others.
_COMPOUND = re.compile(r"[a-z]{4,}(blau|braun|gelb|grau|grun|schwarz|weiss)")
# Their names and lanes are numbered alike: `phenom x4`, `pcie 4.0 x16`.
_NUMBERED_ALIKE = re.compile(
    r"\b(?:phenom|athlon|opteron|cpu|processor|prozessor|amd|intel|pcie?)\b"
)


def attributes(
    stated: Iterable[tuple[str, str]], title: str, multipack: int | None
) -> dict[str, str]:
    """Canonical attributes, then the merchant's others under their own folded names."""
    known: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, value in stated:
        key = _key(name)
        text = plain_text(value, MAX_VALUE)
        if not key or not text:
            continue
        if key in KEY_OF.values():
            read = canonical(key, text)
            if read:
                known[key] = _together(key, known.get(key), read)
        elif len(others) < MAX_OTHERS:
            others.setdefault(key, text)
    for key, value in from_title(title).items():
        if key == "colour" and key in known:
            known[key] = _colours_together(known[key], value)
        known[key] = _together(key, known.get(key), value)
    if multipack and 1 < multipack <= 999:
        known["pack_count"] = str(multipack)
    return {**known, **{key: value for key, value in others.items() if key not in known}}


def canonical(key: str, text: str) -> str | None:
    """The canonical value of a stated attribute; None when it says nothing usable."""
    plain = folded(text)
    in_words = {"colour": colour_of, "audience": audience_of}
    if key in in_words:
        return in_words[key](plain)
    if key in ("capacity", "memory"):
        found = _STORAGE.search(plain)
        return _storage(*_total(found)) if found else _bare_number(plain, "GB")
    if key == "screen_size":
        found = _SCREEN.search(plain)
        return f"{_plain_number(found[1])} in" if found else _bare_number(plain, "in")
    if key == "power":
        found = _POWER.search(plain)
        return _watts(found[1], found[2]) if found else _bare_number(plain, "W")
    if key == "energy_class":
        return plain.upper() if re.fullmatch(r"[a-g]\+{0,3}", plain) else None
    if key == "pack_count":
        found = re.match(r"(\d{1,3})\b", plain)
        return found[1] if found and int(found[1]) > 1 else None
    if key in TRADE_KEYS:
        return trade_attribute(key, plain)
    return plain.upper()[:20].replace(",", ".") if key == "size" else text


def from_title(title: str) -> dict[str, str]:
    """What the title itself says."""
    plain = folded(title)
    found = {
        "colour": colour_of(plain),
        **_storage_and_memory(plain),
        "screen_size": _screen(plain),
        "power": _power(plain),
        "energy_class": _group(_ENERGY, plain),
        "size": _group(_SIZE, plain),
        "pack_count": pack_count(plain),
        "keyboard": _group(_KEYBOARD, plain),
        "content": _content(plain),
        "audience": audience_of(plain),
        **trade_attributes(plain),
    }
    return {key: value for key, value in found.items() if value}


def colour_of(plain: str) -> str | None:
    """One colour for folded text; two different plain colours (`black/white`) give both, sorted."""
    strong: list[str] = []
    weak: list[str] = []
    for word in _WORDS.findall(plain):
        colour = COLOUR_OF.get(word) or _in_compound(word)
        if colour:
            (weak if word in WEAK_COLOURS else strong).append(colour)
    # A weak word names the colour only where no strong one does: "rose gold" is gold.
    if not strong and not weak and plain.endswith(" or"):
        return "gold"
    colours = sorted(set(strong or weak[-1:]))
    return "/".join(colours[:3]) or None


def _in_compound(word: str) -> str | None:
    """Of `mitternachtsblau` the blue."""
    found = _COMPOUND.fullmatch(word)
    return COLOUR_OF[found[1]] if found else None


def _together(key: str, before: str | None, read: str) -> str:
    """What was said first stands; of audiences the narrower one."""
    if key == "audience":
        return narrower(before, read) or read
    return before or read


def _colours_together(stated: str, by_title: str) -> str:
    """Where field and title name different colours nobody knows which is meant: both are kept."""
    if set(stated.split("/")) & set(by_title.split("/")):
        return stated
    return "/".join(sorted({*stated.split("/"), *by_title.split("/")}))


def pack_count(plain: str) -> str | None:
    """How many of the same are sold together, where folded text says so; None for one."""
    for pattern in _PACKS:
        found = pattern.search(plain)
        if not found:
            continue
        if not found[1].isdigit():
            return "2"
        if 1 < int(found[1]) <= 500 and not _NUMBERED_ALIKE.search(plain):
            return str(int(found[1]))
    return None


def _key(name: str) -> str:
    key = "_".join(_WORDS.findall(folded(name[:MAX_KEY])))
    return KEY_OF.get(key, key)


def _group(pattern: re.Pattern[str], plain: str) -> str | None:
    found = pattern.search(plain)
    return found[1].upper().replace(",", ".") if found else None


def _plain_number(text: str) -> str:
    number = Decimal(text.replace(",", "."))
    return f"{number.normalize():f}"


def _bare_number(plain: str, unit: str) -> str | None:
    try:
        return f"{_plain_number(plain.removesuffix(unit.lower()).strip())} {unit}"
    except InvalidOperation:
        return None


def _storage(number: str, unit: str) -> str:
    unit = {"to": "TB", "go": "GB", "mo": "MB"}.get(unit, unit.upper())
    amount = Decimal(number.replace(",", "."))
    if unit == "GB" and amount >= 1000 and amount % 1000 in (0, 24, 48):
        unit, amount = "TB", amount // 1000
    return f"{amount.normalize():f} {unit}"


def _storage_and_memory(plain: str) -> Mapping[str, str | None]:
    slashed = _SLASHED.search(plain)
    if slashed and int(slashed[1]) < int(slashed[2]):
        return {"memory": _storage(slashed[1], "gb"), "capacity": _storage(slashed[2], "gb")}
    memory = _MEMORY_AFTER.search(plain) or _MEMORY_BEFORE.search(plain)
    sizes = [
        found
        for found in _STORAGE.finditer(plain)
        if not (memory and memory.start() <= found.start() < memory.end())
    ]
    gigabytes = [found for found in sizes if found[3] in ("gb", "go", "tb", "to")]
    capacity = max(gigabytes, key=_bytes, default=None)
    if memory is None and capacity and len({_bytes(each) for each in gigabytes}) == 2:
        return {"capacity": _storage(*_total(capacity)), "memory": _least(gigabytes)}
    return {
        "capacity": _storage(*_total(capacity)) if capacity else None,
        "memory": _storage(memory[1], memory[2]) if memory else None,
    }


def _least(sizes: Sequence[re.Match[str]]) -> str:
    return _storage(*_total(min(sizes, key=_bytes)))


def _total(found: re.Match[str]) -> tuple[str, str]:
    """Number and unit of a storage size."""
    amount = Decimal(found[2].replace(",", ".")) * int(found[1] or 1)
    return f"{amount:f}", found[3]


def _bytes(found: re.Match[str]) -> Decimal:
    amount, unit = _total(found)
    return Decimal(amount) * (1000 if unit in ("tb", "to") else 1)


def _screen(plain: str) -> str | None:
    found = _SCREEN.search(plain)
    if found:
        number = _plain_number(found[1])
        return f"{number} in" if Decimal(1) <= Decimal(number) <= 120 else None
    return None


def _power(plain: str) -> str | None:
    found = _POWER.search(plain)
    return _watts(found[1], found[2]) if found else None


def _content(plain: str) -> str | None:
    """What a packet or bottle holds, in g or ml; large amounts are capacities of appliances."""
    plain = _IN_WORDS.sub(lambda said: " " + "".join(filter(None, said.groups())), plain)
    found = list(_CONTENT.finditer(plain))
    if len(found) != 1:
        return None
    amount = Decimal(found[0][1].replace(",", "."))
    scale, unit = {"kg": (1000, "g"), "cl": (10, "ml"), "l": (1000, "ml")}.get(
        found[0][2], (1, found[0][2])
    )
    amount *= scale
    return f"{amount.normalize():f} {unit}" if 0 < amount <= MAX_CONTENT else None


def _watts(number: str, unit: str) -> str:
    amount = Decimal(number.replace(",", ".")) * (1000 if unit == "kw" else 1)
    return f"{amount.normalize():f} W"
