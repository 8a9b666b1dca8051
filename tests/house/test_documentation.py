"""What the documents say exists, and what exists is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from comptoir.cli import COMMANDS
from kernel.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_is_documented_with_its_default_and_none_is_invented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    named = set(
        re.findall(r"(?:^|[`\s])comptoir ([a-z]+)\b", document.read_text("utf-8"), re.MULTILINE)
    )
    prose = {"is", "and", "on", "for", "from", "has", "that", "reads", "serves", "to", "in"}
    assert named - set(COMMANDS) - prose == set()


def typed(document: Path) -> Iterator[list[str]]:
    """What a document has people type after `comptoir`, in blocks of code and between backticks."""
    text = document.read_text("utf-8")
    blocks = "\n".join(re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    lines = re.findall(
        r"^ *(?:[A-Z_]+=\S+ )*comptoir (.+)", blocks.replace("\\\n", " "), re.MULTILINE
    )
    lines += re.findall(r"`comptoir ([^`]+)`", text)
    for line in lines:
        # A remark, another command of the same line, and what stands for something left out.
        yield re.split(r"\s+#|\s[|<>]\s|…", line)[0].split()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_subcommand_and_option_that_a_document_names_exists(document: Path) -> None:
    from click import Context, Group

    from comptoir.cli import cli

    for words in typed(document):
        command, rest = cli, list(words)
        while isinstance(command, Group) and rest and not rest[0].startswith("-"):
            name = rest.pop(0)
            if "|" in name:  # several ways at once
                break
            found = command.get_command(Context(command), name)
            assert found is not None, words
            command = found
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert asked - known == set(), words


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    inside = [
        target for target in targets if "://" not in target and not target.startswith("mailto")
    ]
    assert [target for target in inside if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str) -> None:
    from click.testing import CliRunner

    from comptoir.cli import cli

    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) > 4


def test_the_project_names_no_machine_and_no_registry() -> None:
    listed = [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.suffix in {".py", ".md", ".toml", ".yml", ".lock", ".html", ".css", ".po", ""}
        and not {".venv", ".git", ".comptoir", "node_modules"} & set(path.parts)
        and ".egg-info" not in str(path)
        and not any(part.startswith(".") and part != ".ci" for part in path.parts[len(ROOT.parts):])
    ]  # fmt: skip
    wrong = re.compile(
        r"files\.python" r"hosted|pypi\.org/simple|registry\.npm" r"js|/opt/" r"wheels"
    )
    found = [str(path) for path in listed if wrong.search(path.read_text("utf-8", "ignore"))]
    assert found == []
