"""The title and the description of a product in each language. Pure.

A title names and does not sell: the one whose words most others use too. A description is the
longest of a new article; what is said of one used piece describes that piece alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from kernel.offer_terms import Condition
from mdm.golden.members import Source, priority
from mdm.golden.sales_talk import sales_talk, without_sales_talk
from mdm.golden.survivorship import Record
from mdm.match.features import tokens

UNKNOWN_LANGUAGE = "und"
# One piece of sales talk outweighs two words that other merchants use too.
SHOUTING = 2.0


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
