"""The golden record: which offer's word survives for each field of a product, and who disagrees."""
