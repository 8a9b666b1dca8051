"""`comptoir doctor`: what is configured, reachable and missing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import click

from kernel.errors import DomainError
from kernel.settings import Settings, load_settings

Finding = tuple[str, str, str]
"""(subject, state, detail); state: ok, embedded, unset, outdated, waiting, missing or failing."""

COLOURS = {
    **dict.fromkeys(("ok", "embedded"), "green"),
    **dict.fromkeys(("unset", "outdated", "waiting"), "yellow"),
}


@click.command()
def command() -> None:
    """Tell what is configured, reachable and missing. Ends with 1 when something is failing."""
    settings = load_settings()
    broken = False
    for check in (_data, _python, _database, _brands, _engine, _model, _payment, _redis):
        for subject, state, detail in _guarded(check, settings):
            broken |= state in {"failing", "missing"}
            click.echo(f"{subject:12} ", nl=False)
            click.secho(f"{state:9}", fg=COLOURS.get(state, "red"), nl=False)
            click.echo(f" {detail}")
    sys.exit(1 if broken else 0)


def _guarded(
    check: Callable[[Settings], Iterator[Finding]], settings: Settings
) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except DomainError as error:
        yield check.__name__.strip("_"), "failing", f"{error.message} {error.hint}".strip()
    except Exception as error:  # noqa: BLE001 - a doctor reports every illness
        said = str(error).partition("\n")[0]
        yield check.__name__.strip("_"), "failing", f"{type(error).__name__}: {said}"


def _data(settings: Settings) -> Iterator[Finding]:
    import shutil

    settings.data.mkdir(parents=True, exist_ok=True)
    free_gb = shutil.disk_usage(settings.data).free / 1e9
    yield "data", "ok" if free_gb > 1 else "failing", f"{settings.data}, {free_gb:.1f} GB free"


def _python(_: Settings) -> Iterator[Finding]:
    import platform
    from importlib.metadata import version

    yield "release", "ok", f"comptoir {version('comptoir')} on Python {platform.python_version()}"


def _database(settings: Settings) -> Iterator[Finding]:
    import sqlalchemy as sa

    from checkout.parked import parked_legs
    from comptoir import database_schema
    from comptoir.embedded.postgres import database_url
    from kernel import jobs
    from kernel.db import Database
    from mdm.intake import list_runs

    kind = "embedded" if settings.database_url is None else "ok"
    database = Database(database_url(settings))
    with database.engine.connect() as connection:
        version = connection.execute(sa.text("SHOW server_version")).scalar_one()
    current, head = database_schema.current(database), database_schema.head()
    yield "database", kind, f"PostgreSQL {version}"
    is_ahead = database_schema.refuse_newer(database, current)
    if current != head and not is_ahead:
        yield "schema", "missing", f"at {current or 'none'}, needs {head}: comptoir db upgrade"
        return
    ahead = f", ahead of this release ({head}), which it serves" if is_ahead else ""
    yield "schema", "ok", f"revision {current}{ahead}"
    with database.platform() as tx:
        waiting, given_up = jobs.waiting(tx), jobs.failed(tx)
    state = "failing" if given_up else "ok"
    names = ", ".join(sorted({name for _, name, _ in given_up}))
    yield (
        "jobs",
        state,
        f"{waiting} waiting" + (f", given up: {names}: comptoir jobs list" if given_up else ""),
    )
    with database.platform() as tx:
        runs, legs = list_runs(tx, state="parked"), parked_legs(tx)
    if runs:
        yield "runs", "waiting", f"{len(runs)} wait for a person: comptoir run list --parked"
    if legs:
        yield "orders", "waiting", f"{len(legs)} wait for a person: comptoir order waiting"


def _brands(_: Settings) -> Iterator[Finding]:
    from comptoir.installation import Installation

    brands = Installation().brands.brands()
    if not brands:
        yield "brands", "missing", "none yet: comptoir brand apply FILE"
    for brand in brands.values():
        yield "brand", "ok", f"{brand.id} revision {brand.revision} at {', '.join(brand.hosts)}"


def _engine(settings: Settings) -> Iterator[Finding]:
    from comptoir.installation import Installation
    from indexer.dead_letters import count

    installation = Installation(settings)
    if settings.elasticsearch_url is None:
        yield "search", "embedded", str(settings.data / "search")
    else:
        from indexer.elasticsearch.connection import shown_url

        # Of an index that nobody has: refuses where the server is away, or is none.
        installation.engine.stats("doctor")
        yield "search", "ok", shown_url(settings.elasticsearch_url)
    for brand in installation.brands.brands().values():
        stats = installation.engine.stats(brand.id)
        if stats is None:
            hint = f"comptoir index rebuild --brand {brand.id}"
            yield "index", "missing", f"{brand.id} has no index: {hint}"
        else:
            told = f"{brand.id}: {stats.count} products, vectors of {stats.model_id}"
            if stats.model_id == installation.encoder.model_id:
                yield "index", "ok", told
            else:
                hint = f"comptoir index rebuild --brand {brand.id}, or the worker does it"
                yield "index", "outdated", f"{told}, another model than in use: {hint}"
            with installation.database.platform() as tx:
                refused = count(tx, brand.id, stats.index)
            if refused:
                told = f"{brand.id}: {refused} products refused: comptoir index dead-letters"
                yield "refused", "failing", told


def _model(settings: Settings) -> Iterator[Finding]:
    from comptoir.installation import Installation

    encoder = Installation(settings).encoder
    kind = "embedded" if settings.embedding_model is None else "ok"
    yield "embedding", kind, f"{encoder.model_id}, {encoder.dimensions} dimensions"


def _payment(settings: Settings) -> Iterator[Finding]:
    from checkout.payment_providers import display_name

    display_name(settings.payment_provider)
    if settings.payment_api_key is None or settings.payment_webhook_secret is None:
        yield (
            "payment",
            "unset",
            "PAYMENT_API_KEY and PAYMENT_WEBHOOK_SECRET; nothing can be bought",
        )
        return
    yield "payment", *_reach(settings.payment_url, settings.payment_provider)


def _redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis_url is None:
        yield "redis", "unset", "in-process equivalents serve"
        return
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(
            settings.redis_url, socket_timeout=3, socket_connect_timeout=3
        ) as redis:
            redis.ping()
            address = redis.connection_pool.connection_kwargs
    except (RedisError, OSError, ValueError) as error:
        # Nothing is lost with it: processes then do without.
        yield "redis", "failing", f"{error}; in-process equivalents serve meanwhile"
        return
    yield "redis", "ok", f"answers on {address.get('host', 'its socket')}"


def _reach(url: str, name: str) -> tuple[str, str]:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=3):  # noqa: S310 - the operator's own setting
            pass
    except urllib.error.HTTPError:
        pass  # it answers, and that is the question
    except (urllib.error.URLError, OSError, ValueError) as error:
        return "failing", f"{name} at {url}: {error}"
    return "ok", f"{name} at {url}"
