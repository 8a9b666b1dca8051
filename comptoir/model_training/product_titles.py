"""Titles as merchants write them, out of public sets in the plain form (`python -m
bench.matching_sets`). Learnt from: only sets whose licence allows it, never a judged title."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from comptoir.model_training.texts import SEED, TITLE, TrainingText, plain
from mdm.evaluation.plain_form import read_offers

SETS = {
    "abt-buy": "BSD-3-Clause",
    "amazon-google": "BSD-3-Clause",
    "wdc80cc": "BSD-3-Clause",
    "wdc-cameras": "Apache-2.0",
    "wdc-computers": "Apache-2.0",
    "wdc-shoes": "Apache-2.0",
    "wdc-watches": "Apache-2.0",
}
"""The sets and the licence that each states."""
_LONGEST, _SHORTEST = 200, 9


def product_titles(folder: Path, forbidden: frozenset[str]) -> list[TrainingText]:
    """Distinct titles of every set, in a fixed order, without the forbidden (plain) ones.

    Raises ValueError where a set is missing: another corpus would make another model."""
    found: dict[str, str] = {}
    for name in SETS:
        path = folder / f"{name}-offers.csv.gz"
        if not path.is_file():
            raise ValueError(f"{folder} holds no {path.name}")
        for offer in read_offers(path):
            title = " ".join(offer.title.split())[:_LONGEST].lower()
            found.setdefault(plain(title), title)
    kept = {text: title for text, title in found.items() if len(text) >= _SHORTEST}
    return [TrainingText(kept[text], TITLE) for text in sorted(kept) if text not in forbidden]


def sample(titles: Sequence[TrainingText], count: int) -> list[TrainingText]:
    """Those that the slow teacher is asked for, drawn by the seed."""
    drawn = random.Random(SEED).sample(range(len(titles)), min(count, len(titles)))  # noqa: S311
    return [titles[place] for place in sorted(drawn)]
