"""`comptoir match`: how well offers are matched, why two of them were or were not, training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comptoir.new_file import NewFile

if TYPE_CHECKING:
    from mdm.evaluation.plain_form import LabelledPair
    from mdm.evaluation.run import Progress
    from mdm.match.ensemble import Ensemble
    from mdm.raw_offer import RawOffer

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def command() -> None:
    """Measure the matcher, explain what it decides, train its score again."""


@command.command("eval")
@click.option("--offers", required=True, type=FILE, help="Offers: CSV with id, title, ...")
@click.option("--pairs", type=FILE, help="Truth as pairs: left_id, right_id, label.")
@click.option("--clusters", type=FILE, help="Truth as clusters: id, cluster.")
@click.option("--train-pairs", type=FILE, help="Learn from these pairs of the set first.")
@click.option("--valid-pairs", type=FILE, help="Choose the threshold by these pairs.")
@click.option("--model", type=FILE, help="Another model than the shipped one (match train).")
@AS_JSON
def evaluate(
    offers: Path,
    pairs: Path | None,
    clusters: Path | None,
    train_pairs: Path | None,
    valid_pairs: Path | None,
    model: Path | None,
    as_json: bool,
) -> None:
    """Run the matcher of ingestion on a set whose truth is known.

    The form of the files is in docs/guides/matching.md; .csv and .csv.gz are both read. Without
    --train-pairs nothing of the truth is used but to compare with; with it a model of the set's
    own is learnt first.
    """
    if (pairs is None) == (clusters is None):
        raise click.UsageError("give either --pairs or --clusters")
    if train_pairs is not None and (pairs is None or model is not None):
        raise click.UsageError("--train-pairs goes with --pairs, and without --model")
    if valid_pairs is not None and train_pairs is None:
        raise click.UsageError("--valid-pairs goes with --train-pairs")
    from comptoir.progress import stages
    from mdm.evaluation.plain_form import read_offers

    # Whoever reads both streams as one finds the figures alone.
    with stages(says_lines=False) as progress:
        found = read_offers(offers)
        if train_pairs is not None:
            assert pairs is not None
            figures = _of_own_split(found, train_pairs, valid_pairs, pairs, progress)
        else:
            figures = _of_matcher(found, pairs, clusters, _read_model(model), progress)
    _print(figures, as_json=as_json)


@command.command()
@click.argument("offer")
@click.argument("other")
@click.option("--offers", type=FILE, help="A CSV of offers; ids are its ids.")
@AS_JSON
def explain(offer: str, other: str, offers: Path | None, as_json: bool) -> None:
    """Tell why two offers are, or are not, of one product.

    OFFER and OTHER are ids of offers of this installation, or of a file in the plain form. Rarity
    of words is that of the installation's offers, or of the file.
    """
    from comptoir.installation import Installation
    from comptoir.match_explanation import in_words, of_file, of_installation

    installation = Installation()
    if offers is not None:
        told = of_file(offers, offer, other, installation.encoder)
    else:
        told = of_installation(installation, offer, other)
    if as_json:
        import json

        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in in_words(told):
        click.echo(line)


@command.command()
@click.option("--sets", required=True, type=FOLDER, help="Sets in the plain form.")
@click.option("--learn", multiple=True, help="Learn from this set only (can be repeated).")
@click.option("--out", required=True, type=NewFile())
def train(sets: Path, learn: tuple[str, ...], out: Path) -> None:
    """Train the score of titles on sets of offers, into one JSON file.

    A set is NAME-offers.csv with NAME-clusters.csv, NAME-train-pairs.csv or NAME-valid-pairs.csv
    beside it. The same files give the same model.
    """
    from comptoir.installation import Installation
    from comptoir.matching_training.examples import truth_files
    from comptoir.matching_training.train import fit, weighed, write
    from comptoir.progress import bar

    sources = truth_files(sets, learn)
    encoder = Installation().encoder
    with bar("reading", len(sources), "statements of truth") as advance:
        parts = weighed(sources, encoder, advance)
    write(fit(parts), out, parts)
    click.echo(f"{out}: learnt from {sum(len(part.labels) for part, _ in parts)} pairs")


@command.command()
@click.option("--sets", required=True, type=FOLDER, help="Sets in the plain form.")
@click.option("--learn", multiple=True, help="These sets only (can be repeated).")
@AS_JSON
def validate(sets: Path, learn: tuple[str, ...], as_json: bool) -> None:
    """Cross-validate the score: each set left out in turn, then by product within each set.

    Pairs of one product never stand on both sides.
    """
    from comptoir.installation import Installation
    from comptoir.matching_training.examples import truth_files
    from comptoir.matching_training.train import weighed
    from comptoir.matching_training.validate import by_product, by_set
    from comptoir.progress import bar

    sources = truth_files(sets, learn)
    encoder = Installation().encoder
    with bar("reading", len(sources), "statements of truth") as advance:
        parts = weighed(sources, encoder, advance)
    with bar("training", None) as advance:
        figures = {"left_out": by_set(parts, advance), "by_product": by_product(parts, advance)}
    _print(figures, as_json=as_json)


def _of_matcher(
    offers: list[RawOffer],
    pairs: Path | None,
    clusters: Path | None,
    model: Ensemble | None,
    progress: Progress,
) -> dict[str, Any]:
    from comptoir.installation import Installation
    from mdm.evaluation.plain_form import read_clusters, read_pairs
    from mdm.evaluation.run import evaluate_clusters, evaluate_pairs

    known = {each.sku for each in offers}
    encoder = Installation().encoder
    if pairs is not None:
        return evaluate_pairs(offers, read_pairs(pairs, known), encoder, progress, model)
    assert clusters is not None
    return evaluate_clusters(offers, read_clusters(clusters, known), encoder, progress, model)


def _of_own_split(
    offers: list[RawOffer],
    train_pairs: Path,
    valid_pairs: Path | None,
    pairs: Path,
    progress: Progress,
) -> dict[str, Any]:
    from comptoir.installation import Installation
    from comptoir.matching_training.own_split import Split, evaluate_split
    from mdm.evaluation.plain_form import read_pairs

    known = {each.sku for each in offers}
    valid: list[LabelledPair] = read_pairs(valid_pairs, known) if valid_pairs else []
    split = Split(read_pairs(train_pairs, known), valid, read_pairs(pairs, known))
    return evaluate_split(offers, split, Installation().encoder, progress)


def _read_model(path: Path | None) -> Ensemble | None:
    from mdm.match.ensemble import read_ensemble
    from mdm.match.evidence import Evidence

    return read_ensemble(path, Evidence._fields) if path else None


def _print(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            click.echo(name.replace("_", " "))
            for inner, told in value.items():
                click.echo(f"  {inner:34} {told}")
        else:
            click.echo(f"{name.replace('_', ' '):26} {value}")
