"""Our own words for things sold in shops, in seven languages, and phrases and titles made of them.
In: things.txt, qualities.txt. Out: `TrainingText`s in fixed order. Invariant: no row with a word
that is asked for in an evaluation is learnt from."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from comptoir.model_training.texts import LANGUAGES, SEED, TrainingText, plain

THINGS = Path(__file__).parent / "things.txt"
QUALITIES = Path(__file__).parent / "qualities.txt"

Row = tuple[tuple[str, ...], ...]  # for each of LANGUAGES the words of one meaning

_TITLE_WORDS = ("with", "for", "-", ",", "and")
_FIGURES = (1, 2, 3, 5, 8, 10, 12, 15, 18, 20, 24, 27, 32, 40, 55, 64, 100, 128, 230, 500)
_SIZES = ("{} cm", "{} mm", "{} kg", "{} W", "{} V", "{} l", "{} GB", "{} pcs", "{}-pack", '{}"')


def read_rows(path: Path, forbidden: frozenset[str]) -> list[Row]:
    """The rows none of whose words is forbidden. Raises ValueError naming a row without the columns
    of LANGUAGES."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        row = tuple(tuple(w.strip() for w in cell.split(",")) for cell in line.split("|"))
        if len(row) != len(LANGUAGES) or not all(word for cell in row for word in cell):
            raise ValueError(f"{path.name}, line {number}: {len(LANGUAGES)} filled columns wanted")
        if not any(plain(word) in forbidden for cell in row for word in cell):
            rows.append(row)
    return rows


def things(rows: Sequence[Row]) -> list[TrainingText]:
    """Every word of every row; the words of one row share a meaning."""
    return [
        TrainingText(word, language, f"thing:{number}")
        for number, row in enumerate(rows)
        for language, words in zip(LANGUAGES, row, strict=True)
        for word in words
    ]


def phrases(rows: Sequence[Row], qualities: Sequence[Row], count: int) -> list[TrainingText]:
    """`count` meanings: a thing with a quality, one phrase in each language."""
    draw = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    return [text for number in range(count) for text in _phrase(draw, rows, qualities, number)]


def _phrase(
    draw: random.Random, rows: Sequence[Row], qualities: Sequence[Row], number: int
) -> Iterator[TrainingText]:
    thing, quality = draw.choice(rows), draw.choice(qualities)
    for place, language in enumerate(LANGUAGES):
        name, said = draw.choice(thing[place]), draw.choice(quality[place])
        before = language in ("en", "de", "nl") and draw.random() < 0.3
        text = f"{said} {name}" if before else f"{name} {said}"
        yield TrainingText(text, language, f"phrase:{number}")
