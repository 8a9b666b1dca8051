"""The embedded search engine: tantivy for words, a file of vectors, in the data folder."""

from indexer.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
