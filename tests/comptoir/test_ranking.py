"""A draft is tried on real searches, refused when it harms, published, rolled back: CLI and API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from pydantic import SecretStr

import tenants
from comptoir.backoffice import create_backoffice
from comptoir.cli import cli
from comptoir.installation import Installation
from comptoir.ranking.verdict import Page, Trial, report
from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import Upsert
from kernel.embedding.encoder import load_encoder
from kernel.errors import DomainError
from kernel.settings import Settings
from tenants.brand import read_brand_file
from tenants.judgements import keep_judgements
from tenants.operator_keys import create_operator_key
from tenants.query_log import LoggedQuery, write_batch
from tenants.registry import apply_brand
from tests.conftest import fresh_database
from tests.indexer.documents import document, offer

BUNDLED = Path(tenants.__file__).parent / "bundled"
WORDS = ("lampe", "horloge", "tabouret", "miroir")
HARMFUL = {"product_weights": {"offer_count": 1.0, "vector": 0.0, "in_stock": 0.0}}


@pytest.fixture(scope="module")
def installation(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Two brands; Mirabelle has four kinds of things: a plain one, and a worse one in ten shops."""
    opened = Installation(
        Settings(
            comptoir_data=tmp_path_factory.mktemp("data"),
            database_url=SecretStr(fresh_database(postgres_url)),
        )
    )
    for name in ("mirabelle", "taktwerk"):
        table, terms = read_brand_file(BUNDLED / f"{name}.toml")
        with opened.database.platform() as tx:
            apply_brand(tx, table, terms)
    _fill(opened)
    with opened.database.platform() as tx:
        ratings = {word: {f"prd_{word}": 3, f"prd_{word}_loin": 0} for word in WORDS}
        keep_judgements(tx, "mirabelle", "fr", ratings, "ann")
        write_batch(tx, [_logged("lampe", n) for n in range(5)], [])
    yield opened
    opened.database.close()


def _fill(opened: Installation) -> None:
    encoder = load_encoder()
    engine = opened.engine
    assert isinstance(engine, EmbeddedEngine)
    index = engine.create("mirabelle", model_id=encoder.model_id, dimensions=encoder.dimensions)
    rows = []
    for word in WORDS:
        rows.append(
            document(f"prd_{word}", word.capitalize(), language="fr", category=None,
                     offers=(offer("darti", 1000, offer_id=f"off_{word}"),))
        )  # fmt: skip
        many = tuple(offer(f"m{n}", 900 + n, offer_id=f"off_{word}_{n}") for n in range(10))
        rows.append(
            document(f"prd_{word}_loin", f"Ampoule noire et blanche pour une {word} ronde",
                     language="fr", category=None, offers=many)
        )  # fmt: skip
    vectors = encoder.encode([embed_text(row, "fr") for row in rows])
    engine.write(index, [Upsert(row, vector, 1) for row, vector in zip(rows, vectors, strict=True)])
    engine.publish("mirabelle", index)


def _logged(words: str, number: int) -> LoggedQuery:
    return LoggedQuery(
        brand_id="mirabelle", query_id=f"q{number}", asked_at=datetime.now(UTC), door="page",
        language="fr", words=words, filters={}, sort="relevance", first_position=1,
        products=(), total=2, relaxation=None, ranking_version=0,
    )  # fmt: skip


@pytest.fixture
def cli_run(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("comptoir.installation.Installation", lambda: installation)
    monkeypatch.setattr("tenants.registry.REFRESH_AFTER_S", 0.0)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["ranking", *words])

    return run


def _draft(cli_run: Any, folder: Path, table: dict[str, Any]) -> str:
    file = folder / "draft.json"
    file.write_text(json.dumps(table), "utf-8")
    made = cli_run("draft", str(file), "--brand", "mirabelle", "--by", "ann", "--reason", "try")
    assert made.exit_code == 0, made.output
    return str(made.output.split()[1])


def test_a_harmful_draft_is_refused_and_an_override_is_on_record(
    cli_run: Any, tmp_path: Path
) -> None:
    number = _draft(cli_run, tmp_path, HARMFUL)
    found = json.loads(cli_run("evaluate", number, "--json", "--by", "ann").output)
    (row,) = found["brands"]
    assert row["judged_queries"] == len(WORDS)
    assert row["ndcg10"]["after"] < row["ndcg10"]["before"] == 1
    assert row["worse_share"] == 1
    assert {line["query"] for line in row["losers"]} == set(WORDS)
    assert row["first_place"]["Darti & Cie"] == {"before": 1, "after": 0}
    assert row["changed"][0]["moved"]

    refused = cli_run("publish", number, "--by", "ann")
    assert isinstance(refused.exception, DomainError)
    assert refused.exception.code == "ranking_worse"
    assert "version 0" not in cli_run("show", "--brand", "mirabelle").output
    wordless = cli_run("publish", number, "--by", "ann", "--override")
    assert isinstance(wordless.exception, DomainError)
    assert wordless.exception.code == "reason_missing"
    done = cli_run("publish", number, "--by", "ann", "--override", "--reason", "a test of stock")
    assert done.exit_code == 0, done.output

    shown = json.loads(cli_run("show", "--brand", "mirabelle", "--json").output)
    assert shown["version"] == int(number)
    assert shown["values"]["product_weights.offer_count"] == {"value": 1.0, "from": "brand"}
    trail = json.loads(cli_run("history", "--brand", "mirabelle", "--json").output)
    published = next(each for each in trail if each["act"] == "publish")
    assert (published["actor"], published["reason"]) == ("ann", "a test of stock")
    assert "4 of 4" in published["details"]["overridden"]
    evaluated = next(each for each in trail if each["act"] == "evaluate")
    assert evaluated["details"]["brands"][0]["worse"] == len(WORDS)

    back = cli_run("rollback", "--brand", "mirabelle", "--by", "bob", "--reason", "enough")
    assert "nothing is published" in back.output
    shown = json.loads(cli_run("show", "--brand", "mirabelle", "--json").output)
    assert shown["values"]["product_weights.offer_count"]["from"] == "default"


def test_a_harmless_draft_is_published_and_shown_as_a_diff(cli_run: Any, tmp_path: Path) -> None:
    number = _draft(cli_run, tmp_path, {"ladder": {"few": 8}})
    assert '+    "few": 8' in cli_run("diff", number).output
    assert cli_run("publish", number, "--by", "ann").exit_code == 0
    assert cli_run("diff", number).output.strip() == "no difference"
    again = cli_run("publish", number, "--by", "ann")
    assert isinstance(again.exception, DomainError)
    cli_run("rollback", "--brand", "mirabelle", "--by", "ann")


def test_rules_that_do_nothing_are_named(cli_run: Any, tmp_path: Path) -> None:
    def redirect(id_: str, query: str, **more: Any) -> dict[str, Any]:
        when = {"query": query}
        return {"id": id_, "kind": "redirect", "url": f"/{id_}", "when": when, **more}

    number = _draft(
        cli_run,
        tmp_path,
        {
            "rules": [
                redirect("used", "lampe"),
                redirect("over", "lampe", valid_to="2020-01-01T00:00:00Z"),
                redirect("never", "parapluie"),
                redirect("hidden-behind", "lampe rouge", locale="fr"),
                {"id": "up", "kind": "boost", "target": {"products": ["p"]}},
                {"id": "down", "kind": "bury", "target": {"products": ["p", "q"]}},
            ]
        },
    )
    assert cli_run("publish", number, "--by", "ann").exit_code == 0
    found = json.loads(cli_run("rules", "--brand", "mirabelle", "--json").output)
    troubles = {(row["rule_id"], row["trouble"]) for row in found["findings"]}
    assert ("over", "expired") in troubles
    assert ("never", "unused") in troubles
    assert ("up", "conflicting") in troubles  # `down` has the lower id and was changed as late
    assert not {trouble for rule, trouble in troubles if rule == "used"} - {"shadowed"}
    assert "unused" in cli_run("rules", "--brand", "mirabelle").output
    cli_run("rollback", "--brand", "mirabelle", "--by", "ann")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("draft", "FILE"), "ranking_scope"),
        (("draft", "FILE", "--platform", "--brand", "mirabelle"), "ranking_scope"),
        (("evaluate", "999999"), "ranking_version_unknown"),
        (("rollback", "--platform"), "ranking_nothing_published"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    cli_run: Any, tmp_path: Path, words: tuple[str, ...], code: str
) -> None:
    file = tmp_path / "empty.toml"
    file.write_text("", "utf-8")
    answered = cli_run(*[str(file) if word == "FILE" else word for word in words])
    assert isinstance(answered.exception, DomainError)
    assert answered.exception.code == code


@pytest.fixture
def door(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr("tenants.registry.REFRESH_AFTER_S", 0.0)
    with TestClient(create_backoffice(installation)) as client:
        yield client


def _headers(installation: Installation, brand: str | None) -> dict[str, str]:
    with installation.database.platform() as tx:
        return {"Authorization": f"Bearer {create_operator_key(tx, 'Ann', brand)}"}


def test_the_same_by_api(installation: Installation, door: TestClient) -> None:
    headers = _headers(installation, "mirabelle")
    body = {"brand": "mirabelle", "document": HARMFUL, "reason": "try"}
    made = door.post("/v1/ranking/drafts", json=body, headers=headers)
    assert made.status_code == 201
    number = made.json()["version"]
    tried = door.post(f"/v1/ranking/versions/{number}/evaluation", headers=headers).json()
    assert "become worse" in tried["refused"]
    path = f"/v1/ranking/versions/{number}/publication"
    assert door.post(path, json={}, headers=headers).status_code == 409
    sure = {"override": True, "reason": "a test"}
    assert door.post(path, json=sure, headers=headers).json()["published"] == number
    shown = door.get("/v1/ranking/brands/mirabelle/effective", headers=headers).json()
    assert shown["version"] == number
    back = door.post("/v1/ranking/rollbacks", json={"brand": "mirabelle"}, headers=headers)
    assert back.json()["published"] is None
    acts = door.get("/v1/ranking/history?brand=mirabelle", headers=headers).json()["acts"]
    assert [each["act"] for each in acts[:4]] == ["withdraw", "publish", "evaluate", "evaluate"]
    assert {each["actor"] for each in acts[:4]} == {"Ann"}


def test_a_key_opens_its_own_brand_alone(installation: Installation, door: TestClient) -> None:
    mine, other = _headers(installation, "mirabelle"), _headers(installation, "taktwerk")
    everywhere = _headers(installation, None)
    body = {"brand": "mirabelle", "document": {}}
    number = door.post("/v1/ranking/drafts", json=body, headers=mine).json()["version"]
    version = f"/v1/ranking/versions/{number}"
    assert door.get(version).status_code == 401
    assert door.get(version, headers=other).status_code == 404
    assert door.get(version, headers=everywhere).status_code == 200
    assert door.post("/v1/ranking/drafts", json=body, headers=other).status_code == 403
    platform = {"document": {}}
    assert door.post("/v1/ranking/drafts", json=platform, headers=mine).status_code == 403
    assert door.post("/v1/ranking/drafts", json=platform, headers=everywhere).status_code == 201
    wrong = {"brand": "mirabelle", "document": {"weights": {}}}
    refused = door.post("/v1/ranking/drafts", json=wrong, headers=mine)
    assert refused.status_code == 422
    assert "weights" in refused.json()["title"]


def _trial(query: str, before: str, after: str, **gains: int) -> Trial:
    return Trial(
        query, "fr", Page(tuple(before), len(before)), Page(tuple(after), len(after)), gains or None
    )


def test_the_gate_lets_one_in_twenty_pass_and_no_more() -> None:
    same = [_trial(f"q{n}", "ab", "ab", a=3) for n in range(19)]
    one_worse = report([*same, _trial("bad", "ab", "ba", a=3)])
    assert (one_worse["worse_share"], one_worse["passes"]) == (0.05, True)
    two_worse = report([*same, _trial("bad", "ab", "ba", a=3), _trial("bad2", "ab", "ba", a=3)])
    assert two_worse["passes"] is False


def test_differences_name_moved_new_and_gone() -> None:
    (changed,) = report([_trial("q", "abc", "cad")])["changed"]
    assert changed["moved"] == [
        {"product": "c", "from": 3, "to": 1},
        {"product": "a", "from": 1, "to": 2},
    ]
    assert changed["new"] == [{"product": "d", "to": 3}]
    assert changed["gone"] == [{"product": "b", "from": 2}]
    vanished = report([_trial("q", "a", "")])
    assert vanished["zero_results"] == {"before": 0, "after": 1}
    assert vanished["zero_results_new"] == ["q"]
