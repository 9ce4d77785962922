"""The documentation is built without a warning, and every link in it and in the README leads somewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml

#: A code span that names a file of the repository, with nothing to be filled in.
FILE = re.compile(
    r"`((?:benchmarks|docs|envs|profiles|src|studies|tests|workflow)/[\w./-]+|[A-Z][\w-]+\.md|\w+\.yaml)`"
)
#: What pages name although it is not here: examples to be written by the reader, and what a catalogue would ask for.
EXAMPLES = {
    "workflow/Snakefile",
    "tests/transforms/test_slabs.py",
    "src/neurobar/transforms/mixings/slabs.py",
    "profiles/slurm/config.yaml",
}


class Page(HTMLParser):
    """What a page of the site links to, fetches, and offers as anchors."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.anchors = [], [], {"", "__top"}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given["id"]} if given.get("id") else set()
        self.anchors |= {given["name"]} if tag == "a" and given.get("name") else set()
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.fetched.append(given["src"])
        elif tag == "link" and given.get("href"):
            self.fetched.append(given["href"])


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """Build the site; return its pages by their paths."""
    folder = tmp_path_factory.mktemp("site")
    words = ["build", "--strict", "--quiet", "--config-file", str(root / "mkdocs.yml"), "--site-dir", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", *words], capture_output=True, text=True, cwd=folder, env=quiet
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return {path: Page(path.read_text()) for path in folder.rglob("*.html")}


def test_every_page_is_built_and_the_hook_is_not(site, root):
    names = {path.name for path in site}
    assert {"index.html", "settings.html", "troubleshooting.html", "0001-dependencies.html"} <= names
    sources = list((root / "docs").rglob("*.md"))
    assert len(site) == len(sources) + 2  # the settings, and the page for what is not found
    folder = next(path.parent for path in site if path.name == "settings.html")
    assert not list(folder.rglob("*.py"))


def test_every_link_and_anchor_within_the_site_resolves(site):
    counted = 0
    for path, page in site.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target in site, f"{path.name}: {link}"
            assert unquote(parts.fragment) in site[target].anchors, f"{path.name}: {link}"
            counted += 1
    assert counted > 100


def test_no_page_fetches_anything_from_elsewhere(site):
    for path, page in site.items():
        assert page.fetched
        for address in page.fetched:
            parts = urlsplit(address)
            assert not parts.scheme, f"{path.name}: {address}"
            assert not parts.netloc, f"{path.name}: {address}"
            if path.name != "404.html":
                assert (path.parent / parts.path).is_file(), f"{path.name}: {address}"


def test_every_page_is_in_the_navigation(root):
    def pages(entries):
        for entry in entries:
            value = next(iter(entry.values())) if isinstance(entry, dict) else entry
            yield from pages(value) if isinstance(value, list) else [value]

    listed = list(pages(yaml.safe_load((root / "mkdocs.yml").read_text())["nav"]))
    written = {path.relative_to(root / "docs").as_posix() for path in (root / "docs").rglob("*.md")}
    assert sorted(listed) == sorted({*written, "settings.md"})


def test_relative_links_of_the_readme_exist(root):
    for link in re.findall(r"\]\(([^)\s]+)\)", (root / "README.md").read_text()):
        if not urlsplit(link).scheme:
            assert (root / urlsplit(link).path).exists(), link


def test_files_that_are_named_exist(root):
    counted = 0
    for path in (root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))):
        for name in FILE.findall(path.read_text()):
            places = [root / name, root / "docs" / name, path.parent / name]
            own = name in EXAMPLES or name.startswith("docs/results/")
            assert own or any(place.exists() for place in places), f"{path.name}: {name}"
            counted += 1
    assert counted > 50
