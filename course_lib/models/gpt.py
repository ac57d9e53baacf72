"""A small GPT: predict the next token from those before it.

Blocks with the norm in front (pre-norm) around a stream of width d: attention moves information
between positions, a multilayer perceptron works on each position by itself, and both add to the
stream. What newer models do otherwise is an option: rotary positions, RMSNorm, SwiGLU.

References
----------
Radford et al., "Language Models are Unsupervised Multitask Learners", 2019 (GPT-2).
Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020, arXiv:1904.09751 (top_p).
Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023, arXiv:2302.13971.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from course_lib.models.attention import causal_mask, rotary, scaled_dot_product_attention

__all__ = [
    "GPT",
    "Block",
    "Cache",
    "CausalSelfAttention",
    "Config",
    "SwiGLU",
    "attention_maps",
]

Cache = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, shapes (batch, heads, positions so far, d / heads)."""


@dataclass(frozen=True)
class Config:
    """What a GPT is made of.

    Parameters
    ----------
    vocabulary : int
        Different tokens.
    context : int
        The most positions that it looks back on.
    width, layers, heads : int
        Numbers per position (d), blocks, heads per block.
    positions : {"learned", "rotary"}
    norm : {"layer", "rms"}
    mlp : {"gelu", "swiglu"}
        SwiGLU's hidden layer is two thirds as wide, so that both have about 8 d² weights.
    dropout : float
        Share of units silenced in training, after the embedding and after each of a block's parts.
    """

    vocabulary: int
    context: int = 64
    width: int = 64
    layers: int = 2
    heads: int = 4
    positions: Literal["learned", "rotary"] = "learned"
    norm: Literal["layer", "rms"] = "layer"
    mlp: Literal["gelu", "swiglu"] = "gelu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (
            ("positions", ("learned", "rotary")),
            ("norm", ("layer", "rms")),
            ("mlp", ("gelu", "swiglu")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {known}, not {getattr(self, name)!r}.")
        if self.heads < 1 or self.width % self.heads:
            raise ValueError(f"heads must divide the width of {self.width}, but are {self.heads}.")


class CausalSelfAttention(nn.Module):
    """Multi-head attention in which a position sees itself and what came before."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.rotary = config.heads, config.positions == "rotary"
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.output = nn.Linear(config.width, config.width)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map (batch, n, d) to the same shape; `past` holds keys and values of earlier positions.

        Returns
        -------
        output : Tensor, shape (batch, n, d)
        (key, value) : tuple of Tensor
            With those of the past in front.
        """
        before, n = 0 if past is None else past[0].shape[2], x.shape[1]
        query, key, value = self.project(x, before)
        if past is None:
            mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            key, value = (torch.cat(pair, 2) for pair in zip(past, (key, value), strict=True))
            mask = causal_mask(n, before + n, device=x.device)
            mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.output(mixed.transpose(1, 2).flatten(2)), (key, value)

    def project(self, x: Tensor, before: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values (batch, heads, n, d / heads), with `before` positions."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        if self.rotary:
            at = torch.arange(before, before + x.shape[1], device=x.device)
            query, key = rotary(query, at), rotary(key, at)
        return query, key, value


class SwiGLU(nn.Module):
    """A perceptron with a gate: ``down(silu(gate(x)) * up(x))``.

    References
    ----------
    Shazeer, "GLU Variants Improve Transformer", 2020, arXiv:2002.05202.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = round(8 * width / 3)
        self.gate = nn.Linear(width, hidden, bias=False)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., d) to (..., d)."""
        return self.down(nn.functional.silu(self.gate(x)) * self.up(x))


class Block(nn.Module):
    """Attention, then a perceptron, each with the norm in front and added to the stream."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        d, norm = config.width, nn.LayerNorm if config.norm == "layer" else nn.RMSNorm
        self.norm1, self.norm2 = norm(d), norm(d)
        self.attention = CausalSelfAttention(config)
        self.mlp = (
            SwiGLU(d)
            if config.mlp == "swiglu"
            else nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map (batch, n, d) to the same shape; the rest is as in `CausalSelfAttention`."""
        mixed, present = self.attention(self.norm1(x), past)
        x = x + self.dropout(mixed)
        return x + self.dropout(self.mlp(self.norm2(x))), present


class GPT(nn.Module):
    """Tokens in, logits of the next token out, at every position.

    The matrix that embeds tokens also reads the answers off the stream (weight tying).

    Parameters
    ----------
    config : Config

    References
    ----------
    Press and Wolf, "Using the Output Embedding to Improve Language Models", arXiv:1608.05859.

    Examples
    --------
    >>> model = GPT(Config(vocabulary=30))
    >>> model(torch.zeros(2, 5, dtype=torch.long)).shape
    torch.Size([2, 5, 30])
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        learned = config.positions == "learned"
        self.positions = nn.Embedding(config.context, config.width) if learned else None
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        norm = nn.LayerNorm if config.norm == "layer" else nn.RMSNorm
        self.norm = norm(config.width)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                # What adds to the stream starts smaller: 2 * layers such parts add up.
                last = name.endswith(("output.weight", "mlp.2.weight", "down.weight"))
                std = 0.5 / config.width**0.5  # GPT-2 has about this at its width of 768
                nn.init.normal_(weight, std=std / (2 * config.layers) ** 0.5 if last else std)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Compute the logits of the next token.

        Parameters
        ----------
        tokens : Tensor of int, shape (batch, n)
        cache : list, optional
            Keys and values of the positions before these, empty at the start. It is filled, so
            that the next call needs nothing but the tokens that follow.

        Returns
        -------
        Tensor, shape (batch, n, vocabulary)

        Raises
        ------
        ValueError
            If there are more positions than `context`.
        """
        before, n = cache[0][0].shape[2] if cache else 0, tokens.shape[1]
        if before + n > self.config.context:
            raise ValueError(
                f"{before + n} positions do not fit into a context of {self.config.context}: give "
                "the last ones alone, and an empty cache."
            )
        x = self.embedding(tokens)
        if self.positions is not None:
            x = x + self.positions(torch.arange(before, before + n, device=tokens.device))
        x = self.dropout(x)
        past = list(cache) if cache else [None] * len(self.blocks)
        present = []
        for block, earlier in zip(self.blocks, past, strict=True):
            x, kept = block(x, earlier)
            present.append(kept)
        if cache is not None:
            cache[:] = present
        return nn.functional.linear(self.norm(x), self.embedding.weight)

    @torch.no_grad()
    def generate(
        self,
        tokens: Tensor,
        count: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        generator: torch.Generator | None = None,
        use_cache: bool = True,
    ) -> Tensor:
        """Write on, one token after the other.

        Where the context is full, it goes on from the last half of it.

        Parameters
        ----------
        tokens : Tensor of int, shape (batch, n)
            How it begins, at least one token.
        count : int
            Tokens to add.
        temperature : float
            Logits are divided by it; at 0, the most likely token is taken each time.
        top_k : int, optional
            Draw from the k most likely tokens.
        top_p : float, optional
            Draw from the fewest tokens that together have at least this probability (nucleus
            sampling), after temperature and top_k. The token that crosses the line is kept.
        generator : torch.Generator, optional
            Where chance comes from.
        use_cache : bool
            Whether to keep keys and values; the result is the same.

        Returns
        -------
        Tensor of int, shape (batch, n + count)

        Raises
        ------
        ValueError
            If there is no token to begin with, or temperature, top_k or top_p make no sense.
        """
        if not tokens.shape[1]:
            raise ValueError("There is no token to begin with: give at least one.")
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError(
                f"temperature must be 0 or more and top_k at least 1; came {temperature}, {top_k}."
            )
        if top_p is not None and not 0 < top_p <= 1:
            raise ValueError(f"top_p must be more than 0 and at most 1; came {top_p}.")
        window, cache = tokens[:, -self.config.context :], Cache()
        for _ in range(count):
            if window.shape[1] > self.config.context:
                window, cache = window[:, -max(1, self.config.context // 2) :], Cache()
            unseen = window[:, cache[0][0].shape[2] :] if use_cache and cache else window
            logits = self(unseen, cache if use_cache else None)[:, -1]
            following = _draw(logits, temperature, top_k, top_p, generator)
            window = torch.cat([window, following], dim=1)
            tokens = torch.cat([tokens, following], dim=1)
        return tokens


@torch.no_grad()
def attention_maps(model: GPT, tokens: Tensor) -> Tensor:
    """Compute where each head of a GPT looks.

    Parameters
    ----------
    model : GPT
        In evaluation mode, if it has dropout.
    tokens : Tensor of int, shape (batch, n)

    Returns
    -------
    Tensor, shape (layers, batch, heads, n, n)
        The weights of each query's row add up to 1.
    """
    seen: list[Tensor] = []

    def look(layer: CausalSelfAttention, arguments: tuple[Tensor, ...]) -> None:
        query, key, value = layer.project(arguments[0])
        mask = causal_mask(tokens.shape[1], device=tokens.device)
        seen.append(scaled_dot_product_attention(query, key, value, mask)[1])

    hooks = [block.attention.register_forward_pre_hook(look) for block in model.blocks]
    try:
        model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(seen)


def _draw(
    logits: Tensor,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator | None,
) -> Tensor:
    """Draw a token for each row of logits (batch, vocabulary): shape (batch, 1)."""
    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    if top_k is not None and top_k < logits.shape[-1]:
        least = logits.topk(top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    p = (logits / temperature).softmax(-1)
    if top_p is not None:
        likely, order = p.sort(dim=-1, descending=True, stable=True)
        # A token stays if those before it have not reached top_p yet: the first always does.
        likely = likely.masked_fill(likely.cumsum(-1) - likely >= top_p, 0.0)
        p = torch.zeros_like(p).scatter(-1, order, likely)
    return torch.multinomial(p, 1, generator=generator)
