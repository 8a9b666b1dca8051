"""A question with its unknown words replaced, and when that is shown to a shopper. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.folding import fold

WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Correction:
    """The text with its unknown words replaced; `replaced` are (as typed, as corrected).

    `slips` says in bits how unlikely a hand is to slip so, however often the words are meant.
    `is_doubtful`: a word that exists is replaced, for the one reason that no product shows it;
    `is_named`: by what names a kind of thing or a maker; `is_foreign`: by a word of another
    language than the reader's. `is_borne_out`: products have all words.
    """

    text: str
    replaced: tuple[tuple[str, str], ...]
    slips: float = 0.0
    is_doubtful: bool = False
    is_named: bool = False
    is_foreign: bool = False
    is_borne_out: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether no word that exists is replaced, or products say that it was not meant."""
        return not self.is_doubtful or self.is_borne_out

    def is_offered(self, as_typed: int) -> bool:
        """Whether it is shown beside so many products that have every word as it was typed."""
        return not as_typed or (self.is_borne_out and not self.is_doubtful)

    def of(self, question: str) -> str:
        """The whole question corrected, with what was understood of it and is searched no more:
        `lave vaisselle 45 cm`."""
        for typed, meant in self.replaced:
            place = _place(question, typed)
            if place is None:
                return self.text
            question = question[: place[0]] + meant + question[place[1] :]
        return question


def _place(text: str, said: str) -> tuple[int, int] | None:
    """Where words stand in a text, whatever their accents and what is between them."""
    words = list(WORD.finditer(text))
    run = [fold(word) for word in WORD.findall(said)]
    for start in range(len(words) - len(run) + 1):
        part = words[start : start + len(run)]
        if [fold(word[0]) for word in part] == run:
            return part[0].start(), part[-1].end()
    return None
