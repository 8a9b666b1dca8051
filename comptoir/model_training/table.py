"""From the teacher's vectors to a table of pieces. In: texts with their teacher's vectors. Out: a
WordPiece tokenizer and one 8-bit row and one weight for each piece. Same input, same table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comptoir.model_training.texts import TrainingText, plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

UNKNOWN = "[UNK]"
DIMENSIONS = 256
_LETTERS = 400


@dataclass(frozen=True, slots=True)
class Recipe:
    """The figures of the recipe; the defaults are those of the shipped model."""

    pieces: int = 66_000
    dimensions: int = DIMENSIONS
    spectrum_power: float = 0.3  # a component is divided by its singular value to this power
    ridge: float = 0.1
    rounds: int = 60
    length_power: float = 0.5  # 1: mean of the pieces; 0.5: their sum over the root of their number
    name_weight: float = 4.0  # how much a text with a meaning counts against a bare word


@dataclass(frozen=True, slots=True)
class Quantised:
    """`rows[i] * weights[i]` is piece i's vector: int8 [pieces, dimensions], float32 [pieces]."""

    rows: NDArray[np.int8]
    weights: NDArray[np.float32]

    def table(self) -> NDArray[np.float32]:
        import numpy as np

        return self.rows.astype(np.float32) * self.weights[:, None]


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


def targets(
    texts: Sequence[TrainingText], taught: NDArray[np.float32], recipe: Recipe
) -> NDArray[np.float32]:
    """The vectors to be learnt: each language's own mean taken away (a word and its translation
    differ by it), one vector for each meaning, reduced to principal components, unit length."""
    import numpy as np

    centred = taught - _group_means(taught, [t.language for t in texts])
    meanings = [t.meaning or f"{n}" for n, t in enumerate(texts)]
    shared = _unit(_group_means(_unit(centred), meanings))
    _, singular, components = np.linalg.svd(_covariance(shared), hermitian=True)
    kept = recipe.dimensions
    scale = (np.sqrt(singular[:kept]) ** -recipe.spectrum_power).astype(np.float32)
    return _unit((shared @ components[:kept].T) * scale)


def _covariance(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    covariance: NDArray[np.float32] = (vectors.T @ vectors) / np.float32(len(vectors))
    return covariance


def _group_means(vectors: NDArray[np.float32], groups: Sequence[str]) -> NDArray[np.float32]:
    """For each row the mean of the rows of its group."""
    import numpy as np

    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.zeros((group.max() + 1, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, group, vectors)
    sums /= np.bincount(group)[:, None]
    return sums[group]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return unit


def fit(
    texts: Sequence[TrainingText],
    wanted: NDArray[np.float32],
    tokenizer: Tokenizer,
    recipe: Recipe,
    progress: Callable[[str], None] = lambda _: None,
) -> NDArray[np.float32]:
    """The table whose mean over a text's pieces comes nearest to the wanted vector (ridge).

    Pieces are damped by the root of their document frequency, so that the ridge holds back the
    common ones. Solved for all dimensions at once by conjugate gradients; float32
    [pieces, dimensions]."""
    import numpy as np
    from scipy import sparse

    counts, unknown = _piece_counts(texts, tokenizer, recipe)
    damping = 1 / np.sqrt(np.maximum(counts.astype(bool).sum(axis=0).A1, 1)).astype(np.float32)
    damped = sparse.csr_matrix(counts @ sparse.diags(damping.astype(np.float32)))
    importance = np.array([recipe.name_weight if t.meaning else 1.0 for t in texts], np.float32)
    weighted = sparse.csr_matrix(damped.multiply(importance[:, None]))
    right = weighted.T @ wanted
    solution = _conjugate_gradients(damped, weighted.T.tocsr(), right, recipe, progress)
    table: NDArray[np.float32] = (solution * damping[:, None]).astype(np.float32)
    table[unknown] = 0
    return table


def _piece_counts(
    texts: Sequence[TrainingText], tokenizer: Tokenizer, recipe: Recipe
) -> tuple[Any, int]:
    """Sparse [texts, pieces]: how often a piece stands in a text, over its length to a power."""
    import numpy as np
    from scipy import sparse

    unknown = tokenizer.get_vocab()[UNKNOWN]
    encoded = tokenizer.encode_batch_fast([t.text for t in texts], add_special_tokens=False)
    ids = [[i for i in e.ids if i != unknown] for e in encoded]
    lengths = np.array([len(i) for i in ids])
    columns = np.fromiter((i for row in ids for i in row), dtype=np.int64, count=lengths.sum())
    rows = np.repeat(np.arange(len(ids)), lengths)
    values = np.repeat(np.maximum(lengths, 1).astype(np.float32) ** -recipe.length_power, lengths)
    shape = (len(texts), tokenizer.get_vocab_size())
    return sparse.csr_matrix((values, (rows, columns)), shape=shape), unknown


def _conjugate_gradients(
    left: Any,
    transposed: Any,
    right: NDArray[np.float32],
    recipe: Recipe,
    progress: Callable[[str], None],
) -> NDArray[np.float32]:
    import numpy as np

    solution = np.zeros_like(right)
    residual = right.copy()
    direction = residual.copy()
    energy = np.einsum("ij,ij->j", residual, residual)
    for step in range(recipe.rounds):
        image = transposed @ (left @ direction) + recipe.ridge * direction
        length = energy / np.maximum(np.einsum("ij,ij->j", direction, image), 1e-20)
        solution += length * direction
        residual -= length * image
        after = np.einsum("ij,ij->j", residual, residual)
        direction = residual + (after / np.maximum(energy, 1e-20)) * direction
        energy = after
        if step % 20 == 19:
            progress(f"ridge: round {step + 1} of {recipe.rounds}")
    return solution


def quantise(table: NDArray[np.float32]) -> Quantised:
    """Eight bits a number, with a scale of its own for each row."""
    import numpy as np

    weights = np.maximum(np.abs(table).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    rows = np.rint(table / weights[:, None]).astype(np.int8)
    return Quantised(rows, weights)
