r"""Recurrent networks: one cell, used again at each step of a sequence, and a language model on it.

`RNNCell` is the network of Elman: the next state is a layer on the input beside the last state.
`RNN` applies it step by step. `LanguageModel` puts an embedding before any recurrent core and a
layer behind it, so that it gives scores for the next token at each step.

A *recurrent core* is any module with an attribute ``hidden_size`` whose call is
``core(x, state) -> (outputs, state)``: inputs (n, t, d) to outputs (n, t, hidden_size). ``None``
as the state begins anew. What the state is (a tensor, a pair of tensors) is the core's own affair.
``torch.nn.LSTM(..., batch_first=True)`` is one.

Reference: J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990), 179-211,
doi:10.1207/s15516709cog1402_1.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["RNN", "LanguageModel", "RNNCell", "detached"]


class RNNCell(nn.Module):
    r"""One step: the new state is tanh of a layer on the input and the last state.

    .. math:: h_t = \tanh(x_t W_x + h_{t-1} W_h + b)

    Parameters
    ----------
    input_size : int
        Numbers in an input, d.
    hidden_size : int
        Numbers in the state.

    Attributes
    ----------
    weight_ih : Parameter, shape (hidden_size, input_size)
        The transpose of W_x, as PyTorch stores it.
    weight_hh : Parameter, shape (hidden_size, hidden_size)
        The transpose of W_h.
    bias : Parameter, shape (hidden_size,)
        `torch.nn.RNNCell` has two biases, which it adds.

    Examples
    --------
    >>> cell = RNNCell(3, 5)
    >>> cell(torch.zeros(2, 3), torch.zeros(2, 5)).shape
    torch.Size([2, 5])
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.empty(hidden_size))
        for parameter in self.parameters():
            bound = 1 / math.sqrt(hidden_size)  # as torch.nn.RNN draws them
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the next state, (n, hidden_size), from an input (n, input_size) and a state."""
        return torch.tanh(x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias)


class RNN(nn.Module):
    """A cell at each step of a sequence, always with the same weights.

    Parameters
    ----------
    input_size : int
        Numbers in an input, d.
    hidden_size : int
        Numbers in the state.

    Examples
    --------
    >>> rnn = RNN(3, 5)
    >>> outputs, h = rnn(torch.zeros(2, 7, 3))
    >>> outputs.shape, h.shape
    (torch.Size([2, 7, 5]), torch.Size([2, 5]))
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.cell = RNNCell(input_size, hidden_size)

    def forward(self, x: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Go through sequences from left to right.

        Parameters
        ----------
        x : Tensor, shape (n, t, input_size)
            n sequences of t steps.
        h0 : Tensor, shape (n, hidden_size), optional
            The state before the first step; zeros without it.

        Returns
        -------
        outputs : Tensor, shape (n, t, hidden_size)
            The state after each step.
        h : Tensor, shape (n, hidden_size)
            The state after the last step.

        Raises
        ------
        ValueError
            If the input does not have three dimensions, the last of length input_size, or no step.
        """
        if x.ndim != 3 or x.shape[2] != self.cell.input_size or x.shape[1] == 0:
            raise ValueError(
                f"x has shape {tuple(x.shape)}, but should have (n, t, {self.cell.input_size}) "
                "with at least one step. For a single sequence, use x[None]."
            )
        h = x.new_zeros(len(x), self.hidden_size) if h0 is None else h0
        outputs = []
        for step in x.unbind(dim=1):
            h = self.cell(step, h)
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


class LanguageModel(nn.Module):
    """Scores for the next token after each token: an embedding, a recurrent core, a layer.

    Parameters
    ----------
    vocab_size : int
        Number of different tokens.
    embedding_size : int
        Numbers that stand for a token; the core's input size.
    core : nn.Module
        A recurrent core, see above.

    Examples
    --------
    >>> model = LanguageModel(vocab_size=86, embedding_size=16, core=RNN(16, 32))
    >>> model(torch.zeros(4, 10, dtype=torch.long)).shape
    torch.Size([4, 10, 86])
    """

    def __init__(self, vocab_size: int, embedding_size: int, core: nn.Module) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.core = core
        self.head = nn.Linear(core.hidden_size, vocab_size)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits (n, t, vocab_size) for the token after each of ids (n, t)."""
        return self.step(ids)[0]

    def step(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Go on from a state: what truncated training and generation need.

        Parameters
        ----------
        ids : Tensor of int64, shape (n, t)
        state : optional
            What the last call returned; without it, the sequences begin here.

        Returns
        -------
        logits : Tensor, shape (n, t, vocab_size)
        state
            The core's state after the last step.
        """
        outputs, state = self.core(self.embedding(ids), state)
        return self.head(outputs), state

    @torch.no_grad()
    def generate(
        self,
        ids: Tensor,
        length: int,
        *,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Go on with a text, token by token, each drawn from what the model expects.

        Parameters
        ----------
        ids : Tensor of int64, shape (n, t)
            At least one token to begin with.
        length : int
            How many tokens to add.
        temperature : float
            The logits are divided by it: below 1 likely tokens become likelier. At 0 the likeliest
            is taken each time.
        generator : torch.Generator, optional
            On the device of the model.

        Returns
        -------
        Tensor of int64, shape (n, t + length)
            The tokens that were given and those that were added.

        Raises
        ------
        ValueError
            If there is no token to begin with, or the temperature is negative.
        """
        if ids.ndim != 2 or ids.shape[1] == 0:
            raise ValueError(
                f"ids has shape {tuple(ids.shape)}, but should have (n, t) with at least one "
                "token: a recurrent network needs something to begin with."
            )
        if temperature < 0:
            raise ValueError(f"temperature must not be negative, but is {temperature}.")
        added, state, last = [ids], None, ids
        for _ in range(length):
            logits, state = self.step(last, state)
            if temperature == 0:
                last = logits[:, -1].argmax(dim=1, keepdim=True)
            else:
                p = (logits[:, -1] / temperature).softmax(dim=1)
                last = torch.multinomial(p, num_samples=1, generator=generator)
            added.append(last)
        return torch.cat(added, dim=1)


def detached(state: Any) -> Any:
    """Return a state with the same numbers, through which no gradient goes back.

    Parameters
    ----------
    state : Tensor, or tuple or list of states, or None

    Returns
    -------
    The same structure.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.detach()
    return type(state)(detached(part) for part in state)
