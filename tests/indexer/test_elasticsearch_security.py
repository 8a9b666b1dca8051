"""The real server with security and TLS on: a key with the guide's role does all, and no more."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from elasticsearch import (
    ApiError,
    AuthorizationException,
    Elasticsearch,
    TransportError,
)

from comptoir.embedded import elasticsearch
from indexer import open_engine
from indexer.elasticsearch import ElasticsearchEngine
from indexer.engine import Delete, Filters, SearchRequest, Words
from indexer.generations import clear, roll_back
from indexer.rebuild import rebuild
from indexer.verify import verify
from kernel.db import Database
from kernel.embedding.encoder import load_encoder
from kernel.errors import DomainError
from kernel.settings import load_settings
from tests.conftest import fresh_database
from tests.contracts.search_engines import MODEL
from tests.elasticsearch_server import server_folder
from tests.indexer.documents import DIMENSIONS, direction, document, upsert
from tests.indexer.indices_at_hand import make_catalogue

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "elasticsearch.md"
PASSWORD = "a password of this test alone"

pytestmark = pytest.mark.elasticsearch


@dataclass(frozen=True)
class Secured:
    """A server, the authority behind its certificate, another authority, and two keys."""

    url: str
    ca: Path
    other_ca: Path
    api_key: str
    admin: Elasticsearch


@pytest.fixture(scope="module")
def secured(elasticsearch_home: Path) -> Iterator[Secured]:
    """One node with a certificate of an authority made here."""
    with server_folder() as folder:
        tls = folder / "config" / "tls"
        tls.mkdir(parents=True)
        make_certificates(tls)
        server = elasticsearch.start(
            elasticsearch_home,
            folder,
            elasticsearch.free_port(),
            settings={
                "discovery.type": "single-node",
                "xpack.security.enabled": "true",
                "xpack.security.http.ssl.enabled": "true",
                "xpack.security.http.ssl.key": str(tls / "node.key"),
                "xpack.security.http.ssl.certificate": str(tls / "node.pem"),
            },
            secrets={"bootstrap.password": PASSWORD},
            heap_mb=320,
        )
        try:
            server.wait(480)
            admin = Elasticsearch(
                server.url,
                basic_auth=("elastic", PASSWORD),
                ca_certs=str(tls / "ca.pem"),
                request_timeout=60,
            )
            wait_until_recovered(admin)
            yield Secured(server.url, tls / "ca.pem", tls / "other.pem", guide_key(admin), admin)
            admin.close()
        finally:
            server.stop()


def wait_until_recovered(admin: Elasticsearch) -> None:
    """A node that answers knows nobody until it has read its own state, and says 401."""
    until = time.monotonic() + 60
    while True:
        try:
            admin.cluster.health(wait_for_status="yellow")
        except (ApiError, TransportError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def make_certificates(folder: Path) -> None:
    """An authority, a node's certificate for 127.0.0.1 signed by it, and another authority."""
    authority, node, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    write = {
        "ca.pem": certificate("authority", "authority", authority, authority),
        "node.pem": certificate("node", "authority", node, authority),
        "other.pem": certificate("other", "other", other, other),
    }
    for name, made in write.items():
        (folder / name).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "node.key").write_bytes(
        node.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = datetime.now(UTC)
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=key is signer, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
    )
    return builder.sign(signer, hashes.SHA256())


def guide_role() -> dict[str, Any]:
    """The role as the guide gives it to operators."""
    (text,) = re.findall(r"```json\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    role: dict[str, Any] = json.loads(text)
    return role


def guide_key(admin: Elasticsearch) -> str:
    """A key with that role, encoded."""
    made = admin.security.create_api_key(
        name="comptoir", role_descriptors={"comptoir": guide_role()}
    )
    return str(made["encoded"])


@pytest.fixture
def engine(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> Iterator[ElasticsearchEngine]:
    """The engine as the settings of an operator open it."""
    monkeypatch.setenv("ELASTICSEARCH_URL", secured.url)
    monkeypatch.setenv("ELASTICSEARCH_API_KEY", secured.api_key)
    monkeypatch.setenv("ELASTICSEARCH_CA", str(secured.ca))
    opened = open_engine(load_settings())
    assert isinstance(opened, ElasticsearchEngine)
    yield opened
    opened.close()


def test_the_role_of_the_guide_is_enough_for_everything(
    engine: ElasticsearchEngine,
    request: pytest.FixtureRequest,
    postgres_url: str,
    tmp_path: Path,
) -> None:
    """Create, publish, write, search, complete, verify, repair, roll back, clear, drop."""
    database = Database(fresh_database(postgres_url))
    catalogue = make_catalogue(request, "embedded", database, load_encoder(), tmp_path)
    catalogue.engine = engine
    brand = catalogue.brand
    catalogue.land(["10.00", "20.00"])
    catalogue.refresh()
    first = catalogue.index
    rebuild(database, engine, catalogue.encoder, brand)
    assert roll_back(catalogue.work).index == first
    assert engine.search(brand.id, SearchRequest(Words("lamp", "en"))).total == 2
    product_id = catalogue.product_ids()[0]
    vector = catalogue.encoder.encode_one("lamp")
    assert engine.neighbours(brand.id, vector, filters=Filters(), limit=2)
    assert engine.explain(brand.id, SearchRequest(Words("lamp", "en")), product_id) is not None
    assert engine.complete(brand.id, "nord", "en", 5)
    assert dict(engine.vocabulary(brand.id, "en"))
    held = engine.held(first, [product_id])[product_id]
    engine.write(first, [Delete(product_id, held.version)])
    mended = verify(catalogue.work, repair=True, patience_s=0)
    assert (mended.is_whole, mended.repaired) == (True, 1)
    assert clear(catalogue.work) == []
    for row in engine.generations(brand.id):
        if row.index != first:
            engine.drop(brand.id, row.index)
    assert [row.index for row in engine.generations(brand.id)] == [first]
    assert engine.previous(brand.id) is None
    database.close()


def test_the_key_touches_no_index_of_others(secured: Secured) -> None:
    """Neither by the engine with another prefix nor with a client of one's own."""
    secured.admin.index(index="ledger", id="1", document={"secret": True}, refresh=True)
    stranger = ElasticsearchEngine(
        secured.url, api_key=secured.api_key, ca=secured.ca, prefix="other-"
    )
    with pytest.raises(DomainError, match="may not do this") as refusal:
        stranger.create("b1", model_id=MODEL, dimensions=DIMENSIONS)
    assert refusal.value.status == 503
    assert "docs/guides/elasticsearch.md" in refusal.value.hint
    stranger.close()
    bare = Elasticsearch(secured.url, api_key=secured.api_key, ca_certs=str(secured.ca))
    attempts = (
        lambda: bare.search(index="ledger"),
        lambda: bare.index(index="ledger", document={}),
        lambda: bare.indices.delete(index="ledger"),
        lambda: bare.indices.update_aliases(
            actions=[{"add": {"index": "ledger", "alias": "comptoir-mirabelle"}}]
        ),
        lambda: bare.cluster.put_settings(persistent={"action.auto_create_index": "true"}),
        lambda: bare.security.create_api_key(name="another"),
    )
    for attempt in attempts:
        with pytest.raises(AuthorizationException):
            attempt()
    bare.close()


@pytest.mark.parametrize("key", [None, "bm90OmEga2V5", "wrong"])
def test_a_wrong_key_is_named(secured: Secured, key: str | None) -> None:
    """For shoppers' questions and for writes, with the setting to look at."""
    opened = ElasticsearchEngine(secured.url, api_key=key, ca=secured.ca)
    for ask in (
        lambda: opened.search("mirabelle", SearchRequest()),
        lambda: opened.stats("mirabelle"),
        lambda: opened.write("comptoir-x", [upsert(document("prd_a", "lamp"))]),
        lambda: opened.neighbours("mirabelle", direction(1.0), filters=Filters(), limit=1),
    ):
        with pytest.raises(DomainError, match="refused our key") as refusal:
            ask()
        assert refusal.value.status == 503
        assert "ELASTICSEARCH_API_KEY" in refusal.value.hint
    opened.close()


def test_an_unknown_authority_is_not_trusted(secured: Secured) -> None:
    """Neither another one's file nor the system's; nothing of the key is sent."""
    for ca in (secured.other_ca, None):
        opened = ElasticsearchEngine(secured.url, api_key=secured.api_key, ca=ca)
        with pytest.raises(DomainError, match="certificate is not trusted") as refusal:
            opened.search("mirabelle", SearchRequest())
        assert "ELASTICSEARCH_CA" in refusal.value.hint
        opened.close()


def test_plain_http_to_a_server_with_tls_is_refused(secured: Secured) -> None:
    opened = ElasticsearchEngine(secured.url.replace("https", "http"), api_key=secured.api_key)
    with pytest.raises(DomainError, match="not available"):
        opened.search("mirabelle", SearchRequest())
    opened.close()
