"""`comptoir relevance`: the quality of search, measured on judged queries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comptoir.new_file import NewFile

if TYPE_CHECKING:
    from comptoir.relevance.report import Report

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def command() -> None:
    """Measure the relevance of search on judged queries."""


@command.command("eval")
@click.option("--catalogue", type=_FILE, help="Products, one JSON object a line (gzip or plain).")
@click.option("--judgements", type=_FILE, help="query,docid,rating; or the form of WANDS or ESCI.")
@click.option("--queries", type=_FILE, help="For WANDS: its file of queries.")
@click.option(
    "--demo",
    type=click.Choice(["fr", "de", "en", "fr-blind", "de-blind"]),
    help="Instead of files: the judged queries of the demonstration's catalogue. Blind: those "
    "written before the search was looked at, as all of English were.",
)
@click.option("--engine", type=click.Choice(["embedded", "elasticsearch"]), default="embedded")
@click.option("--mode", type=click.Choice(["lexical", "hybrid"]), default="hybrid")
@click.option("--typos", is_flag=True, help="Also copies of the queries with one slip (seeded).")
@click.option("--identifiers", is_flag=True, help="Also GTIN, MPN and SKU: right product first.")
@click.option("--baseline", type=_FILE, help="A saved report to compare with, query by query.")
@click.option("--save", type=NewFile(), help="Keep the report as a baseline.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def evaluate(
    demo: str | None,
    engine: str,
    mode: str,
    baseline: Path | None,
    save: Path | None,
    as_json: bool,
    **files: Any,
) -> None:
    """Put judged queries to the whole normal path and say how good the answers are.

    The catalogue is landed, matched, merged, projected and indexed as any merchant's offers are;
    what comes out is kept in the data folder, so that a second run takes seconds. nDCG@10: linear
    gain, unjudged counts as 0; condensed: unjudged left out of a list of 200.
    """
    import orjson

    from comptoir.relevance.evaluation import Evaluation
    from comptoir.relevance.report import read_baseline

    if demo is None and not (files["catalogue"] and files["judgements"]):
        raise click.UsageError("Name --catalogue and --judgements, or --demo.")
    before = read_baseline(baseline) if baseline else None
    evaluation = Evaluation(engine_name=engine, mode=mode)
    report = evaluation.of_demo(demo) if demo is not None else evaluation.of_files(**files)
    written = report.as_json(before)
    if save is not None:
        save.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2) + b"\n")
    if as_json:
        click.echo(orjson.dumps(written, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(report, written)


def _print(report: Report, written: dict[str, Any]) -> None:
    low, high = written["ndcg10_interval95"]
    click.echo(
        f"nDCG@10 {written['ndcg10']:.4f} (95 %: {low:.3f} to {high:.3f}), condensed "
        f"{written['condensed_ndcg10']:.4f}, judged {written['judged10']:.3f}, MRR "
        f"{written['mrr']:.3f}, without result {written['zero_result_share']:.3f}, "
        f"{written['scored_queries']} of {written['queries']} queries scored"
    )
    for row in sorted(report.rows, key=lambda row: row.ndcg10 if row.ndcg10 is not None else 2):
        shown = "     -" if row.ndcg10 is None else f"{row.ndcg10:6.3f}"
        click.echo(f"{shown}  {row.query}  {row.relaxation or ''}")
    for name in ("typos", "identifiers"):
        if name in written:
            click.echo(f"{name}: {written[name]}")
    against = written.get("against_baseline")
    if against:
        for kind in ("winners", "losers"):
            for each in against[kind]:
                click.echo(
                    f"{kind[:-1]}: {each['query']} {each['before']:.3f} -> {each['now']:.3f}"
                )
