"""The shipped file means the same to sentence-transformers and model2vec as it does to us."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from comptoir.model_training.evaluate import read_everyday
from kernel.embedding.encoder import SHIPPED_MODEL, load_encoder

HOSTILE = [
    "RÉFRIGÉRATEUR combiné 300 L",
    "x \U0001f9fa y",
    "\x00\x01 lave\x07-linge \x1b[31m",
    "tab\tand\nline\r\nand\u00a0blank\u2003wide\x1cseparator",
    "e\u0301\u0301\u0301 cafe\u0301 ﬁne Ⅷ ½ ＦＵＬＬ",
    "غسالة ملابس 洗濯機 стиральная машина 세탁기",
    "WW90T534DAW/S2 9kg 1400rpm (2023) [new] {b} #5 50% €1.299,00",
    "İstanbul straße ǅungla Ωmega ΣΑΣ ς",
    "a" * 99,
    "a" * 101 + " lamp",
    "  leading   and  many   blanks  ",
    "zz\u200bzero\u200dwidth\ufeff \u202eright",
]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    words = [word for meaning in read_everyday() for said in meaning.values() for word in said]
    titles = [f"{one} {other} 500 W" for one, other in zip(words, words[7:], strict=False)]
    return [*words, *titles, *HOSTILE]


def agreement(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cosine of each pair; 1 where neither of the two has a direction."""
    lengths = np.linalg.norm(theirs, axis=1)
    blank = (lengths < 1e-6) & ~ours.any(axis=1)
    cosines: NDArray[np.float32] = np.einsum("ij,ij->i", ours, theirs) / np.where(
        lengths < 1e-6, 1, lengths
    )
    cosines[blank] = 1
    return cosines


@pytest.mark.parametrize("way", ["load", "from_model2vec"])
def test_static_embedding_gives_our_vectors(texts: list[str], way: str) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    module = getattr(StaticEmbedding, way)(str(SHIPPED_MODEL))
    theirs = SentenceTransformer(modules=[module]).encode(texts, show_progress_bar=False)
    ours = load_encoder().encode(texts)
    assert len(texts) > 500
    assert agreement(ours, np.asarray(theirs, np.float32)).min() >= 0.9999


def test_model2vec_gives_our_vectors(texts: list[str]) -> None:
    from model2vec import StaticModel

    library = StaticModel.from_pretrained(SHIPPED_MODEL, force_download=False)
    theirs = library.encode(texts, use_multiprocessing=False)
    assert agreement(load_encoder().encode(texts), theirs).min() >= 0.9999


def test_our_file_as_a_sentence_transformers_folder(texts: list[str], tmp_path: Path) -> None:
    """Saved by the library and named by the setting, it is another id with the same vectors."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    module = StaticEmbedding.load(str(SHIPPED_MODEL))
    SentenceTransformer(modules=[module]).save(str(tmp_path / "saved"))
    saved, shipped = load_encoder(str(tmp_path / "saved")), load_encoder()
    assert saved.model_id != shipped.model_id
    assert saved.model_id.startswith("saved-")
    assert saved.dimensions == shipped.dimensions
    assert agreement(shipped.encode(texts), saved.encode(texts)).min() >= 0.9999
