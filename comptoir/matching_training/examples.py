"""Sets in the plain form -> rows of evidence with labels, exactly as the matcher sees them.

A set of clusters gives the pairs that the matcher's own search for candidates finds; a set of pairs
gives those. Pairs that something forbids are left out: no model is asked about them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.errors import DomainError
from mdm.evaluation.plain_form import read_clusters, read_offers, read_pairs
from mdm.evaluation.run import Understood, understand
from mdm.match.evidence import Evidence
from mdm.match.neighbours import TitleEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TruthFile:
    """Offers with one statement of what belongs together. `name` is that of the set."""

    name: str
    offers: Path
    truth: Path

    @property
    def is_of_pairs(self) -> bool:
        """Pairs with labels; otherwise clusters."""
        return "pairs" in self.truth.name


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows [n, evidence], labels [n] of 0 and 1, and the product or category that each pair is of:
    what has to stay on one side when a model is validated."""

    source: TruthFile
    rows: NDArray[np.float32]
    labels: NDArray[np.int8]
    groups: NDArray[np.str_]


def truth_files(folder: Path, names: Collection[str] = ()) -> list[TruthFile]:
    """All sets of a folder, or those named: NAME-offers.csv[.gz] with NAME-clusters,
    NAME-train-pairs or NAME-valid-pairs beside it. DomainError `sets_missing` where one lacks."""
    found = []
    for offers in sorted(folder.glob("*-offers.csv*")):
        name, _, ending = offers.name.partition("-offers")
        for kind in ("clusters", "train-pairs", "valid-pairs"):
            truth = folder / f"{name}-{kind}{ending}"
            if truth.exists() and (not names or name in names):
                found.append(TruthFile(name, offers, truth))
    missing = set(names) - {each.name for each in found}
    if missing or not found:
        raise DomainError(
            "sets_missing",
            f"{folder} holds no set {', '.join(sorted(missing))} of offers with its truth.",
            hint="The form of a set is in docs/guides/matching.md.",
        )
    return found


def examples(source: TruthFile, encoder: TitleEncoder) -> Examples:
    """Read one set. Groups are the products of the left offers where clusters are known."""
    import numpy as np

    offers = read_offers(source.offers)
    understood = understand(offers, encoder)
    known = {each.sku for each in offers}
    if source.is_of_pairs:
        stated: Sequence[tuple[str, str, bool]] = [
            (each.left, each.right, each.is_match) for each in read_pairs(source.truth, known)
        ]
        groups = {each: each for each in known}
    else:
        groups = read_clusters(source.truth, known)
        stated = _candidates(understood, groups)
    at = understood.places
    pairs = [each for each in stated if each[0] in at and each[1] in at]
    comparison = understood.matching.among_newcomers()
    rows = comparison.rows([(at[left], at[right]) for left, right, _ in pairs])
    kept = [place for place, row in enumerate(rows) if row is not None]
    return Examples(
        source,
        np.array([rows[place] for place in kept], dtype=np.float32).reshape(-1, _WIDTH),
        np.array([pairs[place][2] for place in kept], dtype=np.int8),
        np.array([groups.get(pairs[place][0], "") for place in kept]),
    )


def fingerprint(source: TruthFile) -> dict[str, str]:
    """By which files a model was taught."""
    return {
        path.name: sha256(path.read_bytes()).hexdigest() for path in (source.offers, source.truth)
    }


_WIDTH = len(Evidence._fields)


def _candidates(
    understood: Understood, clusters: dict[str, str]
) -> Sequence[tuple[str, str, bool]]:
    ids = [each.offer_id for each in understood.newcomers]
    found = sorted(
        (min(ids[left], ids[right]), max(ids[left], ids[right]))
        for left, right in understood.matching.candidates()
    )
    return [
        (left, right, clusters[left] == clusters[right])
        for left, right in found
        if left in clusters and right in clusters
    ]
