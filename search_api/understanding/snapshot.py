"""What understanding knows of a brand's index: its words, makers, categories and measured values.

Taken from the index itself, in the background, and again when another index is published or it has
grown old. A question never waits for it: until the first one is there, nothing is understood.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.analysis import LANGUAGES, OTHER, index_terms, shown_words
from indexer.colours import ATTRIBUTE as COLOUR
from indexer.colours import colours_of_value
from indexer.document import ProductDocument
from indexer.engine import WINDOW, Engine, FacetField, SearchRequest, Sort
from indexer.stemming import stem
from indexer.stop_words import is_stop_word
from kernel.categories import categories
from search_api.renewed import Renewed
from search_api.understanding.letters import NO_WORDS, WordsByLetters
from search_api.understanding.numbers import has_digit
from search_api.understanding.written import Written, written

KEEP_S = 600.0
"""Age at which a snapshot is taken anew although the index has kept its name."""
SAMPLE = WINDOW
"""Products (of most offers) whose attributes and words are looked at."""
_INCHES = re.compile(r"(?<=\d)\s?in$")


def _unheard_of(word: str) -> bool:
    """What is known of words without a vocabulary of them."""
    del word
    return False


@dataclass(frozen=True, slots=True)
class Measured:
    """A value of an attribute as it stands in documents, with the products that have it."""

    key: str
    value: str
    by_category: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Near:
    """A word of the index beside one that is none, as people write it; see `spelling` for bits."""

    written: str
    slips: float
    is_named: bool = False
    """Whether it names a kind of thing or a maker."""
    is_foreign: bool = False
    """Whether products show it in another language than the reader's alone."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`words[language]` count the products that show a word, other languages' words under OTHER."""

    index: str = ""
    words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    stems: Mapping[str, frozenset[str]] = field(default_factory=dict)
    manufacturers: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[int, int] = field(default_factory=dict)
    measured: Mapping[str, tuple[Measured, ...]] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    """Words by which categories with products are called, and that no product shows."""
    written: Written = field(default_factory=dict)
    """How folded words are written in a language, where that is another way."""
    by_length: Mapping[tuple[str, int], WordsByLetters] = field(init=False, repr=False)
    """Words by their language and number of letters."""
    is_word: Callable[[str], bool] = field(default=_unheard_of, repr=False, compare=False)
    """Whether a folded word exists, though no product shows it: then it was probably meant."""
    near: dict[tuple[str, str], tuple[Near, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """What was found for words before; unknown words are asked for again and again."""
    mark: str = field(init=False, repr=False, compare=False)
    """Sizes and sums, at no cost: other words have other ones. Empty where nothing was read."""

    def __post_init__(self) -> None:
        found: dict[tuple[str, int], list[str]] = defaultdict(list)
        for name, known in self.words.items():
            for word in known:
                found[name, len(word)].append(word)
        by_length = {where: WordsByLetters(words) for where, words in found.items()}
        object.__setattr__(self, "by_length", by_length)
        sums = [f"{name}{len(known)}/{sum(known.values())}" for name, known in self.words.items()]
        sizes = (self.manufacturers, self.categories, self.measured, self.named, self.written)
        counts = [str(len(part)) for part in sizes]
        shown = str(sum(self.categories.values()))
        mark = " ".join((self.index, *sorted(sums), *counts, shown)) if self.index else ""
        object.__setattr__(self, "mark", mark)

    def maybe_near(self, word: str, name: str, length: int, slips: int) -> list[str]:
        """Words of a language and length among which are all that are so many slips away."""
        return self.by_length.get((name, length), NO_WORDS).maybe_within(word, slips)

    def knows(self, word: str) -> bool:
        """Whether a folded word, or another form of it, is shown anywhere."""
        if any(word in known for known in self.words.values()):
            return True
        return any(stem(word, name) in known for name, known in self.stems.items())

    def count(self, word: str, language: str) -> int:
        """Products that show the word, in the reader's language and in names."""
        return sum(self.words.get(name, {}).get(word, 0) for name in (language, OTHER))

    def shown(self, word: str, language: str) -> int:
        """Products whose titles or attributes show the word itself."""
        return 0 if word in self.named else self.count(word, language)

    def weakest_first(self, words: Iterable[str], language: str) -> list[str]:
        """Words by how little they tell: unknown ones, then frequent ones; numbers tell much."""
        known = {word: self.count(word, language) for word in words}
        return sorted(known, key=lambda word: (known[word] > 0 or has_digit(word), -known[word]))


_EMPTY = Snapshot()


class Snapshots:
    """The snapshot of each brand, renewed in the background."""

    def __init__(self, engine: Engine, is_word: Callable[[str], bool] = _unheard_of) -> None:
        self._renewed: Renewed[str, Snapshot] = Renewed(
            lambda brand_id: take(engine, brand_id, is_word),
            "words",
            keep_s=KEEP_S,
        )

    def of(self, brand_id: str) -> Snapshot:
        """The latest one there is; an empty one until the first has been taken."""
        return self._renewed.latest(brand_id) or _EMPTY

    def seen(self, brand_id: str, index: str) -> None:
        """An answer came from this index: where it is another one, its words are read."""
        held = self._renewed.held(brand_id)
        if held is not None and index != held.index:
            self._renewed.renew(brand_id)

    def load(self, brand_id: str) -> Snapshot:
        """Take one now and keep it: for programs that ask one question."""
        return self._renewed.load(brand_id)


def take(engine: Engine, brand_id: str, is_word: Callable[[str], bool] = _unheard_of) -> Snapshot:
    """Read words, makers, categories and values of a brand's live index."""
    stats = engine.stats(brand_id)
    counted = engine.search(
        brand_id,
        SearchRequest(
            facets=(FacetField.CATEGORY, FacetField.MANUFACTURER), facet_size=2_000, limit=0
        ),
    )
    facets = counted.counts().facets
    filled = {int(row.value): row.count for row in facets[FacetField.CATEGORY]}
    # Numbers are never corrected: without model codes this is a fraction of the vocabulary.
    shown = {
        name: {word: count for word, count in engine.vocabulary(brand_id, name) if word.isalpha()}
        for name in (*LANGUAGES, OTHER)
    }
    called = {name: _words_of_categories(name, filled) for name in shown}
    words = {name: called[name] | shown[name] for name in shown}
    first = engine.search(brand_id, SearchRequest(sort=Sort.POPULAR, limit=SAMPLE))
    sample = tuple(engine.read(brand_id, [hit.product_id for hit in first.hits]).values())
    return Snapshot(
        index=stats.index if stats is not None else "",
        words=words,
        stems={
            name: frozenset(stem(word, name) for word in known) for name, known in words.items()
        },
        manufacturers={row.value: row.label for row in facets[FacetField.MANUFACTURER]},
        categories=filled,
        named=frozenset(word for names in called.values() for word in names).difference(
            *shown.values()
        ),
        measured=_measured(sample),
        written=written(sample),
        is_word=is_word,
    )


def _words_of_categories(language: str, filled: Mapping[int, int]) -> dict[str, int]:
    """What categories with products are called, in a language or (OTHER) by merchants anywhere."""
    found: dict[str, int] = {}
    for id_, count in filled.items():
        category = categories().get(id_)
        if category is None:
            continue
        names = category.words if language == OTHER else (category.names.get(language, ""),)
        for word in shown_words(" ".join(names)):
            if word.isalpha() and not is_stop_word(word, language):
                found[word] = found.get(word, 0) + count
    return found


def _measured(sample: Sequence[ProductDocument]) -> dict[str, tuple[Measured, ...]]:
    """A measure (`8kg`) or colour -> attributes that state it, in the most offered products."""
    counts: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for document in sample:
        for key, value in document.attributes.items():
            if len(value) <= 24 and (key == COLOUR or any(char.isdigit() for char in value)):
                counts[key, value].update(document.category_path or (0,))
    by_term: dict[str, list[Measured]] = defaultdict(list)
    for (key, value), by_category in counts.items():
        named = colours_of_value(value) if key == COLOUR else [measure_term(value)]
        for term in filter(None, named):
            by_term[term].append(Measured(key, value, dict(by_category)))
    return {term: tuple(rows) for term, rows in by_term.items()}


def measure_term(value: str) -> str:
    """`8 kg`, `8kg` -> `8kg`; empty for what is no single measure."""
    terms = index_terms(_INCHES.sub(" inch", value), OTHER)
    whole = terms[0] if terms else ""
    return whole if len(terms) == 2 and whole[:1].isdigit() and whole[-1:].isalpha() else ""
