"""Words of a folded title put in one form before they are read: what shops write in many ways, and
what only says what kind of thing it is. Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mdm.match.generations import MARK, ROMAN

# `5D Mark IV`, `5d mk4`, `a7 III`, `a7iii`.
_MARK = re.compile(MARK + r"(i{1,3}|iv|vi?|[1-9])\b")
_NUMERAL = re.compile(r"(?<![a-z0-9])([a-z]{0,2}\d{1,3}[a-hj-z]?)[ -]?(ii|iii|iv)\b")
# A kind of camera, and what a camera can do; elsewhere both words name models.
_COMPACT = re.compile(r"\bcompact (?=(?:bridge|camera|digital|superzoom|system)\b)")
_ZOOM = re.compile(
    r"(?:(?<=\dx)|(?<=optical)|(?<=optischer)|(?<=optique)) zoom\b|\bzoom (?=lens\b)"
)
# Of one model as it was made later: `rzaav22k.1`.
_REVISION = re.compile(r"\b((?=[a-z0-9]*\d)[a-z][a-z0-9]{4,}[a-z])\.\d\b")
# How strong a scent is, as shops cut it short.
_SCENTS = re.compile(r"\beau de ([pct])(?:arfum|ologne|oilette)\b|\be\.d\.([pct])\b")
# Of few letters and a number, the colour behind it: `MQ 5235WH` is no amount of energy.
_WHITE = re.compile(r"(?<![a-z0-9])([a-z]{2}) (?=\d{4}wh\b)")
# `10,000 mAh`, `1.000 W`.
_THOUSANDS = re.compile(r"(?<![\w.,])([1-9]\d{0,2})[.,](\d{3})(?![\w.,/-]*\d)")
# `140 x 200`, as others write without spaces.
_TIMES = re.compile(r"(?<=\d) ?[x\u00d7] ?(?=\d{2})")
# Makers who are called by two names; the longest first.
_SHORT_NAMES = {
    "hewlett packard enterprise": "hpe", "hewlett packard": "hp", "western digital": "wd",
    "texas instruments": "ti",
}  # fmt: skip
_MAKER = re.compile(rf"\b(?:{'|'.join(_SHORT_NAMES).replace(' ', '[ -]')})\b")
_SHORT_OF_COMPACT = {name.replace(" ", ""): short for name, short in _SHORT_NAMES.items()}
# With and without a stabiliser.
_NON = re.compile(r"\bnon[ -](?=vr\b)")


@lru_cache(maxsize=50_000)
def in_one_form(text: str) -> str:
    """A folded title as it is read."""
    if "." in text:
        text = _REVISION.sub(r"\1", text)
    if "compact " in text:
        text = _COMPACT.sub("", text)
    if "zoom" in text:
        text = _ZOOM.sub(" ", text)
    if "," in text or "." in text:
        text = _THOUSANDS.sub(r"\1\2", text)
    text = _TIMES.sub("x", text)
    if "wh" in text:
        text = _WHITE.sub(r"\1", text)
    if "eau de" in text or "e.d." in text:
        text = _SCENTS.sub(r"ed\1\2", text)
    text = _MAKER.sub(_called, text)
    text = _MARK.sub(_marked, _NON.sub("non", text))
    return _NUMERAL.sub(lambda found: f"{found[1]} mk{ROMAN[found[2]]}", text)


def _marked(found: re.Match[str]) -> str:
    number = found[1]
    return f"mk{number if number.isdigit() else ROMAN[number]}"


def short_name(maker: str) -> str:
    """The short name of a maker, letters and digits only, where he has two."""
    return _SHORT_OF_COMPACT.get(maker, maker)


def _called(found: re.Match[str]) -> str:
    return _SHORT_NAMES[found[0].replace("-", " ")]
