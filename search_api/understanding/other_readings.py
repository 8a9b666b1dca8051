"""Other readings of the words of a question: parts of compounds, words of every day, colours,
synonyms.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexer.engine import Expansion
from search_api.understanding.colour_names import colour_readings, colours_denied
from search_api.understanding.compounding import taken_apart
from search_api.understanding.everyday import everyday_readings, opposites
from search_api.understanding.snapshot import Snapshot
from search_api.understanding.synonyms import expansions
from tenants.ranking.profile import Synonym


def other_readings(
    text: str, language: str, snapshot: Snapshot, synonyms: Sequence[Synonym]
) -> Mapping[int, tuple[Expansion, ...]]:
    """Place of a word (as `query_words` numbers them) -> what may stand for it; a brand's first."""
    found = dict(expansions(text, language, synonyms))
    for more in (
        taken_apart(text, language, snapshot),
        everyday_readings(text, language, snapshot),
        colour_readings(text, language),
    ):
        for place, readings in more.items():
            found[place] = (*found.get(place, ()), *readings)
    return found


def contraries(text: str, language: str) -> Mapping[int, tuple[str, ...]]:
    """Place of a word that denies -> words of titles and attributes that say the contrary."""
    return {**opposites(text, language), **colours_denied(text, language)}
