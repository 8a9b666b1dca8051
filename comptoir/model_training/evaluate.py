"""How good a model is, in figures. In: a model folder, taxonomies and judged product
queries. Out: plain JSON figures. Held-out names, judged titles and everyday words are never learnt
from, so the figures speak of what the model has not seen."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comptoir.model_training.judged import judged_figures, read_judged
from comptoir.model_training.texts import LANGUAGES, Taxonomy, read_taxonomy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

EVERYDAY = Path(__file__).parent / "everyday.toml"
EVERYDAY_LANGUAGES = ("en", "fr", "de", "es", "it", "nl")
DIRECTIONS = (*((language, "en") for language in LANGUAGES if language != "en"),
              ("fr", "de"), ("de", "fr"))  # fmt: skip
_SAME = 1e-6  # a candidate this much nearer is not nearer: equal names exist


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of names whose counterpart is the nearest (`at_1`) or among the ten nearest."""

    at_1: float
    at_10: float
    names: int


def evaluate(
    model: str | Path | None = None,
    taxonomy: Path | None = None,
    search: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """The figures of a model (None: the shipped one), ready for JSON.

    `taxonomy` is a folder of `google_*.txt.gz`, `search` one with icecat_products.jsonl.gz and
    judgements.csv; the part whose folder is not given is None. Raises DomainError for a model that
    cannot be read, ValueError for a folder without its files."""
    from kernel.embedding.encoder import load_encoder

    encoder = load_encoder(model)
    figures: dict[str, Any] = {"model": encoder.model_id, "dimensions": encoder.dimensions}
    steps = len(DIRECTIONS) + 2
    progress("everyday words", 0, steps)
    figures["everyday"] = everyday_figures(encoder.encode, read_everyday())
    figures["taxonomy"] = None
    if taxonomy is not None:
        categories, figures["taxonomy"] = read_taxonomy(taxonomy), {}
        for done, (source, target) in enumerate(DIRECTIONS, start=1):
            progress(f"category names {source} to {target}", done, steps)
            found = recall(encoder.encode, categories, source, target)
            figures["taxonomy"][f"{source}-{target}"] = {
                "r_at_1": round(found.at_1, 4),
                "r_at_10": round(found.at_10, 4),
                "names": found.names,
            }
    progress("judged product queries", steps - 1, steps)
    figures["search"] = judged_figures(encoder.encode, read_judged(search)) if search else None
    progress("done", steps, steps)
    return figures


def recall(encode: Encode, taxonomy: Taxonomy, source: str, target: str) -> Recall:
    """Each held-out name of the source language against all held-out names of the target language.

    A candidate equally near as the right one is not counted against it: equal names exist."""
    import numpy as np

    ids = sorted(i for i in taxonomy.held_out if {source, target} <= taxonomy.names[i].keys())
    if not ids:
        return Recall(0.0, 0.0, 0)
    asked = encode([taxonomy.names[i][source] for i in ids])
    candidates = encode([taxonomy.names[i][target] for i in ids])
    cosine = asked @ candidates.T
    right = cosine.diagonal()
    ahead = (cosine > right[:, None] + _SAME).sum(axis=1)
    return Recall(float(np.mean(ahead < 1)), float(np.mean(ahead < 10)), len(ids))


def read_everyday(path: Path = EVERYDAY) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    """One mapping for each meaning: language -> the words people use for it."""
    meanings = tomllib.loads(path.read_text("utf-8"))["meanings"]
    return tuple({lang: tuple(words) for lang, words in m.items()} for m in meanings)


def everyday_figures(
    encode: Encode, meanings: Sequence[Mapping[str, Sequence[str]]]
) -> dict[str, Any]:
    """`r_at_1`: how often the nearest of all terms of the other languages means the same; then the
    same for each source language, and for each pair of languages alone (`pairs`, their mean).

    Six languages count for the headline; the others are asked against these six."""
    import numpy as np

    terms = list(_terms(meanings))
    vectors = encode([text for _, _, text in terms])
    meaning = np.array([m for m, _, _ in terms])
    language = np.array([lang for _, lang, _ in terms])
    cosine = vectors @ vectors.T
    headline = np.isin(language, EVERYDAY_LANGUAGES)

    def share(asked: NDArray[np.bool_], candidates: NDArray[np.bool_]) -> float:
        allowed = candidates[None, :] & (language[:, None] != language[None, :])
        nearest = np.where(allowed, cosine, -2.0).argmax(axis=1)
        return round(float(np.mean((meaning[nearest] == meaning)[asked])), 4)

    each = {lang: share(language == lang, headline) for lang in sorted(set(language.tolist()))}
    pairs = [
        share(language == one, language == other)
        for one in EVERYDAY_LANGUAGES
        for other in EVERYDAY_LANGUAGES
        if one != other and {one, other} <= each.keys()
    ]
    return {
        "terms": int(headline.sum()),
        "r_at_1": share(headline, headline),
        "by_language": each,
        "pairs": round(float(np.mean(pairs)), 4) if pairs else None,
    }


def _terms(meanings: Sequence[Mapping[str, Sequence[str]]]) -> Iterator[tuple[int, str, str]]:
    for number, words in enumerate(meanings):
        for language, texts in words.items():
            for text in texts:
                yield number, language, text
