"""Spiders: each crawls one kind of shop, in a process of its own, into a file of JSON lines."""
