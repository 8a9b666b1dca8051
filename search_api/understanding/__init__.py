"""A question understood: spelling, synonyms, price limits, categories, makers and measures."""
