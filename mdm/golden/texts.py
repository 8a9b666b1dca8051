"""The title and the description of a product in each language. Pure.

A title names and does not sell: the one whose words most others use too. A description is the
longest of a new article; what is said of one used piece describes that piece alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from kernel.offer_terms import Condition
from mdm.golden.members import Source, priority
from mdm.golden.survivorship import Record
from mdm.match.features import tokens
from mdm.normalise.text import folded
from mdm.normalise.vocabulary import SALES_WORDS

UNKNOWN_LANGUAGE = "und"
# One piece of sales talk outweighs two words that other merchants use too.
SHOUTING = 2.0
# Talk of delivery, whose single words name things too.
_PHRASES = frozenset(
    {
        *("livraison rapide", "envoi rapide", "schneller versand", "schnelle lieferung"),
        *("fast delivery", "free delivery", "free shipping", "next day delivery"),
    }
)
# What parts a piece of sales talk from the name: stars, bars, exclamation marks, a dash.
_MARKS = re.compile(r"(\s*[*!|]+\s*|\s+[-–]\s+)")


def titles(record: Record, best: Sequence[Source]) -> dict[str, str]:
    """In each language the title whose words most others use too; ties go to the better offer."""
    uses = Counter(word for each in best for word in set(tokens(each.member.title)))
    chosen = {}
    for language, sources in _by_language(best).items():
        field = f"titles.{language}"
        best_source = max(
            sources,
            key=lambda each: (
                priority(record.priorities, each.member.merchant_id, field),
                *_agreement(each, uses),
            ),
        )
        chosen[language] = without_sales_talk(best_source.member.title)
        record.provenance[field] = best_source.member.offer_id
    return chosen


def descriptions(record: Record, best: Sequence[Source]) -> dict[str, str]:
    """In each language the longest of new articles, else of those sold in series."""
    chosen = {}
    for language, sources in _by_language(best).items():
        field = f"descriptions.{language}"
        speaking = [
            each
            for each in sources
            if each.member.facts.get("description") and not each.member.is_unit
        ]
        if not speaking:
            continue
        best_source = max(
            speaking,
            key=lambda each: (
                priority(record.priorities, each.member.merchant_id, field),
                each.member.condition == Condition.NEW,
                len(each.member.facts["description"]),
            ),
        )
        chosen[language] = best_source.member.facts["description"]
        record.provenance[field] = best_source.member.offer_id
    return chosen


def sales_talk(title: str) -> int:
    """How much of a title sells rather than names: sales words, stars, words all in capitals."""
    words = title.split()
    selling = SALES_WORDS.intersection(re.findall(r"[^\W\d_]+", folded(title)))
    shouted = sum(len(word) > 3 and word.isalpha() and word.isupper() for word in words)
    return len(selling) + len(re.findall(r"[*!]+", title)) + min(shouted, 2)


def without_sales_talk(title: str) -> str:
    """The title without what is put before or behind it to sell: `*TOP*`, ` - NOUVEAU`, `NEU OVP`.

    Only what nothing else could mean goes: pieces between marks, and words in capitals at the end
    of a title that is not written in capitals. The whole title stays where nothing would be left.
    """
    pieces = [piece for piece in _MARKS.split(title) if piece]
    for end in (-1, 0):
        while pieces and (_MARKS.fullmatch(pieces[end]) or _sells(pieces[end])):
            del pieces[end]
    words = "".join(pieces).split()
    while len(words) > 2 and not title.isupper() and words[-1].isupper() and _sells(words[-1]):
        del words[-1]
    is_name = len(words) > 1 and any(map(_sells, (*title.split(), *_MARKS.split(title))))
    return " ".join(words) if is_name else title


def _sells(text: str) -> bool:
    """Whether there is nothing but sales words."""
    words = re.findall(r"[^\W_]+", folded(text))
    is_talk = all(word in SALES_WORDS for word in words) or " ".join(words) in _PHRASES
    return bool(words) and is_talk


def _by_language(best: Sequence[Source]) -> dict[str, list[Source]]:
    found: dict[str, list[Source]] = defaultdict(list)
    for each in best:
        found[each.member.language or UNKNOWN_LANGUAGE].append(each)
    return dict(sorted(found.items()))


def _agreement(source: Source, uses: Counter[str]) -> tuple[bool, float]:
    words = set(tokens(source.member.title))
    shared = sum(1 for word in words if uses[word] > 1)
    said = shared - 0.3 * (len(words) - shared) - SHOUTING * sales_talk(source.member.title)
    return source.member.condition == Condition.NEW, round(said, 6)
