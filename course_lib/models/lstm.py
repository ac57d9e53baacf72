r"""Gated recurrent networks: LSTM and GRU, with the gates in PyTorch's order.

`LSTMCell` keeps a second state, the cell state, that is changed by adding; three gates decide how
much is kept, written and shown. `GRUCell` makes do with one state and two gates. `LSTM` and `GRU`
apply them step by step and are recurrent cores in the sense of `course_lib.models.rnn`.

Parameters have the names, shapes and order of ``torch.nn.LSTMCell`` and ``torch.nn.GRUCell``, and
every class here loads the state dict of its namesake in `torch.nn` (of one layer, in one
direction).

References: S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997),
1735-1780, doi:10.1162/neco.1997.9.8.1735. F. A. Gers, J. Schmidhuber and F. Cummins, "Learning to
forget: continual prediction with LSTM", Neural Computation 12 (2000), 2451-2471,
doi:10.1162/089976600300015015. K. Cho et al., "Learning phrase representations using RNN
encoder-decoder for statistical machine translation" (2014), doi:10.3115/v1/D14-1179.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["GRU", "LSTM", "GRUCell", "LSTMCell"]


class _GatedCell(nn.Module):
    """The parameters of a cell that computes several layers of the same inputs at once.

    Attributes
    ----------
    weight_ih : Parameter, shape (blocks * hidden_size, input_size)
    weight_hh : Parameter, shape (blocks * hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, shape (blocks * hidden_size,)
    """

    blocks: int

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.blocks * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows))
        self.bias_hh = nn.Parameter(torch.empty(rows))
        for parameter in self.parameters():
            bound = 1 / math.sqrt(hidden_size)  # as PyTorch draws them
            nn.init.uniform_(parameter, -bound, bound)


class LSTMCell(_GatedCell):
    r"""One step of an LSTM: keep some of the cell state, add something new, show some of it.

    .. math::
        [a_i, a_f, a_g, a_o] &= x_t W_x + h_{t-1} W_h + b \\
        c_t &= \sigma(a_f) \odot c_{t-1} + \sigma(a_i) \odot \tanh(a_g) \\
        h_t &= \sigma(a_o) \odot \tanh(c_t)

    Parameters
    ----------
    input_size : int
        Numbers in an input, d.
    hidden_size : int
        Numbers in the hidden state, and as many in the cell state.
    forget_bias : float, optional
        What the bias of the forget gate is at the start (both biases together). With None it is
        drawn like all others, as in PyTorch.

    Attributes
    ----------
    weight_ih : Parameter, shape (4 * hidden_size, input_size)
        Blocks of rows for the input gate i, the forget gate f, the candidate g and the output
        gate o, in this order.
    weight_hh : Parameter, shape (4 * hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, shape (4 * hidden_size,)
        They are added; two, because PyTorch has two.

    Examples
    --------
    >>> cell = LSTMCell(3, 5)
    >>> h, c = cell(torch.zeros(2, 3), (torch.zeros(2, 5), torch.zeros(2, 5)))
    >>> h.shape, c.shape
    (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    blocks = 4

    def __init__(
        self, input_size: int, hidden_size: int, *, forget_bias: float | None = 1.0
    ) -> None:
        super().__init__(input_size, hidden_size)
        if forget_bias is not None:
            rows = slice(hidden_size, 2 * hidden_size)
            nn.init.constant_(self.bias_ih[rows], forget_bias)
            nn.init.zeros_(self.bias_hh[rows])

    def gates(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return input gate, forget gate, candidate and output gate, each (n, hidden_size)."""
        a = x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh
        i, f, g, o = a.chunk(4, dim=1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the next state (h, c) from an input (n, input_size) and a state (h, c)."""
        h, c = state
        i, f, g, o = self.gates(x, h)
        c = f * c + i * g
        return o * torch.tanh(c), c


class GRUCell(_GatedCell):
    r"""One step of a GRU: a mixture of the old state and a candidate.

    .. math::
        r_t &= \sigma(x_t W_{xr} + h_{t-1} W_{hr} + b_r) \\
        z_t &= \sigma(x_t W_{xz} + h_{t-1} W_{hz} + b_z) \\
        g_t &= \tanh(x_t W_{xg} + b_{xg} + r_t \odot (h_{t-1} W_{hg} + b_{hg})) \\
        h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot g_t

    Here, as in PyTorch, z near 1 *keeps*, and the reset gate r acts on the product with the
    weights. Some texts swap z and 1 - z, and some apply r to the state before the product: their
    weights mean something else, and are not to be loaded here.

    Parameters
    ----------
    input_size : int
        Numbers in an input, d.
    hidden_size : int
        Numbers in the state.

    Attributes
    ----------
    weight_ih : Parameter, shape (3 * hidden_size, input_size)
        Blocks of rows for the reset gate r, the update gate z and the candidate g (which PyTorch
        calls n), in this order.
    weight_hh : Parameter, shape (3 * hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, shape (3 * hidden_size,)
        For the candidate they differ: the second is inside the product with r.

    Examples
    --------
    >>> cell = GRUCell(3, 5)
    >>> cell(torch.zeros(2, 3), torch.zeros(2, 5)).shape
    torch.Size([2, 5])
    """

    blocks = 3

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the next state, (n, hidden_size), from an input (n, input_size) and a state."""
        from_x = (x @ self.weight_ih.T + self.bias_ih).chunk(3, dim=1)
        from_h = (h @ self.weight_hh.T + self.bias_hh).chunk(3, dim=1)
        r = torch.sigmoid(from_x[0] + from_h[0])
        z = torch.sigmoid(from_x[1] + from_h[1])
        g = torch.tanh(from_x[2] + r * from_h[2])
        return z * h + (1 - z) * g


class _Unrolled(nn.Module):
    """A cell at each step of a sequence, always with the same weights."""

    def __init__(self, cell: LSTMCell | GRUCell) -> None:
        super().__init__()
        self.cell, self.hidden_size = cell, cell.hidden_size
        self.register_load_state_dict_pre_hook(_as_a_cell)

    def _check(self, x: Tensor) -> None:
        if x.ndim != 3 or x.shape[2] != self.cell.input_size or x.shape[1] == 0:
            raise ValueError(
                f"x has shape {tuple(x.shape)}, but should have (n, t, {self.cell.input_size}) "
                "with at least one step. For a single sequence, use x[None]."
            )


class LSTM(_Unrolled):
    """An `LSTMCell` at each step of a sequence.

    Parameters
    ----------
    input_size, hidden_size : int
    forget_bias : float, optional
        As in `LSTMCell`.

    Examples
    --------
    >>> lstm = LSTM(3, 5)
    >>> outputs, (h, c) = lstm(torch.zeros(2, 7, 3))
    >>> outputs.shape, h.shape, c.shape
    (torch.Size([2, 7, 5]), torch.Size([2, 5]), torch.Size([2, 5]))
    >>> lstm.load_state_dict(nn.LSTM(3, 5).state_dict())
    <All keys matched successfully>
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, forget_bias: float | None = 1.0
    ) -> None:
        super().__init__(LSTMCell(input_size, hidden_size, forget_bias=forget_bias))

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Go through sequences from left to right.

        Parameters
        ----------
        x : Tensor, shape (n, t, input_size)
            n sequences of t steps.
        state : (h, c), each of shape (n, hidden_size), optional
            What was there before the first step; zeros without it.

        Returns
        -------
        outputs : Tensor, shape (n, t, hidden_size)
            The hidden state after each step.
        state : (h, c)
            Both states after the last step.

        Raises
        ------
        ValueError
            If the input does not have three dimensions, the last of length input_size, or no step.
        """
        self._check(x)
        zeros = x.new_zeros(len(x), self.hidden_size)
        state = (zeros, zeros) if state is None else state
        outputs = []
        for step in x.unbind(dim=1):
            state = self.cell(step, state)
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state


class GRU(_Unrolled):
    """A `GRUCell` at each step of a sequence.

    Parameters
    ----------
    input_size, hidden_size : int

    Examples
    --------
    >>> outputs, h = GRU(3, 5)(torch.zeros(2, 7, 3))
    >>> outputs.shape, h.shape
    (torch.Size([2, 7, 5]), torch.Size([2, 5]))
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(GRUCell(input_size, hidden_size))

    def forward(self, x: Tensor, h0: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Go through sequences from left to right, as `course_lib.models.rnn.RNN` does.

        Parameters
        ----------
        x : Tensor, shape (n, t, input_size)
        h0 : Tensor, shape (n, hidden_size), optional
            The state before the first step; zeros without it.

        Returns
        -------
        outputs : Tensor, shape (n, t, hidden_size)
        h : Tensor, shape (n, hidden_size)

        Raises
        ------
        ValueError
            If the input does not have three dimensions, the last of length input_size, or no step.
        """
        self._check(x)
        h = x.new_zeros(len(x), self.hidden_size) if h0 is None else h0
        outputs = []
        for step in x.unbind(dim=1):
            h = self.cell(step, h)
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


def _as_a_cell(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, *rest: Any, **more: Any
) -> None:
    """Rename the parameters of PyTorch's first layer to those of a cell, before they are loaded."""
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        if f"{prefix}{name}_l0" in state_dict:
            state_dict[f"{prefix}cell.{name}"] = state_dict.pop(f"{prefix}{name}_l0")
