"""`comptoir match`: how well offers are matched, and why two of them were or were not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Measure the matcher and explain what it decides."""


@command.command("eval")
@click.option("--offers", required=True, type=FILE, help="Offers: CSV with id, title, ...")
@click.option("--pairs", type=FILE, help="Truth as pairs: left_id, right_id, label.")
@click.option("--clusters", type=FILE, help="Truth as clusters: id, cluster.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(offers: Path, pairs: Path | None, clusters: Path | None, as_json: bool) -> None:
    """Run the matcher of ingestion on a set whose truth is known.

    The form of the files is in docs/guides/matching.md; .csv and .csv.gz are both read. Nothing of
    the truth is used but to compare with.
    """
    if (pairs is None) == (clusters is None):
        raise click.UsageError("give either --pairs or --clusters")
    from comptoir.installation import Installation
    from comptoir.progress import bar
    from mdm.evaluation import plain_form
    from mdm.evaluation.run import evaluate_clusters, evaluate_pairs

    encoder = Installation().encoder
    with bar("matching", None) as advance:
        found = plain_form.read_offers(offers)
        known = {each.sku for each in found}

        def progress(_: str) -> None:
            advance(1)

        if pairs is not None:
            labelled = plain_form.read_pairs(pairs, known)
            figures = evaluate_pairs(found, labelled, encoder, progress)
        else:
            assert clusters is not None
            truth = plain_form.read_clusters(clusters, known)
            figures = evaluate_clusters(found, truth, encoder, progress)
    _print(figures, as_json=as_json)


def _print(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name.replace('_', ' '):26} {value}")
