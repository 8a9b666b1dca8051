"""Why the matcher keeps two offers apart, or asks: its reasons as texts that pages translate. Pure.

`mdm.match` tells reasons in English, because they are stored with every decision. Here each is an
English message id with its values; a test holds that no reason is without words in any language.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mdm.match.vetoes import EXACT, ROUNDED

_WORDS = {
    "a title that short names nothing": "A title that short names nothing",
    "one of them is a bundle": "One is sold with something else",
    "one of them is an accessory": "One is an accessory",
    "one of them is made for the other": "One is made for the other",
    "one may be made for the other": "One may be made for the other",
    "one comes boxed, the other without its box": "One comes boxed, the other without its box",
    "one is a part of a computer maker": "One is a part of a computer maker",
    "model codes agree in parts only": "Their model codes agree in parts only",
    "no model code that both state": "They share no model code and no number",
    "only one names a lens": "Only one names a lens",
    "only one names a generation": "Only one names a generation",
    "one merchant offers both": "One merchant offers both",
    "a steward keeps them apart": "A steward keeps them apart",
    "its merchant offers several things under this title": (
        "Its merchant offers several things under this title"
    ),
}
_FACTS = [each.replace("_", " ") for each in ("colour", "audience", *EXACT, *ROUNDED)]
_PATTERNS = (
    (r"packs of (?P<left>.+) and of (?P<right>.+)", "Packs of %(left)s and of %(right)s"),
    (
        r"a merchant little known so far \((?P<n>\d+) of (?P<needed>\d+) offers\)",
        "A merchant is little known so far: %(n)s of %(needed)s offers",
    ),
    (
        r"one says (?P<left>.+) where the other says (?P<right>.+)",
        "One says %(left)s where the other says %(right)s",
    ),
    (r"only one says (?P<word>.+)", "Only one says %(word)s"),
    (r"more than (?P<n>\d+) offers", "One product would hold more than %(n)s offers"),
    (r"alike by 0\.(?P<n>\d\d) on the whole", "Taken together, their offers are %(n)s%% alike"),
    (r"it fits \S+ as well \((?P<inner>.+)\)", "It fits another offer as well"),
    (r"\S+ fits two that are not one \((?P<inner>.+)\)", "One of them fits two that are not one"),
    (r"GTIN (?P<n>\d+) is on several things", "The GTIN %(n)s is on several things"),
    (
        r"(?P<n>\d+) new offers carry this title, which says too little",
        "%(n)s offers carry this title, which says too little",
    ),
    (rf"(?P<fact>{'|'.join(_FACTS)}) (?P<left>.+) and (?P<right>.+)", ""),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """`text` is a message id for `values`. Where it is empty a fact differs: `fact` is its key,
    with what each side states. `inner` is a reason within this one. A reason that nobody gave words
    stays as it was told."""

    text: str
    values: dict[str, str] = field(default_factory=dict)
    fact: str = ""
    left: str = ""
    right: str = ""
    inner: Reason | None = None

    @property
    def english(self) -> str:
        """As one line for the command line."""
        if not self.text:
            said = f"{self.fact.replace('_', ' ').capitalize()}: {self.left} and {self.right}"
        else:
            said = self.text % self.values if self.values else self.text
        return f"{said} ({self.inner.english})" if self.inner else said


def reason(why: str) -> Reason:
    """The words of a reason as `mdm.match` tells it."""
    if why in _WORDS:
        return Reason(_WORDS[why])
    for pattern, text in _PATTERNS:
        found = re.fullmatch(pattern, why)
        if found is None:
            continue
        values = found.groupdict()
        if "fact" in values:
            key = values["fact"].replace(" ", "_")
            return Reason("", fact=key, left=values["left"], right=values["right"])
        inner = values.pop("inner", None)
        return Reason(text, values, inner=reason(inner) if inner else None)
    return Reason(why)
