"""Who is asking: brands, their look, ranking, terms and the keys of merchants."""
