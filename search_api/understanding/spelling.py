"""Spelling by the words that the index shows: what exists is right, whatever a dictionary says.

Words that exist (in any form or language), names of categories, units, words with digits and short
ones are never touched; the nearest frequent word within one or two slips replaces the others. Pure,
given the snapshot.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from rapidfuzz import process
from rapidfuzz.distance import OSA

from indexer import compounds
from indexer.analysis import LANGUAGES, OTHER, is_unit, shown_words
from indexer.folding import fold
from indexer.stemming import stem
from indexer.stop_words import is_stop_word
from kernel.categories import categories
from search_api.understanding.correction import WORD, Correction
from search_api.understanding.everyday import everyday_words, feature_words
from search_api.understanding.slip_in_compound import parts_meant
from search_api.understanding.snapshot import Near, Snapshot
from search_api.understanding.written import as_written

SHORTEST = 3
_SHORT = 3
"""Letters up to which a word says too little to be put right by another of its length."""
_LONG = 6
"""Letters from which on two slips are believed."""
_MOST = 6
"""Words of one question that are corrected."""
_WAYS = 5
"""Words looked at in the place of one."""
_DOUBTFUL_WAYS, _MANY = 3, 10
_WORD_FROM = 3
"""Letters from which on a vocabulary is believed: shorter ones are parts of words."""
_SLIP, _WRONG_FIRST, _ASKED_FOR, _EXISTS = 6.0, 3.0, 2.0, 4.0
"""Bits."""
_ASKED = 0.5
"""How far the products that show a word tell how often it is asked for (as a power of them)."""
_NAME, _FOREIGN = 1.0, 3.0
"""Bits for a word that is not of the reader's language."""
_REMEMBERED = 5_000
_DOUBLED = re.compile(r"([nlts])\1(?=e?s?$)")
"""What the stem of a French word has once."""
_VOWEL = re.compile(r"[aeiouy]")
_PLURALS = ("s", "x")


def corrected(text: str, language: str, snapshot: Snapshot) -> Correction | None:
    """The corrected text, or None where every word is known or exists, or nothing is near."""
    ways = corrections(text, language, snapshot)
    return next((way for way in ways if not way.is_doubtful), None)


def corrections(
    text: str, language: str, snapshot: Snapshot, stand: Set[str] = frozenset()
) -> tuple[Correction, ...]:
    """Ways to correct the text, the likeliest first; they differ in the first word replaced.

    The doubtful ones come last. Words (folded) that are to `stand` are never replaced.
    """
    if not snapshot.words:
        return ()
    in_one = _written_apart(text, language, snapshot)
    found = [
        (match, near(match[0], language, snapshot))
        for match in WORD.finditer(text)
        if fold(match[0]) not in stand | in_one
    ]
    unknown = [(match, words) for match, words in found if words][:_MOST]
    exist = [row for row in unknown if _exists(row[0][0], snapshot)]
    slips = [row for row in unknown if row not in exist]
    doubtful = _ways(text, [*exist, *slips], is_doubtful=True) if exist else ()
    joined = _joined_ways(text, language, snapshot, stand)
    return (*_ways(text, slips), *joined, *doubtful[:_DOUBTFUL_WAYS])


def _written_apart(text: str, language: str, snapshot: Snapshot) -> Set[str]:
    """Words (folded) that are right with the one beside them: `wasser kocher` is no kitchen."""
    words = [fold(match[0]) for match in WORD.finditer(text)]
    return {
        word
        for pair in pairwise(words)
        if _is_known("".join(pair), language, snapshot)
        for word in pair
    }


def _joined_ways(
    text: str, language: str, snapshot: Snapshot, stand: Set[str]
) -> Iterator[Correction]:
    """Two words typed for one, with a slip in it: `wasch maschiene`."""
    for first, second in pairwise(WORD.finditer(text)):
        parts = fold(first[0]), fold(second[0])
        is_apart = text[first.end() : second.start()] == " " and stand.isdisjoint(parts)
        if not is_apart or all(snapshot.knows(part) for part in parts):
            continue
        for meant in near(first[0] + second[0], language, snapshot):
            if _is_both(parts, fold(meant.written), language, snapshot):
                better = text[: first.start()] + meant.written + text[second.end() :]
                replaced = ((f"{first[0]} {second[0]}", meant.written),)
                yield Correction(better, replaced, meant.slips, is_named=meant.is_named)


def _is_both(parts: tuple[str, str], meant: str, language: str, snapshot: Snapshot) -> bool:
    """Whether a word is both parts in one. `machines` is the first of `machine à` without the
    other, and of a guess at both (`mitswift` for `mit stift`) no product shows the whole."""
    if OSA.distance(_sound("".join(parts)), _sound(meant)) > 1:
        return False
    if stem(meant, language) in {stem(part, language) for part in parts}:
        return False
    return _is_known(meant, language, snapshot)


def _sound(folded: str) -> str:
    """`fone` is heard as `phone` is, in all three languages."""
    return folded.replace("ph", "f")


def _exists(word: str, snapshot: Snapshot) -> bool:
    """Whether it is a word, as `livre` is where nothing but `libre` is sold; `stnd` is a piece."""
    folded = fold(word)
    forms = (folded, *(folded.removesuffix(end) for end in _PLURALS if folded.endswith(end)))
    return any(
        len(form) >= _WORD_FROM and _VOWEL.search(form) is not None and snapshot.is_word(form)
        for form in forms
    )


def _ways(
    text: str, unknown: Sequence[tuple[re.Match[str], Sequence[Near]]], *, is_doubtful: bool = False
) -> tuple[Correction, ...]:
    if not unknown:
        return ()
    rest = [(match, words[0]) for match, words in unknown[1:]]
    first, words = unknown[0]
    return tuple(_replaced(text, [(first, word), *rest], is_doubtful) for word in words)


def likeliest(ways: Sequence[Correction], products: Callable[[str], int]) -> Correction | None:
    """Of several ways the one whose words most products have together.

    `gps wath` is a watch, whatever else `wath` may be by itself. Where no product has them
    together, another first letter is not believed: `couches taille 4` asks for no `maille`. A word
    that exists gives way only to one that products have beside the others.
    """
    if not ways:
        return None
    if " " not in ways[0].text.strip():
        return replace(ways[0], is_borne_out=not ways[0].is_doubtful)
    counted = [(products(way.text), way) for way in ways]
    if any(count for count, _ in counted):
        rows = [row for row in counted if not row[1].is_doubtful or _is_borne_out(*row)]
        best = max(rows, key=_likelihood, default=None)
        return replace(best[1], is_borne_out=best[0] > 0) if best else None
    sure = [way for way in ways if not way.is_doubtful and _is_believed_alone(way)]
    return next((way for way in sure if _begins_right(*way.replaced[0])), None)


def _is_believed_alone(way: Correction) -> bool:
    """Whether no product has to say that it was meant: a short word is near many by accident.

    `sol` is no `solo`, nor `boisé` a `brise`, where nothing shows them beside the other words, and
    two slips make `leder` of `leiser`. Nor do readers of English ask for a `poêle` by `people`.
    """
    if way.is_foreign:
        return False
    return way.is_named or (len(way.replaced[0][0]) >= _LONG and way.slips <= _SLIP + _NAME)


def _is_borne_out(count: int, way: Correction) -> bool:
    """Whether products say that the existing word was not meant: many, or of the thing named."""
    return count >= (1 if way.is_named else _MANY)


def _likelihood(counted: tuple[int, Correction]) -> float:
    """Bits for the products that have all words, against those for the slips."""
    count, way = counted
    return math.log2(count + 1) - way.slips - (_EXISTS if way.is_doubtful else 0.0)


def _begins_right(typed: str, meant: str) -> bool:
    """Whether the first letter is right, or has only changed places with the second."""
    one, other = fold(typed), fold(meant)
    return one[:1] == other[:1] or one[:2] == other[1::-1]


def _replaced(
    text: str, words: Sequence[tuple[re.Match[str], Near]], is_doubtful: bool
) -> Correction:
    result, first = text, words[0][1]
    words = sorted(words, key=lambda row: row[0].start())
    for match, word in reversed(words):
        result = result[: match.start()] + word.written + result[match.end() :]
    pairs = tuple((match[0], word.written) for match, word in words)
    slips = sum(word.slips for _, word in words)
    return Correction(result, pairs, slips, is_doubtful, first.is_named, first.is_foreign)


def near(word: str, language: str, snapshot: Snapshot) -> tuple[Near, ...]:
    """Words that were probably meant, the likeliest first; none for one that stands as it is."""
    folded = fold(word)
    if len(folded) < SHORTEST or not folded.isalpha():
        return ()
    if snapshot.knows(folded):
        return _with_one_letter_less(folded, language, snapshot)
    if _names_a_category(folded, language) or folded in feature_words():
        return ()
    if is_unit(folded, language) or is_stop_word(folded, language):
        return ()
    asked = folded, language
    if asked not in snapshot.near:
        if len(snapshot.near) >= _REMEMBERED:
            snapshot.near.clear()
        found = _search(folded, language, snapshot)
        if language == "de":
            found = _of_compound(word, found, snapshot)
        snapshot.near[asked] = found
    return snapshot.near[asked]


def _with_one_letter_less(folded: str, language: str, snapshot: Snapshot) -> tuple[Near, ...]:
    """`machine` for `machinne`, which no product shows: the stem alone takes it for a form."""
    shown = snapshot.words.get(language, {})
    if language != "fr" or folded in shown or not _DOUBLED.search(folded):
        return ()
    less = _DOUBLED.sub(r"\1", folded, count=1)
    if less not in shown or any(folded in words for words in snapshot.words.values()):
        return ()
    return (Near(as_written(less, snapshot.written.get(language, {})), _SLIP),)


def _of_compound(word: str, found: tuple[Near, ...], snapshot: Snapshot) -> tuple[Near, ...]:
    """What a German word was meant to be that may be a compound, or one with a slip in a part.

    A compound of known parts stands, and so does a part (`wasch maschine`), unless a kind of thing
    is called nearly so: `Waschmachine`.
    """
    if compounds.is_part(fold(word, "de")):
        return ()
    if compounds.split(fold(word, "de")):
        return tuple(each for each in found if each.is_named)
    parts = parts_meant(fold(word), snapshot) if not found else None
    if parts is None:
        return found
    shown = snapshot.written.get("de", {})
    return (Near("".join(as_written(part, shown) for part in parts), _SLIP),)


@lru_cache(maxsize=1)
def _category_words() -> frozenset[str]:
    """Words by which categories are called, in every language: right though no product has them."""
    phrases = [
        phrase for row in categories().values() for phrase in (*row.names.values(), *row.words)
    ]
    return everyday_words() | {word for phrase in phrases for word in shown_words(phrase)}


@lru_cache(maxsize=8)
def _category_stems(language: str) -> frozenset[str]:
    return frozenset(stem(fold(word, language), language) for word in _category_words())


def _names_a_category(folded: str, language: str) -> bool:
    """Whether a category is called so, in any form of a word that is no short one."""
    if folded in _category_words():
        return True
    return len(folded) >= _LONG and stem(folded, language) in _category_stems(language)


def _is_known(folded: str, language: str, snapshot: Snapshot) -> bool:
    return snapshot.knows(folded) or _names_a_category(folded, language)


def _search(folded: str, language: str, snapshot: Snapshot) -> tuple[Near, ...]:
    """Of the reader's language and of names; where nothing is near there, of another language
    that products are described in."""
    found = _found(folded, language, {language: 0.0, OTHER: _NAME}, snapshot)
    if found or _exists(folded, snapshot):
        return found  # `karte` is no slip in `carte`
    others = {name: _FOREIGN for name in LANGUAGES if name != language}
    return _found(folded, language, others, snapshot)


def _found(
    folded: str, language: str, names: Mapping[str, float], snapshot: Snapshot
) -> tuple[Near, ...]:
    """Words of these languages, with the bits that one of them costs, the likeliest first."""
    found: dict[str, tuple[float, float, str]] = {}
    for name, bits in names.items():
        for candidate, distance in _candidates(folded, name, snapshot):
            if not _is_likely(folded, candidate, distance, {language, name}):
                continue
            slips = _slips(folded, candidate, distance, snapshot) + bits
            score = _ASKED * math.log2(snapshot.words[name][candidate] + 1) - slips
            row = score, slips, name
            found[candidate] = max(found.get(candidate, row), row)
    best = sorted(found, key=lambda word: (-found[word][0], word))[:_WAYS]
    return tuple(_near(word, *found[word][1:], language, snapshot) for word in best)


def _near(word: str, slips: float, found_in: str, language: str, snapshot: Snapshot) -> Near:
    """The word as its language writes it; a name as the reader's does."""
    shown = snapshot.written.get(language if found_in == OTHER else found_in, {})
    is_foreign = found_in not in (language, OTHER)
    return Near(as_written(word, shown), slips, _is_named(word, snapshot), is_foreign)


def _candidates(folded: str, name: str, snapshot: Snapshot) -> Iterator[tuple[str, int]]:
    """Words of a language within one or two slips, with their number."""
    most = 2 if len(folded) >= _LONG else 1
    for length in range(max(SHORTEST, len(folded) - most), len(folded) + most + 1):
        words = snapshot.maybe_near(folded, name, length, most)
        for candidate, distance, _ in process.extract(
            folded, words, scorer=OSA.distance, processor=None, score_cutoff=most, limit=20
        ):
            yield candidate, int(distance)


def _is_named(word: str, snapshot: Snapshot) -> bool:
    """Whether a folded word names a kind of thing or a maker: those are asked for most."""
    return word in _category_words() or word in snapshot.manufacturers


def _is_likely(typed: str, meant: str, slips: int, languages: Set[str]) -> bool:
    """Nobody asks for a stop word. A wrong first letter is slip enough: `couches` are no `pouces`.
    Of three letters one may be missing, none be wrong: `pas` in `pas cher` is no `par`."""
    if any(is_stop_word(meant, name) for name in languages):
        return False
    if slips > 1 and not _begins_right(typed, meant):
        return False
    return len(typed) > _SHORT or len(meant) > len(typed)


def _slips(typed: str, meant: str, distance: int, snapshot: Snapshot) -> float:
    """How unlikely it is that a hand slips so and this is asked for, in bits: letters are swapped
    more often, the first one is seldom wrong, and kinds of things and makers are asked for most."""
    bits = _SLIP * distance
    if sorted(typed) == sorted(meant):
        bits -= 1.0
    if not _begins_right(typed, meant):
        bits += _WRONG_FIRST
    if _is_named(meant, snapshot):
        bits -= _ASKED_FOR
    return bits
