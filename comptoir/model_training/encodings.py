"""What a teacher says of many texts, kept on the disk part by part. In: texts, a teacher, a work
folder. Out: one row for each text. A run that was killed goes on after the last whole part; the
rows are the same as those of a run in one go."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Progress = Callable[[str, int, int], None]

PART = 4_096


class Teacher(Protocol):
    """Texts -> float32 unit vectors `width` wide. `name` changes with what it says."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    def __call__(self, texts: Sequence[str], /) -> NDArray[np.float32]: ...


def encodings(
    teacher: Teacher, texts: Sequence[str], work: Path, progress: Progress
) -> NDArray[np.float16]:
    """float16 [texts, width]: as exact as the teacher is, and the same on a second run.

    Raises ValueError where the teacher returns numbers that are not finite."""
    import numpy as np

    work.mkdir(parents=True, exist_ok=True)
    # sorted by length: an encoder that pads nothing is faster on texts alike
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
    said = np.zeros((len(texts), teacher.width), dtype=np.float16)
    for start in range(0, len(order), PART):
        chosen = order[start : start + PART]
        progress(f"{teacher.name}: texts", start, len(order))
        said[chosen] = _part(teacher, [texts[i] for i in chosen], work)
    progress(f"{teacher.name}: texts", len(order), len(order))
    return said


def _part(teacher: Teacher, texts: list[str], work: Path) -> NDArray[np.float16]:
    """The rows of one part, from the disk where a former run left them."""
    import numpy as np

    told = "\0".join([teacher.name, *texts]).encode("utf-8", "replace")
    path = work / f"{teacher.name}-{hashlib.sha256(told).hexdigest()[:24]}.npy"
    if (kept := _kept(path, (len(texts), teacher.width))) is not None:
        return kept
    rows = teacher(texts)
    if not np.isfinite(rows).all():
        raise ValueError(f"{teacher.name} returned numbers that are not finite")
    halves = rows.astype(np.float16)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with unfinished.open("wb") as stream:
        np.save(stream, halves)
    unfinished.replace(path)
    return halves


def _kept(path: Path, shape: tuple[int, int]) -> NDArray[np.float16] | None:
    """None where there is no such part, or not a whole one."""
    import numpy as np

    try:
        rows: NDArray[np.float16] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = rows.shape == shape and rows.dtype == np.float16 and bool(np.isfinite(rows).all())
    return rows if whole else None
