"""The vectors to be learnt, from what two teachers say. In: texts, their rows of the first teacher,
the English ones' rows of the second. Out: float32 unit vectors, one for each text; texts of one
meaning share one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from comptoir.model_training.table import Recipe
from comptoir.model_training.texts import TITLE, TrainingText, readings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_RIDGE = 0.002  # of the map from the first teacher to the second, for each text
_GUESS = 0.8  # the length of a guessed row against a taught one


def first_rows(
    texts: Sequence[TrainingText], said: NDArray[Any], place: Mapping[str, int]
) -> Floats:
    """The mean of each text's readings, each language's own mean taken away: a word and its
    translation differ by it. `said[place[reading]]` is the teacher's row; float32 unit rows."""
    import numpy as np

    languages = np.array([t.language for t in texts])
    each = [readings(t) for t in texts]
    rows = centred(said[[place[r[0]] for r in each]].astype(np.float32), languages)
    again = np.flatnonzero([len(r) > 1 for r in each])
    if again.size:
        second = said[[place[each[n][-1]] for n in again]].astype(np.float32)
        rows[again] = unit(rows[again] + centred(second, languages[again]))
    return rows


def centred(rows: Floats, groups: NDArray[Any]) -> Floats:
    """Unit rows after the mean of each group is taken away."""
    for group in sorted(set(groups.tolist())):
        chosen = groups == group
        rows[chosen] -= rows[chosen].mean(axis=0)
    return unit(rows)


def second_rows(
    texts: Sequence[TrainingText], first: Floats, said: NDArray[Any], place: Mapping[str, int]
) -> Floats:
    """What the second teacher, who knows English only, says of each text: of an English text (or
    title) its own row; of a text with a meaning the row of the meaning's English words; of any
    other text a guess from the first teacher's row, by a linear map learnt on those it said."""
    import numpy as np

    known = [
        n for n, t in enumerate(texts) if t.language in ("en", TITLE) and t.text.lower() in place
    ]
    taught = said[[place[texts[n].text.lower()] for n in known]].astype(np.float32)
    taught = centred(taught, np.zeros(len(known)))
    seen = first[known]
    square = seen.T @ seen + np.eye(first.shape[1], dtype=np.float32) * (_RIDGE * len(known))
    rows = unit(first @ np.linalg.solve(square, seen.T @ taught)) * np.float32(_GUESS)
    rows[known] = taught
    by_meaning: dict[str, list[int]] = {}
    for row, n in enumerate(known):
        if texts[n].meaning:
            by_meaning.setdefault(texts[n].meaning, []).append(row)
    shared = {meaning: taught[rows].mean(axis=0) for meaning, rows in by_meaning.items()}
    for n, text in enumerate(texts):
        if text.meaning in shared:
            rows[n] = shared[text.meaning]
    result: Floats = rows
    return result


def targets(
    texts: Sequence[TrainingText], first: Floats, second: Floats | None, recipe: Recipe
) -> Floats:
    """Both teachers' rows side by side, one vector for each meaning, reduced to principal
    components that are brought nearer to one size, unit length."""
    import numpy as np

    both = first
    if second is not None:
        both = unit(np.hstack([first, np.float32(recipe.second_weight) * second]))
    shared = _mean_of_meaning(both, texts)
    sizes, components = np.linalg.eigh(_covariance(shared))
    kept = slice(None, -recipe.dimensions - 1, -1)
    components = components[:, kept]
    # an eigenvector's sign is a library's whim
    strongest = np.abs(components).argmax(axis=0)
    components = components * np.sign(components[strongest, np.arange(components.shape[1])])
    scale = np.maximum(sizes[kept], 1e-12) ** (-recipe.spectrum_power / 2)
    return unit(shared @ (components * scale).astype(np.float32))


def _covariance(rows: Floats) -> NDArray[np.float64]:
    import numpy as np

    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), 16_384):
        part = rows[start : start + 16_384]
        total += part.T @ part
    covariance: NDArray[np.float64] = total / len(rows)
    return covariance


def _mean_of_meaning(rows: Floats, texts: Sequence[TrainingText]) -> Floats:
    import numpy as np

    numbers: dict[str, int] = {}
    group = [numbers.setdefault(t.meaning or f"#{n}", len(numbers)) for n, t in enumerate(texts)]
    sums = np.zeros((len(numbers), rows.shape[1]), np.float32)
    np.add.at(sums, group, rows)
    return unit(sums)[group]


def unit(rows: Floats) -> Floats:
    """Each row at length 1; a row of zeros stays one."""
    import numpy as np

    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    result: Floats = rows / np.maximum(lengths, 1e-9)[:, None]
    return result
