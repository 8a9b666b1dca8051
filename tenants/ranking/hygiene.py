"""Rules that do nothing, or not what they seem to: expired, unused, shadowed, conflicting. Pure.

In: the profile in force and what was asked lately. Out: findings, each naming its rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tenants.ranking.profile import RankingProfile, Rule, When
from tenants.ranking.rules import is_within, when_matches
from tenants.ranking.wording import rule_words

Trouble = Literal["expired", "unused", "shadowed", "conflicting"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a rule; `other` is the rule that shadows it or conflicts with it."""

    rule_id: str
    trouble: Trouble
    says: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A logged question and how often it was asked."""

    words: str
    count: int = 1


def check_rules(
    profile: RankingProfile, now: datetime, asked: Sequence[Asked] | None = None
) -> list[Finding]:
    """Findings in the order of the rules. Without `asked` nothing is said about use."""
    living = [rule for rule in profile.rules if rule.valid_to is None or now < rule.valid_to]
    findings = [
        Finding(rule.id, "expired", f"ended on {rule.valid_to:%Y-%m-%d %H:%M}")
        for rule in profile.rules
        if rule.valid_to is not None and rule.valid_to <= now
    ]
    if asked is not None:
        findings += _unused(living, asked)
    for place, rule in enumerate(living):
        for before in living[:place]:
            finding = _between(before, rule)
            if finding is not None:
                findings.append(finding)
                break
    order = {rule.id: place for place, rule in enumerate(profile.rules)}
    return sorted(findings, key=lambda finding: (order[finding.rule_id], finding.trouble))


def _unused(rules: Sequence[Rule], asked: Sequence[Asked]) -> list[Finding]:
    """Rules that need words and whose words nobody typed; the log holds no other conditions."""
    typed = [rule_words(each.words) for each in asked]
    total = sum(each.count for each in asked)
    return [
        Finding(rule.id, "unused", f"none of the {total} logged searches has its words")
        for rule in rules
        if rule.when.query is not None
        and not any(when_matches(replace(rule.when, categories=()), words, ()) for words in typed)
    ]


def _between(before: Rule, rule: Rule) -> Finding | None:
    """What the rule that comes before does to this one."""
    if not _same_place(before, rule):
        return None
    if {before.kind, rule.kind} in ({"boost", "bury"}, {"pin", "hide"}, {"boost", "hide"}):
        if covers(before.when, rule.when) or covers(rule.when, before.when):
            return Finding(
                rule.id,
                "conflicting",
                f"{rule.kind} against {before.kind} of the same products: {before.id} wins",
                before.id,
            )
        return None
    if before.kind != rule.kind:
        return None
    if rule.kind == "pin" and before.position == rule.position:
        both = set(before.target.products) & set(rule.target.products)
        if not both and covers(before.when, rule.when):
            return Finding(
                rule.id,
                "conflicting",
                f"place {rule.position} is taken by {before.id}; it stands below",
                before.id,
            )
    if covers(before.when, rule.when) and _lasts(before, rule) and _reaches(before, rule):
        return Finding(rule.id, "shadowed", f"{before.id} always comes first", before.id)
    return None


def covers(wide: When, narrow: When) -> bool:
    """Whether every question that meets `narrow` meets `wide` as well."""
    if wide.categories and not (
        narrow.categories and set(narrow.categories) <= set(wide.categories)
    ):
        return False
    if wide.query is None:
        return True
    if narrow.query is None:
        return False
    if wide.match == "exact":
        return narrow.match == "exact" and wide.words == narrow.words
    if wide.match == "all_words":
        return set(wide.words) <= set(narrow.words)
    return narrow.match != "all_words" and is_within(wide.words, narrow.words)


def _same_place(before: Rule, rule: Rule) -> bool:
    """Whether both can speak to the same reader about the same things."""
    if before.locale not in (None, rule.locale) and rule.locale is not None:
        return False
    if "redirect" in (before.kind, rule.kind) or "filter" in (before.kind, rule.kind):
        return before.kind == rule.kind
    return _overlap(before, rule) or before.kind == rule.kind == "pin"


def _overlap(before: Rule, rule: Rule) -> bool:
    """Whether some product can be meant by both, as far as the rules alone say it."""
    return all(
        not mine or not theirs or bool(set(mine) & set(theirs))
        for mine, theirs in (
            (before.target.products, rule.target.products),
            (before.target.manufacturers, rule.target.manufacturers),
            (before.target.categories, rule.target.categories),
            (before.target.merchants, rule.target.merchants),
        )
    )


def _lasts(before: Rule, rule: Rule) -> bool:
    """Whether `before` is in force as long as `rule`, and for its readers."""
    starts = before.valid_from is None or (
        rule.valid_from is not None and before.valid_from <= rule.valid_from
    )
    ends = before.valid_to is None or (
        rule.valid_to is not None and before.valid_to >= rule.valid_to
    )
    return starts and ends and before.locale in (None, rule.locale)


def _reaches(before: Rule, rule: Rule) -> bool:
    """Whether `before` decides about everything that `rule` would."""
    if rule.kind == "redirect":
        return True
    if rule.kind == "filter":
        fields = ("categories", "manufacturers", "merchants", "availabilities")
        return all(getattr(before.narrow, name) for name in fields if getattr(rule.narrow, name))
    pairs = (
        (before.target.products, rule.target.products),
        (before.target.manufacturers, rule.target.manufacturers),
        (before.target.categories, rule.target.categories),
        (before.target.merchants, rule.target.merchants),
    )
    return all(not wide or (narrow and set(narrow) <= set(wide)) for wide, narrow in pairs)
