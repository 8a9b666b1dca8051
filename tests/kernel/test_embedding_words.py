"""Sums of words are kept, and never seen: what a text is given is what the tokenizer says of it."""

from __future__ import annotations

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.embedding import static_model
from kernel.embedding.encoder import SHIPPED_MODEL, load_encoder
from kernel.embedding.static_files import MAX_PIECES, read_static_files
from kernel.embedding.static_model import StaticModel
from tests.small_models import small_model

FILES = read_static_files(SHIPPED_MODEL)

# blanks of all kinds, accents alone and composed, letters that change their number when lowered,
# marks, controls, scripts that the tokenizer takes apart
CHARACTERS = st.one_of(
    st.sampled_from(" \t\n\r\x1c\u00a0\u2003\u3000\u200b\ufeff\x00\x07"),
    st.sampled_from("aeéE\u0301\u0308ßİıǅﬁΣς½Ⅷ한洗غя'’-/.,&+#°%€\U0001f9fa\u0345\u302a"),
    st.characters(),
)


def ids(text: str) -> list[int]:
    found: list[int] = FILES.tokenizer.encode(text, add_special_tokens=False).ids
    return found


@settings(max_examples=400, deadline=None)
@given(st.text(CHARACTERS, max_size=60))
def test_pieces_of_a_text_are_those_of_its_parts(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert FILES.splits_at_blanks
    assert ids(text) == [piece for part in text.split(" ") for piece in ids(part)][:MAX_PIECES]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(CHARACTERS, max_size=80), max_size=6))
def test_vectors_are_those_of_the_whole_texts(texts: list[str]) -> None:
    model = load_encoder()
    assert isinstance(model, StaticModel)
    expected, _ = model._sum_whole([text.encode("utf-8", "replace").decode() for text in texts])
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    unit = np.where(lengths > 0, expected / np.where(lengths > 0, lengths, 1), 0)
    np.testing.assert_allclose(model.encode(texts), unit, atol=2e-5)


def test_a_text_of_many_pieces_is_cut_where_the_tokenizer_cuts_it() -> None:
    model = StaticModel(FILES)
    text = " ".join(f"x{number}y" for number in range(400))
    assert len(ids(text)) == MAX_PIECES
    assert sum(len(ids(part)) for part in text.split(" ")) > MAX_PIECES
    expected, _ = model._sum_whole([text])
    np.testing.assert_allclose(model.encode_one(text), expected[0] / np.linalg.norm(expected[0]))


def test_what_is_kept_changes_no_vector_and_stays_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"lave-linge {n} Waschmaschine {n % 7}kg {n * n}" for n in range(3_000)]
    roomy = StaticModel(FILES)
    fresh = roomy.encode(texts)
    np.testing.assert_array_equal(roomy.encode(texts), fresh)
    monkeypatch.setattr(static_model, "_KEPT_BYTES", 4 * 256 * 1_200)
    narrow = StaticModel(FILES)
    np.testing.assert_array_equal(narrow.encode(texts), fresh)
    assert len(narrow._kept.rows) <= 1_200
    np.testing.assert_array_equal(narrow.encode(texts[::-1]), fresh[::-1])
    long = StaticModel(FILES)
    long.encode(["ab" * n for n in range(12, 60)])
    assert len(long._kept.rows) == 1 + len(range(12, 17))


def test_threads_that_fill_and_empty_what_is_kept_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_model, "_KEPT_BYTES", 4 * 256 * 700)
    model = StaticModel(FILES)
    texts = [f"Kühlschrank {n % 500} bleu {n}" for n in range(2_000)]
    expected = StaticModel(FILES).encode(texts)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(model.encode, [texts] * 24):
            np.testing.assert_array_equal(vectors, expected)


def test_a_process_that_forks_while_a_thread_keeps_a_word_still_encodes() -> None:
    model = StaticModel(FILES)
    expected = model.encode_one("red lamp")
    holding, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with model._keeping:
            holding.set()
            let_go.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    child = os.fork()
    if child == 0:
        same = np.array_equal(model.encode_one("red lamp"), expected)
        another = bool(model.encode_one("never met before").any())
        os._exit(0 if same and another else 1)
    let_go.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("dimensions", [1, 12, 300, 1_024])
def test_a_model_of_any_size_is_read(tmp_path: Path, dimensions: int) -> None:
    model = load_encoder(small_model(tmp_path / "small", dimensions=dimensions))
    assert model.dimensions == dimensions
    vectors = model.encode(["lamp", "", "table 12"])
    assert vectors.shape == (3, dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 1], atol=1e-5)


def test_a_tokenizer_that_looks_across_blanks_is_asked_for_whole_texts(tmp_path: Path) -> None:
    from model2vec import StaticModel as Library

    folder = small_model(tmp_path / "across")
    described = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    described["pre_tokenizer"] = {
        "type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False,
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    model = load_encoder(folder)
    assert not read_static_files(folder).splits_at_blanks
    texts = ["red lamp", " lamp", "a  b"]
    library = Library.from_pretrained(folder, force_download=False)
    expected = library.encode(texts, use_multiprocessing=False)
    np.testing.assert_allclose(model.encode(texts), expected, atol=1e-5)


def test_the_longest_texts_take_time_in_proportion_to_what_is_read() -> None:
    """A hundred thousand characters cost what four thousand do, not twenty-five times as much."""
    model = StaticModel(FILES)

    def seconds(text: str) -> float:
        taken = []
        for _ in range(5):
            start = time.process_time()
            model.encode_one(text)
            taken.append(time.process_time() - start)
        return min(taken)

    for word in ("Waschmaschine ", "a", "\u0301e", "洗", "😀 "):
        read, given_ = word * (4_000 // len(word)), word * (100_000 // len(word))
        assert seconds(given_) < 8 * seconds(read) + 0.005


def test_words_that_people_write_are_known_whole() -> None:
    """Folded words; a slip of the hand is several pieces, and an unknown letter is no word."""
    model = load_encoder()
    for word in ("livre", "shredder", "klavier", "tondeuse"):
        assert model.knows(word), word
    for word in ("smartphnoe", "bouiloire", "kopfhorrer", "[UNK]", ""):
        assert not model.knows(word), word
