# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""MkDocs hooks of the documentation site: the README and API pages of core as pages, and links that leave docs/.

A page is generated for each stage of `emotion_perception.core` (a folder) and one for the modules beside them, so a new
module needs no edit here or in mkdocs.yml. Links from docs/ to other files of the repository, which work where the
repository is browsed, become the file's name on the site.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "emotion_perception" / "core"
README_PAGE = "readme.md"  # that name, because MkDocs takes README.md for an index page
_OUTSIDE = re.compile(r"\[(?P<text>[^\]]*)\]\(\.\./(?P<path>[^)#]*)(?:#[^)]*)?\)")


def api_pages() -> dict[str, str]:
    """Returns the API pages: path below docs/ -> Markdown."""
    stages = sorted(path.parent for path in CORE.glob("*/__init__.py"))
    pages = {"api/core.md": _page("core", [path for path in sorted(CORE.glob("*.py")) if path.stem != "__init__"])}
    for stage in stages:
        modules = [path for path in sorted(stage.glob("*.py")) if path.stem != "__init__"]
        pages[f"api/{stage.name}.md"] = _page(f"core.{stage.name}", modules)
    return pages


def _page(title: str, modules: list[Path]) -> str:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in modules]
    package = f"::: emotion_perception.{title}\n    options:\n      members: []\n      show_root_heading: false"
    parts = [f"# emotion_perception.{title}", package, *(f"::: {name}" for name in names)]
    return "\n\n".join(parts) + "\n"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the API pages into the navigation."""
    for section in config.nav or []:
        if "API" in section:
            section["API"] = [{path.removeprefix("api/").removesuffix(".md"): path} for path in api_pages()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the README as a page, and the API pages."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {README_PAGE: re.sub(r"\]\((?!\w+:|#)", "](../", readme).replace("](../docs/", "]("), **api_pages()}
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replaces links to files outside docs/ by the text and the file's path."""
    return _OUTSIDE.sub(_inside, markdown)


def _inside(link: re.Match[str]) -> str:
    text, path = link["text"], link["path"]
    if path == "README.md":
        return f"[{text}]({README_PAGE})"
    return text if path in text or Path(path).name in text else f"{text} (`{path}`)"
