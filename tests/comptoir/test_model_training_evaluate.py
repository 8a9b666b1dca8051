"""The figures of the evaluation count what they say they count."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from comptoir.model_training import texts
from comptoir.model_training.evaluate import (
    EVERYDAY_LANGUAGES,
    evaluate,
    everyday_figures,
    read_everyday,
    recall,
)
from comptoir.model_training.judged import judged_figures, read_judged


def test_recall_counts_right_names_only() -> None:
    names = {n: {"en": f"Thing {n}", "fr": f"Chose {n}"} for n in range(40)}
    taxonomy = texts.Taxonomy(names, frozenset(range(20)))

    def perfect(asked: Sequence[str]) -> np.ndarray:
        return np.eye(41, dtype=np.float32)[[int(name.split()[1]) for name in asked]]

    def shifted(asked: Sequence[str]) -> np.ndarray:
        return perfect(asked) if "Chose" in asked[0] else np.roll(perfect(asked), 1, axis=0)

    assert recall(perfect, taxonomy, "fr", "en").at_1 == 1
    assert recall(perfect, taxonomy, "fr", "en").names == 20
    assert recall(shifted, taxonomy, "fr", "en").at_1 == 0
    assert recall(perfect, taxonomy, "fr", "nl").names == 0


def test_the_everyday_words_are_three_hundred_in_six_languages() -> None:
    meanings = read_everyday()
    terms = [t for m in meanings for lang in EVERYDAY_LANGUAGES for t in m[lang]]
    assert len(meanings) >= 50
    assert len(terms) >= 300
    assert all(set(EVERYDAY_LANGUAGES) <= meaning.keys() for meaning in meanings)


def test_an_everyday_word_is_right_when_its_nearest_elsewhere_means_the_same() -> None:
    meanings = [
        {"en": ("cat",), "fr": ("chat",), "de": ("Katze",)},
        {"en": ("dog", "hound"), "fr": ("chien",), "de": ("Hund",)},
    ]
    place = {"cat": 0, "chat": 0, "Katze": 0, "hound": 0, "dog": 1, "chien": 1, "Hund": 1}

    def encode(asked: Sequence[str]) -> np.ndarray:
        return np.eye(2, dtype=np.float32)[[place[word] for word in asked]]

    figures = everyday_figures(encode, meanings)
    assert figures["terms"] == 7
    assert figures["by_language"] == {"de": 1.0, "en": 0.6667, "fr": 1.0}
    assert figures["r_at_1"] == pytest.approx(6 / 7, abs=1e-4)


def test_unjudged_products_count_nothing_raw_and_are_dropped_condensed(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "icecat_products.jsonl.gz", "wt", encoding="utf-8") as lines:
        for number in range(300):
            lines.write(json.dumps({"id": number, "title": f"{number}"}) + "\n")
    with (tmp_path / "judgements.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerows([("query", "docid", "rating"), ("0", 1, 3), ("0", 2, 0), ("nothing", 5, 0)])

    def encode(asked: Sequence[str]) -> np.ndarray:
        angle = np.array([int(text) for text in asked]) / 300
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    figures = judged_figures(encode, read_judged(tmp_path))
    assert figures["queries"] == 1
    assert figures["ndcg_at_10_condensed"] == 1
    # product 1 comes second, behind product 0, which nobody judged
    assert figures["ndcg_at_10_raw"] == pytest.approx(1 / np.log2(3), abs=1e-4)
    assert figures["judged_at_10"] == pytest.approx(0.2)
    (tmp_path / "judgements.csv").unlink()
    with pytest.raises(ValueError, match=r"judgements\.csv"):
        read_judged(tmp_path)


def test_the_shipped_model_finds_most_everyday_words_it_was_never_taught() -> None:
    steps: list[int] = []
    figures = evaluate(progress=lambda _, done, total: steps.append(done * 100 // total))
    assert json.loads(json.dumps(figures)) == figures
    assert figures["taxonomy"] is None
    assert figures["search"] is None
    assert figures["everyday"]["r_at_1"] >= 0.82
    assert steps[-1] == 100


def test_the_shipped_model_on_held_out_names_and_judged_queries(shared: Path) -> None:
    figures = evaluate(None, shared / "data" / "taxonomy", shared / "data" / "search")
    recalls = figures["taxonomy"]
    for direction in ("fr-en", "es-en", "it-en"):
        assert recalls[direction]["r_at_1"] >= 0.60
        assert recalls[direction]["r_at_10"] >= 0.83
    assert min(recalls["de-en"]["r_at_1"], recalls["nl-en"]["r_at_1"]) >= 0.59
    assert min(recalls["de-en"]["r_at_10"], recalls["nl-en"]["r_at_10"]) >= 0.81
    assert recalls["pl-en"]["r_at_1"] >= 0.49
    assert min(recalls["fr-de"]["r_at_1"], recalls["de-fr"]["r_at_1"]) >= 0.42
    # what was asked for
    assert figures["search"]["ndcg_at_10_raw"] >= 0.53
    assert figures["search"]["ndcg_at_10_condensed"] >= 0.80
