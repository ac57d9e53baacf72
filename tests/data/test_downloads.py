"""Large data sets: fetched from a server of our own that breaks off, lies, and is not there."""

from __future__ import annotations

import doctest
import gzip
import hashlib
import http.server
import io
import re
import socket
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from course_lib import doctor
from course_lib.data import cifar10, downloads, fashion_mnist, shakespeare
from course_lib.data.downloads import DownloadError, Remote, cache_folder, fetch, kept


@dataclass
class Server:
    """What it holds, how it misbehaves, and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    #: Close the connection after so many bytes, once.
    breaks_after: int | None = None
    knows_ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            if wanted and state.knows_ranges:
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
            else:
                self.send_response(200)
            body = content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.breaks_after is not None:
                body, state.breaks_after = body[: state.breaks_after], None
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.url = f"http://127.0.0.1:{running.server_address[1]}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield state
        running.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("COURSE_DATA", str(folder))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


CONTENT = bytes(range(256)) * 1000


def remote(server: Server, content: bytes = CONTENT, *, urls: tuple[str, ...] = ()) -> Remote:
    server.files.setdefault("/there.bin", content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Remote("file.bin", urls or (f"{server.url}/there.bin",), digest, len(content))


def test_a_file_is_fetched_once_and_kept(server: Server, cache: Path) -> None:
    wanted = remote(server)
    assert kept() == (0, 0)
    for _ in range(2):
        assert fetch(wanted).read_bytes() == CONTENT
    assert len(server.asked) == 1
    assert [path.name for path in cache.iterdir()] == ["file.bin"] and cache_folder() == cache
    assert kept() == (1, len(CONTENT))


def test_a_broken_download_goes_on_where_it_stopped(server: Server, cache: Path) -> None:
    wanted = remote(server)
    server.breaks_after = 100_000
    with pytest.raises(DownloadError, match="goes on where it stopped") as caught:
        fetch(wanted)
    assert "closed" in str(caught.value)
    there = (cache / "file.bin.partial").stat().st_size
    assert 0 < there <= 100_000
    assert fetch(wanted).read_bytes() == CONTENT
    assert server.asked == [("/there.bin", None), ("/there.bin", f"bytes={there}-")]
    assert not (cache / "file.bin.partial").exists()


def test_a_server_without_ranges_sends_all_of_it_again(server: Server) -> None:
    wanted = remote(server)
    server.breaks_after, server.knows_ranges = 100_000, False
    with pytest.raises(DownloadError):
        fetch(wanted)
    assert fetch(wanted).read_bytes() == CONTENT


def test_another_file_is_refused_and_leaves_nothing(server: Server, cache: Path) -> None:
    wanted = remote(server)
    server.files["/there.bin"] = CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError, match="sent a file whose sha256 digest is not") as caught:
        fetch(wanted)
    assert wanted.digest.partition(":")[2] in str(caught.value)
    assert list(cache.iterdir()) == []
    server.files["/there.bin"] = CONTENT
    assert fetch(wanted).read_bytes() == CONTENT


def test_a_partial_file_that_is_too_long_does_not_lock_the_door(
    server: Server, cache: Path
) -> None:
    wanted = remote(server)
    cache.mkdir()
    (cache / "file.bin.partial").write_bytes(CONTENT + b"more")
    with pytest.raises(DownloadError, match="digest is not"):
        fetch(wanted)
    assert fetch(wanted).read_bytes() == CONTENT


def test_the_next_address_is_tried_and_each_failure_is_named(server: Server) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/x"
    bad = (nobody, f"{server.url}/missing")
    assert fetch(remote(server, urls=(*bad, f"{server.url}/there.bin"))).is_file()
    lost = replace(remote(server, urls=bad), name="other.bin")
    with pytest.raises(DownloadError) as caught:
        fetch(lost)
    said = str(caught.value)
    assert f"{nobody}: cannot be reached (is this machine online?)" in said
    assert f"{server.url}/missing: the server answered 404" in said
    assert "other.bin (0 MB) could not be fetched" in said and str(cache_folder()) in said


def test_the_bar_says_how_much(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    fetch(remote(server), progress=True)
    assert re.search(r"file\.bin: 100%.*256k/256k", capsys.readouterr().err)


def test_doctor_shows_where_files_are_kept(server: Server, cache: Path) -> None:
    [before] = [f for f in doctor.examine(cache.parent) if f.what == "data sets"]
    assert before.found == "none fetched" and str(cache) in before.advice
    fetch(remote(server))
    [after] = [f for f in doctor.examine(cache.parent) if f.what == "data sets"]
    assert after.found == "1 file, 0.3 MB" and after.state == before.state == "ok"


# Readers ------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    """Write an array of bytes as MNIST's files are."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(head + array.tobytes())


def test_fashion_mnist_is_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (5, 3)]
    labels = [rng.integers(0, 10, n, dtype=np.uint8) for n in (5, 3)]
    parts = [images[0], labels[0], images[1], labels[1]]
    made = {}
    for name, part in zip(fashion_mnist.FILES, parts, strict=True):
        content = idx(part)
        server.files[f"/mirror/{name}"] = content
        made[name] = (hashlib.md5(content).hexdigest(), len(content))
    monkeypatch.setattr(fashion_mnist, "FILES", made)
    # The first place has nothing: the second is asked.
    places = (f"{server.url}/nowhere", f"{server.url}/mirror")
    monkeypatch.setattr(fashion_mnist, "_PLACES", places)
    for found, part in zip(fashion_mnist.load(), parts, strict=True):
        assert found.dtype == np.uint8 and np.array_equal(found, part)


def test_cifar_is_read_in_its_order(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    buffer, batches = io.BytesIO(), {}
    names = [*cifar10._TRAIN, *cifar10._TEST]
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name in reversed(names):  # the order in the archive is not that of the batches
            rows = rng.integers(0, 256, (2, 3073), dtype=np.uint8)
            rows[:, 0] %= 10
            batches[name] = rows
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = rows.nbytes
            archive.addfile(info, io.BytesIO(rows.tobytes()))
    server.files["/there.bin"] = buffer.getvalue()
    monkeypatch.setattr(cifar10, "REMOTE", remote(server, buffer.getvalue()))
    found = cifar10.load()
    assert found.train_images.shape == (10, 3, 32, 32) and found.test_images.shape == (2, 3, 32, 32)
    first = batches["data_batch_1.bin"][0]
    assert found.train_labels[0] == first[0]
    # Red first, row by row.
    assert (
        found.train_images[0, 0, 0, 1] == first[2] and found.train_images[0, 1, 0, 0] == first[1025]
    )
    assert np.array_equal(found.test_labels, batches["test_batch.bin"][:, 0])


def test_shakespeare_is_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shakespeare, "REMOTE", remote(server, b"First Citizen:\nSpeak."))
    assert shakespeare.load() == "First Citizen:\nSpeak."


@pytest.mark.parametrize("module", [fashion_mnist, cifar10, shakespeare])
def test_each_has_a_data_card(module: object) -> None:
    for said in ("Known faults", "Not for judging", "License|no license|Public domain", "Fetched"):
        assert re.search(said, module.__doc__), said


def test_examples() -> None:
    result = doctest.testmod(downloads)
    assert result.attempted and not result.failed
