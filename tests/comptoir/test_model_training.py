"""The training texts keep out what an evaluation asks for; the table is what its own claims say;
training again gives the same bytes, in one go or after a kill."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from comptoir.model_training import encodings, lexicon, product_titles, table, texts
from comptoir.model_training.pieces import learn_tokenizer
from comptoir.model_training.targets import second_rows, targets, unit
from comptoir.model_training.train import (
    OWN_CATEGORIES,
    Corpus,
    Sources,
    asked_words,
    gather,
    save,
    train,
)


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


def test_a_row_with_a_forbidden_word_is_in_no_phrase() -> None:
    def phrases(forbidden: frozenset[str]) -> list[str]:
        rows = lexicon.read_rows(lexicon.THINGS, forbidden)
        qualities = lexicon.read_rows(lexicon.QUALITIES, forbidden)
        return [t.text.lower() for t in lexicon.phrases(rows, qualities, 6_000)]

    assert any("tostapane" in text for text in phrases(frozenset()))
    assert not any("tostapane" in t for t in phrases(frozenset({"grille-pain"})))


def test_every_row_of_the_lexicon_has_seven_languages_and_says_something() -> None:
    rows = lexicon.read_rows(lexicon.THINGS, frozenset())
    assert len(rows) > 800
    assert {t.language for t in lexicon.things(rows)} == set(texts.LANGUAGES)


def test_a_lexicon_row_with_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("# words\none | un | eins\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"few\.txt, line 2"):
        lexicon.read_rows(tmp_path / "few.txt", frozenset())


def test_no_two_everyday_words_are_learnt_from_together(taxonomy: texts.Taxonomy) -> None:
    pytest.importorskip("wordfreq", reason="an extra of model training: word lists not tested")
    names = {
        **taxonomy.names,
        901: {"en": "Corkscrew", "fr": "Tire-bouchon"},
        902: {"en": "Corkscrew", "fr": "Ouvre-bouteille"},
    }
    learnt = gather(texts.Taxonomy(names, taxonomy.held_out), Corpus(words=50, phrases=400))
    asked = asked_words()
    assert {"corkscrew", "tire-bouchon", "handyhulle", "lave-linge"} <= asked
    by_meaning: dict[str, set[str]] = {}
    for text in learnt:
        if text.meaning:
            by_meaning.setdefault(text.meaning, set()).add(texts.plain(text.text))
    assert not [found for found in by_meaning.values() if len(found & asked) > 1]
    assert "taxonomy:901" not in by_meaning
    assert "taxonomy:902" in by_meaning
    things = {m: found for m, found in by_meaning.items() if m.startswith("thing:")}
    assert len(things) > 500
    assert not [found for found in things.values() if found & asked]


def test_german_is_read_with_and_without_its_capitals() -> None:
    word = texts.TrainingText("waschmaschine", "de")
    assert texts.readings(word) == ("waschmaschine", "Waschmaschine")
    name = texts.TrainingText("Große Töpfe", "de", "name:1")
    assert texts.readings(name) == ("große töpfe", "Große Töpfe")
    assert texts.readings(texts.TrainingText("Lave-linge", "fr", "name:2")) == ("lave-linge",)


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
    first = unit(np.random.default_rng(2).normal(size=(200, 64)).astype(np.float32))
    second = unit(np.random.default_rng(3).normal(size=(200, 32)).astype(np.float32))
    learnt = [texts.TrainingText(str(n), "fr" if n % 2 else "en", f"m{n // 2}") for n in range(200)]
    wanted = targets(learnt, first, second, table.Recipe(dimensions=16))
    assert wanted.shape == (200, 16)
    np.testing.assert_allclose(wanted[::2], wanted[1::2], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(wanted, axis=1), 1, atol=1e-5)


def test_the_english_teacher_speaks_for_a_meaning_and_is_guessed_elsewhere() -> None:
    draw = np.random.default_rng(4)
    turn = np.linalg.qr(draw.normal(size=(8, 8)))[0].astype(np.float32)
    first = unit(draw.normal(size=(400, 8)).astype(np.float32))
    learnt = [texts.TrainingText(f"w{n}", "en" if n < 300 else "de") for n in range(400)]
    learnt[0] = texts.TrainingText("w0", "en", "shared")
    learnt[399] = texts.TrainingText("w399", "de", "shared")
    rows = second_rows(learnt, first, first[:300] @ turn, {f"w{n}": n for n in range(300)})
    np.testing.assert_allclose(rows[399], rows[0], atol=1e-6)
    guessed = np.einsum("ij,ij->i", unit(rows[300:399]), first[300:399] @ turn)
    assert guessed.mean() > 0.9


class Spelling:
    """A teacher after a text's letters: words alike in spelling are alike."""

    name = "spelling"
    width = 48

    def __init__(self, parts: int = 1_000) -> None:
        self.parts = parts

    def __call__(self, asked: Sequence[str]) -> np.ndarray:
        if not self.parts:
            raise KeyboardInterrupt
        self.parts -= 1
        rows = np.zeros((len(asked), self.width), np.float32)
        for place, text in enumerate(asked):
            for start in range(len(text)):
                digest = hashlib.sha256(text[start : start + 3].encode()).digest()
                rows[place] += np.frombuffer(digest[:24] * 2, np.uint8) / np.float32(128) - 1
        return unit(rows)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> tuple[table.Recipe, Corpus]:
    for needed in ("scipy", "wordfreq", "threadpoolctl"):
        pytest.importorskip(needed, reason="an extra of model training: training not tested")
    monkeypatch.setattr(encodings, "PART", 256)
    return (
        table.Recipe(pieces=1_500, dimensions=16, rounds=20),
        Corpus(words=200, phrases=60, second_titles=10, second_words=100),
    )


def title_sets(folder: Path) -> Path:
    """Every set of titles that training asks for, a few rows each."""
    folder.mkdir(exist_ok=True)
    for name in product_titles.SETS:
        rows = "".join(f"{n},Kettle {name} VK-{n}00 with lamp\n" for n in range(4))
        (folder / f"{name}-offers.csv.gz").write_bytes(gzip.compress(f"id,title\n{rows}".encode()))
    return folder


def test_titles_are_distinct_and_never_the_judged_ones(tmp_path: Path) -> None:
    folder = title_sets(tmp_path / "sets")
    titles = product_titles.product_titles(folder, frozenset({"kettle abt-buy vk-000 with lamp"}))
    assert len(titles) == 4 * len(product_titles.SETS) - 1
    assert {t.language for t in titles} == {texts.TITLE}
    assert "kettle abt-buy vk-000 with lamp" not in {t.text for t in titles}
    assert product_titles.sample(titles, 5) == product_titles.sample(titles, 5)
    (folder / "abt-buy-offers.csv.gz").unlink()
    with pytest.raises(ValueError, match="abt-buy"):
        product_titles.product_titles(folder, frozenset())


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_training_again_gives_the_same_bytes_also_after_a_kill(
    taxonomy: texts.Taxonomy, tmp_path: Path, small: tuple[table.Recipe, Corpus]
) -> None:
    del taxonomy  # its files lie in tmp_path
    recipe, corpus = small
    steps: list[tuple[str, int, int]] = []

    def run(name: str, work: str, parts: int = 1_000) -> int:
        first, second = Spelling(parts), Spelling(parts)
        sources = Sources(tmp_path, title_sets(tmp_path / "sets"))
        train(sources, tmp_path / name, tmp_path / work, lambda *step: steps.append(step),
              recipe=recipe, corpus=corpus, teachers=(first, second))  # fmt: skip
        return 2 * parts - first.parts - second.parts

    asked = run("one", "work-one")
    assert asked > 6
    assert {"config.json", "model.safetensors", "tokenizer.json"} == set(_bytes(tmp_path / "one"))
    assert all(0 <= done <= total for _, done, total in steps)
    with pytest.raises(KeyboardInterrupt):
        run("two", "work-two", parts=3)
    assert not (tmp_path / "two").exists()
    torn = min((tmp_path / "work-two").iterdir())
    torn.write_bytes(torn.read_bytes()[:-10])
    assert run("two", "work-two") == asked - 2
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")
    assert run("three", "work-two") == 0
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "three")


def test_a_small_table_is_learnt_saved_and_read_again(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="scipy is an extra of model training: fit not tested")
    from kernel.embedding.encoder import load_encoder

    words = ["lamp", "lampe", "table", "tisch", "red lamp", "red table"]
    learnt = [texts.TrainingText(w, "en") for w in words]
    recipe = table.Recipe(pieces=60, dimensions=4, ridge=1e-3)
    wanted = np.random.default_rng(3).normal(size=(6, 4)).astype(np.float32)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    tokenizer = learn_tokenizer(words, recipe.pieces)
    fitted = table.fit(learnt, wanted, tokenizer, recipe)
    save(tmp_path / "model", tokenizer, table.quantise(fitted), recipe)
    vectors = load_encoder(tmp_path / "model").encode(words[:4])
    assert (np.einsum("ij,ij->i", vectors, wanted[:4]) > 0.9).all()
