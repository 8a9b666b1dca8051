"""Colours as shoppers say them, as products state them: `schwarzes`, `noire` -> `black`. Pure."""

from __future__ import annotations

from mdm.normalise.vocabulary import COLOUR_OF

ATTRIBUTE = "colour"


def colour_of_word(folded: str) -> str | None:
    """The colour that a folded word names in any language; None for every other word."""
    return COLOUR_OF.get(folded)


def colours_of_value(value: str) -> list[str]:
    """The plain colours of an attribute: `black/white` is shown for both."""
    return value.split("/")
