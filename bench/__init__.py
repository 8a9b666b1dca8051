"""Measurements of the whole product. Timings are reported, never asserted."""
