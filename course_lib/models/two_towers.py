"""Two towers: a network for users and one for items, whose outputs are compared by dot products.

The user's tower reads what the user took before, so that a new user needs no training. The item's
tower reads what the item is known by: a number of its own, and tags, which a new item has, too.
"""

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["TwoTowers", "histories", "sampled_softmax"]


class TwoTowers(nn.Module):
    """Embed users by their histories and items by their number and tags.

    Parameters
    ----------
    tags : array_like, shape (m, t)
        What a description says of each item, 0 or 1.
    width : int
        Numbers in an embedding.
    hidden : int
        Units in the user's tower.
    forget : float
        The chance that the number of an item is hidden in training, so that the tags learn to
        speak for themselves.
    """

    def __init__(
        self, tags: ArrayLike, width: int = 16, hidden: int = 32, forget: float = 0.2
    ) -> None:
        super().__init__()
        self.register_buffer("tags", torch.as_tensor(tags, dtype=torch.float32))
        m, t = self.tags.shape
        self.user_tower = nn.Sequential(nn.Linear(m, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.number = nn.Embedding(m, width)
        nn.init.normal_(self.number.weight, std=0.1)
        self.described = nn.Linear(t, width)
        self.forget = forget

    def users(self, history: Tensor) -> Tensor:
        """Embed users, (n, m) zeros and ones to (n, width)."""
        return self.user_tower(functional.normalize(history, dim=1))

    def items(self, item: Tensor, known: Tensor | None = None) -> Tensor:
        """Embed items, numbers (n,) to (n, width).

        `known`, (n,) of bool, says which have a number that was learned; by default all, apart
        from those that training hides at random.
        """
        if known is None:
            known = torch.rand(len(item), device=item.device) >= self.forget * self.training
        return self.described(self.tags[item]) + self.number(item) * known[:, None]

    def forward(self, history: Tensor, item: Tensor) -> Tensor:
        """Score each item for each user: (n, m) and (b,) to (n, b)."""
        return self.users(history) @ self.items(item).T


def sampled_softmax(scores: Tensor, item: Tensor, log_q: Tensor | None = None) -> Tensor:
    """Compute a cross-entropy over the items of the batch instead of over all items.

    Parameters
    ----------
    scores : Tensor, shape (b, b)
        ``scores[i, j]``: of user i for the item that user j took.
    item : Tensor of int, shape (b,)
        The item that each user took.
    log_q : Tensor, shape (m,), optional
        The logarithm of how often each item of all m is drawn into a batch. Subtracted from its
        scores: an item that often comes as a negative only because it is popular does not have
        to be pushed down for it.

    Returns
    -------
    Tensor, shape ()

    References
    ----------
    Yi and others, Sampling-bias-corrected neural modeling for large corpus item recommendations,
    2019.

    Examples
    --------
    >>> scores = torch.zeros(2, 2)
    >>> round(sampled_softmax(scores, torch.tensor([0, 1])).item(), 4)  # log 2
    0.6931
    >>> rare = torch.tensor([0.9, 0.1]).log()
    >>> round(sampled_softmax(scores, torch.tensor([0, 1]), rare).item(), 4)  # of 0.1 and 0.9
    1.204
    """
    if log_q is not None:
        scores = scores - log_q[item]
    # Another user's item that is the same as one's own is no negative.
    same = item[:, None] == item
    same = same & ~torch.eye(len(item), dtype=torch.bool, device=item.device)
    scores = scores.masked_fill(same, -torch.inf)
    return functional.cross_entropy(scores, torch.arange(len(item), device=item.device))


def histories(user: ArrayLike, item: ArrayLike, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Write down what each user had taken before each event of a log.

    Parameters
    ----------
    user, item : array_like of int, shape (n,)
        The log, ordered by time.
    shape : (int, int)
        Numbers of users and items.

    Returns
    -------
    before : Tensor, shape (n, items)
        For each event, 1 for what its user had taken until then. The item itself is not in it: it
        is what is to be guessed.
    after : Tensor, shape (users, items)
        What each user has taken in the end.

    Examples
    --------
    >>> before, after = histories([0, 1, 0], [2, 2, 1], (2, 3))
    >>> before.tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    >>> after.tolist()
    [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    user, item = torch.as_tensor(user), torch.as_tensor(item)
    taken = functional.one_hot(item, shape[1]).float()
    before, after = torch.zeros_like(taken), torch.zeros(shape)
    for who in user.unique():
        rows = (user == who).nonzero()[:, 0]
        before[rows] = taken[rows].cumsum(dim=0) - taken[rows]
        after[who] = taken[rows].sum(dim=0)
    return before, after
