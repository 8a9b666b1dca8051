"""Texts are read by the model once, as long as they are remembered; nothing is mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from indexer.remembered_vectors import RememberedVectors
from kernel.embedding.encoder import Encoder


class _Counting:
    """The real encoder, with what it was asked."""

    def __init__(self, encoder: Encoder, model_id: str = "one") -> None:
        self._encoder, self.model_id = encoder, model_id
        self.dimensions = encoder.dimensions
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return self._encoder.encode(texts)


def test_a_text_is_read_once(encoder: Encoder) -> None:
    """Rows are those of the model, in the order asked, doubles and empty texts included."""
    vectors, model = RememberedVectors(), _Counting(encoder)
    asked = cast("Encoder", model)
    texts = ["lampe laiton", "", "bouilloire", "lampe laiton"]
    first = vectors.encode(asked, texts)
    again = vectors.encode(asked, ["bouilloire", "perceuse", *texts])
    assert model.asked == ["lampe laiton", "", "bouilloire", "perceuse"]
    assert np.array_equal(first, encoder.encode(texts))
    assert np.array_equal(again, encoder.encode(["bouilloire", "perceuse", *texts]))
    assert vectors.encode(asked, []).shape == (0, encoder.dimensions)


def test_another_model_is_asked_itself(encoder: Encoder) -> None:
    vectors, one, two = RememberedVectors(), _Counting(encoder), _Counting(encoder, "two")
    for model in (one, two, one):
        vectors.encode(cast("Encoder", model), ["lampe"])
    assert (one.asked, two.asked) == (["lampe"], ["lampe"])


def test_the_least_recently_used_are_forgotten(encoder: Encoder) -> None:
    vectors, model = RememberedVectors(most=3), _Counting(encoder)
    asked = cast("Encoder", model)
    many = ["a1", "b2", "c3", "d4", "e5"]
    assert np.array_equal(vectors.encode(asked, many), encoder.encode(many))
    vectors.encode(asked, ["c3"])
    vectors.encode(asked, ["f6"])
    model.asked.clear()
    vectors.encode(asked, ["c3", "d4", "f6"])
    assert model.asked == ["d4"]
