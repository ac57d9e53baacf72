"""Small convolutional networks for speech: a word, a speaker, a text.

All read log-mel spectrograms of shape (n, frames, bands) and convolve along time. They differ in
what they do with the frames in the end: `KeywordNet` takes the largest value of each channel,
`SpeakerNet` the mean and the spread, and `SpellingNet` answers at every step.

References
----------
D. Snyder, D. Garcia-Romero, G. Sell, D. Povey and S. Khudanpur, "X-vectors: robust DNN embeddings
for speaker recognition", ICASSP 2018, doi:10.1109/ICASSP.2018.8461375.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["KeywordNet", "SpeakerNet", "SpellingNet"]


def _convolutions(
    bands: int, channels: int, strides: Sequence[int], kernel_size: int = 5
) -> nn.Sequential:
    """Convolve along time: (n, bands, frames) to (n, channels, frames / product of strides)."""
    layers: list[nn.Module] = []
    for stride in strides:
        layers += [
            nn.Conv1d(bands, channels, kernel_size, padding=kernel_size // 2, stride=stride),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
        ]
        bands = channels
    return nn.Sequential(*layers)


class KeywordNet(nn.Module):
    """Three convolutions, the largest value of each channel over time, a linear layer.

    Where in the recording a word is said does not matter to a maximum. (The first two convolutions
    move on by two frames at a time, so this holds for places that are four frames apart.)

    Parameters
    ----------
    bands : int
        Mel bands.
    classes : int
    channels : int
    dropout : float
        Share of the channels that are silenced in training, before the last layer.

    Examples
    --------
    >>> KeywordNet()(torch.zeros(3, 58, 32)).shape
    torch.Size([3, 10])
    """

    def __init__(
        self, bands: int = 32, classes: int = 10, channels: int = 48, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.features = _convolutions(bands, channels, (2, 2, 1))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (n, frames, bands) to logits (n, classes)."""
        return self.head(self.features(x.transpose(1, 2)).amax(dim=2))


class SpeakerNet(nn.Module):
    """Convolutions, mean and spread of each channel over time, and an embedding of length 1.

    It learns as a classifier of the speakers of the training set. The logits are cosines between
    the embedding and one vector per speaker, times `scale`. For speakers that it has never met,
    the embedding is what remains of use.

    Parameters
    ----------
    speakers : int
    bands : int
        Mel bands.
    channels : int
    size : int
        Numbers in an embedding.
    scale : float
        A softmax of cosines alone, which lie between -1 and 1, could not be sure of anything.

    Examples
    --------
    >>> network = SpeakerNet(speakers=25)
    >>> network(torch.zeros(3, 58, 32)).shape
    torch.Size([3, 25])
    >>> network.embed(torch.zeros(3, 58, 32)).shape
    torch.Size([3, 32])
    """

    def __init__(
        self,
        speakers: int,
        bands: int = 32,
        channels: int = 48,
        size: int = 32,
        scale: float = 15.0,
    ) -> None:
        super().__init__()
        self.features = _convolutions(bands, channels, (2, 2, 1))
        self.embedding = nn.Linear(2 * channels, size)
        self.speakers = nn.Linear(size, speakers, bias=False)
        self.scale = scale

    def embed(self, x: Tensor) -> Tensor:
        """Map spectrograms (n, frames, bands) to embeddings (n, size) of length 1."""
        z = self.features(x.transpose(1, 2))
        return functional.normalize(
            self.embedding(torch.cat([z.mean(dim=2), z.std(dim=2)], dim=1)), dim=1
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (n, frames, bands) to logits (n, speakers)."""
        directions = functional.normalize(self.speakers.weight, dim=1)
        return self.scale * self.embed(x) @ directions.T


class SpellingNet(nn.Module):
    """Four convolutions and a linear layer for each step: logits of all labels and the blank.

    One step is four frames of the spectrogram.

    Parameters
    ----------
    labels : int
        With the blank, which is label 0.
    bands : int
        Mel bands.
    channels : int
    dropout : float
        Share of the numbers that are silenced in training, before the last layer.

    Examples
    --------
    >>> network = SpellingNet(labels=28)
    >>> network(torch.zeros(3, 98, 32)).shape
    torch.Size([3, 25, 28])
    >>> network.steps(98)
    25
    """

    def __init__(
        self, labels: int, bands: int = 32, channels: int = 48, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.features = _convolutions(bands, channels, (2, 2, 1, 1))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Conv1d(channels, labels, 1))

    @staticmethod
    def steps(frames: int) -> int:
        """Return how many steps come out of so many frames."""
        return -(-frames // 4)

    def forward(self, x: Tensor) -> Tensor:
        """Map spectrograms (n, frames, bands) to logits (n, steps, labels)."""
        return self.head(self.features(x.transpose(1, 2))).transpose(1, 2)
