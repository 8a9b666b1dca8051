"""The shipped model and its encoder: bad input, meaning across languages, damaged folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.embedding.encoder import SHIPPED_MODEL, Encoder, load_encoder
from kernel.errors import DomainError


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_MODEL, tmp_path / "model"))


def similarity(encoder: Encoder, left: str, right: str) -> float:
    a, b = encoder.encode([left, right])
    return float(a @ b)


def test_shipped_model_is_small_and_loaded_once(encoder: Encoder) -> None:
    assert sum(p.stat().st_size for p in SHIPPED_MODEL.iterdir()) <= 20_000_000
    assert load_encoder() is load_encoder(SHIPPED_MODEL) is encoder
    assert encoder.dimensions == 256
    assert encoder.model_id.startswith("comptoir-static-3-")


def test_importing_the_encoder_imports_no_large_library() -> None:
    code = (
        "import sys, kernel.embedding, kernel.embedding.encoder;"
        "print(sorted({'numpy', 'model2vec', 'tokenizers', 'safetensors'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


ODD_TEXTS = {
    "control": "\x00\x01 lave\x07-linge \x1b[31m",
    "emoji": "\U0001f9fa washing machine \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "lone surrogate": "lave-linge \ud800",
    "long": "Waschmaschine " * 7_143,
    "one long word": "a" * 100_000,
    "combining": "e" + "\u0301" * 5_000 + " café",
    "model code": "WW90T534DAW/S2 9kg 1400rpm",
    "right to left": "غسالة ملابس \u202e",
    "numbers": "7.8332E+11",
}


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
def test_odd_texts_give_unit_or_zero_vectors(encoder: Encoder, text: str) -> None:
    assert_unit_or_zero(encoder.encode_one(text))


@pytest.mark.parametrize("text", ["", "   \n\t", "\x00", "\U0001f9ff" * 40])
def test_text_without_a_known_piece_is_the_zero_vector(encoder: Encoder, text: str) -> None:
    assert not encoder.encode_one(text).any()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=5))
def test_any_text_gives_unit_or_zero_vectors(texts: list[str]) -> None:
    vectors = load_encoder().encode(texts)
    assert vectors.shape == (len(texts), 256)
    assert vectors.dtype == np.float32
    for vector in vectors:
        assert_unit_or_zero(vector)


def assert_unit_or_zero(vector: np.ndarray) -> None:
    assert np.isfinite(vector).all()
    norm = float(np.linalg.norm(vector))
    assert norm == pytest.approx(1, abs=1e-5) or norm == 0


def test_a_text_has_the_same_vector_alone_in_a_batch_and_in_threads(encoder: Encoder) -> None:
    texts = [f"{word} {n}" for n in range(900) for word in ("lave-linge", "", "Kühlschrank blau")]
    together = encoder.encode(texts)
    for n in (0, 1, 2, 1_023, 1_024, 2_699):
        np.testing.assert_allclose(together[n], encoder.encode_one(texts[n]), atol=1e-6)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(encoder.encode, [texts] * 16):
            np.testing.assert_array_equal(vectors, together)


def test_vectors_are_those_of_model2vec_itself(encoder: Encoder) -> None:
    from model2vec import StaticModel

    texts = ["Lave-linge frontal 9 kg", "Waschmaschine", "phone case for iPhone 15", ""]
    library = StaticModel.from_pretrained(SHIPPED_MODEL, force_download=False)
    expected = library.encode(texts, use_multiprocessing=False)
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-5)


def test_case_and_accents_do_not_matter(encoder: Encoder) -> None:
    assert similarity(encoder, "RÉFRIGÉRATEUR", "refrigerateur") == pytest.approx(1, abs=1e-5)


# the same thing in two languages, and another thing of the same shelf
NEARER = [
    ("washing machine", "lave-linge", "lave-vaisselle"),
    ("washing machine", "Waschmaschine", "Kaffeemaschine"),
    ("Waschmaschine", "machine à laver", "machine à café"),
    ("fridge", "réfrigérateur", "congélateur"),
    ("refrigerator", "Kühlschrank", "Kleiderschrank"),
    ("téléviseur", "Fernseher", "Lautsprecher"),
    ("headphones", "Kopfhörer", "Lautsprecher"),
    ("keyboard", "clavier", "souris"),
    ("Schuhe", "chaussures", "chaussettes"),
    ("vélo", "Fahrrad", "Motorrad"),
    ("memory card", "carte mémoire", "carte graphique"),
    ("Drucker", "imprimante", "écran"),
]


@pytest.mark.parametrize(("text", "same", "other"), NEARER)
def test_the_same_thing_in_another_language_is_nearer(
    encoder: Encoder, text: str, same: str, other: str
) -> None:
    assert similarity(encoder, text, same) > similarity(encoder, text, other) + 0.1


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "directory"])
def test_a_damaged_file_is_refused_by_name(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "directory":
        path.mkdir()
    elif damage != "missing":
        middle = len(content) // 2
        path.write_bytes(
            {
                "empty": b"",
                "cut": content[:middle],
                "flipped": content[:middle]
                + bytes([content[middle] ^ 0xFF])
                + content[middle + 1 :],
            }[damage]
        )
    with pytest.raises(DomainError) as refused:
        load_encoder(folder)
    assert refused.value.code == "embedding_model_unreadable"
    assert str(path) in refused.value.message


def test_a_folder_that_is_not_there_is_refused_without_a_download(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"nobody/model cannot be used: there is no such folder"):
        load_encoder(tmp_path / "nobody" / "model")


def without_digests(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec"}))


def test_a_model2vec_folder_of_another_origin_is_read(folder: Path, encoder: Encoder) -> None:
    without_digests(folder)
    other = load_encoder(folder)
    np.testing.assert_array_equal(other.encode(["lave-linge"]), encoder.encode(["lave-linge"]))
    assert other.model_id.startswith("model-")


@pytest.mark.parametrize("fault", ["rows", "name", "not finite", "weights"])
def test_a_table_that_does_not_fit_is_refused(folder: Path, fault: str) -> None:
    from safetensors.numpy import load_file, save_file

    without_digests(folder)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    rows, weights = tensors["embeddings"], tensors["weights"]
    if fault == "rows":
        tensors = {"embeddings": rows[:-1].copy(), "weights": weights}
    elif fault == "name":
        tensors = {"vectors": rows}
    elif fault == "weights":
        tensors = {"embeddings": rows, "weights": weights[:-1].copy()}
    else:
        tensors = {"embeddings": rows, "weights": np.full_like(weights, np.nan)}
    save_file(tensors, path)
    with pytest.raises(DomainError, match=r"model\.safetensors"):
        load_encoder(folder)
