"""Relevance measured: a judged catalogue through the whole normal path, and what came of it."""
