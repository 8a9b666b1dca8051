"""Rules that do nothing, or not what they seem to, are named; rules that are right are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tenants.ranking.hygiene import Asked, check_rules, covers
from tenants.ranking.profile import RankingProfile, Rule, Target, When

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
A, B = Target(products=("a",)), Target(products=("b",))
AB = Target(products=("a", "b"))


def troubles(*rules: Rule, asked: list[Asked] | None = None) -> list[tuple[str, str, str | None]]:
    found = check_rules(RankingProfile(rules=rules), NOW, asked)
    return [(each.rule_id, each.trouble, each.other) for each in found]


def test_an_ended_rule_is_expired_and_shadows_nothing() -> None:
    ended = Rule("old", "hide", target=A, valid_to=NOW)
    assert troubles(ended, Rule("new", "hide", target=A)) == [("old", "expired", None)]


def test_unused_is_said_only_where_there_is_a_log() -> None:
    rule = Rule("r", "hide", When("parapluie"), A)
    asked = [Asked("lampe", 3), Asked("Parapluies", 1)]
    assert troubles(rule) == []
    assert troubles(rule, asked=asked) == [("r", "unused", None)]
    assert troubles(rule, asked=[*asked, Asked("grand parapluie")]) == []
    everywhere = Rule("e", "hide", target=A)
    assert troubles(everywhere, asked=asked) == []


@pytest.mark.parametrize(
    ("before", "rule", "trouble"),
    [
        (Rule("1", "hide", target=AB), Rule("2", "hide", target=A), "shadowed"),
        (Rule("1", "hide", target=A), Rule("2", "hide", target=AB), None),
        (Rule("1", "boost", target=A), Rule("2", "bury", target=AB), "conflicting"),
        (Rule("1", "boost", target=A), Rule("2", "bury", target=B), None),
        (Rule("1", "pin", target=A), Rule("2", "hide", target=A), "conflicting"),
        (Rule("1", "pin", target=A), Rule("2", "pin", target=B), "conflicting"),
        (Rule("1", "pin", target=A, position=3), Rule("2", "pin", target=B), None),
        (
            Rule("1", "redirect", When("tv"), url="/a"),
            Rule("2", "redirect", When("tv neuf"), url="/b"),
            "shadowed",
        ),
        (
            Rule("1", "redirect", When("tv neuf"), url="/a"),
            Rule("2", "redirect", When("tv"), url="/b"),
            None,
        ),
        (
            Rule("1", "redirect", When("tv"), url="/a", valid_to=NOW + timedelta(days=1)),
            Rule("2", "redirect", When("tv"), url="/b"),
            None,
        ),
        (
            Rule("1", "redirect", When("tv"), url="/a", locale="fr"),
            Rule("2", "redirect", When("tv"), url="/b", locale="de"),
            None,
        ),
    ],
)
def test_what_one_rule_does_to_the_next(before: Rule, rule: Rule, trouble: str | None) -> None:
    assert troubles(before, rule) == ([("2", trouble, "1")] if trouble else [])


@pytest.mark.parametrize(
    ("wide", "narrow", "holds"),
    [
        (When(), When("tv"), True),
        (When("tv"), When(), False),
        (When("tv"), When("tv neuf", "exact"), True),
        (When("tv neuf", "contains"), When("tv neuf", "all_words"), False),
        (When("tv", "exact"), When("tv", "all_words"), False),
        (When("tv", categories=(1,)), When("tv", categories=(1, 2)), False),
        (When("tv", categories=(1, 2)), When("tv", categories=(1,)), True),
    ],
)
def test_conditions_that_cover_others(wide: When, narrow: When, holds: bool) -> None:
    assert covers(wide, narrow) is holds
