"""The way to the nodes: which are asked, how long, how often, and what a failure means in words.

A question of a shopper is answered or refused within READ_WITHIN_S, on another node where one
fails. Writes are repeated longer: their versions make a doubled one harmless.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    ConnectionTimeout,
    Elasticsearch,
    NotFoundError,
    OrjsonSerializer,
    SSLError,
    TransportError,
    UnsupportedProductError,
)
from elasticsearch import ConnectionError as Unreachable

from indexer.elasticsearch.one_write import OneWriteNode
from kernel.errors import DomainError

READ_WITHIN_S = 2.0
FIRST_READ_S = 1.2
"""Patience with the first of several nodes; what is left of READ_WITHIN_S is for another one."""
WRITE_WITHIN_S = 90.0
WRITE_TRY_S = 40.0
CONNECTIONS = 32
"""Kept open to each node: as many as a shop process has threads that ask."""

_PASSING = frozenset({429, 502, 503, 504})
"""Statuses of a cluster that is busy, or between two masters or primaries."""
_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 1.0

AnswerT = TypeVar("AnswerT")


class Nodes:
    """The nodes of one cluster behind one client that leaves out dead ones for a while."""

    def __init__(self, url: str, *, api_key: str | None = None, ca: Path | None = None) -> None:
        """`url` names one node or several, separated by commas; `ca` is a PEM file."""
        self._urls = node_urls(url)
        if ca is not None and not ca.is_file():
            raise _misconfigured(f"ELASTICSEARCH_CA names {ca}, which is no file", "")
        encrypted = all(each.startswith("https://") for each in self._urls)
        trust: dict[str, Any] = {"ca_certs": str(ca)} if ca is not None and encrypted else {}
        self._client = Elasticsearch(
            self._urls,
            api_key=api_key,
            **trust,
            request_timeout=READ_WITHIN_S,
            max_retries=0,
            retry_on_timeout=False,
            connections_per_node=CONNECTIONS,
            # Questions are small, and packing costs more time than a local network does.
            http_compress=False,
            node_class=OneWriteNode,
            serializers={"application/json": OrjsonSerializer()},
        )
        first = READ_WITHIN_S if len(self._urls) == 1 else FIRST_READ_S
        self._reading = self._client.options(request_timeout=first)
        self._writing = self._client.options(request_timeout=WRITE_TRY_S)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def ask(self, brand_id: str, question: Callable[[Elasticsearch], AnswerT]) -> AnswerT:
        """A shopper's question. A cluster of which no node can be reached is not asked twice."""
        with reached(brand_id):
            until = time.monotonic() + READ_WITHIN_S
            return self._repeated(self._reading, question, until, unreachable=len(self._urls))

    def work(self, task: Callable[[Elasticsearch], AnswerT], brand_id: str = "") -> AnswerT:
        """A write or a change of indices, repeated while the cluster recovers."""
        with reached(brand_id):
            until = time.monotonic() + WRITE_WITHIN_S
            return self._repeated(self._writing, task, until, unreachable=5 * len(self._urls))

    def _repeated(
        self,
        client: Elasticsearch,
        call: Callable[[Elasticsearch], AnswerT],
        until: float,
        *,
        unreachable: int,
    ) -> AnswerT:
        pause = _PAUSE_S
        while True:
            try:
                return call(client)
            except (TransportError, ApiError) as error:
                unreachable -= isinstance(error, Unreachable)
                left = until - time.monotonic() - pause
                if unreachable < 1 or left <= 0 or not _is_passing(error):
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            client = client.options(request_timeout=min(left, WRITE_TRY_S))


def node_urls(url: str) -> list[str]:
    """The nodes of a setting: addresses separated by commas, all with http or all with https."""
    urls = [part.strip().rstrip("/") for part in url.split(",") if part.strip()]
    schemes = {each.partition("://")[0] for each in urls}
    if not urls or len(schemes) > 1 or not schemes <= {"http", "https"}:
        raise _misconfigured(
            "ELASTICSEARCH_URL is no list of addresses",
            "Write http(s)://host:port, several of them separated by commas.",
        )
    return [_with_port(each) for each in urls]


def shown_url(url: str) -> str:
    """The setting as it may be printed: without the names and passwords in it."""
    parts = [each.partition("://") for each in node_urls(url)]
    return ", ".join(f"{scheme}://{rest.rpartition('@')[2]}" for scheme, _, rest in parts)


def _with_port(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    has_port = ":" in host.rpartition("@")[2].rpartition("]")[2]
    return f"{scheme}://{host}{'' if has_port else ':9200'}{slash}{path}"


def _is_passing(error: Exception) -> bool:
    if isinstance(error, ApiError):
        return error.status_code in _PASSING
    return isinstance(error, ConnectionTimeout | Unreachable) and not isinstance(error, SSLError)


@contextmanager
def reached(brand_id: str = "") -> Iterator[None]:
    """What the client raises, put in words."""
    try:
        yield
    except NotFoundError as error:
        raise missing(brand_id) from error
    except AuthenticationException as error:
        raise unavailable(
            "it refused our key", "Check ELASTICSEARCH_API_KEY: it is wrong, expired or revoked."
        ) from error
    except AuthorizationException as error:
        raise _forbidden(error) from error
    except UnsupportedProductError as error:
        raise unavailable("what answers is no Elasticsearch", "Check ELASTICSEARCH_URL.") from error
    except ConnectionTimeout as error:
        raise unavailable("it did not answer in time", "Try again in a moment.") from error
    except SSLError as error:
        hint = "ELASTICSEARCH_CA must name the PEM file of the authority that signed it."
        raise unavailable("its certificate is not trusted", hint) from error
    except TransportError as error:
        raise unavailable("it cannot be reached", "Check ELASTICSEARCH_URL.") from error
    except ApiError as error:
        raise unavailable(f"it answered {error.status_code}: {error.message}", "") from error


def _forbidden(error: ApiError) -> DomainError:
    reason = reason_of(error)
    if error.message == "security_exception":
        hint = "The role it needs is in docs/guides/elasticsearch.md."
        return unavailable(f"our key may not do this ({reason})", hint)
    return unavailable(f"it takes no writes ({reason})", "Often its disk is full.")


def reason_of(error: ApiError) -> str:
    """The reason that the server gives, in at most 300 characters."""
    body = error.body
    told = body.get("error") if isinstance(body, dict) else None
    reason = told.get("reason") if isinstance(told, dict) else None
    return str(reason or error.message)[:300]


def missing(brand_id: str) -> DomainError:
    """The refusal for a brand, or a name, without an index."""
    return DomainError(
        "index_missing",
        f"The brand {brand_id} has no search index yet." if brand_id else "There is no such index.",
        hint="Build it from the catalogue: comptoir index rebuild",
        status=503,
    )


def unavailable(reason: str, hint: str) -> DomainError:
    """The refusal while the engine cannot be used."""
    return DomainError(
        "search_unavailable",
        f"The search engine is not available: {reason}.",
        hint=hint,
        status=503,
    )


def _misconfigured(what: str, hint: str) -> DomainError:
    return DomainError("elasticsearch_settings", f"{what}.", hint=hint, status=500)
