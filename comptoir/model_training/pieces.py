"""The pieces a text is cut into: a WordPiece tokenizer learnt on the distinct training texts. In:
texts. Out: a tokenizer; the same texts give the same pieces in the same order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from comptoir.model_training.texts import plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

UNKNOWN = "[UNK]"
_LETTERS = 400


def learn_tokenizer(texts: Iterable[str], pieces: int) -> Tokenizer:
    """WordPiece over lower-cased text without accents, learnt on the distinct texts, sorted.

    The trainer breaks ties by the order in which it first met a letter, and that differs from run
    to run; so every letter is made known to it beforehand, and the vocabulary is put in order."""
    from tokenizers import Tokenizer, models, trainers

    learnt = sorted(set(texts))
    letters = _letters(learnt)
    tokenizer = _around(Tokenizer(models.WordPiece(unk_token=UNKNOWN)))
    trainer = trainers.WordPieceTrainer(
        vocab_size=pieces,
        special_tokens=[UNKNOWN, *(f"##{c}" for c in letters)],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        min_frequency=1,
        show_progress=False,
    )
    tokenizer.train_from_iterator(learnt, trainer)
    vocabulary = [UNKNOWN, *sorted(set(tokenizer.get_vocab()) - {UNKNOWN})]
    numbered = {piece: number for number, piece in enumerate(vocabulary)}
    return _around(Tokenizer(models.WordPiece(numbered, unk_token=UNKNOWN)))


def _around(tokenizer: Tokenizer) -> Tokenizer:
    from tokenizers import normalizers, pre_tokenizers

    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _letters(texts: Sequence[str]) -> list[str]:
    """The most frequent characters of the texts as the tokenizer sees them, in order."""
    counts = Counter(c for text in texts for c in plain(text) if not c.isspace())
    frequent = sorted(counts, key=lambda c: (-counts[c], c))[:_LETTERS]
    return sorted(frequent)


def in_order(tokenizer: Tokenizer) -> list[str]:
    """Piece i of the tokenizer at place i."""
    numbered: dict[str, int] = tokenizer.get_vocab()
    return sorted(numbered, key=lambda piece: numbered[piece])


def marks_and_figures(tokenizer: Tokenizer) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pieces have neither letter nor figure, and which have a figure: bool [pieces] each."""
    import numpy as np

    pieces = in_order(tokenizer)
    marks = [piece == UNKNOWN or not any(c.isalnum() for c in piece) for piece in pieces]
    return np.array(marks), np.array([any(c.isdigit() for c in piece) for piece in pieces])
