"""A chapter of this book beside the same chapter as stock Jupyter Book builds it.

Both pages are made from the same executed notebook, served with compression by the same server, and
opened by the same Chromium over a slow connection. What stock asks other machines for (MathJax) is
answered from npm's copy, without the connection's delays, so that it looks better than it is.

    python benchmarks/site.py [--page book/foundations/activations]
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Route, sync_playwright

from course_lib.book.chapters import executed_path
from course_lib.book.load import BUDGET, report
from course_lib.book.serving import make_server
from course_lib.book.site import site_path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
#: A telephone's connection: bytes a second, and milliseconds until an answer begins.
SPEED, DELAY = 200_000, 150
WATCH = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def build_stock(page: str, folder: Path) -> Path:
    """Build a book of one chapter with Jupyter Book's own settings; return its site."""
    shutil.copy(executed_path(ROOT, page), folder / "chapter.ipynb")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapter\n")
    (folder / "_config.yml").write_text(
        "title: Stock\nexecute: {execute_notebooks: 'off'}\n"
        "parse: {myst_enable_extensions: [amsmath, colon_fence, deflist, dollarmath]}\n"
    )
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    subprocess.run([*command, ".", "--quiet"], cwd=folder, check=True, capture_output=True)
    return folder / "_build" / "html"


def from_npm(route: Route) -> None:
    """Answer a request for MathJax's CDN from npm's copy, and no other."""
    _, found, rest = route.request.url.partition("/mathjax@3/es5/")
    path = ROOT / "node_modules" / "mathjax" / "es5" / rest.partition("?")[0]
    if found and path.is_file():
        route.fulfill(path=path, headers={"Access-Control-Allow-Origin": "*"})
    else:
        route.abort()


def open_page(browser: Browser, site: Path, name: str) -> dict[str, float]:
    """Open a page as somebody who was never here, and return what it took."""
    with make_server(site, 0, quiet=True) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_init_script(WATCH)
        context.route(lambda asked: not asked.startswith((url, "data:")), from_npm)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": DELAY,
                "downloadThroughput": SPEED,
                "uploadThroughput": SPEED,
            },
        )
        sizes: list[int] = []
        elsewhere: list[str] = []

        def count(answer: Any) -> None:
            if answer.url.startswith("data:"):
                return
            body = answer.body()
            font = answer.url.partition("?")[0].endswith((".woff", ".woff2", ".png", ".jpg"))
            sizes.append(len(body) if font else len(gzip.compress(body, 6, mtime=0)))
            if not answer.url.startswith(url):
                elsewhere.append(answer.url)

        page.on("response", count)
        page.goto(url + name, wait_until="load")
        page.wait_for_load_state("networkidle")
        told = page.evaluate(
            "[performance.getEntriesByName('first-contentful-paint')[0].startTime,"
            " performance.getEntriesByType('navigation')[0].loadEventEnd, window.shift]"
        )
        context.close()
        server.shutdown()
    paint, load, shift = told
    return {
        "kB": sum(sizes) / 1e3,
        "requests": len(sizes),
        "of other machines": len(elsewhere),
        "first paint, ms": paint,
        "loaded, ms": load,
        "layout shift": shift,
    }


def main() -> int:
    """Measure, print, and return 1 where the page is too heavy or heavier than stock's."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--page", default="book/foundations/activations", help="which chapter")
    page = parser.parse_args().page
    print(report(site_path(ROOT)), end="\n\n")
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        stock = build_stock(page, Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        rivals = {"this book": (site_path(ROOT), f"{page}.html"), "stock": (stock, "chapter.html")}
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in rivals}
        for _ in range(ROUNDS):
            for name, (site, file) in rivals.items():
                rounds[name].append(open_page(browser, site, file))
        browser.close()
    middle = {
        name: {key: statistics.median(each[key] for each in found) for key in found[0]}
        for name, found in rounds.items()
    }
    print(f"{page}, {SPEED / 1e3:.0f} kB/s, {DELAY} ms, median of {ROUNDS}")
    print(f"{'':20}{'this book':>12}{'stock':>12}")
    for key in middle["stock"]:
        digits = 3 if key == "layout shift" else 0
        ours, theirs = (f"{middle[name][key]:12.{digits}f}" for name in ("this book", "stock"))
        print(f"{key:20}{ours}{theirs}")
    ours, theirs = middle["this book"], middle["stock"]
    good = (
        ours["kB"] * 1e3 <= BUDGET and ours["kB"] < theirs["kB"] and not ours["of other machines"]
    )
    print("The limits hold." if good else "A LIMIT IS BROKEN.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
