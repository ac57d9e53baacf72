"""The built site, served on this machine, and a browser to look at it."""

import copy
import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sphinx.config import Config

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Site:
    """The built site: its folder, and where it is served."""

    folder: Path
    url: str

    @property
    def pages(self) -> list[str]:
        """Every page, relative to the folder."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.html"))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep the tests' output for the tests."""


@pytest.fixture(scope="session")
def site_folder() -> Path:
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail("There is no built site in _build/html: run `make course` first.")
    return folder


@pytest.fixture(scope="session")
def site(site_folder: Path) -> Iterator[Site]:
    handler = functools.partial(_Quiet, directory=str(site_folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Site(site_folder, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page in a context of its own: nothing remembered from another test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session", autouse=True)
def _a_copy_of_sphinx_defaults_for_each_build() -> Iterator[None]:
    """Keep what an extension writes in a setting's default from the next build of this process.

    Sphinx has one object for all: after MyST-NB was at work, every Markdown page was a notebook.
    """
    given = Config.__init__

    def with_copies(self: Config, *args: object, **named: object) -> None:
        given(self, *args, **named)
        self._options = copy.deepcopy(self._options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, "__init__", with_copies)
        yield
