"""The server of `course serve`."""

import gzip
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from course_lib.book.serving import make_server

PAGE = "<p>again and again</p>" * 500


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "font.woff").write_bytes(PAGE.encode())
    with make_server(tmp_path, 0, quiet=True) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def get(url: str, **headers: str) -> tuple[dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=named)) as answer:
        return dict(answer.headers), answer.read()


@pytest.mark.parametrize("name", ["", "index.html", "index.html?v=1"])
def test_text_is_compressed_for_who_takes_it(url: str, name: str) -> None:
    headers, body = get(url + name, Accept_Encoding="gzip, br")
    assert headers["Content-Encoding"] == "gzip" and headers["Vary"] == "Accept-Encoding"
    assert int(headers["Content-Length"]) == len(body) < len(PAGE) / 20
    assert gzip.decompress(body).decode() == PAGE and headers["Content-Type"] == "text/html"
    headers, body = get(url + name)
    assert "Content-Encoding" not in headers and body.decode() == PAGE


def test_what_is_compressed_already_is_sent_as_it_is(url: str) -> None:
    headers, body = get(url + "font.woff", Accept_Encoding="gzip")
    assert "Content-Encoding" not in headers and body.decode() == PAGE


def test_a_page_that_the_browser_has_is_not_sent_again(url: str, tmp_path: Path) -> None:
    headers, _ = get(url, Accept_Encoding="gzip")
    asked = {"Accept_Encoding": "gzip", "If_Modified_Since": headers["Last-Modified"]}
    with pytest.raises(HTTPError) as answer:
        get(url, **asked)
    assert answer.value.code == 304
    (tmp_path / "index.html").write_text("new")
    with pytest.raises(HTTPError) as missing:
        get(url + "no-such.html", Accept_Encoding="gzip")
    assert missing.value.code == 404
    assert gzip.decompress(get(url, Accept_Encoding="gzip")[1]) == b"new"
