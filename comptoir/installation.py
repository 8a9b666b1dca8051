"""One installation: its settings and the parts built from them, each when first asked for."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from comptoir import database_schema
from comptoir.embedded.postgres import database_url
from kernel.cache import Cache, open_cache
from kernel.db import Database
from kernel.errors import DomainError
from kernel.settings import Settings, load_settings
from tenants.brand import Brand
from tenants.call_limits import CallLimits, networks
from tenants.registry import BrandRegistry

if TYPE_CHECKING:
    from checkout.deps import CheckoutDeps
    from checkout.order_letters import Post
    from checkout.signed_links import OrderLinks
    from checkout.terms_archive import Place
    from indexer.engine import Engine
    from kernel.embedding.encoder import Encoder


_LOG = logging.getLogger(__name__)


class Installation:
    """The composition root's parts. Heavy ones (engine, model) are imported on first use."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings()

    @cached_property
    def url(self) -> str:
        """Address of PostgreSQL; starts the embedded one."""
        return database_url(self.settings)

    @cached_property
    def database(self) -> Database:
        """The database at the schema of this release, or at a newer one that serves it.

        The embedded one is brought there; one of your own is left to `comptoir db upgrade`.
        """
        database = Database(self.url, read_only=self.settings.read_only)
        current = database_schema.current(database)
        if current == database_schema.head():
            return database
        if database_schema.refuse_newer(database, current):
            _LOG.warning("the database is ahead of this release, at revision %s", current)
            return database
        if self.settings.database_url is not None or self.settings.read_only:
            raise DomainError(
                "database_behind",
                "The database is not at the schema of this release.",
                hint="Run `comptoir db upgrade`.",
            )
        database_schema.upgrade(database)
        return database

    @cached_property
    def brands(self) -> BrandRegistry:
        """The snapshot of brands."""
        return BrandRegistry(self.database)

    @cached_property
    def engine(self) -> Engine:
        """The search engine that the settings name."""
        from indexer import open_engine

        return open_engine(self.settings)

    @cached_property
    def encoder(self) -> Encoder:
        """The embedding model that the settings name."""
        from kernel.embedding.encoder import load_encoder

        return load_encoder(self.settings.embedding_model)

    @cached_property
    def checkout(self) -> CheckoutDeps:
        """The parts of the purchase; DomainError where the payment provider is not configured."""
        from comptoir.checkout_wiring import open_checkout

        return open_checkout(self.settings, self.database, self.order_links, self.call_limits)

    @cached_property
    def cache(self) -> Cache:
        """The short memory: Redis, or this process."""
        return open_cache(self.settings.redis_url)

    @cached_property
    def call_limits(self) -> CallLimits:
        """What counts the calls of each caller."""
        from tenants.query_log import signing_key

        with self.database.platform() as tx:
            secret = signing_key(tx)
        return CallLimits(self.cache, secret, networks(self.settings.limit_exempt))

    @cached_property
    def order_links(self) -> OrderLinks:
        """What signs the links by which buyers open their orders."""
        from checkout.signed_links import OrderLinks
        from tenants.query_log import signing_key

        with self.database.platform() as tx:
            return OrderLinks(signing_key(tx))

    @cached_property
    def post(self) -> Post | None:
        """Where letters go out; None where no mail server is set."""
        from checkout.mail import mail_server
        from checkout.order_letters import Post

        if self.settings.smtp_url is None:
            return None
        server = mail_server(self.settings.smtp_url.get_secret_value())
        return Post(server, self.settings.mail_sender)

    @property
    def event_allow_hosts(self) -> frozenset[str]:
        """Receivers of events on networks of our own."""
        named = self.settings.event_allow_hosts.split(",")
        return frozenset(each.strip() for each in named if each.strip())

    @cached_property
    def terms_archive(self) -> list[Place]:
        """The places outside where every version of terms is deposited."""
        from checkout.terms_archive import ArchiveFolder, ArchiveMailbox

        folder = self.settings.terms_archive_folder or self.settings.data / "terms-archive"
        places: list[Place] = [ArchiveFolder(folder)]
        if self.settings.terms_archive_email is not None and self.post is not None:
            places.append(ArchiveMailbox(self.post, self.settings.terms_archive_email))
        return places

    def brand(self, brand_id: str | None) -> Brand:
        """A brand by id, or the only (first) one."""
        brands = self.brands.brands()
        if not brands:
            raise DomainError(
                "no_brand", "There is no brand yet.", hint="Add one: `comptoir brand apply FILE`."
            )
        if brand_id is None:
            return next(iter(brands.values()))
        if brand_id not in brands:
            raise DomainError(
                "brand_unknown",
                f"There is no brand {brand_id!r}.",
                hint=f"Known: {', '.join(brands)}.",
            )
        return brands[brand_id]
