"""The cards of the simulator: what a number leads to. No whole number is ever stored.

In: what the buyer typed. Out: a checked card with its fate, or the names of the wrong fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Fate(StrEnum):
    """What the bank answers."""

    APPROVED = "approved"
    CHALLENGE = "challenge"
    CARD_DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"


@dataclass(frozen=True, slots=True)
class SampleCard:
    """A number to try, and what it is for."""

    number: str
    fate: Fate
    is_co_badged: bool = False


SAMPLES = (
    SampleCard("4111 1111 1111 1111", Fate.APPROVED),
    SampleCard("4000 0025 0000 1001", Fate.APPROVED, is_co_badged=True),
    SampleCard("4000 0000 0000 3220", Fate.CHALLENGE),
    SampleCard("4000 0000 0000 0002", Fate.CARD_DECLINED),
    SampleCard("4000 0000 0000 9995", Fate.INSUFFICIENT_FUNDS),
)
CARTES_BANCAIRES = "cartes_bancaires"
# What the bank's message to the telephone would say.
CHALLENGE_CODE = "482913"


@dataclass(frozen=True, slots=True)
class Card:
    """A card that could be real, as far as its form shows. `network` is the one to be paid by."""

    network: str
    last4: str
    fate: Fate


def read_card(
    number: str, expiry: str, code: str, today: date, *, wants_other_network: bool = False
) -> tuple[Card | None, dict[str, str]]:
    """The card, or for each wrong field why: `number`, `expiry`, `code`.

    A card with two networks is paid by cartes bancaires unless its holder wants the other one.
    """
    digits = re.sub(r"[ -]", "", number)
    errors = {}
    if not (re.fullmatch(r"[0-9]{13,19}", digits) and _luhn(digits)):
        errors["number"] = "number_invalid"
    if (reason := _expiry_error(expiry, today)) is not None:
        errors["expiry"] = reason
    if not re.fullmatch(r"[0-9]{3,4}", code.strip()):
        errors["code"] = "code_invalid"
    if errors:
        return None, errors
    samples = {sample.number.replace(" ", ""): sample for sample in SAMPLES}
    # An unlisted number may be someone's real card: it is never taken for a good one.
    sample = samples.get(digits, SampleCard(digits, Fate.CARD_DECLINED))
    is_domestic = sample.is_co_badged and not wants_other_network
    network = CARTES_BANCAIRES if is_domestic else _network(digits)
    return Card(network, digits[-4:], sample.fate), {}


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _expiry_error(expiry: str, today: date) -> str | None:
    match = re.fullmatch(r"\s*([0-9]{1,2})\s*/\s*(?:20)?([0-9]{2})\s*", expiry)
    if match is None or not 1 <= int(match[1]) <= 12:
        return "expiry_invalid"
    year, month = 2000 + int(match[2]), int(match[1])
    return "expiry_past" if (year, month) < (today.year, today.month) else None


def _network(digits: str) -> str:
    if digits.startswith("4"):
        return "visa"
    return "mastercard" if digits[0] in "25" else "other"
