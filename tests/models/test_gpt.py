"""The small GPT: PyTorch's layers with the same weights, no look ahead, an exact cache."""

import itertools

import pytest
import torch
from torch import nn

from course_lib.models.attention import causal_mask, rotary, scaled_dot_product_attention
from course_lib.models.gpt import (
    GPT,
    Block,
    Cache,
    CausalSelfAttention,
    Config,
    SwiGLU,
    _draw,
    attention_maps,
)

KINDS = list(itertools.product(("learned", "rotary"), ("layer", "rms"), ("gelu", "swiglu")))


def small(positions="learned", norm="layer", mlp="gelu", **more):
    torch.manual_seed(0)
    settings = {"vocabulary": 11, "context": 12, "width": 16, "layers": 2, "heads": 2} | more
    return GPT(Config(positions=positions, norm=norm, mlp=mlp, **settings)).eval()


def tokens(batch=2, n=10, seed=0):
    return torch.randint(11, (batch, n), generator=torch.Generator().manual_seed(seed))


def close(a, b, atol=1e-5):
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


def test_a_block_is_pytorchs_encoder_layer_with_the_same_weights():
    torch.manual_seed(0)
    block = Block(Config(vocabulary=5, width=16, heads=4)).eval()
    theirs = nn.TransformerEncoderLayer(
        16, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
        block.attention.qkv.weight.copy_(theirs.self_attn.in_proj_weight)
        block.attention.qkv.bias.copy_(theirs.self_attn.in_proj_bias)
        block.attention.output.load_state_dict(theirs.self_attn.out_proj.state_dict())
        block.norm1.load_state_dict(theirs.norm1.state_dict())
        block.norm2.load_state_dict(theirs.norm2.state_dict())
        block.mlp[0].load_state_dict(theirs.linear1.state_dict())
        block.mlp[2].load_state_dict(theirs.linear2.state_dict())
        x = torch.randn(3, 7, 16)
        close(block(x)[0], theirs(x, src_mask=~causal_mask(7)))


def test_attention_is_the_one_written_out_with_rotary_positions():
    torch.manual_seed(0)
    layer, x = (
        CausalSelfAttention(Config(5, width=12, heads=3, positions="rotary")),
        torch.randn(2, 6, 12),
    )
    query, key, value = (
        part.unflatten(-1, (3, 4)).transpose(1, 2) for part in layer.qkv(x).chunk(3, -1)
    )
    at = torch.arange(6)
    mixed, _ = scaled_dot_product_attention(
        rotary(query, at), rotary(key, at), value, causal_mask(6)
    )
    close(layer(x)[0], layer.output(mixed.transpose(1, 2).flatten(2)))


@pytest.mark.parametrize(("positions", "norm", "mlp"), KINDS)
def test_nothing_leaks_from_the_future(positions, norm, mlp):
    model, before = small(positions, norm, mlp), tokens()
    after = before.clone()
    after[:, 6:] = (after[:, 6:] + 3) % 11
    a, b = model(before), model(after)
    assert torch.equal(a[:, :6], b[:, :6])
    assert (a[:, 6:] - b[:, 6:]).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize(("positions", "norm", "mlp"), KINDS)
@pytest.mark.parametrize("pieces", [[10], [1] * 10, [4, 1, 5]])
def test_the_cache_changes_nothing(positions, norm, mlp, pieces):
    model, text = small(positions, norm, mlp), tokens()
    cache = Cache()
    got = torch.cat([model(piece, cache) for piece in text.split(pieces, dim=1)], dim=1)
    close(got, model(text))
    assert len(cache) == 2 and cache[0][0].shape == (2, 2, 10, 8)


@pytest.mark.parametrize("positions", ["learned", "rotary"])
@pytest.mark.parametrize("settings", [{"temperature": 0}, {}, {"temperature": 0.5, "top_k": 3}])
def test_writing_with_and_without_cache_is_the_same_beyond_the_context(positions, settings):
    model = small(positions)
    texts = [
        model.generate(
            tokens(n=3),
            25,
            use_cache=cached,
            generator=torch.Generator().manual_seed(1),
            **settings,
        )
        for cached in (True, False)
    ]
    assert torch.equal(*texts)
    assert texts[0].shape == (2, 28) and torch.equal(texts[0][:, :3], tokens(n=3))


def test_the_most_likely_token_at_temperature_0_and_with_one_to_choose_from():
    model, start = small(), tokens(n=4)
    greedy = model.generate(start, 3, temperature=0)
    assert torch.equal(greedy[:, 4], model(start)[:, -1].argmax(-1))
    assert torch.equal(greedy, model.generate(start, 3, top_k=1))


def test_draws_follow_temperature_and_top_k():
    model, start = small(), tokens(1, 4).repeat(4000, 1)
    logits = model(start[:1])[0, -1]
    for temperature, top_k in ((1.0, None), (0.25, 3)):
        drawn = model.generate(
            start,
            1,
            temperature=temperature,
            top_k=top_k,
            generator=torch.Generator().manual_seed(0),
        )[:, -1]
        likely = (logits / temperature).softmax(-1)
        if top_k:
            likely[likely < likely.topk(top_k).values[-1]] = 0
            likely /= likely.sum()
        shares = torch.bincount(drawn, minlength=11) / len(drawn)
        assert (shares - likely).abs().max() < 0.03
        assert torch.equal(shares > 0, likely > 0) or top_k is None


def test_it_learns_and_its_answers_are_tied_to_its_embedding():
    model, text = small(layers=1, heads=1).train(), (torch.arange(24)[None] % 4).repeat(2, 1)
    names = [name for name, _ in model.named_parameters()]
    assert not any("head" in name or "unembed" in name for name in names)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(40):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(
            model(text[:, :12]).flatten(0, 1), text[:, 1:13].flatten()
        )
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    assert model.eval().generate(text[:, :5], 4, temperature=0)[0].tolist() == [0, 1, 2, 3] * 2 + [
        0
    ]


def test_a_block_has_twelve_d_squared_weights_whichever_perceptron_it_has():
    for mlp in ("gelu", "swiglu"):
        block = Block(Config(vocabulary=5, width=96, heads=4, mlp=mlp))
        weights = sum(p.numel() for p in block.parameters() if p.dim() == 2)
        assert weights == 12 * 96**2
    assert sum(p.numel() for p in SwiGLU(48).parameters()) == 8 * 48**2


def test_dropout_works_in_training_alone():
    model, text = small(dropout=0.5), tokens()
    assert torch.equal(model(text), model(text))
    model.train()
    assert not torch.equal(model(text), model(text))


def test_errors_say_what_to_do():
    model = small()
    with pytest.raises(ValueError, match="13 positions do not fit into a context of 12"):
        model(tokens(n=13))
    with pytest.raises(ValueError, match="at least one"):
        model.generate(tokens(n=0), 2)
    with pytest.raises(ValueError, match="top_k at least 1"):
        model.generate(tokens(), 2, top_k=0)
    with pytest.raises(ValueError, match="positions must be one of"):
        Config(5, positions="relative")
    with pytest.raises(ValueError, match="heads must divide"):
        Config(5, width=10, heads=4)


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_the_maps_are_the_weights_with_which_the_model_computes(positions):
    model, text = small(positions), tokens()
    maps = attention_maps(model, text)
    assert maps.shape == (2, 2, 2, 10, 10)
    close(maps.sum(-1), torch.ones(2, 2, 2, 10))
    # From the map and the values, the output of the first layer's attention follows.
    first, x = model.blocks[0], model.embedding(text)
    if model.positions is not None:
        x = x + model.positions(torch.arange(10))
    value = first.attention.project(first.norm1(x))[2]
    mixed = (maps[0] @ value).transpose(1, 2).flatten(2)
    close(first.attention(first.norm1(x))[0], first.attention.output(mixed))
    assert not model.blocks[0].attention._forward_pre_hooks


@pytest.mark.parametrize(("top_p", "kept"), [(0.5, 1), (0.51, 2), (0.75, 2), (0.8, 3), (1.0, 4)])
def test_top_p_keeps_the_token_that_crosses_the_line(top_p, kept):
    p = torch.tensor([0.125, 0.5, 0.125, 0.25]).repeat(400, 1)
    drawn = _draw(p.log(), 1.0, None, top_p, torch.Generator().manual_seed(0))[:, 0]
    ranking = [1, 3, 0, 2]
    assert sorted(drawn.unique().tolist()) == sorted(ranking[:kept])


def test_top_p_comes_after_temperature_and_top_k():
    p = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).repeat(300, 1)

    def seen(**settings):
        settings = {"temperature": 1.0, "top_k": None, "top_p": None, **settings}
        return _draw(p.log(), **settings, generator=torch.Generator().manual_seed(0)).unique()

    assert seen(top_p=0.6).tolist() == [0, 1]
    assert seen(top_p=0.6, temperature=0.2).tolist() == [0]  # 0.79 at temperature 0.2
    assert seen(top_p=0.6, top_k=3).tolist() == [0, 1]
    assert seen(top_p=0.5, top_k=2).tolist() == [0]  # 0.57 of the two that are left


def test_top_p_must_be_a_share():
    for top_p in (0.0, 1.5):
        with pytest.raises(ValueError, match="top_p must be more than 0"):
            small().generate(tokens(), 2, top_p=top_p)
