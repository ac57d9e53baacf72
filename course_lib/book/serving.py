"""Serve the built site on this machine, compressed as a web server would."""

from __future__ import annotations

import gzip
import io
from functools import lru_cache, partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

__all__ = ["COMPRESSED", "compressed", "make_server"]

#: What is sent compressed. Other files (fonts, photographs) are compressed as they lie there.
COMPRESSED = {".css", ".html", ".ipynb", ".js", ".json", ".md", ".svg", ".txt", ".xml"}


@lru_cache(maxsize=512)
def compressed(path: Path, changed: int) -> bytes:
    """Return a file's content, compressed; `changed` is its time of change, in nanoseconds."""
    return gzip.compress(path.read_bytes(), 6, mtime=0)


class _Handler(SimpleHTTPRequestHandler):
    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Begin an answer: compressed where the browser takes that and it is worth it."""
        path = Path(self.translate_path(self.path))
        if self.path.partition("?")[0].endswith("/"):
            path /= "index.html"
        takes = "gzip" in self.headers.get("Accept-Encoding", "")
        if not takes or path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        status = path.stat()
        changed = self.date_time_string(int(status.st_mtime))
        if self.headers.get("If-Modified-Since") == changed:
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.end_headers()
            return None
        content = compressed(path, status.st_mtime_ns)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", changed)
        self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        return io.BytesIO(content)


class _Quiet(_Handler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def make_server(
    folder: Path, port: int, *, quiet: bool = False, host: str = "127.0.0.1"
) -> ThreadingHTTPServer:
    """Return a server of a folder; `serve_forever` starts it.

    It is for this machine alone, unless `host` is another of its addresses (0.0.0.0 is all).

    Raises
    ------
    OSError
        When the port is taken, or the machine has no such address.
    """
    handler = partial(_Quiet if quiet else _Handler, directory=str(folder))
    return ThreadingHTTPServer((host, port), handler)
