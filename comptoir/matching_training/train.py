"""Gradient-boosted trees on rows of evidence, written as the JSON file that the matcher reads.

Seeds, threads and order are fixed: the same sets give the same file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from comptoir.matching_training.examples import Examples, TruthFile, examples, fingerprint
from kernel.errors import DomainError
from mdm.match.ensemble import FORMAT
from mdm.match.evidence import Evidence
from mdm.match.neighbours import TitleEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TREES = 150
DEPTH = 6
PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "num_leaves": 24,
    "max_depth": DEPTH,
    "learning_rate": 0.08,
    "min_data_in_leaf": 80,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.6,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "seed": 20261122,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
# A set with many pairs teaches no more than one with so many.
MOST_PAIRS = 25_000
# More of these can only speak for one product, or only against: no set may teach otherwise. What
# a set taught against it (a maker named by both) cost most on sets that were left out.
_FOR = {
    "pieces_alike", "words_alike", "words_contained", "rarest_code_shared",
    "rarest_whole_code_shared", "code_beginning_shared", "code_in_description", "meaning",
    "same_manufacturer", "same_capacity", "same_colour", "quantities_equal", "model_words_shared",
    "numbers_in_common", "figures_in_common", "letters_alike", "described_in_common",
}  # fmt: skip
_AGAINST = {
    "quantities_unequal", "code_unmatched_on_both_sides", "code_unmatched_on_one_side",
    "numbers_differ", "numbers_unmatched", "rarest_number_differs", "packs_differ",
    "bundle_differs", "accessory_differs", "model_words_differ", "words_left_over_less",
    "rarest_left_over_less", "rarest_left_over_more",
}  # fmt: skip


def weighed(
    sources: Sequence[TruthFile], encoder: TitleEncoder, advance: Callable[[int], None]
) -> list[tuple[Examples, float]]:
    """Examples of each statement of truth with its weight: the root of its size, so that no large
    set speaks for all. `advance` is told of each."""
    parts = []
    for source in sources:
        found = examples(source, encoder)
        parts.append((found, round(min(25.0, math.sqrt(len(found.labels)) / 4), 1)))
        advance(1)
    return parts


def fit(parts: Sequence[tuple[Examples, float]]) -> Any:
    """Train on sets with weights: each counts as if it had that many thousand pairs."""
    import numpy as np

    lightgbm = lightgbm_module()
    kept = [_kept(part) for part, _ in parts]
    weights = [
        np.full(len(labels), 1000 * weight / len(labels))
        for (_, labels), (_, weight) in zip(kept, parts, strict=True)
    ]
    signs = [1 if name in _FOR else -1 if name in _AGAINST else 0 for name in Evidence._fields]
    data = lightgbm.Dataset(
        np.concatenate([rows for rows, _ in kept]),
        np.concatenate([labels for _, labels in kept]),
        weight=np.concatenate(weights),
        feature_name=list(Evidence._fields),
    )
    parameters = {**PARAMETERS, "monotone_constraints": signs}
    return lightgbm.train(parameters, data, num_boost_round=TREES)


def write(model: Any, path: Path, parts: Sequence[tuple[Examples, float]]) -> None:
    """Write the trees, one a line, with what they were made from."""
    trees = [_nodes(tree["tree_structure"]) for tree in model.dump_model()["tree_info"]]
    head = {
        "format": FORMAT,
        "made_from": [_told(part, weight) for part, weight in parts],
        "names": list(Evidence._fields),
        "base": 0.0,
        "depth": DEPTH,
    }
    lines = b",\n".join(orjson.dumps(tree) for tree in trees)
    start = orjson.dumps(head, option=orjson.OPT_INDENT_2).removesuffix(b"\n}")
    path.write_bytes(start + b',\n  "trees": [\n' + lines + b"\n]}\n")


def predict(model: Any, rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log odds of each row."""
    found: NDArray[np.float64] = model.predict(rows, raw_score=True, num_threads=1)
    return found


def _told(part: Examples, weight: float) -> dict[str, Any]:
    return {
        "set": part.source.name,
        "pairs": len(part.labels),
        "of_one_product": int(part.labels.sum()),
        "weight": weight,
        "sha256": fingerprint(part.source),
    }


def _kept(part: Examples) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    import numpy as np

    if len(part.labels) <= MOST_PAIRS:
        return part.rows, part.labels
    chosen = np.random.default_rng(0).choice(len(part.labels), MOST_PAIRS, replace=False)
    return part.rows[chosen], part.labels[chosen]


def _nodes(root: Mapping[str, Any]) -> list[list[float]]:
    """A tree as rows [column, threshold, below, above, value]; a leaf leads to itself."""
    rows: list[list[float]] = []

    def add(node: Mapping[str, Any]) -> int:
        place = len(rows)
        rows.append([])
        if "leaf_value" in node:
            rows[place] = [0, 0.0, place, place, round(node["leaf_value"], 5)]
            return place
        below, above = add(node["left_child"]), add(node["right_child"])
        threshold = float(f"{node['threshold']:.7g}")
        rows[place] = [
            node["split_feature"],
            threshold,
            below,
            above,
            round(node["internal_value"], 5),
        ]
        return place

    add(root)
    return rows


def lightgbm_module() -> Any:
    """The library of the trees. DomainError `training_needs_library` where it cannot be loaded."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        # OSError: the wheel leaves out what most machines have, GNU's library for threads.
        raise DomainError(
            "training_needs_library",
            f"Learning needs lightgbm, which cannot be loaded here: {error}",
            hint="Install Comptoir again; where libgomp is missing: apt-get install libgomp1",
        ) from error
    return lightgbm
