"""The port on tantivy and vectors: names to folders, readers kept open, damage put in words."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from indexer.document import ProductDocument
from indexer.documents import Documents
from indexer.embedded import inventory
from indexer.embedded.generations import Generations, Manifest, damaged, full, missing
from indexer.embedded.reading import IndexReader
from indexer.embedded.schema import open_index
from indexer.embedded.writing import IndexWriter
from indexer.engine import (
    Completion,
    Delete,
    Explanation,
    Filters,
    IndexStats,
    Neighbour,
    SearchRequest,
    SearchResult,
    Upsert,
    Vector,
    WriteReport,
)
from indexer.hits import Hit
from indexer.inventory import Generation, Held, State
from kernel.errors import DomainError

AnswerT = TypeVar("AnswerT")

LEAST_ROOM = 16 << 20
"""Bytes on the disk below which a write that fails is taken to have failed for want of room."""


class EmbeddedEngine:
    """Indices below one folder; many processes may read, one writes at a time."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._generations = Generations(root)
        self._documents = Documents()
        self._readers: dict[str, tuple[str, IndexReader]] = {}
        self._writers: dict[str, IndexWriter] = {}
        self._opening = threading.Lock()

    def create(self, brand_id: str, *, model_id: str, dimensions: int) -> str:
        """A new empty index beside the live one; nothing of it is left where it cannot be made."""
        index = self._generations.new(Manifest(brand_id, model_id, dimensions))
        try:
            self._written(index, lambda: open_index(self._generations.folder(index) / "lexical"))
            self._writer(index, building=True)
        except BaseException:
            self._generations.drop(brand_id, index)
            raise
        return index

    def publish(self, brand_id: str, index: str) -> str | None:
        """Switch the brand to the index; answers the one before."""
        self._end_building(index)
        self._writers.pop(index, None)
        return self._generations.publish(brand_id, index)

    def drop(self, brand_id: str, index: str) -> None:
        """Remove an index that is not live."""
        if self._generations.live(brand_id) != index and index in self._writers:
            self._writers.pop(index).abandon()
        self._generations.drop(brand_id, index)

    def write(self, index: str, changes: Sequence[Upsert | Delete]) -> WriteReport:
        """Apply changes in one commit; to an index that is being built, many calls in one."""
        writer = self._writers.get(index) or self._writer(index)
        return self._written(index, lambda: writer.write(changes))

    def _written(self, index: str, write: Callable[[], AnswerT]) -> AnswerT:
        """The libraries do not say why a file could not be written: mostly there is no room."""
        try:
            return _whole(index, write)
        except DomainError as error:
            free = shutil.disk_usage(self._generations.root).free
            if error.code == "index_damaged" and free < LEAST_ROOM:
                raise full(index, self._generations.root, free) from error
            raise

    def _writer(self, index: str, *, building: bool = False) -> IndexWriter:
        folder = self._generations.folder(index)
        writer = IndexWriter(folder, self._generations.manifest(index), building=building)
        with self._opening:
            return self._writers.setdefault(index, writer)

    def _end_building(self, index: str) -> None:
        """What others than its builder ask of an index, they ask of what is committed."""
        writer = self._writers.get(index)
        if writer is not None and writer.is_building:
            self._written(index, writer.close)

    def search(self, brand_id: str, request: SearchRequest) -> SearchResult:
        """Products by words, filters, order, with facet counts and cosines."""
        index, reader = self._live(brand_id)
        if request.model_id not in {None, reader.manifest.model_id}:
            request = replace(request, vector=None)
        if request.vector is not None:
            _fitting(index, reader, request.vector)
        found = _whole(index, lambda: reader.search(request))
        counting = found.counting
        if counting is None:
            return found
        return replace(found, counting=lambda: _whole(index, counting))

    def neighbours(
        self,
        brand_id: str,
        vector: Vector,
        *,
        filters: Filters,
        limit: int,
        model_id: str | None = None,
    ) -> tuple[Neighbour, ...]:
        """Products nearest in meaning."""
        index, reader = self._live(brand_id)
        if model_id not in {None, reader.manifest.model_id}:
            return ()
        _fitting(index, reader, vector)
        return _whole(index, lambda: reader.neighbours(vector, filters, limit))

    def read(self, brand_id: str, products: Sequence[str | Hit]) -> dict[str, ProductDocument]:
        """Documents by id."""
        index, reader = self._live(brand_id)
        return _whole(index, lambda: reader.read(products))

    def explain(self, brand_id: str, request: SearchRequest, product_id: str) -> Explanation | None:
        """Why the product is found."""
        index, reader = self._live(brand_id)
        return _whole(index, lambda: reader.explain(request, product_id))

    def vocabulary(self, brand_id: str, language: str) -> Iterable[tuple[str, int]]:
        """Words that people see."""
        index, reader = self._live(brand_id)
        return _whole(index, lambda: reader.vocabulary(language)).items()

    def complete(
        self, brand_id: str, prefix: str, language: str, limit: int
    ) -> tuple[Completion, ...]:
        """Titles that go on from what was typed."""
        index, reader = self._live(brand_id)
        return _whole(index, lambda: reader.complete(prefix, language, limit))

    def previous(self, brand_id: str) -> str | None:
        """The index that was live before."""
        return self._generations.previous(brand_id)

    def inventory(self, index: str, *, after: str = "", limit: int = 1_000) -> tuple[Held, ...]:
        """The next products shown."""
        folder = self._folder(index)
        return _whole(index, lambda: inventory.page(folder, after, limit))

    def held(self, index: str, product_ids: Sequence[str]) -> dict[str, Held]:
        """These products as they are this moment."""
        folder = self._folder(index)
        return _whole(index, lambda: inventory.among(folder, product_ids))

    def generations(self, brand_id: str) -> tuple[Generation, ...]:
        """Every index of the brand."""
        live, previous = self._generations.live(brand_id), self.previous(brand_id)
        state = {previous: State.PREVIOUS, live: State.LIVE}
        return tuple(
            Generation(index, state.get(index, State.SPARE), stamp, *self._contents(index))
            for index, stamp in self._generations.of(brand_id)
        )

    def _contents(self, index: str) -> tuple[str, int | None]:
        """Model and number of products; nothing of an index that cannot be read."""
        try:
            model_id = self._generations.manifest(index).model_id
            folder = self._generations.folder(index)
            return model_id, _whole(index, lambda: inventory.count(folder))
        except DomainError:
            return "", None

    def _folder(self, index: str) -> Path:
        """The folder of an index that this release reads."""
        self._generations.manifest(index)
        self._end_building(index)
        return self._generations.folder(index)

    def stats(self, brand_id: str) -> IndexStats | None:
        """The live index, or None."""
        if self._generations.live(brand_id) is None:
            return None
        index, reader = self._live(brand_id)
        manifest = reader.manifest
        count = _whole(index, reader.count)
        return IndexStats(index, count, manifest.model_id, manifest.dimensions)

    def stamp(self, brand_id: str) -> str | None:
        """The live index and what is committed there."""
        index, reader = self._live(brand_id)
        return f"{index}:{_whole(index, reader.stamp)}"

    def _live(self, brand_id: str) -> tuple[str, IndexReader]:
        """The reader of the live index, opened again after a switch."""
        index = self._generations.live(brand_id)
        if index is None:
            raise missing(brand_id)
        held = self._readers.get(brand_id)
        if held is not None and held[0] == index:
            return held
        with self._opening:
            manifest = self._generations.manifest(index)
            folder = self._generations.folder(index)
            reader = _whole(index, lambda: IndexReader(folder, manifest, self._documents))
            self._readers[brand_id] = (index, reader)
        return index, reader


def _fitting(index: str, reader: IndexReader, vector: Vector) -> None:
    if vector.shape != (reader.manifest.dimensions,):
        raise DomainError(
            "vector_model_differs",
            f"The index {index} holds vectors of {reader.manifest.model_id}.",
            hint="Build it again with the model in use: comptoir index rebuild",
            status=409,
        )


def _whole(index: str, ask: Callable[[], AnswerT]) -> AnswerT:
    """Ask, and turn what the libraries raise on a damaged file into one sentence."""
    try:
        return ask()
    except DomainError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        raise damaged(index, error) from error
    except BaseException as error:
        # The engine's panics are no Exception, and mean a file that is not what it should be.
        if type(error).__name__ == "PanicException":
            raise damaged(index, "the engine stopped reading it") from error
        raise
