"""A black-box attack: it asks the network for its logits, and needs no gradient at all.

A square somewhere in the image is moved to the edge of the ball, up or down. If the right class
stands out less, the move is kept, otherwise it is taken back. Large squares first, single pixels at
the end. This is the idea of the square attack, with a simpler schedule for the size of the squares.

References
----------
M. Andriushchenko, F. Croce, N. Flammarion and M. Hein, "Square attack: a query-efficient black-box
adversarial attack via random search", ECCV 2020, arXiv:1912.00049.
"""

import torch
from torch import Tensor

from course_lib.attacks.gradients import Model, check
from course_lib.training import evaluating

__all__ = ["margin", "square_attack"]


def margin(logits: Tensor, y: Tensor) -> Tensor:
    """Compute by how much the logit of the right class is ahead of the best other one.

    Parameters
    ----------
    logits : Tensor, shape (n, k)
    y : Tensor of int64, shape (n,)

    Returns
    -------
    Tensor, shape (n,)
        Below 0 where the answer is wrong.

    Examples
    --------
    >>> margin(torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0]]), torch.tensor([0, 1]))
    tensor([ 1., -2.])
    """
    right = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -torch.inf)
    return right - others.max(dim=1).values


@torch.no_grad()
def square_attack(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    *,
    queries: int = 300,
    share: float = 0.3,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Search at random for images in the ball that are read wrong, in L-infinity.

    Parameters
    ----------
    model : callable
        Images (n, channels, height, width) to logits (n, k). It is used in evaluation mode and
        left as it was.
    x : Tensor, shape (n, channels, height, width)
        Images, with pixels from 0 to 1.
    y : Tensor of int64, shape (n,)
        The right classes.
    epsilon : float
        The largest change of a pixel.
    queries : int
        How often each image may be shown to the network. One that fools it is left alone.
    share : float
        Part of the image that the first square covers, from 0 to 1; the last covers one pixel, and
        the areas between fall by the same factor from query to query.
    generator : torch.Generator, optional
        On the CPU.

    Returns
    -------
    Tensor, in the shape of x
        Changed images, with pixels from 0 to 1.

    Raises
    ------
    ValueError
        If shapes, pixels or numbers make no sense.
    """
    check(x, y, epsilon)
    if x.ndim != 4:
        raise ValueError(f"x must be (n, channels, height, width), but has shape {tuple(x.shape)}.")
    if queries < 1 or not 0 < share <= 1:
        raise ValueError(
            f"queries must be 1 or more and share above 0 and at most 1, but they are {queries} "
            f"and {share:g}."
        )
    _, channels, height, width = x.shape

    def signs(*shape: int) -> Tensor:
        return (2 * torch.randint(2, shape, generator=generator) - 1).to(x)

    # Stripes from top to bottom are a better start than nothing.
    best = (x + epsilon * signs(len(x), channels, 1, width)).clamp(0, 1)
    with evaluating(model):
        ahead = margin(model(best), y)
        for query in range(1, queries):
            (left,) = torch.where(ahead > 0)
            if not len(left):
                break
            area = share * height * width
            area = area ** (1 - query / queries)  # from the first square to a single pixel
            side = min(max(1, round(area**0.5)), height, width)
            rows, columns = (
                torch.randint(size - side + 1, (len(left), 1), generator=generator).to(x.device)
                for size in (height, width)
            )
            down, across = (torch.arange(size, device=x.device) for size in (height, width))
            inside = ((down >= rows) & (down < rows + side))[:, None, :, None] & (
                (across >= columns) & (across < columns + side)
            )[:, None, None, :]
            edge = (x[left] + epsilon * signs(len(left), channels, 1, 1)).clamp(0, 1)
            tried = torch.where(inside, edge, best[left])
            now = margin(model(tried), y[left])
            better = now < ahead[left]
            best[left[better]], ahead[left[better]] = tried[better], now[better]
    return best
