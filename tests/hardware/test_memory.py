import pytest
import torch
from torch import nn

from course_lib.hardware import memory


def network():
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 8))


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.1)),
        ("momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        ("adam", torch.optim.Adam),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_estimate_is_what_training_holds(name, optimizer, dtype):
    model = network().to(dtype)
    steps = optimizer(model.parameters())
    assert memory.gradients(model) == memory.optimizer_state(steps) == 0
    model(torch.randn(5, 20, dtype=dtype)).sum().backward()
    steps.step()
    held = memory.weights(model) + memory.gradients(model) + memory.optimizer_state(steps)
    count = sum(p.numel() for p in model.parameters())
    assert held == memory.state(count, name, each=dtype.itemsize)


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match="adamw"):
        memory.state(10, "adamw")


def test_the_watch_sees_what_is_kept_and_dropped():
    model, x = network(), torch.randn(7, 20)
    with memory.Watch(model) as watch:
        y = model(x)
        # x, and what ReLU has let through: its own output, which the next layer needs as well.
        assert watch.live == 4 * 7 * (20 + 30)
        y.sum().backward()
    assert watch.live == 0
    assert watch.peak == 4 * 7 * (20 + 30)
    assert watch.trace[0] == watch.trace[-1] == 0
    assert max(watch.trace) == watch.peak


def test_the_watch_changes_no_gradient():
    model, x, y = network(), torch.randn(7, 20), torch.randint(8, (7,))
    nn.functional.cross_entropy(model(x), y).backward()
    plain = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    with memory.Watch(model):
        nn.functional.cross_entropy(model(x), y).backward()
    assert all(
        torch.equal(p.grad, before) for p, before in zip(model.parameters(), plain, strict=True)
    )


def test_nothing_is_kept_without_gradients():
    model = network()
    with memory.Watch(model) as watch, torch.no_grad():
        model(torch.randn(7, 20))
    assert watch.peak == 0
    assert watch.trace == [0]


def test_a_graph_that_is_thrown_away_is_dropped_too():
    model = network()
    with memory.Watch(model) as watch:
        y = model(torch.randn(7, 20))
        assert watch.live > 0
        del y
    assert watch.live == 0


@pytest.mark.parametrize("density", [0.05, 0.5])
def test_a_sparse_matrix_has_the_bytes_that_pytorch_needs(density):
    torch.manual_seed(0)
    matrix = torch.randn(40, 60) * (torch.rand(40, 60) < density)
    stored = matrix.to_sparse_csr()
    parts = (stored.values(), stored.col_indices(), stored.crow_indices())
    nonzero = int((matrix != 0).sum())
    assert memory.sparse(40, nonzero) == sum(p.numel() * p.element_size() for p in parts)
