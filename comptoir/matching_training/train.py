"""Gradient-boosted trees on rows of evidence, written as the JSON file that the matcher reads.

Seeds, threads and order are fixed: the same sets give the same file. Needs the extra `models`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from comptoir.matching_training.examples import Examples
from kernel.errors import DomainError
from mdm.match.ensemble import FORMAT
from mdm.match.evidence import Evidence

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
    "seed": 20261122,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
# More of these can only speak for one product, or only against: no set may teach otherwise.
_FOR = {"pieces_alike", "rarest_code_shared", "meaning", "same_manufacturer", "same_capacity"}
_AGAINST = {"quantities_unequal", "code_unmatched_on_both_sides", "numbers_differ"}


def fit(parts: Sequence[tuple[Examples, float]]) -> Any:
    """Train on sets with weights: each counts as if it had that many thousand pairs."""
    import numpy as np

    lightgbm = _lightgbm()
    rows = np.concatenate([part.rows for part, _ in parts])
    labels = np.concatenate([part.labels for part, _ in parts])
    weights = np.concatenate(
        [np.full(len(part.labels), 1000 * weight / len(part.labels)) for part, weight in parts]
    )
    signs = [1 if name in _FOR else -1 if name in _AGAINST else 0 for name in Evidence._fields]
    data = lightgbm.Dataset(
        rows, labels, weight=weights, feature_name=list(Evidence._fields), free_raw_data=False
    )
    parameters = {**PARAMETERS, "monotone_constraints": signs}
    return lightgbm.train(parameters, data, num_boost_round=TREES)


def write(model: Any, path: Path, made_from: Mapping[str, Any]) -> None:
    """Write the trees, one a line, with what they were made from."""
    dump = model.dump_model()
    trees = [_nodes(tree["tree_structure"]) for tree in dump["tree_info"]]
    head = {
        "format": FORMAT,
        "made_from": made_from,
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


def _nodes(root: Mapping[str, Any]) -> list[list[float]]:
    """A tree as rows [column, threshold, below, above, value]; a leaf leads to itself."""
    rows: list[list[float]] = []

    def add(node: Mapping[str, Any]) -> int:
        place = len(rows)
        rows.append([])
        if "leaf_value" in node:
            rows[place] = [0, 0.0, place, place, round(node["leaf_value"], 6)]
            return place
        below, above = add(node["left_child"]), add(node["right_child"])
        rows[place] = [
            node["split_feature"],
            node["threshold"],
            below,
            above,
            round(node["internal_value"], 6),
        ]
        return place

    add(root)
    return rows


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise DomainError(
            "training_needs_models",
            "Training the matcher needs lightgbm, which a plain installation does not have.",
            hint="Install the extra: pip install 'comptoir[models]'",
        ) from error
    return lightgbm
