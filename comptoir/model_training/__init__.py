"""Learns the static embedding model that kernel.embedding ships. In: word lists, category names,
the phrases of lexicon.toml and a teacher encoder. Out: a model folder. No shop runs this."""
