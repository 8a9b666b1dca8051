"""Whom a thing is made for, out of a title or a stated field: women, men or children. Pure.

Shoes, watches, perfumes and bicycles of one name are other things for others: of 512 labelled pairs
of shoes and watches whose titles name two audiences 7 are one product.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "women": "women womens woman womans ladies lady frauen femme femmes donna donne mujer mujeres "
    "dames dame damski damskie damska damske mulher mulheres feminino feminina feminin female",
    "men": "men mens gents gentlemen homme hommes uomo uomini hombre hombres heren meski meskie "
    "meska panske panska pansky masculino masculin male",
    "children": "kid kids kidz children childrens junior juniors newborn enfant enfants bambino "
    "bambina bambini nino ninos nina ninas kinderen boy boys girl girls jungen madchen garcon "
    "garcons fille filles fillette toddler toddlers infant infants youth jongens meisjes",
}
_AUDIENCE_OF = {word: audience for audience, words in _WORDS.items() for word in words.split()}
# German joins them: `Damenschuh`, `Herrenuhr`, `Kinderrad`.
_JOINED = {"damen": "women", "herren": "men", "kinder": "children"}
# A lock that children do not open (`Kindersicherung`) makes no thing one for children.
_SAFETY = "sicher"
_WORD = re.compile(r"[^\W_]+")
_EVERYBODY = re.compile(r"\b(?:unisex|mixte|misto)\b")
_POSSESSIVE = re.compile(r"['\u2019]s\b")


def audience_of(plain: str) -> str | None:
    """The one audience that folded text names; None where it names none, several or everybody."""
    if _EVERYBODY.search(plain):
        return None
    named = {each for word in _WORD.findall(_POSSESSIVE.sub("", plain)) if (each := _named(word))}
    return named.pop() if len(named) == 1 else None


def narrower(one: str | None, other: str | None) -> str | None:
    """Of two that are stated, or of a field and a title: a girls' shoe is children's, whatever else
    is said of it."""
    return "children" if "children" in (one, other) else one or other


def _named(word: str) -> str | None:
    found = _AUDIENCE_OF.get(word)
    if found is not None or _SAFETY in word:
        return found
    return next((audience for start, audience in _JOINED.items() if word.startswith(start)), None)
