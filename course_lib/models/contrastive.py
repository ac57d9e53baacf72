r"""Contrastive learning: an encoder that learns, without labels, which pictures are the same.

Each image of a batch is changed twice at random, in ways that do not change what it shows. The
network is to find, for each such *view*, the other view of the same image among all others in the
batch. `random_views` changes, `ContrastiveNet` encodes, `info_nce` asks. `vicreg` asks for the same
without comparing images with each other, and `effective_rank` counts the directions in which the
answers vary.

References
----------
T. Chen, S. Kornblith, M. Norouzi and G. Hinton, "A simple framework for contrastive learning of
visual representations", ICML 2020, arXiv:2002.05709.
A. van den Oord, Y. Li and O. Vinyals, "Representation learning with contrastive predictive coding",
2018, arXiv:1807.03748.
A. Bardes, J. Ponce and Y. LeCun, "VICReg: variance-invariance-covariance regularization for
self-supervised learning", ICLR 2022, arXiv:2105.04906.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ContrastiveNet", "effective_rank", "info_nce", "random_views", "vicreg"]


def random_views(
    images: Tensor,
    generator: torch.Generator,
    *,
    size: int = 10,
    noise: float = 0.2,
) -> Tensor:
    """Lay each image at a random place on a sheet, and add noise to every pixel.

    Neither changes which digit it is. Turning the image would: a six upside down is a nine.

    Parameters
    ----------
    images : Tensor, shape (n, height, width)
    generator : torch.Generator
        Where the places and the noise come from, on the CPU.
    size : int
        Height and width of the sheet.
    noise : float
        Standard deviation of the normal noise.

    Returns
    -------
    Tensor, shape (n, size, size)
        On the device of the images.

    Raises
    ------
    ValueError
        If an image does not fit on the sheet.

    Examples
    --------
    >>> views = random_views(torch.ones(5, 8, 8), torch.Generator().manual_seed(0), noise=0)
    >>> views.shape, views.sum(dim=(1, 2)).tolist()
    (torch.Size([5, 10, 10]), [64.0, 64.0, 64.0, 64.0, 64.0])
    """
    n, height, width = images.shape
    if max(height, width) > size:
        raise ValueError(
            f"Images of {height} by {width} pixels do not fit on a sheet of {size} by {size}."
        )
    down = torch.randint(size - height + 1, (n,), generator=generator)
    right = torch.randint(size - width + 1, (n,), generator=generator)
    sheets = noise * torch.randn(n, size, size, generator=generator)
    # Pixel (r, c) of image i goes to (r + down[i], c + right[i]).
    rows = down[:, None, None] + torch.arange(height)[:, None]
    columns = right[:, None, None] + torch.arange(width)
    sheets[torch.arange(n)[:, None, None], rows, columns] += images.cpu()
    return sheets.to(images.device)


class ContrastiveNet(nn.Module):
    """An encoder, which is kept, and a projection head, which only the loss sees.

    The loss wants embeddings that forget all in which two views differ. The projection head does
    the last of that forgetting, so that the features before it remain useful for more.

    Parameters
    ----------
    in_features : int
        Numbers in a sample.
    hidden_size : int
        Width of the encoder's hidden layer.
    feature_size : int
        Numbers that the encoder makes of a sample.
    embedding_size : int
        Numbers that the loss compares.

    Attributes
    ----------
    encoder : nn.Sequential
        Samples (n, ...) of `in_features` numbers each to features (n, feature_size).
    projection : nn.Sequential
        Features to embeddings (n, embedding_size).

    Examples
    --------
    >>> model = ContrastiveNet(in_features=100)
    >>> images = torch.rand(5, 10, 10)
    >>> model.encoder(images).shape, model(images).shape
    (torch.Size([5, 64]), torch.Size([5, 32]))
    """

    def __init__(
        self,
        in_features: int,
        hidden_size: int = 128,
        feature_size: int = 64,
        embedding_size: int = 32,
    ) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(in_features, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, feature_size),
            nn.ReLU(),
        )
        self.projection = nn.Sequential(
            nn.Linear(feature_size, feature_size),
            nn.ReLU(),
            nn.Linear(feature_size, embedding_size),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the embeddings, (n, embedding_size), of any length."""
        return self.projection(self.encoder(x))


def info_nce(z_a: Tensor, z_b: Tensor, temperature: float = 0.5) -> Tensor:
    """Ask for the partner of each view among all the others of the batch.

    SimCLR calls this form of InfoNCE *NT-Xent*.

    Parameters
    ----------
    z_a, z_b : Tensor, shape (n, d)
        Embeddings of two views of the same n images, in the same order. Only their directions
        count: they are scaled to length 1.
    temperature : float
        Cosines are divided by it. A small one makes the nearest negatives count most.

    Returns
    -------
    Tensor, shape ()
        The cross-entropy of 2n choices among 2n - 1 views, in nats. Guessing costs log(2n - 1).

    Raises
    ------
    ValueError
        If shapes differ, there are no negatives, or the temperature is not positive.

    Examples
    --------
    >>> z = torch.eye(4)
    >>> same = info_nce(z, z)  # partners agree, and all others are at right angles
    >>> round(same.item(), 4), round(info_nce(z, z, temperature=0.05).item(), 4)
    (0.5944, 0.0)
    """
    if z_a.shape != z_b.shape or z_a.ndim != 2 or len(z_a) < 2:
        raise ValueError(
            "Give two views of the same two or more images, both of shape (n, d), but they are "
            f"{tuple(z_a.shape)} and {tuple(z_b.shape)}."
        )
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, but is {temperature}.")
    n = len(z_a)
    z = functional.normalize(torch.cat([z_a, z_b]), dim=1)  # (2n, d)
    logits = z @ z.T / temperature  # (2n, 2n)
    # A view would always find itself the most similar.
    itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
    logits = logits.masked_fill(itself, -torch.inf)
    partner = torch.arange(2 * n, device=z.device).roll(n)  # n, ..., 2n - 1, 0, ..., n - 1
    return functional.cross_entropy(logits, partner)


def vicreg(z_a: Tensor, z_b: Tensor, *, vary: float = 2.0, decorrelate: float = 1.0) -> Tensor:
    """Ask partners to agree, each number to vary, and no two numbers to say the same.

    No image is compared with another, and no length is fixed. What keeps the embeddings apart is
    the standard deviation over the batch, which is to be at least 1 in each of the d numbers.

    Parameters
    ----------
    z_a, z_b : Tensor, shape (n, d)
        Embeddings of two views of the same n images, in the same order, with n at least 2.
    vary, decorrelate : float
        Weights of the second and third request. The first has weight 1.

    Returns
    -------
    Tensor, shape ()

    Examples
    --------
    >>> z = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    >>> round(vicreg(z, z).item(), 4)  # spread out, and at right angles
    0.0
    >>> round(vicreg(torch.zeros(4, 2), torch.zeros(4, 2)).item(), 2)  # 2 * (1 - 0.01)
    1.98
    """
    agreement = functional.mse_loss(z_a, z_b)
    variance = covariance = torch.zeros((), device=z_a.device)
    for z in (z_a, z_b):
        # The derivative of a square root is infinite at 0, so a little is added before.
        variance = variance + functional.relu(1 - (z.var(dim=0) + 1e-4).sqrt()).mean() / 2
        table = z.T.cov()  # (d, d)
        covariance = covariance + (table - table.diag().diag()).square().sum() / z.shape[1]
    return agreement + vary * variance + decorrelate * covariance


def effective_rank(embeddings: Tensor) -> float:
    """Count in how many directions embeddings vary.

    The variances along their principal directions, as shares p of the whole, have an entropy H.
    Were all variance spread evenly over r directions, exp(H) would be r. It says nothing about
    how large the variance is: look at that as well.

    Parameters
    ----------
    embeddings : Tensor, shape (n, d)

    Returns
    -------
    float
        From 1 to d; 0 if all embeddings are equal.

    Examples
    --------
    >>> round(effective_rank(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])), 3)
    2.0
    """
    centered = embeddings - embeddings.mean(dim=0)
    variances = torch.linalg.svdvals(centered.double()).square()
    if not variances.sum() > 0:
        return 0.0
    shares = variances / variances.sum()
    return torch.special.entr(shares).sum().exp().item()
