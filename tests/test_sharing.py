"""A trained network as a file: what is written, what is refused, and who writes it."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from course_lib.assignments.sources import source_notebook
from course_lib.sharing import FORMAT, read_network, write_network

ROOT = Path(__file__).resolve().parents[1]


def network(*hidden: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    widths = [64, *hidden, 10]
    return [(rng.normal(size=(a, c)), rng.normal(size=c)) for a, c in itertools.pairwise(widths)]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    layers = network(30, 20)
    path = write_network(layers, tmp_path / "mine.json")
    assert path == tmp_path / "mine.json" and path.read_text().startswith(f'{{"format":"{FORMAT}"')
    for (W, b), (W_read, b_read) in zip(layers, read_network(path), strict=True):
        assert W_read.shape == W.shape and np.allclose(W, W_read, rtol=1e-5)
        assert b_read.shape == b.shape and np.allclose(b, b_read, rtol=1e-5)


def test_tensors_and_lists_are_arrays(tmp_path: Path) -> None:
    import torch

    [(W, b)] = network()
    path = tmp_path / "mine.json"
    texts = set()
    for kind in (np.asarray, torch.tensor, np.ndarray.tolist):
        write_network(iter([(kind(W), kind(b))]), path)
        texts.add(path.read_text())
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda layers: [], "has 0 layers"),
        (lambda layers: layers[:1] + 4 * layers[1:2], "has 5 layers"),
        (lambda layers: [(W.T, b) for W, b in layers], "write weight.T"),
        (lambda layers: [(W, b[:, None]) for W, b in layers], r"b of shape \(30, 1\)"),
        (lambda layers: layers[1:], r"Layer 1 has W of shape \(30, 20\), but \(64, 20\)"),
        (lambda layers: layers[:2], r"Layer 2 has W of shape \(30, 20\), but \(30, 10\)"),
        (lambda layers: [layers[0], *layers[2:]], r"\(20, 10\), but \(30, 10\)"),
        (lambda layers: [*layers[:2], (layers[2][0], layers[2][1] * np.inf)], "diverged"),
    ],
)
def test_what_the_page_cannot_read_with_is_refused(tmp_path, spoil, says) -> None:
    path = tmp_path / "mine.json"
    with pytest.raises(ValueError, match=says):
        write_network(spoil(network(30, 20)), path)
    assert not path.exists()


def test_a_layer_too_wide_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Layer 1 has 513 units; the page has room for 512"):
        write_network(network(513), tmp_path / "mine.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "other"}', f'{{"format": "{FORMAT}"}}']
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"mine\.json holds no network"):
        read_network(path)


class Node:
    def __init__(self, data: np.ndarray) -> None:
        self.data = data


@pytest.mark.parametrize(
    ("slug", "given"),
    [
        ("forward-propagation", lambda layers: {"layers": layers}),
        ("backpropagation", lambda layers: {"weights": [Node(a) for pair in layers for a in pair]}),
    ],
)
def test_the_exercises_write_their_network(tmp_path, monkeypatch, capsys, slug, given) -> None:
    monkeypatch.chdir(tmp_path)
    cells = source_notebook(ROOT, slug).cells
    [cell] = [cell for cell in cells if "write_network(" in cell.source]
    assert "nbgrader" not in cell.metadata  # no point depends on it
    layers = network(48)
    exec(cell.source, given(layers))
    assert capsys.readouterr().out == "written: my-network.json\n"
    for (W, b), (W_read, b_read) in zip(layers, read_network("my-network.json"), strict=True):
        assert np.allclose(W, W_read, rtol=1e-5) and np.allclose(b, b_read, rtol=1e-5)
