# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the documents name exists: links, files, make targets, commands with their options, parameters, recipe keys."""

import argparse
import dataclasses
import importlib
import re
from pathlib import Path

import pytest
from file_loading import load_file

from emotion_perception import cli
from emotion_perception.core import retired_names
from emotion_perception.training.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(ROOT.glob("docs/*.md"))
FOLDERS = (
    "config",
    "docs",
    "emotion_perception",
    "examples",
    "launch",
    "msg",
    "requirements",
    "rviz",
    "scripts",
    "test",
)
ROOMS = ("bags", "benchmark", "core", "models", "reporting", "ros", "training")  # below emotion_perception/
OLD_NAMES_ALLOWED = ("renamed.md", "glossary.md", "CHANGELOG.md")
WRITERS = ("write_messages", "write_renamed")


def text_of(document):
    return document.read_text(encoding="utf-8")


def in_code(document):
    """Returns what stands in backticks, code blocks and indented blocks; lines that end in a backslash are joined."""
    text = text_of(document)
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4}(?!\s*[*-] )(.+)$", text, re.MULTILINE)
    inline = re.findall(r"(?<!`)`([^`]+)`(?!`)", text)
    return [re.sub(r"\\?\n\s+", " ", code) for code in (*fenced, re.sub(r"\\\n", "\n", "\n".join(indented)), *inline)]


def anchors_of(document):
    """Returns the anchors of the headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def found(pattern):
    """Returns the matches of a pattern in all code of all documents, each with the document's name."""
    return sorted(
        {
            (document.name, match)
            for document in DOCUMENTS
            for code in in_code(document)
            for match in re.findall(pattern, code)
        }
    )


LINKS = sorted(
    {
        (document, target)
        for document in DOCUMENTS
        for target in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", text_of(document))
    }
)
PATHS = found(rf"(?<![\w./~-])((?:{'|'.join(FOLDERS + ROOMS)})/[\w./*-]*)")
TARGETS = found(r"(?<![\w-])make ([a-z-]+)")
COMMANDS = found(r"emotion-perception ([a-z]+[a-z-]*)([^\n;|)$]*)")
# not camera/set_camera_info:=, a remapping, and not the arguments of other packages' launch files
ASSIGNED = found(r"(?<!-r )(?<!launch\.xml )(?<![\w:/])(?:\w+:)?([a-z]\w*):=")
CLASSES = [
    (document, name)
    for document, name in found(r"(?<![\w.:/<])([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?![\w:])")
    if document not in OLD_NAMES_ALLOWED
]
KEYS = found(r"--set ['\"]?([a-z]\w*)=")


def test_the_documents_are_read():
    assert [len(items) > 10 for items in (LINKS, PATHS, TARGETS, COMMANDS, ASSIGNED, CLASSES, KEYS)] == [True] * 7


@pytest.mark.parametrize(("document", "target"), LINKS, ids=lambda value: getattr(value, "name", value))
def test_a_link_leads_to_a_file_and_a_heading(document, target):
    path, _, anchor = target.partition("#")
    file = document.parent / path if path else document
    assert file.exists()
    assert not anchor or file.suffix != ".md" or anchor in anchors_of(file)


@pytest.mark.parametrize(("document", "path"), PATHS)
def test_a_path_exists(document, path):
    path = re.sub(r"^emotion_perception/((msg|srv)/\w+)$", r"\1.*", path.rstrip("./"))  # the name of a type
    assert any(list(folder.glob(path)) for folder in (ROOT, ROOT / "emotion_perception"))


@pytest.mark.parametrize(("document", "target"), TARGETS)
def test_a_make_target_exists(document, target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("document", "command"), COMMANDS, ids=lambda value: value if isinstance(value, str) else " ".join(value)[:60]
)
def test_a_command_has_the_options_that_it_is_given(document, command):
    name, rest = command
    parser = argparse.ArgumentParser()
    importlib.import_module(cli._COMMANDS[name][0]).add_arguments(parser)
    options = {*re.findall(r"(?<!\S)(--[a-z][a-z0-9-]*)", rest), "--help"}
    assert options <= set(re.findall(r"--[a-z][a-z0-9-]*", parser.format_help()))


@pytest.mark.parametrize(("document", "name"), ASSIGNED)
def test_a_parameter_or_launch_argument_exists(document, name):
    parameters = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    launch_files = "".join(text_of(path) for path in ROOT.glob("launch/*.py"))
    assert f"`{name}`" in parameters or f'"{name}"' in launch_files


@pytest.fixture(scope="module")
def sources():
    return "".join(text_of(path) for path in ROOT.glob("emotion_perception/**/*.py"))


@pytest.mark.parametrize(("document", "name"), CLASSES)
def test_a_class_or_message_exists(sources, document, name):
    assert re.search(rf"\b{name}\b", sources)


@pytest.mark.parametrize(("document", "key"), KEYS)
def test_a_recipe_key_exists(document, key):
    assert key in {field.name for field in dataclasses.fields(Recipe)}


@pytest.mark.parametrize("old", [*retired_names.PARAMETERS, *retired_names.CLI_OPTIONS, *retired_names.CLI_COMMANDS])
def test_no_document_uses_a_retired_name(old):
    pattern = re.compile(rf"(?<![\w-]){re.escape(old)}(?![\w-])")
    texts = {
        document.name: "\n".join(in_code(document)) for document in DOCUMENTS if document.name not in OLD_NAMES_ALLOWED
    }
    assert [name for name, text in texts.items() if pattern.search(text)] == []


@pytest.mark.parametrize("name", WRITERS)
def test_a_generated_document_is_up_to_date(name, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [f"{name}.py", "--check"])
    assert load_file(ROOT / "scripts" / f"{name}.py").main() == 0, capsys.readouterr()


@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if path.name != "CONTRIBUTING.md" and "<!-- Written by scripts/" not in text_of(path)],
    ids=lambda path: path.name,
)
def test_prose_is_at_most_a_hundred_columns_wide(document):
    text = re.sub(r"^```.*?^```", "", text_of(document), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", re.sub(r"<!-- begin.*<!-- end.*?-->", "", text, flags=re.DOTALL))
    prose = [line for line in text.splitlines() if not re.match(r"\||    |\s*\* \[`test_|#", line)]
    assert [line for line in prose if len(line) > 110] == []
