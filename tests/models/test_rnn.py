"""Recurrent networks: equal to PyTorch's, and a language model on any recurrent core."""

import doctest

import pytest
import torch
from torch import nn

from course_lib.models import rnn
from course_lib.models.rnn import RNN, LanguageModel, RNNCell, detached


def twins(input_size=3, hidden_size=5, seed=0):
    """Our RNN and PyTorch's, with the same weights."""
    torch.manual_seed(seed)
    ours = RNN(input_size, hidden_size)
    theirs = nn.RNN(input_size, hidden_size, batch_first=True)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(ours.cell.weight_ih)
        theirs.weight_hh_l0.copy_(ours.cell.weight_hh)
        theirs.bias_ih_l0.copy_(0.3 * ours.cell.bias)
        theirs.bias_hh_l0.copy_(0.7 * ours.cell.bias)
    return ours, theirs


@pytest.mark.parametrize("begins", [False, True])
def test_outputs_state_and_gradients_are_those_of_pytorch(begins):
    ours, theirs = twins()
    x = torch.randn(4, 9, 3)
    h0 = torch.randn(4, 5) if begins else None
    outputs, h = ours(x, h0)
    wanted, last = theirs(x, None if h0 is None else h0[None])
    torch.testing.assert_close(outputs, wanted, rtol=0, atol=1e-5)
    torch.testing.assert_close(h, last[0], rtol=0, atol=1e-5)
    (outputs * outputs.detach().cos()).sum().backward()
    (wanted * wanted.detach().cos()).sum().backward()
    for mine, other in (
        (ours.cell.weight_ih, theirs.weight_ih_l0),
        (ours.cell.weight_hh, theirs.weight_hh_l0),
        (ours.cell.bias, theirs.bias_ih_l0),
    ):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-4, atol=1e-5)


def test_a_cell_is_pytorchs_cell():
    cell, theirs = RNNCell(3, 5), nn.RNNCell(3, 5)
    with torch.no_grad():
        theirs.weight_ih.copy_(cell.weight_ih)
        theirs.weight_hh.copy_(cell.weight_hh)
        theirs.bias_ih.copy_(cell.bias)
        theirs.bias_hh.zero_()
    x, h = torch.randn(2, 3), torch.randn(2, 5)
    torch.testing.assert_close(cell(x, h), theirs(x, h), rtol=0, atol=1e-6)


def test_weights_are_drawn_as_pytorch_draws_them():
    torch.manual_seed(0)
    for parameter in RNN(200, 100).parameters():
        assert parameter.abs().max() <= 0.1
        if parameter.ndim == 2:
            assert parameter.abs().max() > 0.0999


def test_a_sequence_in_two_pieces_gives_the_same_if_the_state_is_handed_on():
    model, x = RNN(3, 5), torch.randn(2, 8, 3)
    whole, last = model(x)
    first, state = model(x[:, :3])
    second, end = model(x[:, 3:], state)
    assert torch.equal(torch.cat([first, second], dim=1), whole)
    assert torch.equal(end, last)


def test_what_comes_later_changes_nothing_before():
    model, x = RNN(3, 5), torch.randn(2, 8, 3)
    changed = x.clone()
    changed[:, 5:] = 7.0
    assert torch.equal(model(x)[0][:, :5], model(changed)[0][:, :5])
    assert not torch.equal(model(x)[0][:, 5:], model(changed)[0][:, 5:])


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 2), (2, 0, 3)])
def test_inputs_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"should have \(n, t, 3\)"):
        RNN(3, 5)(torch.zeros(shape))


CORES = {
    "ours": lambda: RNN(4, 6),
    "torch RNN": lambda: nn.RNN(4, 6, batch_first=True),
    "torch LSTM": lambda: nn.LSTM(4, 6, batch_first=True),
    "torch GRU": lambda: nn.GRU(4, 6, batch_first=True),
}


@pytest.mark.parametrize("core", CORES.values(), ids=CORES)
def test_a_language_model_takes_any_core(core):
    torch.manual_seed(0)
    model = LanguageModel(11, 4, core())
    ids = torch.randint(11, (3, 7))
    logits = model(ids)
    assert logits.shape == (3, 7, 11)
    first, state = model.step(ids[:, :2])
    second, _ = model.step(ids[:, 2:], detached(state))
    torch.testing.assert_close(torch.cat([first, second], dim=1), logits)
    assert model.generate(ids, 5).shape == (3, 12)


def test_a_detached_state_is_the_same_and_stops_the_gradient():
    h = torch.ones(2, requires_grad=True) * 2
    pair = detached((h, [h]))
    assert isinstance(pair, tuple)
    assert isinstance(pair[1], list)
    assert torch.equal(pair[0], h)
    assert not pair[0].requires_grad
    assert not pair[1][0].requires_grad
    assert detached(None) is None


def test_generating_takes_the_likeliest_at_zero_and_draws_otherwise():
    torch.manual_seed(0)
    model = LanguageModel(11, 4, RNN(4, 6))
    start = torch.tensor([[3, 5]])
    greedy = model.generate(start, 6, temperature=0)
    assert greedy[:, :2].equal(start)
    for t in range(2, 8):  # the whole text again, without a state that is handed on
        assert greedy[0, t] == model(greedy[:, :t])[0, -1].argmax()
    draw = [
        model.generate(start, 20, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert draw[0].equal(draw[1])
    assert not draw[0].equal(draw[2])
    cold = model.generate(start, 6, temperature=1e-4, generator=torch.Generator().manual_seed(1))
    assert cold.equal(greedy)


def test_draws_follow_the_models_probabilities():
    torch.manual_seed(0)
    model = LanguageModel(3, 2, RNN(2, 4))
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.copy_(torch.tensor([0.5, 0.3, 0.2]).log())
    start = torch.zeros(20_000, 1, dtype=torch.long)
    for temperature, wanted in ((1.0, [0.5, 0.3, 0.2]), (0.5, [25 / 38, 9 / 38, 4 / 38])):
        drawn = model.generate(
            start, 1, temperature=temperature, generator=torch.Generator().manual_seed(0)
        )[:, 1]
        shares = torch.bincount(drawn, minlength=3) / len(drawn)
        torch.testing.assert_close(shares, torch.tensor(wanted), rtol=0, atol=0.02)


def test_generating_from_nothing_or_below_zero_is_refused():
    model = LanguageModel(3, 2, RNN(2, 4))
    with pytest.raises(ValueError, match="something to begin with"):
        model.generate(torch.zeros(1, 0, dtype=torch.long), 3)
    with pytest.raises(ValueError, match="temperature"):
        model.generate(torch.zeros(1, 1, dtype=torch.long), 3, temperature=-1)


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(rnn)
    assert result.attempted
    assert not result.failed
