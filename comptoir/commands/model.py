"""`comptoir model`: the embedding model in use: what it is, how good, its vectors, made again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from kernel.errors import DomainError

if TYPE_CHECKING:
    from comptoir.installation import Installation
    from kernel.embedding.encoder import Encoder

MODEL = click.option(
    "--model",
    help="A model's folder or name instead of EMBEDDING_MODEL (unset: the shipped one).",
)
LINES_AT_ONCE = 1_024
LONGEST_LINE_BYTES = 4_000_000
"""Of a line more is read past, not kept: what counts of a text is far shorter."""

DirectoryPath = click.Path(path_type=Path, file_okay=False)


@click.group()
def command() -> None:
    """Show, measure, use and train the embedding model."""


@command.command()
@MODEL
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def info(model: str | None, as_json: bool) -> None:
    """Show the model in use, and which indices and match vectors hold whose vectors."""
    from comptoir.installation import Installation

    installation = Installation()
    encoder = _encoder(installation, model)
    document = {
        "id": encoder.model_id,
        "dimensions": encoder.dimensions,
        **asdict(encoder.facts),
        "stored": _stored(installation, encoder),
    }
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for name, value in document.items():
        if name != "stored":
            shown = ", ".join(value) if isinstance(value, tuple) else value
            click.echo(f"{name:14} {'not said' if shown in (None, '', 0) else shown}")
    for row in document["stored"]:
        click.echo(
            f"{row['what']:14} {row['count']} vectors of {row['model_id']}, "
            f"{row['dimensions']} dimensions{row['to_do']}"
        )


def _stored(installation: Installation, encoder: Encoder) -> list[dict[str, Any]]:
    """What holds vectors; a database or an engine that is away is said, not a failure."""
    from mdm.match_index import stored_models

    rows: list[dict[str, Any]] = []
    try:
        for brand in installation.brands.brands().values():
            stats = installation.engine.stats(brand.id)
            if stats is not None:
                rebuilt = f"; to be rebuilt: comptoir index rebuild --brand {brand.id}"
                of = (stats.model_id, stats.dimensions, stats.count)
                rows.append(_row(f"index {brand.id}", of, rebuilt, encoder))
        with installation.database.platform() as tx:
            for model_id, dimensions, count in stored_models(tx):
                later = "; to be made again: comptoir index refresh"
                of = (model_id, dimensions, count)
                rows.append(_row("match vectors", of, later, encoder))
    except DomainError as error:
        click.echo(f"stored vectors not counted: {error.message}", err=True)
    return rows


def _row(what: str, of: tuple[str, int, int], to_do: str, encoder: Encoder) -> dict[str, Any]:
    """`of`: whose vectors, their size, how many."""
    model_id, dimensions, count = of
    return {
        "what": what,
        "model_id": model_id,
        "dimensions": dimensions,
        "count": count,
        "to_do": "" if model_id == encoder.model_id else to_do,
    }


@command.command()
@MODEL
@click.option("--input", "source", type=click.File("rb"), default="-", help="Default: stdin.")
@click.option("--output", "target", type=click.File("wb"), default="-", help="Default: stdout.")
def encode(model: str | None, source: IO[bytes], target: IO[bytes]) -> None:
    """Encode texts, one a line: JSON lines {"text", "vector"} in the same order.

    Bytes that are no UTF-8 become U+FFFD. A text of which the model knows nothing has a vector of
    zeros. Memory does not grow with the input.
    """
    import orjson

    from comptoir.installation import Installation
    from comptoir.progress import Stopwatch, bar

    encoder = _encoder(Installation(), model)
    watch, total = Stopwatch(), 0
    with bar("encoding", None, "texts") as advance:
        for texts in _batches(_lines(source)):
            for text, vector in zip(texts, encoder.encode(texts), strict=True):
                row = {"text": text, "vector": vector}
                target.write(orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
            target.flush()
            total += len(texts)
            advance(len(texts))
    click.echo(f"{total} texts encoded with {encoder.model_id} in {watch}", err=True)


def _lines(source: IO[bytes]) -> Iterator[str]:
    """Lines without their ends, cut where they are longer than any text."""
    while line := source.readline(LONGEST_LINE_BYTES):
        rest = line
        while len(rest) == LONGEST_LINE_BYTES and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST_LINE_BYTES)
        yield line.rstrip(b"\r\n").decode("utf-8", "replace")


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if len(batch) == LINES_AT_ONCE or size > LONGEST_LINE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@command.command(name="eval")
@MODEL
@click.option("--taxonomy", type=DirectoryPath, help="Folder of Google product taxonomies.")
@click.option("--search", type=DirectoryPath, help="Folder of judged product queries.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def evaluate(model: str | None, taxonomy: Path | None, search: Path | None, as_json: bool) -> None:
    """Measure the model: category names, judged product queries, everyday words in six languages.

    The everyday words come with the release; without the other two folders they alone are asked.
    """
    from comptoir.installation import Installation
    from comptoir.model_training.evaluate import evaluate as measure
    from comptoir.progress import stages

    chosen = model or Installation().settings.embedding_model
    with stages() as progress, _said_plainly():
        figures = measure(chosen, taxonomy, search, progress)
    if as_json:
        click.echo(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        _print_figures(figures)


def _print_figures(figures: dict[str, Any], indent: str = "") -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            click.echo(f"{indent}{name}")
            _print_figures(value, indent + "  ")
        else:
            shown = f"{value:.3f}" if isinstance(value, float) else value
            click.echo(f"{indent}{name:24} {shown}")


@command.command()
@click.option("--taxonomy", type=DirectoryPath, required=True, help="Google product taxonomies.")
@click.option(
    "--titles",
    type=DirectoryPath,
    required=True,
    help="Public sets of merchants' titles, as `python -m bench.matching_sets` writes them.",
)
@click.option("--judged", type=DirectoryPath, help="Judged queries whose titles are left out.")
@click.option("--out", type=DirectoryPath, required=True, help="Folder of the new model.")
@click.option(
    "--work",
    type=DirectoryPath,
    help="Keeps what the teachers said, so that a run goes on where it was cut off "
    "(default: beside --out).",
)
def train(taxonomy: Path, titles: Path, judged: Path | None, out: Path, work: Path | None) -> None:
    """Train the shipped model again from nothing; needs the extra `models`.

    The same inputs give the same files. What it learns from is named in docs/model-card.md.
    """
    from comptoir.model_training.train import Sources
    from comptoir.model_training.train import train as learn
    from comptoir.progress import Stopwatch, stages

    watch = Stopwatch()
    with stages() as progress, _said_plainly():
        kept = work or out.with_name(f"{out.name}.work")
        learn(Sources(taxonomy, titles, judged), out, kept, progress)
    click.echo(f"trained in {watch}: {out}")


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What is missing, in words: a package of the extra, a file of a folder."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise DomainError(
            "embedding_extra_missing",
            f"The package {error.name} is not installed.",
            hint="Training needs the extra: pip install 'comptoir[models]'",
        ) from error
    except (ValueError, OSError) as error:
        raise DomainError("model_data_missing", str(error)) from error


def _encoder(installation: Installation, model: str | None) -> Encoder:
    from kernel.embedding.encoder import load_encoder

    return load_encoder(model) if model else installation.encoder
