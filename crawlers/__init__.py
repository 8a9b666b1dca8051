"""Getting offers: guarded fetch, feed formats, spiders, push API. Out: raw offers and refusals."""
