"""Which offers are of one product: candidates, vetoes, score, decision with its evidence."""
