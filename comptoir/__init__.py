"""Composition: command line, web applications, worker, embedded servers, demo."""
