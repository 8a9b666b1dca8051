"""The texts the table is learnt from. In: wordfreq's word lists, Google product taxonomies, our own
categories and lexicon.toml. Out: `TrainingText`s in fixed order. Invariant: a held-out category is
never learnt from, neither by its names nor by a phrase built on one of them."""

from __future__ import annotations

import gzip
import random
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pl")
TITLE = "title"
"""In place of a language: a merchant's title, whose words are of any."""
SEED = 20261122

_TAXONOMY_LINE = re.compile(r"^(\d{1,9}) - (.+)$")
_TAXONOMY_FILE = re.compile(r"_([a-z]{2})-?[A-Z]{2}\.txt\.gz$")
_MAX_TAXONOMY_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class TrainingText:
    """One text in one language. Texts of the same `meaning` share a target."""

    text: str
    language: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Names by category id and language; `held_out` are the ids kept for the evaluation."""

    names: Mapping[int, Mapping[str, str]]
    held_out: frozenset[int]

    def held_out_names(self) -> frozenset[str]:
        return frozenset(plain(n) for i in self.held_out for n in self.names[i].values())


def plain(text: str) -> str:
    """The text as the tokenizer sees it: lower case, no accents, single spaces."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    return " ".join("".join(c for c in decomposed if unicodedata.category(c) != "Mn").split())


def read_taxonomy(folder: Path, *, seed: int = SEED) -> Taxonomy:
    """Every `google_*_xxXX.txt.gz` of the folder; half of the ids, drawn by the seed, are held out.

    Raises ValueError where the folder has no such file."""
    names: dict[int, dict[str, str]] = {}
    for path in sorted(folder.glob("google_*.txt.gz")):
        found = _TAXONOMY_FILE.search(path.name)
        if found is None:
            continue
        for number, name in _taxonomy_lines(path):
            names.setdefault(number, {})[found.group(1)] = name
    if not names:
        raise ValueError(f"{folder} holds no google_*_xxXX.txt.gz taxonomy file")
    ids = sorted(names)
    held_out = random.Random(seed).sample(ids, len(ids) // 2)  # noqa: S311 - a split, not a secret
    return Taxonomy({i: names[i] for i in ids}, frozenset(held_out))


def _taxonomy_lines(path: Path) -> Iterator[tuple[int, str]]:
    with gzip.open(path) as stream:
        content = stream.read(_MAX_TAXONOMY_BYTES).decode("utf-8")
    for line in content.splitlines():
        if found := _TAXONOMY_LINE.match(line):
            yield int(found.group(1)), found.group(2).rsplit(" > ", 1)[-1].strip()


def words(languages: Sequence[str], per_language: int) -> list[TrainingText]:
    """The most frequent words of each language, without bare numbers."""
    from wordfreq import top_n_list

    return [
        TrainingText(word, language)
        for language in languages
        for word in top_n_list(language, per_language)
        if any(c.isalpha() for c in word)
    ]


def category_names(taxonomy: Taxonomy) -> list[TrainingText]:
    """Names of the categories that are not held out; one meaning for each id.

    Two ids can share a name, so a name that a held-out category also bears is left out."""
    forbidden = taxonomy.held_out_names()
    return [
        TrainingText(name, language, f"taxonomy:{number}")
        for number, by_language in taxonomy.names.items()
        if number not in taxonomy.held_out
        for language, name in sorted(by_language.items())
        if plain(name) not in forbidden
    ]


def own_categories(path: Path, forbidden: frozenset[str]) -> list[TrainingText]:
    """Names of kernel/categories.toml that are no forbidden text."""
    found: list[TrainingText] = []
    for number, entry in tomllib.loads(path.read_text("utf-8")).items():
        for language, name in entry["names"].items():
            found.append(TrainingText(name, language, f"own:{number}"))
    return [t for t in found if plain(t.text) not in forbidden]


def without_pairs(texts: Sequence[TrainingText], asked: frozenset[str]) -> list[TrainingText]:
    """The texts without every meaning that brings two asked words of an evaluation together."""
    words: dict[str, set[tuple[str, str]]] = {}
    for text in texts:
        if text.meaning and plain(text.text) in asked:
            words.setdefault(text.meaning, set()).add((text.language, plain(text.text)))
    pairs = {meaning for meaning, found in words.items() if len(found) > 1}
    return [t for t in texts if t.meaning not in pairs]


def readings(text: TrainingText) -> tuple[str, ...]:
    """What the teacher is asked for: the text in lower case, as shoppers type it, which it knows
    best; German also with its nouns' capitals."""
    lower = text.text.lower()
    if text.language != "de":
        return (lower,)
    written = text.text if text.meaning else text.text[:1].upper() + text.text[1:]
    return (lower, written) if written != lower else (lower,)
