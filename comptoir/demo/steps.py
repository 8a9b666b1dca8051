"""The lines of the demonstration: what is done, what came of it, how long it took."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from comptoir.progress import Stopwatch


class Say:
    """Takes what there is to say of a step; a terminal shows it while the step runs."""

    def __init__(self, label: str) -> None:
        self.label, self.text = label, ""

    def __call__(self, text: str) -> None:
        self.text = text
        if sys.stdout.isatty():
            click.echo(f"\r\033[K  … {self.label:16} {text}", nl=False)


@contextmanager
def step(label: str) -> Iterator[Say]:
    """One line, written when the step has ended well."""
    watch, say = Stopwatch(), Say(label)
    say("")
    yield say
    start = "\r\033[K" if sys.stdout.isatty() else ""
    click.echo(f"{start}  ✓ {label:16} {say.text:64} {watch}")
