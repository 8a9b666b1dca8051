"""The measures as they are pinned, the three forms of judgements, slips of the hand, reports."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from comptoir.commands.relevance import command
from comptoir.relevance.judged_catalogue import read_catalogue
from comptoir.relevance.judgements import read_judgements
from comptoir.relevance.measuring import judged_ids
from comptoir.relevance.metrics import bootstrap, ndcg, query_figures, summarise
from comptoir.relevance.report import Report, compared, read_baseline
from comptoir.relevance.variations import with_one_typo
from kernel.errors import DomainError
from tests.indexer.documents import document, offer


def test_linear_gain_and_unjudged_as_nothing() -> None:
    gains = {"a": 3, "b": 1, "c": 0}
    assert ndcg(["a", "b"], gains) == pytest.approx(1.0)
    best = 3 + 1 / math.log2(3)
    assert ndcg(["x", "a"], gains) == pytest.approx(3 / math.log2(3) / best)
    assert ndcg(["x"] * 10 + ["a"], gains) == 0.0
    assert ndcg(["a"], {"a": 0}) is None


def test_condensed_leaves_out_what_nobody_judged() -> None:
    figures = query_figures("q", ["x", "y", "a"], {"a": 2, "b": 0})
    assert figures.ndcg10 == pytest.approx(1 / math.log2(4))
    assert figures.condensed == pytest.approx(1.0)
    assert figures.judged10 == pytest.approx(0.1)
    assert figures.reciprocal_rank == pytest.approx(1 / 3)


def test_queries_without_a_relevant_document_are_counted_apart() -> None:
    rows = [query_figures("q", ["a"], {"a": 3}), query_figures("none", [], {"a": 0})]
    found = summarise(rows)
    assert (found.ndcg10, found.queries, found.scored) == (1.0, 2, 1)
    assert found.zero_result_share == 0.5
    assert bootstrap([0.2, 0.4, 0.9]) == bootstrap([0.2, 0.4, 0.9])


def test_what_shops_print_on_a_product_is_no_judged_document() -> None:
    """It would take a place among the first ten that no judgement can fill."""
    offers = (offer("darti", 1000), offer("voltina", 1000, offer_id="off_2"))
    merged = document(
        "prd_a", "Speaker bar", offers=offers, skus=("365429", "3412396", "2001135552004")
    )
    alone = document("prd_b", "Speaker", skus=("317385",))
    assert judged_ids([merged, alone]) == {"prd_a": ("365429", "3412396"), "prd_b": ("317385",)}


def test_the_form_of_chorus(tmp_path: Path) -> None:
    file = tmp_path / "j.csv"
    file.write_text('query,docid,rating\n"gaming, pc",12,3\nipad,13,0\n', "utf-8")
    assert read_judgements(file) == {"gaming, pc": {"12": 3}, "ipad": {"13": 0}}


def test_the_form_of_wands(tmp_path: Path) -> None:
    (tmp_path / "query.csv").write_text(
        "query_id\tquery\tquery_class\n0\tsalon chair\tMassage Chairs\n", "utf-8"
    )
    labels = tmp_path / "label.csv"
    labels.write_text(
        "id\tquery_id\tproduct_id\tlabel\n0\t0\t25434\tExact\n1\t0\t12088\tPartial\n"
        "2\t0\t42931\tIrrelevant\n",
        "utf-8",
    )
    found = read_judgements(labels, tmp_path / "query.csv")
    assert found == {"salon chair": {"25434": 2, "12088": 1, "42931": 0}}
    with pytest.raises(DomainError, match="file of queries"):
        read_judgements(labels)


def test_the_form_of_esci(tmp_path: Path) -> None:
    file = tmp_path / "esci.csv"
    file.write_text(
        "example_id,query,query_id,product_id,product_locale,esci_label\n"
        "0,fan,1,B01,us,E\n1,fan,1,B02,us,S\n2,fan,1,B03,us,C\n3,fan,1,B04,us,I\n",
        "utf-8",
    )
    assert read_judgements(file) == {"fan": {"B01": 100, "B02": 10, "B03": 1, "B04": 0}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "query,docid,rating\nq,1,7\n",
        "query,docid,rating\nq,1,²\n",
        "a,b\n1,2\n",
        "query,product_id,esci_label\nq,1,Z\n",
    ],
)
def test_what_is_no_judgement_is_refused_with_a_reason(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content, "utf-8")
    with pytest.raises(DomainError):
        read_judgements(file)


@pytest.mark.parametrize("query", ["external hard drive", "lamp", "brother tn-2110 toner"])
def test_one_slip_is_one_edit_and_the_same_every_time(query: str) -> None:
    typed = with_one_typo(query)
    assert typed is not None
    assert typed == with_one_typo(query)
    assert typed != query
    assert abs(len(typed) - len(query)) <= 1
    assert typed[0] == query[0]
    assert with_one_typo("tn-2110") is None


def test_winners_and_losers_against_a_saved_report(tmp_path: Path) -> None:
    before = Report([query_figures("a", ["x", "d"], {"d": 3}), query_figures("b", ["d"], {"d": 3})])
    file = tmp_path / "saved.json"
    import orjson

    file.write_bytes(orjson.dumps(before.as_json()))
    now = [query_figures("a", ["d"], {"d": 3}), query_figures("b", ["x", "d"], {"d": 3})]
    found = compared(now, read_baseline(file))
    assert [row["query"] for row in found["winners"]] == ["a"]
    assert [row["query"] for row in found["losers"]] == ["b"]
    assert found["share_much_worse"] == 0.5
    keys = {"ndcg10", "judged10", "condensed_ndcg10", "mrr", "zero_result_share", "queries"}
    assert keys <= before.as_json().keys()
    file.write_text("[]")
    with pytest.raises(DomainError):
        read_baseline(file)


def test_a_catalogue_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    empty, cut = tmp_path / "empty.jsonl", tmp_path / "cut.jsonl.gz"
    empty.write_bytes(b"\n\n")
    cut.write_bytes(gzip.compress(b'{"id": "1", "title": "Lamp"}\n' * 1_000)[:60])
    unnamed = tmp_path / "unnamed.jsonl"
    unnamed.write_bytes(b'{"id": "1", "title": "Lamp"}\n{"id": "2"}\n')
    for file, said in (
        (empty, "no products"),
        (cut, "cut.jsonl.gz: "),
        (unnamed, "line 2: 'title'"),
    ):
        with pytest.raises(DomainError, match=said):
            list(read_catalogue(file))


@pytest.mark.parametrize("rows", ['[{"query": "a"}]', "[1]", "3", "null"])
def test_a_baseline_without_figures_is_refused(tmp_path: Path, rows: str) -> None:
    file = tmp_path / "before.json"
    file.write_text(f'{{"ndcg10": 0.5, "per_query": {rows}}}', "utf-8")
    with pytest.raises(DomainError, match=r"no saved report|object"):
        read_baseline(file)


def test_what_can_never_be_measured_is_said_before_it_is_tried(tmp_path: Path) -> None:
    judged = tmp_path / "judged.csv"
    judged.write_text("query,docid,rating\nlamp,1,3\n", "utf-8")
    given = ["eval", "--catalogue", str(judged), "--judgements", str(judged)]
    answer = CliRunner().invoke(command, [*given, "--save", str(tmp_path / "away" / "report.json")])
    assert answer.exit_code == 2
    assert "There is no folder" in answer.output
