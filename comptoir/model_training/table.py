"""From targets to a table of pieces by ridge regression. In: texts with the vectors they shall
have. Out: one 8-bit row and one weight for each piece. Same input, same table, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from comptoir.model_training.encodings import Progress
from comptoir.model_training.pieces import marks_and_figures
from comptoir.model_training.texts import SEED, TITLE, TrainingText

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

DIMENSIONS = 256


@dataclass(frozen=True, slots=True)
class Recipe:
    """The figures of the recipe; the defaults are those of the shipped model."""

    pieces: int = 68_000
    dimensions: int = DIMENSIONS
    second_weight: float = 1.0  # how much the second teacher counts against the first
    spectrum_power: float = 0.3  # a component is divided by its singular value to this power
    ridge: float = 0.1
    rounds: int = 45
    length_power: float = 0.5  # 1: mean of the pieces; 0.5: their sum over the root of their number
    name_weight: float = 4.0  # how much a text with a meaning counts against a bare word
    title_weight: float = 3.0  # the same of a merchant's title
    figure_weight: float = 0.6  # what is left of a piece with a figure in it: sizes, model codes
    evenness: float = 0.1  # a row is divided by its length to this power
    identity: float = 0.1  # length of the direction of its own that each piece gets besides


@dataclass(frozen=True, slots=True)
class Quantised:
    """`rows[i] * weights[i]` is piece i's vector: int8 [pieces, dimensions], float32 [pieces]."""

    rows: NDArray[np.int8]
    weights: NDArray[np.float32]

    def table(self) -> NDArray[np.float32]:
        import numpy as np

        return self.rows.astype(np.float32) * self.weights[:, None]


def fit(
    texts: Sequence[TrainingText],
    wanted: NDArray[np.float32],
    tokenizer: Tokenizer,
    recipe: Recipe,
    progress: Progress = lambda *_: None,
) -> NDArray[np.float32]:
    """The table whose sum over a text's pieces comes nearest to the wanted vector (ridge).

    Pieces are damped by the root of their document frequency, so that the ridge holds back the
    common ones; punctuation says nothing and stays zero. Solved for all dimensions at once by
    conjugate gradients; float32 [pieces, dimensions]."""
    import numpy as np
    from scipy import sparse

    marks, figures = marks_and_figures(tokenizer)
    counts = _piece_counts(texts, tokenizer, marks, recipe)
    damping = 1 / np.sqrt(np.maximum(np.bincount(counts.indices, minlength=len(marks)), 1))
    damped = sparse.csr_matrix(counts @ sparse.diags(damping.astype(np.float32)))
    importance = np.array([_importance(text, recipe) for text in texts], np.float32)
    weighted = sparse.csr_matrix(sparse.diags(importance) @ damped).T.tocsr()
    solution = _solve(damped, weighted, wanted, recipe, progress)
    table: NDArray[np.float32] = solution * damping[:, None].astype(np.float32)
    table[figures] *= np.float32(recipe.figure_weight)
    table = _recognisable(table, recipe)
    table[marks] = 0
    return table


def _importance(text: TrainingText, recipe: Recipe) -> float:
    if text.language == TITLE:
        return recipe.title_weight
    return recipe.name_weight if text.meaning else 1.0


def _recognisable(table: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    """Rows of more even length, each with a direction of its own: a maker's name or a model that no
    teacher knows still counts where it is the same on both sides."""
    import numpy as np

    lengths = np.sqrt(np.einsum("ij,ij->i", table, table))[:, None]
    even = table / np.maximum(lengths, 1e-6) ** np.float32(recipe.evenness)
    draw = np.random.default_rng(SEED)
    own = draw.standard_normal(table.shape, dtype=np.float32)
    own /= np.sqrt(np.einsum("ij,ij->i", own, own))[:, None]
    recognisable: NDArray[np.float32] = even + np.float32(recipe.identity) * own
    return recognisable


def _piece_counts(
    texts: Sequence[TrainingText], tokenizer: Tokenizer, marks: NDArray[np.bool_], recipe: Recipe
) -> Any:
    """Sparse [texts, pieces]: how often a piece stands in a text, over its length to a power."""
    import numpy as np
    from scipy import sparse

    encoded = tokenizer.encode_batch_fast([t.text for t in texts], add_special_tokens=False)
    ids = [[i for i in e.ids if not marks[i]] for e in encoded]
    lengths = np.array([len(i) for i in ids])
    columns = np.fromiter((i for row in ids for i in row), dtype=np.int64, count=lengths.sum())
    rows = np.repeat(np.arange(len(ids)), lengths)
    values = np.repeat(np.maximum(lengths, 1).astype(np.float32) ** -recipe.length_power, lengths)
    counts = sparse.csr_matrix((values, (rows, columns)), shape=(len(texts), len(marks)))
    counts.sum_duplicates()
    return counts


def _solve(
    left: Any, transposed: Any, wanted: NDArray[np.float32], recipe: Recipe, progress: Progress
) -> NDArray[np.float32]:
    """Two halves of the dimensions on two threads: they have no number in common, so which of them
    is ahead changes nothing."""
    import numpy as np

    halves = np.array_split(wanted, 2, axis=1)
    quiet: Progress = lambda *_: None  # noqa: E731
    with ThreadPoolExecutor(max_workers=2) as threads:
        solved = threads.map(
            lambda half, tell: _conjugate_gradients(left, transposed, half, recipe, tell),
            halves,
            (progress, quiet),
        )
        whole: NDArray[np.float32] = np.hstack(list(solved))
    return whole


def _conjugate_gradients(
    left: Any,
    transposed: Any,
    wanted: NDArray[np.float32],
    recipe: Recipe,
    progress: Progress,
) -> NDArray[np.float32]:
    import numpy as np

    residual: NDArray[np.float32] = transposed @ np.ascontiguousarray(wanted)
    solution: NDArray[np.float32] = np.zeros_like(residual)
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
        progress("ridge: rounds", step + 1, recipe.rounds)
    return solution


def quantise(table: NDArray[np.float32]) -> Quantised:
    """Eight bits a number, with a scale of its own for each row."""
    import numpy as np

    weights = np.maximum(np.abs(table).max(axis=1), 1e-12).astype(np.float32) / np.float32(127)
    rows = np.rint(table / weights[:, None]).astype(np.int8)
    return Quantised(rows, weights)
