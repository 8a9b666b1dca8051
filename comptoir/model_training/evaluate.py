"""How well a model finds a category's name in another language. In: a taxonomy, a model folder.
Out: R@1 and R@10 over the ids that were held out of the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comptoir.model_training.texts import LANGUAGES, Taxonomy, read_taxonomy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

DIRECTIONS = (*((language, "en") for language in LANGUAGES if language != "en"),
              ("fr", "de"), ("de", "fr"))  # fmt: skip

# The first trial of the recipe, on another half of the same taxonomy: where the bar was set.
FIRST_TRIAL: Mapping[tuple[str, str], tuple[float, float]] = {
    ("fr", "en"): (0.543, 0.764),
    ("de", "en"): (0.484, 0.723),
    ("es", "en"): (0.577, 0.787),
    ("it", "en"): (0.564, 0.777),
    ("nl", "en"): (0.514, 0.741),
    ("pl", "en"): (0.412, 0.662),
    ("fr", "de"): (0.343, 0.585),
}


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of names whose counterpart is the nearest (`at_1`) or among the ten nearest."""

    at_1: float
    at_10: float
    names: int


def recall(encode: Encode, taxonomy: Taxonomy, source: str, target: str) -> Recall:
    """Each held-out name of the source language against all held-out names of the target language.

    A candidate equally near as the right one is not counted against it: equal names exist."""
    import numpy as np

    ids = sorted(i for i in taxonomy.held_out if {source, target} <= taxonomy.names[i].keys())
    asked = encode([taxonomy.names[i][source] for i in ids])
    candidates = encode([taxonomy.names[i][target] for i in ids])
    cosine = asked @ candidates.T
    right = cosine.diagonal()
    ahead = (cosine > right[:, None] + 1e-6).sum(axis=1)
    return Recall(float(np.mean(ahead < 1)), float(np.mean(ahead < 10)), len(ids))


def report(encoders: Mapping[str, Encode], taxonomy: Taxonomy) -> str:
    """A Markdown table: one row a direction, R@1 / R@10 of each encoder beside the first trial."""
    lines = [
        f"| held-out names | first trial | {' | '.join(encoders)} |",
        "| --- " * (len(encoders) + 2) + "|",
    ]
    for source, target in DIRECTIONS:
        found = [recall(encode, taxonomy, source, target) for encode in encoders.values()]
        bar = FIRST_TRIAL.get((source, target))
        cells = [f"{bar[0]:.3f} / {bar[1]:.3f}" if bar else "-"]
        cells += [f"{r.at_1:.3f} / {r.at_10:.3f}" for r in found]
        lines.append(f"| {source} -> {target} ({found[0].names}) | {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@click.option("--taxonomy", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--model", type=click.Path(path_type=Path, exists=True), help="default: the shipped")
@click.option("--teacher", is_flag=True, help="the teacher too (needs the extra packages)")
def main(taxonomy: Path, model: Path | None, teacher: bool) -> None:
    """Print the recall of a model on the held-out half of the taxonomy."""
    from kernel.embedding.encoder import load_encoder

    encoder = load_encoder(model)
    encoders: dict[str, Encode] = {encoder.model_id: encoder.encode}
    if teacher:
        from comptoir.model_training.teacher import teach

        encoders["teacher"] = teach
    click.echo(report(encoders, read_taxonomy(taxonomy)))


if __name__ == "__main__":
    main()
