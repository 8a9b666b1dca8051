"""All settings of an installation, read once from the environment and passed on, never global.

Every field is an environment variable of the same name in capitals; `docs/settings.md` lists them.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kernel.errors import DomainError

_POSTGRESQL = re.compile(r"postgres(ql)?(\+psycopg)?://")


class Settings(BaseSettings):
    """Settings with their defaults: everything embedded, in one data folder."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    comptoir_data: Path = Field(
        default_factory=lambda: Path.cwd() / ".comptoir",
        description="Data folder: embedded database, indices, keys, logs, demo merchants",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL (postgresql://...); unset: a private server in the data folder",
    )
    elasticsearch_url: str | None = Field(
        default=None,
        description="Elasticsearch 8.19 or 9, nodes separated by commas; unset: the embedded one",
    )
    elasticsearch_api_key: SecretStr | None = Field(
        default=None, description="API key for Elasticsearch, where security is on"
    )
    elasticsearch_ca: Path | None = Field(
        default=None, description="PEM file of the authority that signed the nodes' certificates"
    )
    elasticsearch_prefix: str = Field(
        default="comptoir-",
        pattern=r"^[a-z0-9][a-z0-9-]{0,60}-$",
        description="Beginning of the names of all indices and aliases of this installation",
    )
    elasticsearch_shards: int = Field(
        default=1, ge=1, le=64, description="Primary shards of an index made from now on"
    )
    elasticsearch_replicas: int | None = Field(
        default=None, ge=0, le=8, description="Copies of each shard; unset: one, on two nodes"
    )
    elasticsearch_refresh_interval: str = Field(
        default="500ms",
        pattern=r"^[1-9][0-9]{0,4}(ms|s)$",
        description="Time after which Elasticsearch shows what was written",
    )
    elasticsearch_home: Path | None = Field(
        default=None, description="Unpacked Elasticsearch that the demo starts when no URL is set"
    )
    redis_url: str | None = Field(
        default=None, description="Redis as an accelerator; unset: in-process equivalents"
    )
    answer_cache_ms: int = Field(
        default=300,
        ge=0,
        le=1_000,
        description="How long an answer of the search counts as fresh; 0: every one is made anew",
    )
    answer_cache_unchanged_s: int = Field(
        default=60,
        ge=0,
        le=600,
        description="How long it does while the index has not changed; 0: no longer than others",
    )
    embedding_model: str | None = Field(
        default=None,
        description="Another embedding model: a folder, or a name of sentence-transformers; "
        "unset: the shipped one",
    )
    matching_processes: int | None = Field(
        default=None,
        ge=1,
        le=8,
        description="Processes that match a large feed; unset: one for each processor",
    )
    host: str = Field(default="127.0.0.1", description="Address the servers listen on")
    shop_port: int = Field(default=8000, description="Port of the shop")
    backoffice_port: int = Field(default=8001, description="Port of the back office and push API")
    public_url: str | None = Field(
        default=None,
        description="Address by which payment providers reach us; unset: the shop's own",
    )
    trusted_proxies: str | None = Field(
        default=None,
        pattern=r"^[0-9A-Fa-f:./]+(,\s*[0-9A-Fa-f:./]+)*$",
        description="Proxies whose X-Forwarded headers count: addresses or networks, by commas",
    )
    limit_search: int = Field(
        default=1_200, ge=0, description="Searches and product pages of one caller in a minute"
    )
    limit_suggestions: int = Field(
        default=2_400, ge=0, description="Suggestions for one caller in a minute"
    )
    limit_events: int = Field(
        default=600, ge=0, description="Calls with events of one caller in a minute"
    )
    limit_basket: int = Field(
        default=300, ge=0, description="Looks at and changes of baskets by one caller in a minute"
    )
    limit_checkout: int = Field(
        default=120, ge=0, description="Steps before the payment by one caller in a minute"
    )
    limit_purchases: int = Field(
        default=60, ge=0, description="Purchases of one caller in ten minutes; a basket: a quarter"
    )
    limit_unpaid_purchases: int = Field(
        default=30,
        ge=0,
        le=500,
        description="Purchases of one caller in an hour that were not paid, before the next has to "
        "wait; a basket: a quarter",
    )
    limit_wrong_keys: int = Field(
        default=30, ge=0, description="Wrong keys from one address in a minute"
    )
    # A proxy on this machine that nobody named would be one caller, and shut the shop for all.
    limit_exempt: str = Field(
        default="127.0.0.0/8, ::1/128",
        description="Callers that are not counted: addresses or networks, parted by commas",
    )
    payment_provider: str = Field(default="simulator", description="Payment provider by name")
    payment_url: str = Field(
        default="http://127.0.0.1:8004", description="Address of the payment provider's API"
    )
    payment_api_key: SecretStr | None = Field(
        default=None, description="Our key at the payment provider"
    )
    payment_webhook_secret: SecretStr | None = Field(
        default=None, description="Secret that signs the payment provider's webhooks"
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server, smtp+starttls://user:password@host; unset: letters wait",
    )
    mail_sender: str = Field(
        default="orders@localhost", description="Address that letters to buyers come from"
    )
    accounts_country: str = Field(
        default="FR",
        pattern=r"^[A-Z]{2}$",
        description="Country in which the platform is taxed; decides the tax on commission",
    )
    accounts_siren: str = Field(
        default="", pattern=r"^([0-9]{9})?$", description="SIREN that the French export is named by"
    )
    datev_consultant: int = Field(
        default=1001, ge=1001, le=9_999_999, description="Number of the tax adviser at DATEV"
    )
    datev_client: int = Field(
        default=1, ge=1, le=99_999, description="Number of this client at the tax adviser"
    )
    event_allow_hosts: str = Field(
        default="",
        description="Receivers of events on networks of your own, host:port, parted by commas",
    )
    terms_archive_folder: Path | None = Field(
        default=None,
        description="Folder outside where every version of terms is deposited; unset: data folder",
    )
    terms_archive_email: str | None = Field(
        default=None, description="Address that every version of terms is sent to; unset: none"
    )
    read_only: bool = Field(
        default=False, description="Show everything, change nothing: for repairs and a last resort"
    )
    brand_by_query: bool = Field(
        default=False, description="Choose the brand by ?brand= as well as by host (demo only)"
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not _POSTGRESQL.match(url.get_secret_value()):
            raise ValueError("has to begin with postgresql://")
        return url

    @field_validator("limit_exempt")
    @classmethod
    def _is_networks(cls, text: str) -> str:
        for each in filter(None, map(str.strip, text.split(","))):
            try:
                ip_network(each, strict=False)
            except ValueError:
                raise ValueError("has to be addresses or networks, parted by commas") from None
        return text

    @property
    def refresh_s(self) -> float:
        """`elasticsearch_refresh_interval` in seconds."""
        number = self.elasticsearch_refresh_interval.removesuffix("s")
        return int(number[:-1]) / 1000 if number.endswith("m") else float(number)

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        return self.comptoir_data.expanduser().absolute()


def load_settings() -> Settings:
    """Read the environment. Empty variables count as unset.

    Raises DomainError `setting_invalid`, which names every wrong variable, never its value: it may
    be a secret.
    """
    for field in Settings.model_fields:
        if os.environ.get(field.upper()) == "":
            del os.environ[field.upper()]
    try:
        return Settings()
    except ValidationError as error:
        rows = error.errors(include_url=False, include_input=False, include_context=False)
        wrong = [f"{str(row['loc'][0]).upper()}: {row['msg']}" for row in rows]
        raise DomainError(
            "setting_invalid",
            f"A setting cannot be read. {'; '.join(wrong)}.",
            hint="Correct or unset it; docs/settings.md says what each takes.",
            status=500,
        ) from None
