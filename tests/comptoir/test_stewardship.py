"""Stewards by command and by API: the same acts, the same record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from comptoir.backoffice import create_backoffice
from comptoir.cli import cli
from comptoir.installation import Installation
from comptoir.match_explanation import in_words, of_installation
from comptoir.stewardship.jobs import handlers
from comptoir.stewardship.wording import WORDS, lines, told
from kernel.errors import DomainError
from kernel.i18n import translator
from kernel.money import Money
from mdm.match.evidence import Evidence
from mdm.stewardship.reviews import WEIGH
from tests.comptoir.stewards_at_work import fill, installation, key
from tests.conftest import copied_database, fresh_database


@pytest.fixture(scope="module")
def filled(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = fresh_database(postgres_url)
    opened = installation(url, tmp_path_factory.mktemp("data"))
    assert len(fill(opened, 3)) == 3
    opened.database.close()
    return url


@pytest.fixture
def opened(filled: str, tmp_path: Path) -> Iterator[Installation]:
    found = installation(copied_database(filled), tmp_path)
    yield found
    found.database.close()


@pytest.fixture
def door(opened: Installation) -> Iterator[TestClient]:
    with TestClient(create_backoffice(opened)) as client:
        client.headers["Authorization"] = f"Bearer {key(opened)}"
        yield client


def queue(door: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = door.get("/v1/stewardship/reviews").json()["reviews"]
    return found


def post(door: TestClient, path: str, **call: Any) -> dict[str, Any]:
    answer = door.post(f"/v1/stewardship/{path}", json=call)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_queue_and_one_question_by_api(door: TestClient) -> None:
    found = queue(door)
    assert [each["stake"] for each in found] == sorted((e["stake"] for e in found), reverse=True)
    after = door.get(f"/v1/stewardship/reviews?after={found[0]['id']}").json()
    assert after["reviews"] == found[1:]
    assert after["counts"] == {"open": 3, "decided": 0, "lapsed": 0}
    one = door.get(f"/v1/stewardship/reviews/{found[0]['id']}").json()
    assert len(one["offers"]) == 2
    assert one["if_accepted"]["offers_moved"] == 1
    assert door.get("/v1/stewardship/reviews/999").json()["code"] == "review_unknown"


def test_every_act_by_api(door: TestClient) -> None:
    first, second, third = queue(door)
    told = post(door, f"reviews/{first['id']}/accept", dry_run=True)
    assert told["offers_moved"] == 1
    assert len(queue(door)) == 3
    accepted = post(door, f"reviews/{first['id']}/accept", reason="same number")
    assert (accepted["offers_moved"], accepted["repeated"]) == (1, False)
    assert post(door, f"reviews/{first['id']}/accept")["repeated"]
    refused = door.post(f"/v1/stewardship/reviews/{first['id']}/reject", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "review_settled")
    post(door, f"reviews/{second['id']}/reject")
    ends = [offer["product"] for offer in third["offers"]]
    merged = post(door, "merges", products=ends)
    assert queue(door) == []
    home = door.get(f"/v1/stewardship/reviews/{third['id']}").json()["offers"][0]["product"]
    one, other = (offer["offer"] for offer in third["offers"])
    post(door, f"products/{home}/splits", offers=[one], sure=True)
    moved = post(door, "moves", offers=[other], to=first["offers"][1]["product"], sure=True)
    post(door, f"acts/{moved['act']}/undo", reason="wrong lamp")
    acts = door.get("/v1/stewardship/acts").json()
    assert [each["kind"] for each in acts] == ["undo", "move", "split", "merge", "reject", "accept"]
    assert {each["who"] for each in acts} == {"Ann"}
    one_act = door.get(f"/v1/stewardship/acts/{merged['act']}").json()
    assert len(one_act["placed"]) == 1
    on_product = door.get(f"/v1/stewardship/acts?product={ends[0]}").json()
    assert merged["act"] in [each["act"] for each in on_product]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ({"reason": "x" * 1001}, 422),
        ({"surely": True}, 422),
        ([], 422),
    ],
)
def test_malformed_calls_change_nothing(door: TestClient, call: Any, status: int) -> None:
    number = queue(door)[0]["id"]
    assert door.post(f"/v1/stewardship/reviews/{number}/accept", json=call).status_code == status
    assert len(queue(door)) == 3


@pytest.mark.parametrize(
    "body",
    [b'{"reason": NaN}', b'{"x": "\\ud800"}', b'{"reason": "\\u0000"}', b"[" * 50_000],
)
def test_what_no_database_keeps_is_refused_as_a_problem(door: TestClient, body: bytes) -> None:
    number = queue(door)[0]["id"]
    answer = door.post(
        f"/v1/stewardship/reviews/{number}/accept",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(queue(door)) == 3


@pytest.mark.parametrize(
    "path",
    [
        f"ranking/versions/{10**20}",
        f"ranking/versions/1/diff?against={10**20}",
        "ranking/history?brand=%00",
        "master-data/products/%00",
        "master-data/products/x/argus?currency=%00",
        "stewardship/reviews/abc",
        "merchants/quarantine?after=%00",
    ],
)
def test_odd_addresses_are_no_failure_of_ours(door: TestClient, path: str) -> None:
    answer = door.get(f"/v1/{path}")
    assert answer.status_code in {401, 404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_only_operators_of_the_platform_are_let_in(opened: Installation, door: TestClient) -> None:
    with TestClient(create_backoffice(opened)) as stranger:
        assert stranger.get("/v1/stewardship/reviews").status_code == 401
        number = queue(door)[0]["id"]
        stranger.headers["Authorization"] = "Bearer cok_x_y"
        call = stranger.post(f"/v1/stewardship/reviews/{number}/accept", json={})
        assert call.status_code == 401


def run(opened: Installation, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setenv("DATABASE_URL", opened.url)
    monkeypatch.setenv("COMPTOIR_DATA", str(opened.settings.data))
    result = CliRunner().invoke(cli, ["review", *words], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_the_same_by_command(opened: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = json.loads(run(opened, monkeypatch, "list", "--json"))
    first, second, third = listed["reviews"]
    assert "3 open" in run(opened, monkeypatch, "list")
    shown = run(opened, monkeypatch, "show", str(first["id"]))
    assert "Words of one title found in the other (71%)" in shown
    assert f"new  {Money(**first['offers'][0]['price'])}" in shown
    told = run(opened, monkeypatch, "accept", str(first["id"]), "--dry-run")
    assert "1 offers move" in told
    accept = ("accept", str(first["id"]), "--by", "Bo", "--reason", "same", "--json")
    act = json.loads(run(opened, monkeypatch, *accept))["act"]
    assert "(reject)" in run(opened, monkeypatch, "reject", str(second["id"]))
    assert "different products" in run(opened, monkeypatch, "history")
    assert "taken back" not in run(opened, monkeypatch, "history", "--by", "Bo")
    run(opened, monkeypatch, "undo", str(act))
    assert "taken back" in run(opened, monkeypatch, "history", "--by", "Bo")
    ends = [offer["product"] for offer in third["offers"]]
    run(opened, monkeypatch, "merge", *ends)
    offers = [offer["offer"] for offer in third["offers"]]
    run(opened, monkeypatch, "split", ends[0], offers[0], "--sure")
    home = first["offers"][0]["product"]
    run(opened, monkeypatch, "move", home, offers[0], "--sure")
    kinds = [row["kind"] for row in json.loads(run(opened, monkeypatch, "history", "--json"))]
    assert kinds[:3] == ["move", "split", "merge"]
    with pytest.raises(DomainError, match="no review"):
        run(opened, monkeypatch, "show", "999")


def test_an_explanation_tells_what_has_become_of_two_offers(
    opened: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = json.loads(run(opened, monkeypatch, "list", "--json"))["reviews"]
    run(opened, monkeypatch, "accept", str(first["id"]))
    run(opened, monkeypatch, "reject", str(second["id"]))
    told = {}
    for each in (first, second, third):
        offers = [offer["offer"] for offer in each["offers"]]
        told[each["id"]] = of_installation(opened, *offers)
    asked = [told[each["id"]] for each in (first, second, third)]
    assert [each["ruled"] for each in asked] == ["same", "different", None]
    assert [len(set(each["products"])) for each in asked] == [1, 2, 2]
    lines = list(in_words(asked[0]))
    assert lines[1] == f"now of one product: {asked[0]['products'][0]}"
    assert lines[2] == "a steward has spoken: the same product"
    assert "a steward has spoken: different products" in list(in_words(asked[1]))
    question = f"a steward is asked (review {third['id']}): {third['probability']:.0%} when"
    assert [each["asked"] for each in asked[:2]] == [None, None]
    assert any(line.startswith(question) for line in in_words(asked[2]))


def test_the_jobs_of_stewardship_run_and_come_again(opened: Installation) -> None:
    for _, handler in handlers(opened.database).values():
        handler()
    with opened.database.platform() as tx:
        waiting = tx.exec_driver_sql(
            "SELECT task_name FROM procrastinate_jobs "
            "WHERE status = 'todo' AND scheduled_at > now()"
        ).scalars()
        assert WEIGH.name in list(waiting)


def test_every_piece_of_evidence_has_words() -> None:
    extra = {"same_gtin", "shared_gtin", "other_gtin", "same_part_number", "other_part_number"}
    extra |= {"same_model_code", "same_title", "other_short_name", "other_card", "was_there_before"}
    extra |= {"code_in_pieces", "other_market", "other_lead", "other_generation", "without_letters"}
    assert {*Evidence._fields, *extra} - set(WORDS) == set()


def test_evidence_is_told_in_one_scale_heaviest_first() -> None:
    speaks_for, speaks_against = told(
        {
            "for": [["same_gtin", ["04006381333931"], 3.0], ["meaning", [0.82], 0.6]],
            "against": [["manufacturer_in_title", [-1.0], -1.5], ["words in common", -0.1]],
        }
    )
    assert [each.percent_of_heaviest for each in speaks_for] == [100, 20]
    assert (speaks_for[0].read, speaks_for[1].n) == ("04006381333931", 82)
    assert speaks_against[0].measure == "not stated"
    assert speaks_against[1].text == "Words that both titles share"
    assert told({}) == ([], [])


def test_a_colour_that_differs_is_not_one_that_nobody_states() -> None:
    _, against = told({"against": [["same_colour", [-1.0], -1.5], ["meaning", [-1.0], -0.2]]})
    assert [each.measure for each in against] == ["different", "not stated"]


def test_what_was_measured_is_told_in_words_and_numbers() -> None:
    measured = {
        "codes_on_both_sides": (0.0, "no"), "same_first_word": (1.0, "yes"),
        "numbers_differ": (2.0, "2"), "quantities_equal": (0.0, "none"),
        "rarest_code_shared": (0.766, "77% rare"), "longest_code_shared": (0.9, "9 signs"),
        "same_capacity": (0.0, "not stated"), "same_manufacturer": (0.5, "alike"),
        "numbers_in_common": (-1.0, "not stated"), "words_alike": (0.5, "50%"),
    }  # fmt: skip
    for code, (value, words) in measured.items():
        (line,) = lines({"for": [[code, [value], 1.0]]})
        assert line.endswith(f"({words})"), code


def test_every_measure_has_words_in_every_language() -> None:
    for message in ("not stated", "alike", "different", "yes", "no", "none", "%(n)s%% rare"):
        for language in ("fr", "de"):
            assert translator(language).gettext(message) != message
