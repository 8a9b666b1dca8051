"""The training texts keep the held-out categories out; the table is what its own claims say."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from comptoir.model_training import table, texts
from comptoir.model_training.evaluate import recall
from comptoir.model_training.train import LEXICON, OWN_CATEGORIES, save


@pytest.fixture
def taxonomy(tmp_path: Path) -> texts.Taxonomy:
    english = [f"{n} - Things > Thing number {n}" for n in range(1, 41)]
    french = [f"{n} - Choses > Chose numéro {n}" for n in range(1, 41)]
    for name, lines in (("2021-09-21_enUS", english), ("2015-02-19_fr-FR", french)):
        content = "\n".join(["# Google_Product_Taxonomy_Version: test", *lines, "nonsense"])
        (tmp_path / f"google_{name}.txt.gz").write_bytes(gzip.compress(content.encode()))
    return texts.read_taxonomy(tmp_path)


def test_half_of_the_ids_is_held_out_and_never_learnt_from(taxonomy: texts.Taxonomy) -> None:
    assert len(taxonomy.names) == 40
    assert len(taxonomy.held_out) == 20
    learnt = texts.category_names(taxonomy)
    assert {t.meaning for t in learnt} == {
        f"taxonomy:{i}" for i in taxonomy.names if i not in taxonomy.held_out
    }
    assert not {texts.plain(t.text) for t in learnt} & taxonomy.held_out_names()
    assert {t.language for t in learnt} == {"en", "fr"}


def test_a_folder_without_a_taxonomy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="taxonomy"):
        texts.read_taxonomy(tmp_path)


def test_a_thing_with_a_held_out_name_is_in_no_phrase() -> None:
    everything = texts.phrases(LEXICON, 100_000, frozenset())
    without = texts.phrases(LEXICON, 100_000, frozenset({"lave-linge"}))
    assert any("washing machine" in t.text for t in everything)
    assert not any("washing machine" in t.text or "Waschmaschine" in t.text for t in without)
    assert {t.language for t in everything} == set(texts.LANGUAGES)


def test_own_categories_are_read_but_for_the_held_out_names() -> None:
    names = {t.text for t in texts.own_categories(OWN_CATEGORIES, frozenset({"lave-linge"}))}
    assert "Waschmaschinen" in names
    assert "Lave-linge" not in names


def test_eight_bits_keep_each_row_within_one_step() -> None:
    rows = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32)
    rows *= np.logspace(-4, 3, 50, dtype=np.float32)[:, None]
    quantised = table.quantise(rows)
    step = np.abs(rows).max(axis=1, keepdims=True) / 127
    assert (np.abs(quantised.table() - rows) <= step / 2 + 1e-6 * step).all()


def test_targets_of_one_meaning_are_one_unit_vector() -> None:
    taught = np.random.default_rng(2).normal(size=(200, 512)).astype(np.float32)
    learnt = [texts.TrainingText(str(n), "fr" if n % 2 else "en", f"m{n // 2}") for n in range(200)]
    wanted = table.targets(learnt, taught, table.Recipe(dimensions=16))
    assert wanted.shape == (200, 16)
    np.testing.assert_allclose(wanted[::2], wanted[1::2], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(wanted, axis=1), 1, atol=1e-5)


def test_recall_counts_right_names_only(taxonomy: texts.Taxonomy) -> None:
    number = {name: i for i, names in taxonomy.names.items() for name in names.values()}

    def perfect(names: list[str]) -> np.ndarray:
        return np.eye(41, dtype=np.float32)[[number[n] for n in names]]

    def shifted(names: list[str]) -> np.ndarray:
        return perfect(names) if "Chose" in names[0] else np.roll(perfect(names), 1, axis=0)

    assert recall(perfect, taxonomy, "fr", "en").at_1 == 1
    assert recall(shifted, taxonomy, "fr", "en").at_1 == 0


def test_a_small_table_is_learnt_saved_and_read_again(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="scipy is an extra of model training: fit not tested")
    from kernel.embedding.encoder import load_encoder

    words = ["lamp", "lampe", "table", "tisch", "red lamp", "red table"]
    learnt = [texts.TrainingText(w, "en") for w in words]
    recipe = table.Recipe(pieces=60, dimensions=4, ridge=1e-3)
    wanted = np.random.default_rng(3).normal(size=(6, 4)).astype(np.float32)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    tokenizer = table.learn_tokenizer(words, recipe.pieces)
    fitted = table.fit(learnt, wanted, tokenizer, recipe)
    save(tmp_path / "model", tokenizer, table.quantise(fitted), recipe)
    vectors = load_encoder(tmp_path / "model").encode(words[:4])
    assert (np.einsum("ij,ij->i", vectors, wanted[:4]) > 0.9).all()
