"""The demonstration as told on the terminal: a line for each step, with counts and times."""

from __future__ import annotations

import hashlib
import os
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import click

from comptoir.demo import indices, peers
from comptoir.demo.brands import apply_brands
from comptoir.demo.plan import DemoPlan
from comptoir.demo.steps import step
from comptoir.demo_market import Market, generate, merchants
from comptoir.installation import Installation
from comptoir.merchant_oscar.install import OscarInstallation
from comptoir.progress import Stopwatch
from comptoir.roles import role_child
from comptoir.supervisor import Child, Supervisor
from kernel.errors import DomainError
from kernel.settings import Settings, load_settings


def tell(*, engine: str, port: int, stop_when_ready: bool) -> None:
    """Start everything, load what is not loaded, say where to look, wait."""
    watch = Stopwatch()
    settings = load_settings()
    click.echo(f"Comptoir demo, data in {settings.data}")
    with ExitStack() as stack, ThreadPoolExecutor(1) as beside:
        plan = DemoPlan(settings.data, port, _elasticsearch(engine, settings, stack))
        _refuse_taken_ports(plan)
        market = generate()
        os.environ.update(plan.environment())
        shop_install = beside.submit(peers.install_oscar, plan, market, _quiet)
        supervisor = stack.enter_context(Supervisor())
        installation = _open()
        indices.build_again(installation)
        digest = hashlib.sha256(repr((market.offers, merchants())).encode()).hexdigest()
        if plan.loaded(digest) and _is_indexed(installation):
            _start_again(installation, plan, supervisor, shop_install)
        else:
            _load_and_start(installation, plan, market, supervisor, shop_install)
            plan.remember(digest)
        _say_where(installation, plan, watch)
        if not stop_when_ready:
            supervisor.wait()
            click.echo("stopping")


def _open() -> Installation:
    with step("database") as say:
        installation = Installation()
        names = apply_brands(installation)
        say(f"PostgreSQL is up; brands {', '.join(names)}")
    return installation


def _is_indexed(installation: Installation) -> bool:
    """Whether each brand has an index on the engine that is asked for."""
    brands = installation.brands.brands()
    return all(installation.engine.stats(brand_id) is not None for brand_id in brands)


def _start_again(
    installation: Installation,
    plan: DemoPlan,
    supervisor: Supervisor,
    shop_install: Future[OscarInstallation],
) -> None:
    """Everything at once: nothing is to be loaded, so nothing waits for anything."""
    with step("all servers") as say:
        oscar = peers.oscar(plan, shop_install.result())
        others = (peers.sites(plan), peers.payment(plan), peers.werkkontor(plan))
        supervisor.start(*_roles(installation, "all"), *others, oscar)
        peers.tell_webhook_address(plan)
        say(f"the market is loaded already; {_counts(installation)}")


def _load_and_start(
    installation: Installation,
    plan: DemoPlan,
    market: Market,
    supervisor: Supervisor,
    shop_install: Future[OscarInstallation],
) -> None:
    # Feed readers, spiders and matching are imported by who loads; a later start does without.
    from comptoir.demo import loading
    from comptoir.worker import drain

    with step("peers") as say:
        backoffice = _roles(installation, "backoffice")
        others = (peers.sites(plan), peers.payment(plan), peers.werkkontor(plan))
        supervisor.start(*others, *backoffice)
        peers.tell_webhook_address(plan)
        stocked = peers.fill_werkkontor(plan, market)
        say(f"sites, payments, back office answer; a UCP shop with {stocked}")
    for merchant_id, way in (("lumiporte", "Google feed"), ("werkkontor", "CSV")):
        with step(merchant_id) as say:
            say(f"{way}: {loading.load_feed(installation, plan, merchant_id)}")
    with step("atelier-boreal") as say:
        say(f"crawled: {loading.crawl(installation, plan, 'atelier-boreal')}")
    with step("maison-oscar") as say:
        say("waiting for django-oscar to be installed")
        shop = shop_install.result()
        supervisor.start(peers.oscar(plan, shop))
        say(f"pushed: {loading.push(installation, plan, shop)}")
    with step("catalogue") as say:
        drain(installation, label="matching and indexing")
        if loading.remember_past(installation, market):
            drain(installation, label="past prices")
        indices.complete(installation)
        say(f"matched into golden records; {_counts(installation)}")
    with step("shop") as say:
        supervisor.start(
            *(
                role_child(role, installation.settings, installation.url)
                for role in ("shop", "worker")
            )
        )
        say(f"answers on {plan.shop}")


def _roles(installation: Installation, *roles: str) -> list[Child]:
    return [role_child(role, installation.settings, installation.url) for role in roles]


def _counts(installation: Installation) -> str:
    counts = []
    for brand in installation.brands.brands().values():
        stats = installation.engine.stats(brand.id)
        counts.append(f"{brand.name} shows {stats.count if stats else 0} products")
    return ", ".join(counts)


def _say_where(installation: Installation, plan: DemoPlan, watch: Stopwatch) -> None:
    password = plan.data / "oscar" / "accounts.json"
    lines = [
        "",
        f"ready in {watch}. Look here:",
        *(
            f"  {brand.name:22} {plan.shop}/?brand={brand.id}   or   "
            f"http://{brand.hosts[0]}:{plan.port}"
            for brand in installation.brands.brands().values()
        ),
        f"  {'search API':22} {plan.shop}/v1/search?q=lave-linge",
        f"  {'orders at the merchant':22} {plan.oscar}/dashboard/orders/   "
        f"(admin, password in {password})",
        f"  {'merchant by UCP':22} {plan.werkkontor}/.well-known/ucp",
        f"  {'merchants’ own sites':22} {plan.sites}/lumiporte/",
        "",
        "Cards at the payment page: 4111 1111 1111 1111 pays, 4000 0000 0000 0002 is declined.",
        "Ctrl-C stops everything.",
    ]
    click.echo("\n".join(lines))


def _elasticsearch(engine: str, settings: Settings, stack: ExitStack) -> str | None:
    if engine != "elasticsearch":
        os.environ.pop("ELASTICSEARCH_URL", None)
        return None
    if settings.elasticsearch_url is not None:
        return settings.elasticsearch_url
    from comptoir.embedded import elasticsearch

    with step("elasticsearch") as say:
        folder = settings.data / "elasticsearch"
        server = elasticsearch.start(_home(settings), folder, elasticsearch.free_port())
        stack.callback(server.stop)
        server.wait()
        say(f"answers on {server.url}")
    return server.url


def _home(settings: Settings) -> Path:
    """The home that the settings name, else one that lies beside the project's folder."""
    beside = Path.cwd().parent / "shared" / "elasticsearch"
    home = settings.elasticsearch_home or (beside if beside.is_dir() else None)
    if home is None:
        raise DomainError(
            "no_elasticsearch",
            "There is no Elasticsearch to use.",
            hint="Set ELASTICSEARCH_URL, or ELASTICSEARCH_HOME to an unpacked one.",
        )
    return home


def _refuse_taken_ports(plan: DemoPlan) -> None:
    for address in plan.addresses:
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((host, int(port))) == 0:
                raise DomainError(
                    "port_taken",
                    f"Something listens on port {port} already.",
                    hint="Stop it, or choose six other ports: comptoir demo --port 8100",
                )


def _quiet(_: str) -> None:
    """The other install steps are told by the line that waits for them."""
