"""An autoencoder: a network that has to rebuild its input from a few numbers.

The chapter *Unsupervised learning* trains it to compress digits, to clean them and to find
strangers among them.
"""

from torch import Tensor, nn

__all__ = ["Autoencoder"]


class Autoencoder(nn.Module):
    """An encoder that turns a sample into a short code, and a decoder that turns it back.

    Train it with the samples as their own targets. No activation function follows the last layer,
    so that outputs are any numbers.

    Parameters
    ----------
    in_features : int
        Numbers in a sample.
    code_size : int
        Numbers in a code. Below `in_features`, something has to be left out.
    hidden_size : int, optional
        Width of the hidden layer with ReLU on each side of the code. None leaves these layers
        out: then the network is linear, and can rebuild no better than PCA.

    Attributes
    ----------
    encoder : nn.Module
        From (n, in_features) to codes (n, code_size).
    decoder : nn.Module
        From codes (n, code_size) to (n, in_features).

    Raises
    ------
    ValueError
        If a size is below 1.

    References
    ----------
    G. E. Hinton and R. R. Salakhutdinov, "Reducing the dimensionality of data with neural
    networks", Science 313 (2006), doi:10.1126/science.1127647.

    Examples
    --------
    >>> import torch
    >>> model = Autoencoder(64, 10, hidden_size=128)
    >>> images = torch.rand(5, 64)
    >>> model.encoder(images).shape, model(images).shape
    (torch.Size([5, 10]), torch.Size([5, 64]))
    """

    def __init__(self, in_features: int, code_size: int, hidden_size: int | None = None) -> None:
        sizes = in_features, code_size, 1 if hidden_size is None else hidden_size
        if min(sizes) < 1:
            raise ValueError(
                f"Sizes must be at least 1, but they are in_features={in_features}, "
                f"code_size={code_size}, hidden_size={hidden_size}. For a network without hidden "
                "layers, leave hidden_size out."
            )
        super().__init__()
        if hidden_size is None:
            self.encoder = nn.Linear(in_features, code_size)
            self.decoder = nn.Linear(code_size, in_features)
        else:
            self.encoder = nn.Sequential(
                nn.Linear(in_features, hidden_size),
                nn.ReLU(),
                nn.Linear(hidden_size, code_size),
            )
            self.decoder = nn.Sequential(
                nn.Linear(code_size, hidden_size),
                nn.ReLU(),
                nn.Linear(hidden_size, in_features),
            )

    def forward(self, inputs: Tensor) -> Tensor:
        """Rebuild samples (n, in_features) from their codes."""
        return self.decoder(self.encoder(inputs))
