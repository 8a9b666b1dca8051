"""Ranking documents on record: versions that are only added, and the trail of every act on them.

What is published in a scope is the version of the last act that says so; nothing is ever updated,
and the database refuses it. A version is a draft until it is published or discarded.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from kernel.db import Transaction, advisory_lock, schema_metadata
from kernel.errors import DomainError, NotFound
from tenants.ranking.document import RankingDocument, RuleTable, ranking_document, ranking_hash
from tenants.ranking.inheritance import Stated
from tenants.ranking.profile import ScopeKind

Act = Literal["draft", "discard", "evaluate", "publish", "rollback", "withdraw"]
_PUBLISHING = ("publish", "rollback", "withdraw")
_LOG = logging.getLogger(__name__)

_METADATA = schema_metadata("tenants")
_VERSION = sa.Table(
    "ranking_version",
    _METADATA,
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("scope", sa.Text),
    sa.Column("brand_id", sa.Text),
    sa.Column("locale", sa.Text),
    sa.Column("document", JSONB),
    sa.Column("document_sha256", sa.Text),
    sa.Column("based_on", sa.BigInteger),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("created_by", sa.Text),
    sa.Column("note", sa.Text),
)
_ACT = sa.Table(
    "ranking_act",
    _METADATA,
    sa.Column("act_id", sa.BigInteger, primary_key=True),
    sa.Column("version", sa.BigInteger),
    sa.Column("brand_id", sa.Text),
    sa.Column("act", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("actor", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("details", JSONB),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose document it is: the platform's, a brand's, or a brand's in one language."""

    brand_id: str | None = None
    locale: str | None = None

    def __post_init__(self) -> None:
        if self.locale is not None and self.brand_id is None:
            raise DomainError("ranking_scope", "A language of its own needs a brand.")

    @property
    def kind(self) -> ScopeKind:
        """`platform`, `brand` or `locale`."""
        if self.brand_id is None:
            return "platform"
        return "brand" if self.locale is None else "locale"

    def __str__(self) -> str:
        return " ".join(part for part in (self.brand_id or "platform", self.locale) if part)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a scope's document. `based_on` is the version published when it was made."""

    version: int
    scope: Scope
    document: RankingDocument
    based_on: int | None
    created_at: datetime
    created_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of the trail."""

    act_id: int
    version: int
    act: Act
    at: datetime
    actor: str
    reason: str
    details: Mapping[str, Any]


def save_draft(
    tx: Transaction, scope: Scope, document: RankingDocument, actor: str, note: str = ""
) -> Version:
    """A new version of the scope, not in force. The moment of a rule is when its text changed."""
    live = published(tx, scope)
    before = newest(tx, scope)
    dated = _dated(document, before.document if before else None, datetime.now(UTC))
    version = tx.execute(
        _VERSION.insert()
        .values(
            scope=scope.kind,
            brand_id=scope.brand_id,
            locale=scope.locale,
            document=dated.as_json(),
            document_sha256=ranking_hash(dated),
            based_on=live.version if live else None,
            created_by=actor,
            note=note,
        )
        .returning(_VERSION.c.version)
    ).scalar_one()
    record(tx, scope, version, "draft", actor, note)
    return read_version(tx, version)


def read_version(tx: Transaction, version: int) -> Version:
    """A version by number. NotFound where there is none."""
    row = tx.execute(_VERSION.select().where(_VERSION.c.version == version)).one_or_none()
    if row is None:
        raise unknown_version(version)
    return _version(row)


def unknown_version(version: int) -> NotFound:
    """What is said of a version that is not there, or is none of the asker's business."""
    return NotFound("ranking_version_unknown", f"There is no ranking version {version}.")


def newest(tx: Transaction, scope: Scope) -> Version | None:
    """The version of the scope that was made last."""
    statement = _VERSION.select().where(_of(scope)).order_by(_VERSION.c.version.desc()).limit(1)
    row = tx.execute(statement).one_or_none()
    return None if row is None else _version(row)


def published(tx: Transaction, scope: Scope) -> Version | None:
    """What is in force in the scope; None where nothing is."""
    last = _last_publishing(tx, scope)
    return None if last is None or last.act == "withdraw" else read_version(tx, last.version)


def publish(
    tx: Transaction,
    version: Version,
    actor: str,
    *,
    reason: str = "",
    instead_of: int | None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Put a version in force instead of the one that it was compared with.

    DomainError `ranking_moved` (409) where another version was published in between.
    """
    _lock(tx, version.scope)
    live = published(tx, version.scope)
    if (live.version if live else None) != instead_of:
        raise DomainError(
            "ranking_moved",
            f"Version {live.version if live else 0} of {version.scope} was published meanwhile.",
            hint="Evaluate the draft against it, then publish again.",
            status=409,
        )
    if live is not None and live.version == version.version:
        raise DomainError(
            "ranking_published", f"Version {version.version} is in force.", status=409
        )
    record(tx, version.scope, version.version, "publish", actor, reason, details)


def roll_back(
    tx: Transaction, scope: Scope, actor: str, reason: str, to: int | None = None
) -> Version | None:
    """Back to the version that was in force before, or to `to`, which has to have been.

    None: nothing was in force before; the brand's own file counts again.
    """
    _lock(tx, scope)
    live = published(tx, scope)
    if live is None:
        raise DomainError("ranking_nothing_published", f"Nothing is published for {scope}.")
    stack, ever = _in_force(tx, scope)
    earlier = stack[-2] if len(stack) > 1 else None
    target = to if to is not None else earlier
    if target is None:
        record(tx, scope, live.version, "withdraw", actor, reason)
        return None
    if target not in ever - {live.version}:
        raise DomainError(
            "ranking_never_published",
            f"Version {target} was never in force for {scope}.",
            hint="`comptoir ranking history` shows which ones were.",
        )
    record(tx, scope, target, "rollback", actor, reason, {"from": live.version})
    return read_version(tx, target)


def discard(tx: Transaction, version: Version, actor: str, reason: str = "") -> None:
    """A draft that is not wanted. It stays on record."""
    live = published(tx, version.scope)
    if live is not None and live.version == version.version:
        raise DomainError("ranking_published", f"Version {version.version} is in force.")
    record(tx, version.scope, version.version, "discard", actor, reason)


def record(
    tx: Transaction,
    scope: Scope,
    version: int,
    act: Act,
    actor: str,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add a line to the trail."""
    tx.execute(
        _ACT.insert().values(
            version=version,
            brand_id=scope.brand_id,
            act=act,
            actor=actor,
            reason=reason,
            details=dict(details or {}),
        )
    )


def history(tx: Transaction, scope: Scope, limit: int = 200) -> list[Recorded]:
    """The trail of a scope, newest first."""
    statement = (
        sa.select(
            _ACT.c.act_id, _ACT.c.version, _ACT.c.act, _ACT.c.at,
            _ACT.c.actor, _ACT.c.reason, _ACT.c.details,
        )
        .join(_VERSION, _VERSION.c.version == _ACT.c.version)
        .where(_of(scope))
        .order_by(_ACT.c.act_id.desc())
        .limit(limit)
    )  # fmt: skip
    return [Recorded(*row) for row in tx.execute(statement)]


def drafts(tx: Transaction, scope: Scope) -> list[Version]:
    """Versions that were neither published nor discarded, newest first."""
    ended = sa.select(_ACT.c.version).where(_ACT.c.act.in_((*_PUBLISHING, "discard")))
    statement = (
        _VERSION.select()
        .where(_of(scope), _VERSION.c.version.not_in(ended))
        .order_by(_VERSION.c.version.desc())
    )
    return [_version(row) for row in tx.execute(statement)]


def last_act(tx: Transaction) -> int:
    """Number of the last act: grows when anything may have been published."""
    return int(tx.execute(sa.select(sa.func.coalesce(sa.func.max(_ACT.c.act_id), 0))).scalar_one())


def all_published(tx: Transaction) -> dict[str | None, list[Stated]]:
    """What is in force everywhere, by brand (None: the platform).

    A document that this release cannot read is logged and left out: the shop stays open.
    """
    statement = (
        sa.select(_VERSION, _ACT.c.act, _ACT.c.at)
        .join(_VERSION, _VERSION.c.version == _ACT.c.version)
        .where(_ACT.c.act.in_(_PUBLISHING))
        .ext(distinct_on(_VERSION.c.scope, _VERSION.c.brand_id, _VERSION.c.locale))
        .order_by(_VERSION.c.scope, _VERSION.c.brand_id, _VERSION.c.locale, _ACT.c.act_id.desc())
    )
    found: dict[str | None, list[Stated]] = {}
    for row in tx.execute(statement):
        if row.act == "withdraw":
            continue
        try:
            document = ranking_document(row.document)
        except DomainError as error:
            _LOG.error("ranking version %s is left out: %s", row.version, error.message)
            continue
        stated = Stated(row.scope, row.locale, document, row.version, row.at)
        found.setdefault(row.brand_id, []).append(stated)
    return found


def _in_force(tx: Transaction, scope: Scope) -> tuple[list[int], set[int]]:
    """Versions in force one upon the other, the present one last; and every one that ever was.

    Going back takes versions off again, so that going back twice goes back further.
    """
    stack: list[int] = []
    ever: set[int] = set()
    for each in reversed(history(tx, scope, 100_000)):
        if each.act == "withdraw":
            stack.clear()
        elif each.act == "rollback" and each.version in stack:
            del stack[stack.index(each.version) + 1 :]
        elif each.act in ("publish", "rollback"):
            stack.append(each.version)
            ever.add(each.version)
    return stack, ever


def _last_publishing(tx: Transaction, scope: Scope) -> Any:
    return tx.execute(
        sa.select(_ACT.c.version, _ACT.c.act)
        .join(_VERSION, _VERSION.c.version == _ACT.c.version)
        .where(_of(scope), _ACT.c.act.in_(_PUBLISHING))
        .order_by(_ACT.c.act_id.desc())
        .limit(1)
    ).one_or_none()


def _lock(tx: Transaction, scope: Scope) -> None:
    advisory_lock(tx, f"tenants.ranking {scope}")


def _of(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(
        _VERSION.c.scope == scope.kind,
        _VERSION.c.brand_id.is_not_distinct_from(scope.brand_id),
        _VERSION.c.locale.is_not_distinct_from(scope.locale),
    )


def _version(row: Any) -> Version:
    return Version(
        row.version,
        Scope(row.brand_id, row.locale),
        ranking_document(row.document),
        row.based_on,
        row.created_at,
        row.created_by,
        row.note,
    )


def _dated(
    document: RankingDocument, before: RankingDocument | None, now: datetime
) -> RankingDocument:
    """Rules with the moment at which each got its present text, whatever the draft says of it."""
    known = {rule.id: rule for rule in before.rules} if before else {}

    def dated(rule: RuleTable) -> RuleTable:
        plain = rule.model_copy(update={"changed_at": None})
        held = known.get(rule.id)
        same = held is not None and held.model_copy(update={"changed_at": None}) == plain
        return plain.model_copy(update={"changed_at": held.changed_at if same and held else now})

    return document.model_copy(update={"rules": tuple(dated(rule) for rule in document.rules)})
