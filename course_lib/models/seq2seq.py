"""Translate a sequence into another: an encoder reads, a decoder writes and looks back.

The encoder is an LSTM that reads from left to right. The decoder is an LSTM that begins with what
the encoder ended with, and writes one token after another. At each step it may look at all states
of the encoder by *attention*, as Luong et al. do it: the state after reading the last token asks,
and what it finds helps to choose the next one. Without attention, the decoder has nothing but its
first state.

Padding is token 0 on both sides; targets begin with a start token and end with an end token.

References
----------
Sutskever et al., "Sequence to Sequence Learning with Neural Networks", arXiv:1409.3215.
Luong et al., "Effective Approaches to Attention-based Neural Machine Translation",
doi:10.18653/v1/D15-1166.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PAD", "Seq2Seq", "attend", "shifted", "translation_loss"]

#: The token that fills up short sequences.
PAD = 0


def attend(states: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Look up each decoder state among the encoder's states, by their dot products.

    Parameters
    ----------
    states : Tensor, shape (n, t, d)
        What asks.
    memory : Tensor, shape (n, s, d)
        What is looked at: keys and values in one.
    mask : Tensor of bool, shape (n, s)
        True where there is a token, False where there is padding.

    Returns
    -------
    context : Tensor, shape (n, t, d)
        The weighted mean of the memory.
    weights : Tensor, shape (n, t, s)
        Each row adds up to 1, and is 0 on padding.

    Examples
    --------
    >>> memory = torch.tensor([[[4.0, 0.0], [0.0, 4.0], [9.0, 9.0]]])
    >>> mask = torch.tensor([[True, True, False]])
    >>> context, weights = attend(torch.tensor([[[4.0, 0.0]]]), memory, mask)
    >>> [round(w, 3) for w in weights[0, 0].tolist()]
    [1.0, 0.0, 0.0]
    """
    scores = states @ memory.mT / math.sqrt(memory.shape[-1])
    weights = scores.masked_fill(~mask[:, None], -math.inf).softmax(dim=-1)
    return weights @ memory, weights


class Seq2Seq(nn.Module):
    """An encoder and a decoder, with attention between them or without.

    Parameters
    ----------
    source_size, target_size : int
        How many tokens each side has, padding included.
    width : int, optional
        Numbers per token and per state.
    attention : bool, optional
        Whether the decoder may look back.
    """

    def __init__(
        self, source_size: int, target_size: int, width: int = 48, *, attention: bool = True
    ) -> None:
        super().__init__()
        self.attention = attention
        self.source = nn.Embedding(source_size, width, padding_idx=PAD)
        self.target = nn.Embedding(target_size, width, padding_idx=PAD)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.LSTM(width, width, batch_first=True)
        self.bridge = nn.Linear(width, width)
        self.query = nn.Linear(width, width, bias=False)
        self.combine = nn.Linear(2 * width, width)
        self.head = nn.Linear(width, target_size)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read.

        Parameters
        ----------
        source : Tensor of int, shape (n, s)
            Padded at the end.

        Returns
        -------
        memory : Tensor, shape (n, s, width)
            A state for each token.
        mask : Tensor of bool, shape (n, s)
        state : Tensor, shape (n, width)
            Where the decoder begins.
        """
        mask = source != PAD
        memory, _ = self.encoder(self.source(source))
        # The state after the last token: what the LSTM makes of the padding behind it is not used.
        last = mask.sum(dim=1) - 1
        state = memory[torch.arange(len(memory), device=memory.device), last]
        return memory, mask, torch.tanh(self.bridge(state))

    def decode(
        self, target: Tensor, memory: Tensor, mask: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Say what comes after each token of a target.

        Parameters
        ----------
        target : Tensor of int, shape (n, t)
            From the start token on.
        memory, mask, state
            What `encode` gave.

        Returns
        -------
        logits : Tensor, shape (n, t, target_size)
        weights : Tensor, shape (n, t, s)
            Where the decoder looked before it wrote each token; zeros without attention.
        """
        start = state[None].contiguous()
        states, _ = self.decoder(self.target(target), (start, torch.zeros_like(start)))
        if self.attention:
            context, weights = attend(self.query(states), memory, mask)
        else:
            context, weights = (
                torch.zeros_like(states),
                states.new_zeros(*target.shape, memory.shape[1]),
            )
        return self.head(torch.tanh(self.combine(torch.cat([states, context], dim=2)))), weights

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the logits (n, t, target_size) of the token after each one of the target."""
        return self.decode(target, *self.encode(source))[0]


def shifted(target: Tensor) -> tuple[Tensor, Tensor]:
    """Cut targets into what the decoder is given and what it is to say.

    Parameters
    ----------
    target : Tensor of int, shape (n, t + 1)
        Start, tokens, end, padding.

    Returns
    -------
    given : Tensor, shape (n, t)
        Without the last column.
    wanted : Tensor, shape (n, t)
        Without the first: at each place, the token after the given one.
    """
    return target[:, :-1], target[:, 1:]


def translation_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean cross-entropy per token, padding left out.

    Parameters
    ----------
    logits : Tensor, shape (n, t, target_size)
    wanted : Tensor of int, shape (n, t)

    Returns
    -------
    Tensor, shape ()
    """
    return functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=PAD)
