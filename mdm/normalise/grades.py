"""How well used and refurbished goods are kept: merchants' words to one scale. Pure.

In: what was stated as condition, attributes, title. Words that nobody taught us never become a
grade: the offer is then of unknown grade, with a note of what was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from kernel.offer_terms import Condition, Grade
from mdm.normalise.text import folded

# Folded phrases of English, French and German merchants, and of schema.org.
PHRASES: Mapping[Grade, str] = {
    Grade.LIKE_NEW: "like new, as new, good as new, open box, openbox, never used, mint, pristine, "
    "premium, comme neuf, comme neuve, etat neuf, parfait etat, quasi neuf, jamais utilise, "
    "deballe, wie neu, so gut wie neu, neuwertig, ungebraucht, ausgepackt, b ware, "
    "ausstellungsstuck, vorfuhrgerat",
    Grade.VERY_GOOD: "very good, excellent, tres bon, tres bon etat, tres bonne, excellent etat, "
    "tbe, sehr gut, sehr guter zustand, sehr gut erhalten, hervorragend, exzellent",
    Grade.GOOD: "good, good condition, bon, bon etat, bonne, gut, guter zustand, gut erhalten",
    Grade.ACCEPTABLE: "acceptable, fair, correct, etat correct, etat acceptable, etat moyen, "
    "etat satisfaisant, satisfaisant, usage visible, akzeptabel, annehmbar, ausreichend, "
    "befriedigend, in ordnung, stark gebraucht, gebrauchsspuren",
    Grade.FOR_PARTS: "for parts, parts only, spares or repair, for parts or not working, "
    "not working, defective, damaged, damagedcondition, broken, pour pieces, hors service, "
    "ne fonctionne pas, en panne, defectueux, defekt, beschadigt, bastler, fur bastler, "
    "als ersatzteil, ersatzteilspender",
}  # fmt: skip

# Only where the field is one for grades: a lone letter says nothing anywhere else.
LETTERS: Mapping[str, Grade] = {
    "a+": Grade.LIKE_NEW, "a": Grade.VERY_GOOD, "b": Grade.GOOD, "c": Grade.ACCEPTABLE,
    "d": Grade.FOR_PARTS,
}  # fmt: skip
ATTRIBUTES = (
    "grade",
    "grading",
    "etat",
    "zustand",
    "condition",
    "etat_du_produit",
    "etat_cosmetique",
)

_NOT_WORDS = re.compile(r"[\W_]+")
_LETTER = re.compile(r"^(?:grade|klasse|etat|zustand|note)?\s*([abcd]\+?)$")


def grade_of(
    condition: Condition, stated: str | None, attributes: Mapping[str, str], title: str
) -> tuple[Grade | None, str | None]:
    """(grade, note). None for new goods; UNKNOWN with a note where a word is not known."""
    if condition == Condition.NEW:
        return None, None
    unknown = None
    for field, text in _said(stated, attributes):
        found = by_letter(text) if field != "condition" else None
        found = found or by_words(text)
        if found:
            return found, None
        if field != "condition" and unknown is None:
            unknown = f"grade_unknown:{text[:40]}"
    return by_title(title) or Grade.UNKNOWN, unknown


def by_words(text: str) -> Grade | None:
    """The grade that a stated text names; the longest phrase where several begin there."""
    found = _pattern().search(_spaced(text))
    return _grades()[found[1]] if found else None


def by_letter(text: str) -> Grade | None:
    """`A`, `Grade B`, `A+`."""
    found = _LETTER.match(folded(text.strip()))
    return LETTERS[found[1]] if found else None


def by_title(title: str) -> Grade | None:
    """Titles use single words for much else (`Good Night lamp`): only phrases of two count."""
    for found in _pattern().finditer(_spaced(title)):
        if " " in found[1]:
            return _grades()[found[1]]
    return None


def _said(stated: str | None, attributes: Mapping[str, str]) -> list[tuple[str, str]]:
    said = [(key, attributes[key]) for key in ATTRIBUTES if attributes.get(key)]
    return [*said, *([("condition", stated)] if stated else [])]


def _spaced(text: str) -> str:
    return _NOT_WORDS.sub(" ", folded(text[:300])).strip()


@lru_cache(maxsize=1)
def _grades() -> dict[str, Grade]:
    return {
        phrase.strip(): grade for grade, phrases in PHRASES.items() for phrase in phrases.split(",")
    }


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    phrases = sorted(_grades(), key=len, reverse=True)
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, phrases))})(?!\w)")
