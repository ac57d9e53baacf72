"""Attention written out does what PyTorch's does, and says what does not fit."""

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.models.attention import (
    MultiHeadAttention,
    causal_mask,
    rotary,
    scaled_dot_product_attention,
    sinusoidal_positions,
)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def close(a, b, atol=1e-5):
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


@pytest.mark.parametrize("mask", [None, "causal", "any", "each its own"])
def test_attention_is_pytorchs(mask):
    query, key, value = drawn(2, 3, 5, 4), drawn(2, 3, 7, 4, seed=1), drawn(2, 3, 7, 6, seed=2)
    allowed = {
        None: None,
        "causal": causal_mask(5, 7),
        "any": drawn(5, 7, seed=3) > 0,
        "each its own": drawn(2, 1, 5, 7, seed=3) > 0,
    }[mask]
    output, weights = scaled_dot_product_attention(query, key, value, allowed)
    close(output, nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed))
    assert weights.shape == (2, 3, 5, 7)
    if allowed is None or allowed.any(-1).all():
        close(weights.sum(-1), torch.ones(2, 3, 5))
    if allowed is not None:
        assert weights[~allowed.expand_as(weights)].abs().max() == 0


def test_attention_is_the_formula_in_numpy():
    query, key, value = (drawn(4, 3, seed=s).double().numpy() for s in range(3))
    scores = query @ key.T / np.sqrt(3)
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    got = scaled_dot_product_attention(*map(torch.tensor, (query, key, value)))
    assert np.allclose(got[0], weights @ value) and np.allclose(got[1], weights)


def test_a_query_that_may_look_nowhere_gets_zeros_and_finite_gradients():
    query = drawn(3, 2).requires_grad_()
    mask = torch.tensor([[True, False], [False, False], [True, True]])
    output, weights = scaled_dot_product_attention(query, drawn(2, 2), drawn(2, 2, seed=1), mask)
    assert output[1].tolist() == [0.0, 0.0] and weights[1].tolist() == [0.0, 0.0]
    output.sum().backward()
    assert query.grad.isfinite().all()


@pytest.mark.parametrize(
    ("shapes", "mask", "said"),
    [
        (((3, 4), (5, 3), (5, 2)), None, "query is as long as a key"),
        (((3, 4), (5, 4), (6, 2)), None, "a value for each key"),
        (((3, 4), (5, 4), (5, 2)), torch.zeros(3, 5), "torch.bool"),
    ],
)
def test_what_does_not_fit_is_refused(shapes, mask, said):
    with pytest.raises(ValueError, match=said):
        scaled_dot_product_attention(*(torch.zeros(shape) for shape in shapes), mask)


@pytest.mark.parametrize("crossed", [False, True])
def test_heads_are_pytorchs_with_the_same_weights(crossed):
    torch.manual_seed(0)
    ours, theirs = MultiHeadAttention(12, 3), nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        for i, layer in enumerate((ours.query, ours.key, ours.value)):
            layer.weight.copy_(theirs.in_proj_weight[12 * i : 12 * (i + 1)])
            theirs.in_proj_bias[12 * i : 12 * (i + 1)] = layer.bias
        ours.output.load_state_dict(theirs.out_proj.state_dict())
    x = drawn(2, 5, 12)
    context = drawn(2, 7, 12, seed=1) if crossed else x
    mask = None if crossed else causal_mask(5)
    output, weights = ours(x, context if crossed else None, mask)
    # There, True means that looking is forbidden.
    expected = theirs(
        x, context, context, attn_mask=None if crossed else ~mask, average_attn_weights=False
    )
    close(output, expected[0])
    close(weights, expected[1])


def test_splitting_gives_each_head_its_own_columns_and_joining_undoes_it():
    heads = MultiHeadAttention(6, 3)
    x = drawn(2, 4, 6)
    parts = heads.split(x)
    assert parts.shape == (2, 3, 4, 2)
    assert torch.equal(parts[:, 1], x[..., 2:4])
    assert torch.equal(heads.join(parts), x)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="divides it"):
        MultiHeadAttention(10, 3)


def test_without_positions_attention_follows_the_order_of_its_input():
    torch.manual_seed(0)
    heads, x = MultiHeadAttention(8, 2), drawn(1, 6, 8)
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    close(heads(x[:, order])[0], heads(x)[0][:, order])


def test_the_causal_mask_of_the_last_positions():
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True] * 4]
    assert torch.equal(causal_mask(5)[-2:], causal_mask(2, 5))


def test_waves_are_those_of_the_paper():
    waves = sinusoidal_positions(20, 6)
    at, place = 7, 2
    assert waves[at, 2 * place] == pytest.approx(np.sin(at / 10_000 ** (2 * place / 6)), abs=1e-6)
    assert waves[at, 2 * place + 1] == pytest.approx(
        np.cos(at / 10_000 ** (2 * place / 6)), abs=1e-6
    )
    with pytest.raises(ValueError, match="even"):
        sinusoidal_positions(4, 5)


def test_rotary_turns_pairs_as_complex_numbers():
    x, at = drawn(2, 5, 6).double(), torch.arange(3, 8)
    speeds = 10_000.0 ** (-torch.arange(3) / 3).double()
    turned = torch.complex(x[..., :3], x[..., 3:]) * torch.exp(1j * at[:, None] * speeds)
    close(rotary(x, at), torch.cat([turned.real, turned.imag], -1), atol=1e-6)
    close(rotary(x, torch.zeros(5, dtype=torch.long)), x)


def test_rotary_scores_depend_on_the_distance_alone():
    query, key = drawn(1, 8), drawn(1, 8, seed=1)

    def score(i, j):
        return (rotary(query, torch.tensor([i])) @ rotary(key, torch.tensor([j])).T).item()

    assert score(5, 2) == pytest.approx(score(105, 102), abs=1e-4)
    assert abs(score(5, 2) - score(5, 4)) > 0.1
    assert abs(score(5, 2) - score(2, 5)) > 0.01
