"""The demonstration as told on the terminal: a line for each step, with counts and times."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from comptoir.demo import loading, peers
from comptoir.demo.plan import DemoPlan
from comptoir.demo_market import generate
from comptoir.installation import Installation
from comptoir.merchant_oscar.install import OscarInstallation
from comptoir.progress import Stopwatch
from comptoir.roles import role_child
from comptoir.supervisor import Supervisor
from comptoir.worker import drain
from crawlers.ingest import IngestReport
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
        installation = _open(plan, supervisor)
        digest = hashlib.sha256(repr(market.offers).encode()).hexdigest()
        if plan.loaded(digest):
            supervisor.start(peers.oscar(plan, shop_install.result()))
            click.echo("  the market is loaded already; nothing to do")
        else:
            _load(installation, plan, supervisor, shop_install)
            plan.remember(digest)
        _bring_up(installation, plan, supervisor)
        _say_where(installation, plan, watch)
        if not stop_when_ready:
            supervisor.wait()
            click.echo("stopping")


def _open(plan: DemoPlan, supervisor: Supervisor) -> Installation:
    with _step("database") as say:
        installation = Installation()
        names = loading.apply_brands(installation)
        say(f"PostgreSQL is up; brands {', '.join(names)}")
    with _step("peers") as say:
        roles = role_child("backoffice", installation.settings)
        supervisor.start(peers.sites(plan), peers.payment(plan), roles)
        peers.tell_webhook_address(plan)
        say("merchants' sites, payment provider and back office answer")
    return installation


def _load(
    installation: Installation,
    plan: DemoPlan,
    supervisor: Supervisor,
    shop_install: Future[OscarInstallation],
) -> None:
    for merchant_id, way in (("lumiporte", "Google feed"), ("werkkontor", "CSV")):
        with _step(merchant_id) as say:
            say(f"{way}: {_checked(loading.load_feed(installation, plan, merchant_id))}")
    with _step("atelier-boreal") as say:
        say(f"crawled: {_checked(loading.crawl(installation, plan, 'atelier-boreal'))}")
    with _step("maison-oscar") as say:
        say("waiting for django-oscar to be installed")
        shop = shop_install.result()
        supervisor.start(peers.oscar(plan, shop))
        say(f"pushed: {loading.push(installation, plan, shop).partition(':')[0]}")
    with _step("catalogue") as say:
        drain(installation, label="matching and indexing")
        say("offers matched, golden records made, indices written")


def _bring_up(installation: Installation, plan: DemoPlan, supervisor: Supervisor) -> None:
    from indexer.rebuild import rebuild

    with _step("index") as say:
        counts = []
        for brand in installation.brands.brands().values():
            stats = installation.engine.stats(brand.id)
            if stats is None or stats.model_id != installation.encoder.model_id:
                rebuild(installation.database, installation.engine, installation.encoder, brand)
                stats = installation.engine.stats(brand.id)
            counts.append(f"{brand.name} {stats.count if stats else 0} products")
        say(", ".join(counts))
    with _step("shop") as say:
        roles = [role_child(role, installation.settings) for role in ("shop", "worker")]
        supervisor.start(*roles)
        say(f"answers on {plan.shop}")


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
        f"  {'merchants’ own sites':22} {plan.sites}/lumiporte/",
        "",
        "Cards at the payment page: 4111 1111 1111 1111 pays, 4000 0000 0000 0002 is declined.",
        "Ctrl-C stops everything.",
    ]
    click.echo("\n".join(lines))


def _checked(report: IngestReport) -> str:
    if report.parked is not None:
        raise DomainError("demo_parked", f"a feed of the market was parked: {report.parked}")
    return str(report)


def _elasticsearch(engine: str, settings: Settings, stack: ExitStack) -> str | None:
    if engine != "elasticsearch":
        os.environ.pop("ELASTICSEARCH_URL", None)
        return None
    if settings.elasticsearch_url is not None:
        return settings.elasticsearch_url
    from comptoir.embedded import elasticsearch

    with _step("elasticsearch") as say:
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
    for address in (plan.shop, plan.backoffice, plan.sites, plan.oscar, plan.payment):
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((host, int(port))) == 0:
                raise DomainError(
                    "port_taken",
                    f"Something listens on port {port} already.",
                    hint="Stop it, or choose five other ports: comptoir demo --port 8100",
                )


def _quiet(_: str) -> None:
    """The other install steps are told by the line that waits for them."""


class _Say:
    def __init__(self, label: str) -> None:
        self.label, self.text = label, ""

    def __call__(self, text: str) -> None:
        self.text = text
        if sys.stdout.isatty():
            click.echo(f"\r\033[K  … {self.label:16} {text}", nl=False)


@contextmanager
def _step(label: str) -> Iterator[_Say]:
    watch, say = Stopwatch(), _Say(label)
    say("")
    yield say
    start = "\r\033[K" if sys.stdout.isatty() else ""
    click.echo(f"{start}  ✓ {label:16} {say.text:64} {watch}")
