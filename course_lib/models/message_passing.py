r"""Message passing: a network over the atoms and bonds of molecules, or over any graphs.

Every node has a vector. In one round, each adds up the vectors of its neighbors and makes a new
vector from that sum and its own. After r rounds a node knows of everything up to r edges away. The
vectors of all nodes together are then read out as one, in a way that does not ask for their order.

References
----------
J. Gilmer, S. S. Schoenholz, P. F. Riley, O. Vinyals and G. E. Dahl, "Neural message passing for
quantum chemistry", 2017, arXiv:1704.01212.

K. Xu, W. Hu, J. Leskovec and S. Jegelka, "How powerful are graph neural networks?", 2018,
arXiv:1810.00826.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["GraphNetwork", "Graphs", "MessagePassing", "join", "neighbor_sum", "pool"]


class Graphs(NamedTuple):
    """Several graphs as one that falls into pieces: no padding, no mask.

    Attributes
    ----------
    x : Tensor, shape (N, d)
        The nodes of all graphs, one after the other.
    edges : Tensor of int, shape (2, E)
        From each node in row 0 goes a message to the node in row 1. An undirected edge stands in
        both directions.
    graph : Tensor of int, shape (N,)
        The graph of each node, counted from 0.
    count : int
        How many graphs there are. A graph without nodes is one, too.
    """

    x: Tensor
    edges: Tensor
    graph: Tensor
    count: int

    def to(self, device: torch.device | str) -> Graphs:
        """Move all tensors to a device."""
        return Graphs(self.x.to(device), self.edges.to(device), self.graph.to(device), self.count)


def join(nodes: Sequence[Tensor], edges: Sequence[Tensor]) -> Graphs:
    """Join graphs into a batch.

    Parameters
    ----------
    nodes : sequence of Tensor, shape (n, d)
        The nodes of each graph.
    edges : sequence of Tensor of int, shape (m, 2)
        The undirected edges of each, each once, by the numbers of the nodes in that graph.

    Returns
    -------
    Graphs

    Raises
    ------
    ValueError
        If there are not as many lists of edges as of nodes, or an edge names a node that its graph
        does not have.

    Examples
    --------
    >>> two = join([torch.ones(2, 1), torch.ones(3, 1)], [torch.tensor([[0, 1]])] * 2)
    >>> two.edges.tolist(), two.graph.tolist()
    ([[0, 2, 1, 3], [1, 3, 0, 2]], [0, 0, 1, 1, 1])
    """
    if len(nodes) != len(edges) or not nodes:
        raise ValueError(
            f"There must be nodes and edges of each graph, but there are {len(nodes)} and "
            f"{len(edges)}."
        )
    device = nodes[0].device
    sizes = torch.tensor([len(x) for x in nodes], device=device)
    pairs = torch.cat([one.reshape(-1, 2) for one in edges]).long()  # (m, 2), as they came
    owner = torch.repeat_interleave(
        torch.arange(len(edges), device=device),
        torch.tensor([one.numel() // 2 for one in edges], device=device),
    )
    outside = (pairs < 0) | (pairs >= sizes[owner, None])
    if outside.any():
        which = int(owner[outside.any(dim=1)][0])
        raise ValueError(
            f"Graph {which} has {len(nodes[which])} nodes, numbered from 0, but an edge names "
            f"{int(pairs[outside][0])}."
        )
    once = (pairs + (sizes.cumsum(0) - sizes)[owner, None]).T
    return Graphs(
        torch.cat(list(nodes)),
        torch.cat([once, once.flip(0)], dim=1),
        torch.repeat_interleave(torch.arange(len(nodes), device=device), sizes),
        len(nodes),
    )


def neighbor_sum(x: Tensor, edges: Tensor) -> Tensor:
    """Add up the vectors of each node's neighbors.

    Parameters
    ----------
    x : Tensor, shape (N, d)
    edges : Tensor of int, shape (2, E)
        As in `Graphs`.

    Returns
    -------
    Tensor, shape (N, d)
        Zeros for a node without neighbors.

    Examples
    --------
    >>> x = torch.tensor([[1.0], [10.0], [100.0]])
    >>> neighbor_sum(x, torch.tensor([[0, 1], [1, 0]])).flatten().tolist()
    [10.0, 1.0, 0.0]
    """
    return torch.zeros_like(x).index_add(0, edges[1], x[edges[0]])


def pool(x: Tensor, graphs: Graphs) -> Tensor:
    """Add up the vectors of each graph's nodes.

    Parameters
    ----------
    x : Tensor, shape (N, d)
    graphs : Graphs
        Says which node belongs where.

    Returns
    -------
    Tensor, shape (count, d)
    """
    return x.new_zeros(graphs.count, x.shape[1]).index_add(0, graphs.graph, x)


class MessagePassing(nn.Module):
    r"""One round: each node adds up its neighbors, and makes a new vector.

    .. math:: h_i' = \mathrm{ReLU}\Bigl(h_i W_s + \sum_{j \in N(i)} h_j W_m + b\Bigr)

    Parameters
    ----------
    size : int
        Numbers in the vector of a node.
    aggregate : {"sum", "mean"}
        Whether the neighbors' vectors are added up or averaged. A mean cannot count.
    """

    def __init__(self, size: int, aggregate: Literal["sum", "mean"] = "sum") -> None:
        super().__init__()
        if aggregate not in ("sum", "mean"):
            raise ValueError(f'aggregate must be "sum" or "mean", but is {aggregate!r}.')
        self.aggregate = aggregate
        self.own = nn.Linear(size, size)
        self.message = nn.Linear(size, size, bias=False)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Compute the new vectors: (N, d) -> (N, d)."""
        received = neighbor_sum(x, edges)
        if self.aggregate == "mean":
            degree = torch.bincount(edges[1], minlength=len(x))
            received = received / degree.clamp(min=1)[:, None]
        return torch.relu(self.own(x) + self.message(received))


class GraphNetwork(nn.Module):
    """Rounds of message passing, then a number for each node, and their sum for the graph.

    Parameters
    ----------
    in_features : int
        Numbers that describe a node.
    size : int
        Numbers in its vector inside.
    rounds : int
        How often messages are passed. With 0, each node is read by itself.
    aggregate : {"sum", "mean"}
        As in `MessagePassing`.
    """

    def __init__(
        self,
        in_features: int,
        size: int = 32,
        rounds: int = 3,
        aggregate: Literal["sum", "mean"] = "sum",
    ) -> None:
        super().__init__()
        self.first = nn.Linear(in_features, size)
        self.rounds = nn.ModuleList(MessagePassing(size, aggregate) for _ in range(rounds))
        self.last = nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, 1))

    def nodes(self, graphs: Graphs) -> Tensor:
        """Compute the vectors of the nodes after all rounds, shape (N, size)."""
        h = torch.relu(self.first(graphs.x))
        for one in self.rounds:
            h = one(h, graphs.edges)
        return h

    def forward(self, graphs: Graphs) -> Tensor:
        """Compute a number for each graph, shape (count,)."""
        return pool(self.last(self.nodes(graphs)), graphs)[:, 0]
