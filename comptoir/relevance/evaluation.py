"""One evaluation from its files to its report: documents from mdm, an index, questions, figures.

Everything lives in `relevance` of the data folder: documents by content and code, a PostgreSQL of
its own while they are made, the embedded index. Nothing of the installation's own is touched.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from comptoir.installation import Installation
from comptoir.progress import bar
from comptoir.relevance.judgements import Judgements, read_judgements
from comptoir.relevance.measuring import (
    Mode,
    ShopLists,
    fill,
    first_pages,
    in_mode,
    judged_ids,
    measure,
    measured_brand,
)
from comptoir.relevance.metrics import summarise
from comptoir.relevance.report import Report
from comptoir.relevance.through_mdm import judged_documents
from comptoir.relevance.variations import identifier_queries, with_one_typo
from indexer import open_engine
from indexer.document import ProductDocument
from indexer.engine import Engine
from kernel.db import Database
from kernel.errors import DomainError
from tenants.brand import Brand, brand_from, read_brand_file

_BRAND_FILE = "mirabelle.toml"


def base_brand(language: str, country: str, currency: str) -> Brand:
    """A brand for measuring: every merchant, one language, shipped settings."""
    with as_file(files("tenants").joinpath("bundled")) as folder:
        document, _ = read_brand_file(Path(folder) / _BRAND_FILE)
    return measured_brand(brand_from(document), language, country, currency)


class Evaluation:
    """Files in, report out, on one engine in one mode."""

    def __init__(
        self, installation: Installation | None = None, *, engine_name: str, mode: str
    ) -> None:
        self._installation = installation or Installation()
        self._engine_name = engine_name
        self._mode: Mode = "lexical" if mode == "lexical" else "hybrid"
        self._folder = self._installation.settings.data / "relevance"

    def of_files(
        self,
        catalogue: Path,
        judgements: Path,
        queries: Path | None = None,
        *,
        typos: bool = False,
        identifiers: bool = False,
    ) -> Report:
        """A catalogue and its judgements, in English and dollars, as the published sets are."""
        judged = read_judgements(judgements, queries)
        brand = self._brand("en", "US", "USD")
        with bar("landing and matching", None, "products") as advance:
            documents = judged_documents(
                catalogue,
                self._folder,
                brand,
                self._installation.encoder,
                self._scratch_database,
                advance,
            )
        known = {name for names in judged_ids(documents).values() for name in names}
        if not any(known & gains.keys() for gains in judged.values()):
            raise DomainError(
                "judgements_of_other_products",
                f"{judgements.name}: none of the products judged is in {catalogue.name}.",
                hint="The judgements' product ids are the `id` of the catalogue's lines.",
            )
        with self._index(brand, documents) as engine:
            lists = ShopLists(
                engine, self._installation.encoder, brand, "en", judged_ids(documents)
            )
            report = self._measured(lists, judged)
            if typos:
                report.extra["typos"] = self._typos(lists, judged, report)
            if identifiers:
                report.extra["identifiers"] = self._identifiers(lists, documents)
        return report

    def of_demo(self, name: str) -> Report:
        """The judged queries of the demonstration's own catalogue: a language, or `fr-blind`."""
        from comptoir.relevance.demo_catalogue import demo_documents, demo_judgements

        language = name.partition("-")[0]
        brand = self._brand(language, "FR" if language == "fr" else "DE", "EUR")
        documents = demo_documents(brand, self._installation.encoder, self._scratch_database)
        judged = demo_judgements(name, documents)
        names = {row.product_id: (row.product_id,) for row in documents}
        with self._index(brand, documents) as engine:
            lists = ShopLists(engine, self._installation.encoder, brand, language, names)
            return self._measured(lists, judged)

    def _measured(self, lists: ShopLists, judged: Judgements) -> Report:
        rows = []
        with bar("asking", len(judged), "queries") as advance:
            for row in measure(lists, judged):
                rows.append(row)
                advance(1)
        about = {"engine": self._engine_name, "mode": self._mode}
        return Report(rows, about | {"model": self._installation.encoder.model_id})

    def _typos(self, lists: ShopLists, judged: Judgements, clean: Report) -> dict[str, Any]:
        """Copies with one slip: their nDCG@10 beside that of the same queries without it."""
        typed = {query: with_one_typo(query) for query in judged}
        copies = [(text, judged[query]) for query, text in typed.items() if text is not None]
        before = [row for row in clean.rows if typed[row.query] is not None]
        rows = list(first_pages(lists, copies))
        clean_ndcg = summarise(before).ndcg10
        found = summarise(rows).ndcg10
        return {
            "queries": len(rows),
            "clean_ndcg10": round(clean_ndcg, 4),
            "ndcg10": round(found, 4),
            "kept": round(found / clean_ndcg, 4) if clean_ndcg else None,
        }

    def _identifiers(
        self, lists: ShopLists, documents: list[ProductDocument]
    ) -> dict[str, dict[str, Any]]:
        """Share of numbers that bring their product first, by kind, with those that do not."""
        ids = judged_ids(documents)
        asked: dict[str, list[tuple[str, bool]]] = {}
        for kind, code, product_id in identifier_queries(documents):
            first = lists.ask(code, 1).documents[:1]
            asked.setdefault(kind, []).append((code, first == ids[product_id][:1]))
        return {
            kind: {
                "queries": len(rows),
                "first": round(sum(right for _, right in rows) / len(rows), 4),
                "missed": [code for code, right in rows if not right][:20],
            }
            for kind, rows in asked.items()
        }

    def _brand(self, language: str, country: str, currency: str) -> Brand:
        return in_mode(base_brand(language, country, currency), self._mode)

    @contextmanager
    def _index(self, brand: Brand, documents: list[ProductDocument]) -> Iterator[Engine]:
        """An index of these documents, gone afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="index-", dir=self._made_folder))
        engine = self._open_engine(folder)
        try:
            with bar("indexing", len(documents), "products") as advance:
                for count in fill(engine, self._installation.encoder, brand, documents):
                    advance(count)
            yield engine
        finally:
            self._clear(engine, brand)
            shutil.rmtree(folder, ignore_errors=True)

    @cached_property
    def _made_folder(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def _open_engine(self, folder: Path) -> Engine:
        if self._engine_name == "embedded":
            from indexer.embedded import EmbeddedEngine

            return EmbeddedEngine(folder)
        settings = self._installation.settings
        if settings.elasticsearch_url is None:
            raise DomainError(
                "elasticsearch_unset",
                "There is no Elasticsearch to measure on.",
                hint="Set ELASTICSEARCH_URL.",
            )
        prefix = f"{settings.elasticsearch_prefix}relevance-"
        return open_engine(settings.model_copy(update={"elasticsearch_prefix": prefix}))

    def _clear(self, engine: Engine, brand: Brand) -> None:
        """Leave nothing but an empty index on a server: a live one cannot be dropped."""
        if self._engine_name == "embedded":
            return
        encoder = self._installation.encoder
        empty = engine.create(brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
        before = engine.publish(brand.id, empty)
        if before is not None:
            engine.drop(brand.id, before)

    def _scratch_database(self) -> Database:
        """An empty database of this release, on a server of the evaluation's own."""
        from comptoir import database_schema
        from comptoir.embedded import postgres

        folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=self._made_folder))
        # Registered before the server is: so it goes after the server has stopped.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        database = Database(postgres.start(folder / "server"))
        database_schema.upgrade(database)
        return database
