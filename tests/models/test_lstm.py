"""LSTM and GRU: equal to PyTorch's in outputs, states and gradients, with the same weights."""

import doctest

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.models import lstm
from course_lib.models.lstm import GRU, LSTM, GRUCell, LSTMCell
from course_lib.models.rnn import LanguageModel, detached

KINDS = {"LSTM": (LSTM, nn.LSTM), "GRU": (GRU, nn.GRU)}


def twins(kind, dtype=torch.float32, seed=0):
    """Ours and PyTorch's, with the same weights."""
    torch.manual_seed(seed)
    ours, theirs = KINDS[kind][0](3, 5), KINDS[kind][1](3, 5, batch_first=True)
    ours, theirs = ours.to(dtype), theirs.to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def first_layer(state):
    return tuple(part[None] for part in state) if isinstance(state, tuple) else state[None]


def parts(state):
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize(
    ("dtype", "atol"), [(torch.float32, 1e-6), (torch.float64, 1e-12)], ids=["32", "64"]
)
def test_outputs_states_and_gradients_are_those_of_pytorch(kind, begins, dtype, atol):
    ours, theirs = twins(kind, dtype)
    x = torch.randn(4, 30, 3, dtype=dtype)
    state = None
    if begins:
        state = torch.randn(4, 5, dtype=dtype)
        state = (state, torch.randn(4, 5, dtype=dtype)) if kind == "LSTM" else state
    outputs, last = ours(x, state)
    wanted, their_last = theirs(x, None if state is None else first_layer(state))
    torch.testing.assert_close(outputs, wanted, rtol=0, atol=atol)
    for mine, other in zip(parts(last), parts(their_last), strict=True):
        torch.testing.assert_close(mine, other[0], rtol=0, atol=atol)
    (outputs * outputs.detach().cos()).sum().backward()
    (wanted * wanted.detach().cos()).sum().backward()
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        mine, other = getattr(ours.cell, name).grad, getattr(theirs, f"{name}_l0").grad
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=20 * atol)


@pytest.mark.parametrize(("ours", "theirs"), [(LSTMCell, nn.LSTMCell), (GRUCell, nn.GRUCell)])
def test_a_cell_is_pytorchs_cell(ours, theirs):
    torch.manual_seed(0)
    mine, other = ours(3, 5), theirs(3, 5)
    mine.load_state_dict(other.state_dict())
    x, h, c = torch.randn(2, 3), torch.randn(2, 5), torch.randn(2, 5)
    state = (h, c) if ours is LSTMCell else h
    for a, b in zip(parts(mine(x, state)), parts(other(x, state)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_the_lstm_is_its_formula_in_numpy():
    cell = LSTMCell(3, 2).double()
    x, h, c = (np.random.default_rng(s).normal(size=(4, n)) for s, n in enumerate((3, 2, 2)))
    blocks = []
    for k in range(4):
        rows = slice(2 * k, 2 * k + 2)
        W, U = (w.detach().numpy()[rows] for w in (cell.weight_ih, cell.weight_hh))
        b = (cell.bias_ih + cell.bias_hh).detach().numpy()[rows]
        blocks.append(np.array([[w @ s for w in W] for s in x]) + h @ U.T + b)
    i, f, o = (1 / (1 + np.exp(-blocks[k])) for k in (0, 1, 3))
    new_c = f * c + i * np.tanh(blocks[2])
    got_h, got_c = cell(torch.tensor(x), (torch.tensor(h), torch.tensor(c)))
    assert np.allclose(got_c.detach(), new_c)
    assert np.allclose(got_h.detach(), o * np.tanh(new_c))


def test_the_slope_along_the_cell_state_is_the_forget_gate():
    cell = LSTMCell(3, 4).double()
    x, h = torch.randn(1, 3).double(), torch.randn(1, 4).double()
    J = torch.autograd.functional.jacobian(
        lambda c: cell(x, (h, c))[1][0], torch.randn(1, 4).double()
    )[:, 0]
    torch.testing.assert_close(J, torch.diag(cell.gates(x, h)[1][0]))


@pytest.mark.parametrize("bias", [0.0, 1.0, 5.0])
def test_the_forget_bias_is_both_biases_together(bias):
    cell = LSTMCell(3, 4, forget_bias=bias)
    both = (cell.bias_ih + cell.bias_hh).detach()
    assert torch.equal(both[4:8], torch.full((4,), bias))
    assert len(both[:4].unique()) == 4 and len(both[8:].unique()) == 8


def test_without_a_forget_bias_all_is_drawn_as_pytorch_draws_it():
    torch.manual_seed(3)
    mine = LSTM(3, 5, forget_bias=None)
    torch.manual_seed(3)
    theirs = nn.LSTM(3, 5)
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_update_gate_of_one_keeps_the_state():
    cell = GRUCell(2, 3)
    with torch.no_grad():
        cell.bias_ih[3:6] = 50.0
    h = torch.randn(4, 3)
    assert torch.equal(cell(torch.randn(4, 2), h), h)
    with torch.no_grad():
        cell.bias_ih[3:6] = -50.0
    assert (cell(torch.zeros(4, 2), h) - h).abs().min() > 1e-4


@pytest.mark.parametrize(("kind", "blocks"), [(LSTM, 4), (GRU, 3)])
def test_parameters_are_counted(kind, blocks):
    count = sum(p.numel() for p in kind(7, 11).parameters())
    assert count == blocks * 11 * (7 + 11 + 2)


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_a_sequence_may_be_read_in_pieces(kind):
    core, x = kind(3, 5), torch.randn(2, 8, 3)
    whole, _ = core(x)
    first, state = core(x[:, :5])
    second, _ = core(x[:, 5:], detached(state))
    assert torch.equal(torch.cat([first, second], dim=1), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_a_language_model_loads_pytorchs_core(kind):
    """The names are found behind the prefix of a larger model, and ours are left alone."""
    torch.manual_seed(0)
    theirs = LanguageModel(9, 3, KINDS[kind][1](3, 5, batch_first=True))
    ours = LanguageModel(9, 3, KINDS[kind][0](3, 5))
    ours.load_state_dict(theirs.state_dict())
    ids = torch.arange(9)[None]
    torch.testing.assert_close(ours(ids), theirs(ids), rtol=0, atol=1e-6)
    again = LanguageModel(9, 3, KINDS[kind][0](3, 5))
    again.load_state_dict(ours.state_dict())
    assert torch.equal(again(ids), ours(ids))


def test_two_layers_of_pytorchs_are_refused():
    with pytest.raises(RuntimeError, match="weight_ih_l1"):
        LSTM(3, 5).load_state_dict(nn.LSTM(3, 5, num_layers=2).state_dict())


@pytest.mark.parametrize("kind", [LSTM, GRU])
@pytest.mark.parametrize("shape", [(4, 3), (2, 0, 3), (2, 4, 2)])
def test_what_is_no_batch_of_sequences_is_refused(kind, shape):
    with pytest.raises(ValueError, match=r"\(n, t, 3\)"):
        kind(3, 5)(torch.zeros(shape))


def test_the_examples():
    assert doctest.testmod(lstm).failed == 0
