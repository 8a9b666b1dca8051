"""Stewards at work: the queue of questions and the acts on products, by command, API and page."""
