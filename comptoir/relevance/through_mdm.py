"""A judged catalogue through mdm and the projection: offers landed, matched, merged, projected.

The documents that come out are kept in a file named after the catalogue's content and the code
that made them, so that the next run reads them in seconds. The `sku` of an offer is the judged id.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson

import indexer.document
import indexer.project
import kernel
import mdm
from comptoir.relevance.judged_catalogue import read_catalogue
from indexer.document import ProductDocument
from indexer.project import project
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from mdm.catalogue import all_product_ids, product_views
from mdm.intake import close_run, open_run, submit
from mdm.merchants import Merchant, register_merchant
from mdm.pipeline import match_landed
from mdm.raw_offer import RawOffer
from tenants.brand import Brand

MERCHANT = "judged"
_AT_ONCE = 1_000
Advance = Callable[[int], None]


def code_version(*modules: object) -> str:
    """A digest of the source of packages and modules: changes whenever their code does."""
    digest = hashlib.sha256()
    for module in modules:
        path = Path(str(getattr(module, "__file__", "")))
        files = sorted(path.parent.rglob("*")) if path.name == "__init__.py" else [path]
        for file in files:
            if file.suffix in {".py", ".toml", ".txt"} and file.is_file():
                digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def cache_key(catalogue: Path, encoder: Encoder) -> str:
    """Content of the catalogue, code that reads it, and the model that matching uses."""
    digest = hashlib.sha256(catalogue.read_bytes())
    code = code_version(mdm, kernel, indexer.project, indexer.document)
    digest.update(f"{code} {encoder.model_id}".encode())
    return digest.hexdigest()[:16]


def load(
    database: Database, offers: Iterable[RawOffer], encoder: Encoder, advance: Advance
) -> None:
    """Land every offer as one feed of one merchant, then match as the worker does."""
    with database.platform() as tx:
        register_merchant(
            tx,
            Merchant(
                MERCHANT, "Judged", "US", currency="USD", decimal=".",
                source={"prices": "optional"}, lifetime_days=3_650,
            ),
        )  # fmt: skip
        run = open_run(tx, MERCHANT, "judged catalogue", complete=True)
        submit(tx, run, _counted(offers, advance))
        close_run(tx, run)
    match_landed(database, encoder)


def documents_of(database: Database, brand: Brand) -> Iterator[ProductDocument]:
    """Every product as the brand shows it, by the indexer's own projection."""
    after, now = "", datetime.now(UTC)
    while True:
        with database.platform() as tx:
            ids = all_product_ids(tx, after, _AT_ONCE)
            views = product_views(tx, ids)
        if not ids:
            return
        for view in views:
            document = project(view, brand, now)
            if document is not None:
                yield document
        after = ids[-1]


def judged_documents(
    catalogue: Path,
    folder: Path,
    brand: Brand,
    encoder: Encoder,
    open_database: Callable[[], Database],
    advance: Advance = lambda _: None,
) -> list[ProductDocument]:
    """The documents of a catalogue, from the cache in `folder` where it holds them."""
    kept = folder / f"documents-{cache_key(catalogue, encoder)}.jsonl.gz"
    if kept.is_file():
        return list(read_documents(kept))
    database = open_database()
    try:
        load(database, read_catalogue(catalogue), encoder, advance)
        documents = list(documents_of(database, brand))
    finally:
        database.close()
    write_documents(kept, documents)
    return documents


def write_documents(path: Path, documents: Iterable[ProductDocument]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    with gzip.open(temporary, "wb", compresslevel=1) as stream:
        for document in documents:
            stream.write(orjson.dumps(document.as_json()) + b"\n")
    temporary.replace(path)


def read_documents(path: Path) -> Iterator[ProductDocument]:
    """The documents of a cache."""
    with gzip.open(path, "rb") as stream:
        for line in stream:
            yield ProductDocument.from_json(orjson.loads(line))


def _counted(offers: Iterable[RawOffer], advance: Advance) -> Iterator[RawOffer]:
    for number, offer in enumerate(offers, 1):
        yield offer
        if number % _AT_ONCE == 0:
            advance(_AT_ONCE)
