"""The statement of how things are ordered, written from the ranking in force. Pure.

The duty: directives 2005/29 (article 7(4a)) and 2011/83 (6a), regulation 2019/1150 (article 5) and,
in France, Code de la consommation L111-7 and D111-11, D111-12. What is stated is what is done: a
changed weight is a changed sentence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from tenants.ranking.offers import NEUTRAL_QUALITY_PERCENT
from tenants.ranking.profile import FieldWeights, RankingProfile
from tenants.ranking.rules import is_valid

Subject = Literal["results", "sorted", "offers"]
_PRODUCT_CRITERIA = ("vector", "in_stock", "offer_count")
_OFFER_CRITERIA = ("total_price", "delivery_days", "merchant_quality", "condition")
_FIELDS = ("title", "manufacturer", "model", "category", "attributes", "description")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion: what it is, how much of the whole it decides, the same in words."""

    name: str
    definition: str
    percent: int
    strength: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page. Criteria, if any, stand after the first paragraph."""

    key: str
    heading: str
    paragraphs: tuple[str, ...]
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """Whom the statement is about: the brand's name, how many merchants it compares, and when."""

    brand: str
    merchants: int
    now: datetime


def disclosure(
    subject: Subject, profile: RankingProfile, language: str, merchant_count: int
) -> str:
    """The short statement that stands with a list: results in default or chosen order, or offers.

    Default criterion, exhaustive or not with the number of merchants, paid or not.
    """
    words = _words(language)
    order = words["sorted"]
    if subject == "results":
        order = words["results"].format(
            criteria=_in_short(_product_criteria(profile, words), words)
        )
    elif subject == "offers":
        order = _offers_order(profile, words)
    many = "merchants_one" if merchant_count == 1 else "merchants_many"
    listing = "charged" if profile.paid.listing else "free"
    places = "paid" if profile.paid.allowed else "unpaid"
    return " ".join(
        (
            order,
            words[many].format(merchants=merchant_count),
            words[f"{listing}_{places}"],
        )
    )


def sections(profile: RankingProfile, language: str, about: About) -> tuple[Section, ...]:
    """The whole statement, for the page of its own."""
    words = _words(language)
    said: Mapping[str, str] = words["text"]
    paragraphs: dict[str, tuple[str, ...]] = {
        "results": _results(profile, words),
        "offers": (_offers_order(profile, words), said["same_for_all"]),
        "people": (_interventions(profile, words, about), said["personal"]),
        "paid": (
            said["paid"].format(slots=profile.paid.slots)
            if profile.paid.allowed
            else said["unpaid"],
            words["listing_paid" if profile.paid.listing else "listing_free"],
        ),
        "ties": (profile.ties.get(language) or said["ties_none"].format(brand=about.brand),),
        "prices": (said["prices"].format(brand=about.brand),),
        "warranty": (said["warranty"],),
        "exhaustive": (said["exhaustive"],),
        "updates": (said["updates"],),
        "opinions": (said["opinions"],),
    }
    criteria = {
        "results": _product_criteria(profile, words),
        "offers": _offer_criteria(profile, words)
        if profile.offer_weights.order == "weighted"
        else (),
    }
    return tuple(
        Section(key, words["sections"][key], told, criteria.get(key, ()))
        for key, told in paragraphs.items()
    )


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, Any]:
    return tomllib.loads(files("tenants").joinpath("disclosure.toml").read_text("utf-8"))


def _words(language: str) -> Mapping[str, Any]:
    words: Mapping[str, Any] = _phrases().get(language) or _phrases()["en"]
    return words


def _results(profile: RankingProfile, words: Mapping[str, Any]) -> tuple[str, ...]:
    said = words["text"]
    short = _in_short(_product_criteria(profile, words), words)
    counted = [getattr(profile.field_weights, name) for name in _FIELDS]
    shares = zip(_FIELDS, percents(counted), strict=True)
    fields = ", ".join(
        words["criterion"].format(
            name=words["fields"][name], percent=words["percent"].format(n=percent)
        )
        for name, percent in shares
    )
    paragraphs = [
        words["results"].format(criteria=short),
        said["fields"].format(fields=fields),
        said["codes"].format(n=_times(profile.field_weights)),
        said["no_words"],
        said["choice"],
    ]
    weights = profile.product_weights
    partial = round(100 * weights.meaning_where_words_miss)
    if partial:
        paragraphs.insert(3, said["partial"].format(n=partial))
    lost = round(100 * weights.accessory)
    if lost:
        paragraphs.insert(3, said["accessory"].format(n=lost))
    return tuple(paragraphs)


def _times(weights: FieldWeights) -> str:
    return f"{weights.codes / weights.title if weights.title else weights.codes:.2g}"


def _offers_order(profile: RankingProfile, words: Mapping[str, Any]) -> str:
    if profile.offer_weights.order == "total_price":
        return str(words["offers_total_price"])
    short = _in_short(_offer_criteria(profile, words), words)
    return str(words["offers_weighted"].format(criteria=short))


def _interventions(profile: RankingProfile, words: Mapping[str, Any], about: About) -> str:
    """Rules that change lists now, with what they do; one that has ended is none."""
    said, names = words["text"], words["rule_kinds"]
    rules = [row for row in profile.rules if row.kind in names and is_valid(row, about.now)]
    if not rules:
        return str(said["rules_none"])
    there = {rule.kind for rule in rules}
    kinds = ", ".join(name for kind, name in names.items() if kind in there)
    form = said["rule_one"] if len(rules) == 1 else said["rules_some"]
    return str(form.format(brand=about.brand, rules=len(rules), kinds=kinds))


def _product_criteria(profile: RankingProfile, words: Mapping[str, Any]) -> tuple[Criterion, ...]:
    """The text's score is 1 at most, so its share is 1 beside the other weights."""
    weights = [1.0, *(getattr(profile.product_weights, name) for name in _PRODUCT_CRITERIA)]
    return _criteria(("text", *_PRODUCT_CRITERIA), weights, words)


def _offer_criteria(profile: RankingProfile, words: Mapping[str, Any]) -> tuple[Criterion, ...]:
    weights = [getattr(profile.offer_weights, name) for name in _OFFER_CRITERIA]
    return _criteria(_OFFER_CRITERIA, weights, words)


def _criteria(
    names: Sequence[str], weights: Sequence[float], words: Mapping[str, Any]
) -> tuple[Criterion, ...]:
    """Heaviest first."""
    rows = []
    for name, percent in zip(names, percents(weights), strict=True):
        label, definition = words["criteria"][name]
        told = definition.format(neutral=NEUTRAL_QUALITY_PERCENT)
        rows.append(Criterion(label, told, percent, words["strength"][_strength(percent)]))
    return tuple(sorted(rows, key=lambda row: -row.percent))


def _in_short(criteria: Sequence[Criterion], words: Mapping[str, Any]) -> str:
    return ", ".join(
        words["criterion"].format(name=row.name, percent=words["percent"].format(n=row.percent))
        for row in criteria
        if row.percent
    )


def percents(weights: Sequence[float]) -> list[int]:
    """Whole per cent that add up to 100 (largest remainders); zeros where no weight is above 0."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    exact = [100 * weight / whole for weight in weights]
    rounded = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: rounded[at] - exact[at])
    for at in by_remainder[: 100 - sum(rounded)]:
        rounded[at] += 1
    return rounded


def _strength(percent: int) -> str:
    for floor, name in ((50, "decides"), (15, "strong"), (5, "some"), (1, "little")):
        if percent >= floor:
            return name
    return "none"
