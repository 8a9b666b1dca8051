"""Rankings in words for the command line, as JSON for the API: effective values, rules, trails."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comptoir.ranking.evaluation import MOST_QUERIES
from kernel.db import Database
from kernel.errors import DomainError
from search_api.query import MAX_TEXT
from tenants.brand import Brand
from tenants.query_log import frequent
from tenants.ranking.hygiene import Asked, check_rules
from tenants.ranking.profile import RankingProfile, Rule
from tenants.ranking.versions import Recorded, Version

_TABLES = ("field_weights", "ladder", "product_weights", "offer_weights", "paid")
MOST_FREQUENT = 5_000


def effective(brand: Brand, language: str) -> dict[str, Any]:
    """What is in force for a reader of the language: each value with where it is from."""
    profile = brand.ranking_profile(language)
    values = {
        f"{table}.{member.name}": {
            "value": getattr(getattr(profile, table), member.name),
            "from": profile.provenance[f"{table}.{member.name}"],
        }
        for table in _TABLES
        for member in fields(getattr(profile, table))
        if member.name != "placements"
    }
    return {
        "brand": brand.id,
        "locale": language,
        "version": profile.version,
        "published_at": profile.published_at,
        "values": values,
        "synonyms": [asdict(each) for each in profile.synonyms],
        "rules": [_rule(each) for each in profile.rules],
        "placements": [_plain(asdict(each)) for each in profile.paid.placements],
        "ties": dict(profile.ties),
    }


def lines(shown: Mapping[str, Any]) -> Iterator[str]:
    """The effective values, one a line."""
    version = shown["version"] or "no version published"
    yield f"{shown['brand']} {shown['locale']}: {version}"
    for name, row in shown["values"].items():
        value = row["value"]
        text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        yield f"{name:34} {text:40} {row['from']}"
    for kind in ("synonyms", "rules", "placements"):
        yield f"{kind:34} {len(shown[kind])}"


def rules_json(database: Database, brand: Brand, language: str) -> dict[str, Any]:
    """Rules by precedence with what is wrong with each, judged on the log of queries."""
    profile = brand.ranking_profile(language)
    with database.platform() as tx:
        logged = frequent(tx, brand.id, language, MOST_FREQUENT)
    asked = [Asked(row.words, row.count) for row in logged]
    findings = check_rules(profile, datetime.now(UTC), asked or None)
    return {
        "brand": brand.id,
        "locale": language,
        "logged_queries": len(asked),
        "rules": [_rule(each) for each in profile.rules],
        "findings": [asdict(each) for each in findings],
    }


def rule_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Rules with their findings below them."""
    for rule in found["rules"]:
        query = rule["when"].get("query")
        condition = f"{rule['when'].get('match')}: {query}" if query else "every search"
        yield f"{rule['id']:24} {rule['kind']:9} {rule['scope']:9} {condition}  {rule['note']}"
        for finding in found["findings"]:
            if finding["rule_id"] == rule["id"]:
                yield f"    {finding['trouble']}: {finding['says']}"
    if found["rules"] and not found["logged_queries"]:
        yield "no query is logged yet: nothing is said about unused rules"


def evaluation_lines(done: Mapping[str, Any]) -> Iterator[str]:
    """An evaluation in words."""
    yield f"version {done['version']} ({done['scope']}) against {done['against'] or 'the file'}"
    for row in done["brands"]:
        yield f"{row['brand']}: {row['queries']} queries, {row['judged_queries']} of them judged"
        for name in ("ndcg10", "judged10", "zero_results"):
            yield f"  {name:14} {row[name]['before']} -> {row[name]['after']}"
        yield f"  worse by > 0.1 {row['worse']} ({row['worse_share']:.1%}, at most 5 %)"
        yield f"  first ten differ for {row['changed_queries']} queries"
        for name, sign in (("losers", "-"), ("winners", "+")):
            for line in row[name][:10]:
                yield f"  {sign} {line['query']}: {line['before']} -> {line['after']}"
        for merchant, share in list(row["first_place"].items())[:10]:
            yield f"  first place {merchant}: {share['before']:.1%} -> {share['after']:.1%}"
    if not any(row["judged_queries"] for row in done["brands"]):
        yield "no judged query: the gate has nothing to hold it by"
    if done["refused"]:
        yield f"REFUSED: {done['refused']}"


def document_diff(before: Version | None, after: Version) -> list[str]:
    """A unified diff of two documents; from an empty one where nothing is in force."""
    old = _text(before) if before is not None else ["{}"]
    return list(
        difflib.unified_diff(
            old,
            _text(after),
            f"version {before.version}" if before is not None else "nothing",
            f"version {after.version}",
            lineterm="",
        )
    )


def recorded_json(line: Recorded) -> dict[str, Any]:
    """A line of the trail."""
    return _plain(asdict(line))


def recorded_line(line: Recorded) -> str:
    """A line of the trail for the terminal."""
    overridden = line.details.get("overridden")
    note = f"  OVERRIDDEN: {overridden}" if overridden else ""
    return (
        f"{line.at:%Y-%m-%d %H:%M:%S}  {line.act:9} version {line.version:<6} "
        f"{line.actor}  {line.reason}{note}"
    )


def version_json(version: Version) -> dict[str, Any]:
    """A version with its document."""
    return {
        "version": version.version,
        "scope": version.scope.kind,
        "brand": version.scope.brand_id,
        "locale": version.scope.locale,
        "based_on": version.based_on,
        "created_at": version.created_at,
        "created_by": version.created_by,
        "note": version.note,
        "document": version.document.as_json(),
    }


def read_queries(path: Path) -> list[str]:
    """Queries of a plain file, one a line."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError("queries_unreadable", f"{path} cannot be read: {error}") from error
    found = [line.strip()[:MAX_TEXT] for line in text.splitlines() if line.strip()]
    return list(dict.fromkeys(found))[:MOST_QUERIES]


def _text(version: Version) -> list[str]:
    document = version.document.as_json()
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True).splitlines()


def _rule(rule: Rule) -> dict[str, Any]:
    return _plain(asdict(rule))


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Without the members that say nothing."""
    return {
        name: _plain(held) if isinstance(held, dict) else held
        for name, held in value.items()
        if held not in (None, ()) and not (name == "words" and "query" in value)
    }


def profile_of(brand: Brand, language: str) -> RankingProfile:
    """The profile for a reader, refused where the brand does not speak the language."""
    if language not in brand.languages:
        raise DomainError("language_unknown", f"{brand.id} does not speak {language}.")
    return brand.ranking_profile(language)
