"""GTIN: reading a merchant's barcode number into fourteen digits, or saying why not.

A GTIN is evidence of identity, not identity. Restricted circulation numbers (GS1 prefixes 02, 04,
20-29 and coupons) are well formed but name nothing outside the shop that printed them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

GtinProblem = Literal[
    "empty",
    "not_digits",
    "spreadsheet_damage",
    "length",
    "check_digit",
    "restricted",
    "placeholder",
]

_SEPARATORS = re.compile(r"[\s\-\u00a0\u202f]+")
# A column of numbers that a program took for measurements: every digit is still there.
_WHOLE = re.compile(r"\.0+$")
_SCIENTIFIC = re.compile(r"^\d+([.,]\d+)?[eE][+]?\d+$")


@dataclass(frozen=True, slots=True)
class GtinReading:
    """`gtin` is 14 digits when usable as evidence; else None with the reason in `problem`."""

    raw: str
    gtin: str | None
    problem: GtinProblem | None = None


def check_digit(body: str) -> str:
    """GS1 modulo-10 check digit of the digits before it."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body[::-1]))
    return str(-total % 10)


def is_restricted(gtin14: str) -> bool:
    """True for numbers that GS1 leaves to shops and coupons (by the GTIN-13 prefix)."""
    if gtin14[0] != "0":
        return False
    prefix = gtin14[1:4]
    return prefix[:2] in {"02", "04", "05"} or prefix[0] == "2" or prefix[:2] in {"98", "99"}


def read_gtin(raw: str) -> GtinReading:
    """Read GTIN-8, -12, -13 or -14 in any usual spelling.

    `7.8332E+11` is a number that a spreadsheet has damaged: it is refused, never guessed.
    """
    text = _WHOLE.sub("", _SEPARATORS.sub("", raw.strip().strip("'\"=")))
    if not text:
        return GtinReading(raw, None, "empty")
    if _SCIENTIFIC.match(text):
        return GtinReading(raw, None, "spreadsheet_damage")
    if not (text.isascii() and text.isdigit()):
        return GtinReading(raw, None, "not_digits")
    if len(text) not in {8, 12, 13, 14}:
        return GtinReading(raw, None, "length")
    if len(set(text)) == 1:
        return GtinReading(raw, None, "placeholder")
    if check_digit(text[:-1]) != text[-1]:
        return GtinReading(raw, None, "check_digit")
    gtin14 = text.zfill(14)
    # A GTIN-8 starting with 0 or 2 is an in-store number too; its first digit sits further right.
    if is_restricted(gtin14) or (len(text) == 8 and text[0] in "02"):
        return GtinReading(raw, None, "restricted")
    return GtinReading(raw, gtin14)
