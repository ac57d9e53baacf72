"""Message passing: by matrices, in any order of atoms, on graphs without edges or nodes."""

import doctest

import pytest
import torch

from course_lib.models import message_passing
from course_lib.models.message_passing import GraphNetwork, MessagePassing, join, neighbor_sum, pool

TREE = torch.tensor([[0, 3], [4, 3], [3, 1], [5, 1], [1, 7], [6, 7]])


def graphs(seed):
    rng = torch.Generator().manual_seed(seed)
    sizes, edges = (9, 2, 1), (TREE, torch.tensor([[1, 0]]), torch.zeros(0, 2, dtype=torch.long))
    return [torch.randn(n, 4, generator=rng) for n in sizes], list(edges)


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(message_passing)
    assert result.attempted and not result.failed


def test_a_sum_of_neighbors_is_a_product_with_their_matrix():
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    near = torch.zeros(9, 9)
    for i, j in TREE.tolist():
        near[i, j] = near[j, i] = 1
    joined = join([x], [TREE])
    torch.testing.assert_close(neighbor_sum(joined.x, joined.edges), near @ x)
    assert not neighbor_sum(joined.x, joined.edges)[[2, 8]].any(), "two atoms have no bond"


def test_a_batch_answers_as_its_graphs_do_one_by_one():
    nodes, edges = graphs(1)
    torch.manual_seed(0)
    model = GraphNetwork(4, size=8, rounds=3)
    together = model(join(nodes, edges))
    alone = torch.cat([model(join([x], [e])) for x, e in zip(nodes, edges, strict=True)])
    assert together.shape == (3,)
    torch.testing.assert_close(together, alone)


def test_a_graph_without_nodes_is_one_too():
    joined = join([torch.ones(2, 4), torch.ones(0, 4)], [torch.tensor([[0, 1]]), TREE[:0]])
    assert joined.count == 2
    assert pool(joined.x, joined).tolist() == [[2.0] * 4, [0.0] * 4]
    assert GraphNetwork(4)(joined)[1] == 0


@pytest.mark.parametrize("aggregate", ["sum", "mean"])
def test_the_order_of_atoms_does_not_matter(aggregate):
    nodes, edges = graphs(2)
    torch.manual_seed(1)
    model = GraphNetwork(4, size=8, rounds=3, aggregate=aggregate)
    order = torch.randperm(9)
    moved = order.argsort()[edges[0]].flip(1)
    first = model(join(nodes, edges))
    second = model(join([nodes[0][order], *nodes[1:]], [moved, *edges[1:]]))
    torch.testing.assert_close(first, second)
    # The null case: the same atoms with other bonds are another molecule.
    other = model(join(nodes, [(edges[0] + 1) % 9, *edges[1:]]))
    assert abs(other - first)[0] > 1e-3 and torch.equal(other[1:], first[1:])


def test_a_round_is_its_formula_and_a_mean_cannot_count():
    x = torch.tensor([[1.0, -1.0], [2.0, 0.5], [2.0, 0.5]])
    joined = join([x], [torch.tensor([[0, 1], [0, 2]])])
    torch.manual_seed(0)
    layer = MessagePassing(2)
    wanted = x[0] @ layer.own.weight.T + layer.own.bias + (x[1] + x[2]) @ layer.message.weight.T
    torch.testing.assert_close(layer(joined.x, joined.edges)[0], wanted.relu())
    layer.aggregate = "mean"
    one = join([x[:2]], [torch.tensor([[0, 1]])])
    torch.testing.assert_close(layer(joined.x, joined.edges)[0], layer(one.x, one.edges)[0])


def test_rounds_reach_as_far_as_they_are_many():
    chain = torch.tensor([[k, k + 1] for k in range(5)])
    x = torch.ones(6, 2)
    other = x.clone()
    other[5] = 3.0
    torch.manual_seed(0)
    for rounds in (0, 1, 3):
        model = GraphNetwork(2, size=16, rounds=rounds)
        a, b = (model.nodes(join([nodes], [chain])) for nodes in (x, other))
        changed = ((a - b).abs().sum(dim=1) > 0).tolist()
        assert changed == [k >= 5 - rounds for k in range(6)]


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="there are 1 and 2"):
        join([torch.ones(2, 1)], [TREE, TREE])
    with pytest.raises(
        ValueError, match="Graph 1 has 2 nodes, numbered from 0, but an edge names 7"
    ):
        join([torch.ones(9, 1), torch.ones(2, 1)], [TREE, torch.tensor([[0, 1], [0, 7]])])
    with pytest.raises(ValueError, match="aggregate must be"):
        MessagePassing(2, "max")


def test_graphs_move_to_a_device():
    joined = join(*graphs(0)).to("cpu")
    assert joined.x.device.type == "cpu" and joined.count == 3
