"""Texts as vectors: the shipped static model and the one place that reads it. See encoder.py."""
