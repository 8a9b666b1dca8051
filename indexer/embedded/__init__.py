"""The embedded search engine: tantivy for words, usearch for vectors, in the data folder."""

from indexer.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
