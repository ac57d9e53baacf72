"""Wrong and unusual answers to the exercise `transformers`."""

import math

import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

BOTH = ["test-attention", "test-attention-hidden"]

# Attention ----------------------------------------------------------------------------------------


@wrong(loses=BOTH, says="divided by d")
def divides_by_d():
    """The formula has a d in its denominator, and the root is easily overlooked."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / query.shape[-1]
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return weights @ value, weights


@wrong(loses=BOTH, says="not divided")
def does_not_divide():
    """Works for narrow keys."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1)
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="the length of a query")
def divides_by_two():
    """The root of 4, the width in the example."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / 2.0
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="no longer add up to 1")
def masks_after_the_softmax():
    """A weight of 0 is a weight of 0."""

    def attention(query, key, value, mask=None):
        weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="True is allowed")
def mask_turned_around():
    """nn.MultiheadAttention has True where looking is forbidden."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(mask, -math.inf)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(mask, 0.0)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="0/0")
def nowhere_gives_nan():
    """Forgets the rows that may look nowhere."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="it is an even spread")
def a_large_negative_number():
    """-1e9 is as good as minus infinity, except where there is nothing else."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -1e9)
        weights = scores.softmax(dim=-1)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="nothing of it may remain")
def subtracts_a_hundred():
    """A hundred less is e to the minus hundred: enough, as long as scores are small."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores - 100.0 * (~mask)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights * mask.any(-1, keepdim=True)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="a softmax that computes exp")
def naive_softmax():
    """exp of scores in the thousands is infinite."""

    def attention(query, key, value, mask=None):
        powers = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).exp()
        if mask is not None:
            powers = powers * mask
        total = powers.sum(-1, keepdim=True)
        weights = powers / torch.where(total == 0, torch.ones_like(total), total)
        return weights @ value, weights


@wrong(loses=BOTH, says="attention")
def softmax_over_the_queries():
    """Dimension -2 are the queries."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-2).nan_to_num()
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="gradients flow back")
def no_gradients():
    """Computes in NumPy, through which no gradient flows."""

    def attention(query, key, value, mask=None):
        with torch.no_grad():
            scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
            if mask is not None:
                scores = scores.masked_fill(~mask, -math.inf)
            weights = scores.softmax(dim=-1)
            if mask is not None:
                weights = weights.masked_fill(~mask, 0.0)
            return weights @ value, weights


@wrong(loses=BOTH, says="you changed query")
def divides_the_query_in_place():
    """The division can be done to the query, but not to the caller's."""

    def attention(query, key, value, mask=None):
        query /= math.sqrt(query.shape[-1])
        scores = query @ key.transpose(-2, -1)
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="sends nan back")
def adds_minus_infinity():
    """The outputs are right, and the gradients of a row that may look nowhere are nan."""

    def attention(query, key, value, mask=None):
        scores = (query / math.sqrt(query.size(-1))).matmul(key.mT)
        if mask is not None:
            scores = scores + torch.zeros_like(scores).masked_fill(~mask, float("-inf"))
            weights = torch.softmax(scores, dim=-1).masked_fill(~mask, 0.0)
        else:
            weights = torch.softmax(scores, dim=-1)
        return torch.matmul(weights, value), weights


@wrong(loses=["test-attention-hidden"], says="which a true score can fall below")
def hidden_scores_of_minus_100():
    """Minus a hundred seems small enough, and no row is 0/0."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -100.0)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return weights @ value, weights


@wrong(loses=["test-attention-hidden"], says="has the type of what came")
def attention_in_double_precision():
    """Computes in float64, to be safe, and returns that."""

    def attention(query, key, value, mask=None):
        query, key, value = query.double(), key.double(), value.double()
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(~mask, 0.0)
        return weights @ value, weights


# Heads --------------------------------------------------------------------------------------------


@wrong(loses=["test-heads", "test-heads-hidden"], says="swap two dimensions")
def views_without_transpose():
    """The right shape, and positions and columns mixed."""

    def split_heads(x, heads):
        batch, n, d = x.shape
        if d % heads:
            raise ValueError("heads must divide d")
        return x.reshape(batch, heads, n, d // heads)


@wrong(loses=["test-heads", "test-heads-hidden"], says="Swap back first")
def joins_without_transpose():
    """flatten, and hope."""

    def join_heads(x):
        batch, heads, n, width = x.shape
        return x.reshape(batch, n, heads * width)


@wrong(loses=["test-heads", "test-heads-hidden"], says="Head k has columns")
def every_other_column():
    """Head 0 gets columns 0, h, 2h: a fair deal, but not this one. join_heads undoes it."""

    def split_heads(x, heads):
        batch, n, d = x.shape
        if d % heads:
            raise ValueError("heads must divide d")
        return x.reshape(batch, n, d // heads, heads).permute(0, 3, 1, 2)


@wrong(loses=["test-heads-hidden"], says="ValueError")
def no_error_for_heads():
    """Leaves the last columns out."""

    def split_heads(x, heads):
        batch, n, d = x.shape
        width = d // heads
        return x[..., : width * heads].reshape(batch, n, heads, width).transpose(1, 2)


@wrong(loses=["test-heads-hidden"], says="RuntimeError")
def view_of_pieces():
    """view works for tensors that lie in one piece."""

    def split_heads(x, heads):
        batch, n, d = x.shape
        if d % heads:
            raise ValueError("heads must divide d")
        return x.mT.reshape(batch, d, n).mT.view(-1).view(batch, n, heads, -1).transpose(1, 2)


# Positions ----------------------------------------------------------------------------------------


@wrong(loses=["test-waves", "test-waves-hidden"], says="both sines, and both cosines")
def interleaves():
    """Sine, cosine, sine, cosine, as in the paper."""

    def waves(positions, d, longest=10_000.0):
        if d % 2:
            raise ValueError("d must be even")
        speeds = longest ** (-torch.arange(0, d, 2, device=positions.device) / d)
        angles = positions[..., None] * speeds
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


@wrong(loses=["test-waves", "test-waves-hidden"], says="10,000 to the power of")
def exponent_without_the_two():
    """Speed k with k / d in place of 2k / d: they stop at 1 / 100."""

    def waves(positions, d, longest=10_000.0):
        if d % 2:
            raise ValueError("d must be even")
        speeds = longest ** (-torch.arange(d // 2, device=positions.device) / d)
        angles = positions[..., None] * speeds
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


@wrong(loses=["test-waves-hidden"], says="Positions are what comes")
def counts_positions_itself():
    """0 to n - 1, whatever the positions are."""

    def waves(positions, d, longest=10_000.0):
        if d % 2:
            raise ValueError("d must be even")
        n = positions.shape[0] if positions.dim() else 1
        speeds = longest ** (-torch.arange(0, d, 2, device=positions.device) / d)
        angles = torch.arange(n, device=positions.device)[:, None] * speeds
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


@wrong(loses=["test-waves-hidden"], says="is ignored")
def always_ten_thousand():
    """The number of the paper."""

    def waves(positions, d, longest=10_000.0):
        if d % 2:
            raise ValueError("d must be even")
        speeds = 10_000.0 ** (-torch.arange(0, d, 2, device=positions.device) / d)
        angles = positions[..., None] * speeds
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


@wrong(loses=["test-waves-hidden"], says="shape")
def one_dimension_of_positions():
    """positions[:, None] is right for one dimension."""

    def waves(positions, d, longest=10_000.0):
        if d % 2:
            raise ValueError("d must be even")
        speeds = longest ** (-torch.arange(0, d, 2, device=positions.device) / d)
        angles = positions.reshape(-1)[:, None] * speeds
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


@wrong(loses=["test-waves-hidden"], says="ValueError")
def odd_widths_pass():
    """One number too many for odd d."""

    def waves(positions, d, longest=10_000.0):
        speeds = longest ** (-torch.arange(0, d, 2, device=positions.device) / d)
        angles = positions[..., None] * speeds
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


@wrong(loses=["test-waves", "test-waves-hidden"], says="the fractions are lost")
def rounds_to_the_type_of_the_positions():
    """Results in the type of whole positions are whole."""

    def waves(positions, d, longest=10_000.0):
        if d % 2:
            raise ValueError("d must be even")
        speeds = longest ** (-torch.arange(0, d, 2, device=positions.device) / d)
        angles = positions[..., None] * speeds
        return torch.cat([angles.sin(), angles.cos()], dim=-1).to(positions.dtype)


@wrong(loses=["test-waves-hidden"], says="Gradients flow through the waves")
def waves_by_way_of_lists():
    """A new tensor, made of numbers, has no past."""

    def waves(positions, d, longest=10_000.0):
        if d % 2:
            raise ValueError("d must be even")
        kind = positions.dtype if positions.is_floating_point() else torch.float32
        positions = torch.tensor(positions.tolist(), dtype=kind, device=positions.device)
        speeds = longest ** (-torch.arange(0, d, 2, device=positions.device) / d)
        angles = positions[..., None] * speeds
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


# Masks --------------------------------------------------------------------------------------------


@wrong(loses=["test-look_mask", "test-look_mask-hidden"], says="nothing above the diagonal")
def looks_one_ahead():
    """tril(1): the position that is to be predicted is seen."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril(1)
        return (backwards & (tokens != pad)[:, None, :])[:, None]


@wrong(loses=["test-look_mask", "test-look_mask-hidden"], says="look_mask(")
def not_at_itself():
    """Only what came before."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril(-1)
        return (backwards & (tokens != pad)[:, None, :])[:, None]


@wrong(loses=["test-look_mask", "test-look_mask-hidden"], says="no column of a padding")
def padding_does_not_look():
    """Rows in place of columns: padding looks at nothing, and is looked at."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril()
        return (backwards & (tokens != pad)[:, :, None])[:, None]


@wrong(loses=["test-look_mask", "test-look_mask-hidden"], says="look_mask(")
def padding_sees_itself():
    """Avoids rows without a True."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril()
        mask = backwards & (tokens != pad)[:, None, :]
        return (mask | torch.eye(n, dtype=torch.bool, device=tokens.device))[:, None]


@wrong(loses=["test-look_mask-hidden"], says="its rows look at what came before it")
def padding_hides_both_ways():
    """Rows and columns: right for padding at the beginning."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        real = tokens != pad
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril()
        return (backwards & real[:, None, :] & real[:, :, None])[:, None]


@wrong(loses=["test-look_mask-hidden"], says="is ignored")
def padding_is_zero():
    """0 is the usual number."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril()
        return (backwards & (tokens > 0)[:, None, :])[:, None]


@wrong(loses=["test-look_mask", "test-look_mask-hidden"], says="came      shape (2, 3, 3)")
def no_dimension_for_heads():
    """(batch, n, n) broadcasts wrongly against (batch, heads, n, n)."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril()
        return backwards & (tokens != pad)[:, None, :]


@wrong(loses=["test-look_mask", "test-look_mask-hidden"], says="dtype")
def mask_of_numbers():
    """Zeros and ones, which ~ turns into -1 and -2."""

    def look_mask(tokens, pad=0):
        n = tokens.shape[1]
        backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril()
        return (backwards & (tokens != pad)[:, None, :])[:, None].int()


# Peeking ------------------------------------------------------------------------------------------


@wrong(loses=["test-peeking-hidden"], says="replace all later tokens, and not the next alone")
def changes_the_next_token_alone():
    """Most leaks are off by one."""

    def peeking(model, tokens, vocabulary):
        with torch.no_grad():
            before, found = model(tokens[None])[0], []
            for t in range(len(tokens) - 1):
                other = tokens.clone()
                other[t + 1] = (other[t + 1] + 1) % vocabulary
                if (model(other[None])[0, t] - before[t]).abs().max() > 1e-5:
                    found.append(t)
            return found


@wrong(loses=["test-peeking", "test-peeking-hidden"], says="replace the tokens after it")
def changes_the_last_token_alone():
    """A leak reaches the end, doesn't it?"""

    def peeking(model, tokens, vocabulary):
        with torch.no_grad():
            before = model(tokens[None])[0]
            other = tokens.clone()
            other[-1] = (other[-1] + 1) % vocabulary
            moved = (model(other[None])[0] - before).abs().amax(dim=-1) > 1e-5
            return moved[:-1].nonzero()[:, 0].tolist()


@wrong(loses=["test-peeking-hidden"], says="compare all numbers, and not the answers")
def compares_the_answers():
    """A leak changes what the model says."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0].argmax(-1), []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t + 1 :] = (other[t + 1 :] + 1) % vocabulary
            if model(other[None])[0, t].argmax() != before[t]:
                found.append(t)
        return found


@wrong(loses=["test-peeking", "test-peeking-hidden"], says="raised")
def tokens_out_of_range():
    """Adds 1, and the last token of the vocabulary has no next."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0], []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t + 1 :] += 1
            if (model(other[None])[0, t] - before[t]).abs().max() > 1e-5:
                found.append(t)
        return found


@wrong(loses=["test-peeking", "test-peeking-hidden"], says="peek")
def changes_the_present_too():
    """From t on: a position may of course see its own token."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0], []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t:] = (other[t:] + 1) % vocabulary
            if (model(other[None])[0, t] - before[t]).abs().max() > 1e-5:
                found.append(t)
        return found


@wrong(loses=["test-peeking-hidden"], says="A change of 1e-9 is no leak")
def bit_by_bit():
    """Anything that is not the same to the bit counts."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0], []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t + 1 :] = (other[t + 1 :] + 1) % vocabulary
            if not torch.equal(model(other[None])[0, t], before[t]):
                found.append(t)
        return found


@wrong(loses=["test-peeking", "test-peeking-hidden"], says="you changed tokens")
def changes_the_text():
    """Writes the other tokens into the caller's tensor."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0].clone(), []
        for t in range(len(tokens) - 2, -1, -1):
            tokens[t + 1] = (tokens[t + 1] + 1) % vocabulary
            if (model(tokens[None])[0, t] - before[t]).abs().max() > 1e-5:
                found.insert(0, t)
        return found


@wrong(loses=["test-peeking-hidden"], says="try every position")
def all_or_nothing():
    """Tries the first position, and takes the rest for the same."""

    def peeking(model, tokens, vocabulary):
        if len(tokens) < 2:
            return []
        other = tokens.clone()
        other[1:] = (other[1:] + 1) % vocabulary
        moved = (model(other[None])[0, 0] - model(tokens[None])[0, 0]).abs().max() > 1e-5
        return list(range(len(tokens) - 1)) if moved else []


@wrong(loses=["test-peeking-hidden"], says="a relative tolerance")
def compares_with_allclose():
    """allclose has atol, and a share of the size besides: a thousand may change by 0.01."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0], []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t + 1 :] = (other[t + 1 :] + 1) % vocabulary
            if not torch.allclose(model(other[None])[0, t], before[t], atol=1e-5):
                found.append(t)
        return found


@wrong(loses=["test-peeking-hidden"], says="not their mean")
def mean_change_of_the_logits():
    """The mean over the vocabulary, in which a single logit drowns."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0], []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t + 1 :] = (other[t + 1 :] + 1) % vocabulary
            if (model(other[None])[0, t] - before[t]).abs().mean() > 1e-5:
                found.append(t)
        return found


@wrong(loses=["test-peeking-hidden"], says="this model takes tokens of shape (1, 9)")
def all_texts_in_one_batch():
    """One call for all positions, of a model that takes one text."""

    def peeking(model, tokens, vocabulary):
        n = len(tokens)
        places = torch.arange(n, device=tokens.device)
        others = torch.where(places > places[:, None], (tokens + 1) % vocabulary, tokens)
        far = (model(others) - model(tokens[None])).abs().amax(dim=-1) > 1e-5
        return [t for t in range(n) if far[t, t]]


@wrong(
    loses=["test-peeking", "test-peeking-hidden"],
    says="Each later token must become another",
)
def replaces_by_zero():
    """A token that was 0 stays what it was."""

    def peeking(model, tokens, vocabulary):
        before, found = model(tokens[None])[0], []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t + 1 :] = 0
            if (model(other[None])[0, t] - before[t]).abs().max() > 1e-5:
                found.append(t)
        return found


# The next token -----------------------------------------------------------------------------------


@wrong(
    loses=["test-next_token_loss", "test-next_token_loss-hidden"],
    says="The logits at 0 meet token 1",
)
def not_shifted():
    """Compares what is said at t with the token at t."""

    def next_token_loss(logits, tokens, first=1):
        said, wanted = logits[:, first:], tokens[:, first:]
        return nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten())


@wrong(
    loses=["test-next_token_loss", "test-next_token_loss-hidden"],
    says="The logits at 0 meet token 1",
)
def shifted_the_other_way():
    """What is said at t + 1 meets the token at t."""

    def next_token_loss(logits, tokens, first=1):
        said, wanted = logits[:, first:], tokens[:, first - 1 : -1]
        return nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten())


@wrong(loses=["test-next_token_loss-hidden"], says="is predicted at first - 1")
def first_is_off_by_one():
    """Counts from the prediction at `first` on."""

    def next_token_loss(logits, tokens, first=1):
        start = max(first, 1) + (first > 1)
        said, wanted = logits[:, start - 1 : -1], tokens[:, start:]
        return nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten())


@wrong(loses=["test-next_token_loss-hidden"], says="is ignored")
def everything_counts():
    """Ignores `first`."""

    def next_token_loss(logits, tokens, first=1):
        return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


@wrong(loses=["test-next_token_loss-hidden"], says="next_token_loss(")
def divides_by_all():
    """The sum over what counts, divided by the number of all."""

    def next_token_loss(logits, tokens, first=1):
        said, wanted = logits[:, first - 1 : -1], tokens[:, first:]
        total = nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten(), reduction="sum")
        return total / (tokens.shape[0] * (tokens.shape[1] - 1))


@wrong(
    loses=["test-next_token_loss-hidden"],
    says="the log of a softmax that became 0",
)
def log_of_softmax():
    """The log of probabilities that have become 0."""

    def next_token_loss(logits, tokens, first=1):
        p = logits[:, first - 1 : -1].softmax(-1)
        return -p.gather(-1, tokens[:, first:, None]).log().mean()


@wrong(loses=["test-next_token_loss-hidden"], says="no Python number")
def returns_a_number():
    """A number is a mean, but no gradient comes back from it."""

    def next_token_loss(logits, tokens, first=1):
        said, wanted = logits[:, first - 1 : -1], tokens[:, first:]
        return nn.functional.cross_entropy(said.flatten(0, 1).detach(), wanted.flatten())


@wrong(loses=["test-next_token_loss", "test-next_token_loss-hidden"], says="next_token_loss(")
def sums_over_positions():
    """The mean over sequences of a sum over positions."""

    def next_token_loss(logits, tokens, first=1):
        said, wanted = logits[:, first - 1 : -1], tokens[:, first:]
        total = nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten(), reduction="sum")
        return total / len(tokens)


# The cache ----------------------------------------------------------------------------------------


@wrong(loses=["test-Cache-hidden"], says="the mask of m new positions after b has shape (m, b + m)")
def new_positions_see_each_other():
    """No mask: right as long as one position comes at a time."""

    class Cache:
        def __init__(self):
            self.keys = self.values = None

        def __len__(self):
            return 0 if self.keys is None else self.keys.shape[2]

        def attend(self, query, key, value):
            if self.keys is not None:
                key = torch.cat([self.keys, key], dim=2)
                value = torch.cat([self.values, value], dim=2)
            self.keys, self.values = key, value
            return attention(query, key, value)[0]


@wrong(loses=["test-Cache", "test-Cache-hidden"], says="the plain mean of all values so far")
def mask_of_the_new_alone():
    """tril() without the offset: the second position sees the first key and no more."""

    class Cache:
        def __init__(self):
            self.keys = self.values = None

        def __len__(self):
            return 0 if self.keys is None else self.keys.shape[2]

        def attend(self, query, key, value):
            if self.keys is not None:
                key = torch.cat([self.keys, key], dim=2)
                value = torch.cat([self.values, value], dim=2)
            self.keys, self.values = key, value
            mask = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device)
            return attention(query, key, value, mask.tril())[0]


@wrong(loses=["test-Cache", "test-Cache-hidden"], says="the plain mean of all values so far")
def keeps_values_of_the_last_alone():
    """Looks first and keeps afterwards, so that a position does not see itself."""

    class Cache:
        def __init__(self):
            self.keys, self.values = [], []

        def __len__(self):
            return sum(key.shape[2] for key in self.keys)

        def attend(self, query, key, value):
            keys = torch.cat(self.keys or [key], dim=2)
            values = torch.cat(self.values or [value], dim=2)
            self.keys.append(key)
            self.values.append(value)
            mask = torch.ones(query.shape[2], keys.shape[2], dtype=torch.bool, device=query.device)
            return attention(query, keys, values, mask.tril(keys.shape[2] - query.shape[2]))[0]


@wrong(loses=["test-Cache-hidden"], says="belongs to it")
def one_memory_for_all():
    """Lists in the class body are shared by all caches."""

    class Cache:
        keys: list = []
        values: list = []

        def __len__(self):
            return sum(key.shape[2] for key in self.keys)

        def attend(self, query, key, value):
            before, m = len(self), query.shape[2]
            self.keys.append(key)
            self.values.append(value)
            mask = torch.ones(m, before + m, dtype=torch.bool, device=query.device).tril(before)
            return attention(query, torch.cat(self.keys, 2), torch.cat(self.values, 2), mask)[0]


@wrong(loses=["test-Cache-hidden"], says="len(cache)")
def counts_calls():
    """A call is a position, except at the beginning."""

    class Cache:
        def __init__(self):
            self.keys = self.values = None
            self.calls = 0

        def __len__(self):
            return self.calls

        def attend(self, query, key, value):
            before = 0 if self.keys is None else self.keys.shape[2]
            m = query.shape[2]
            if self.keys is not None:
                key = torch.cat([self.keys, key], dim=2)
                value = torch.cat([self.values, value], dim=2)
            self.keys, self.values = key, value
            self.calls += 1
            mask = torch.ones(m, before + m, dtype=torch.bool, device=query.device).tril(before)
            return attention(query, key, value, mask)[0]


@wrong(loses=["test-Cache-hidden"], says="The answers of a cache that gets")
def puts_new_ones_in_front():
    """A mean does not depend on order, but a mask does."""

    class Cache:
        def __init__(self):
            self.keys = self.values = None

        def __len__(self):
            return 0 if self.keys is None else self.keys.shape[2]

        def attend(self, query, key, value):
            before, m = len(self), query.shape[2]
            if self.keys is not None:
                key = torch.cat([key, self.keys], dim=2)
                value = torch.cat([value, self.values], dim=2)
            self.keys, self.values = key, value
            mask = torch.ones(m, before + m, dtype=torch.bool, device=query.device).tril(before)
            return attention(query, key, value, mask)[0]


# Right, in another way ----------------------------------------------------------------------------


@right
def attention_with_einsum():
    """einsum, -1e30 and a correction, other names."""

    def attention(q, k, v, allowed=None):
        s = torch.einsum("...id,...jd->...ij", q, k) * q.shape[-1] ** -0.5
        if allowed is None:
            w = torch.softmax(s, -1)
        else:
            w = torch.softmax(torch.where(allowed, s, torch.full_like(s, -1e30)), -1)
            w = w * allowed
        return torch.einsum("...ij,...jd->...id", w, v), w


@right
def softmax_by_hand():
    """exp of what is left after the largest; the mask multiplies before the division."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        powers = (scores - scores.max(dim=-1, keepdim=True).values.detach()).exp()
        if mask is not None:
            powers = powers * mask
        weights = powers / powers.sum(dim=-1, keepdim=True).clamp_min(1e-30)
        return weights @ value, weights


@right
def heads_with_loops():
    """Stacks columns, head by head."""

    def split_heads(x, heads):
        import sys

        d = x.shape[2]
        if d / heads != d // heads:
            raise ValueError(f"{d} columns, {heads} heads")
        width = d // heads
        print("splitting", file=sys.stderr)
        return torch.stack([x[:, :, k * width : (k + 1) * width] for k in range(heads)], dim=1)

    def join_heads(x):
        return torch.cat([x[:, k] for k in range(x.shape[1])], dim=-1)


@right
def heads_with_unflatten():
    """unflatten, permute and flatten."""

    def split_heads(x, heads):
        if x.size(-1) % heads != 0:
            raise ValueError("heads")
        return x.unflatten(2, (heads, -1)).permute(0, 2, 1, 3).contiguous()

    def join_heads(x):
        return x.permute(0, 2, 1, 3).flatten(start_dim=2)


@right
def waves_by_exponentials():
    """exp of a multiple of the logarithm, written into an array that was made before."""

    def waves(positions, d, longest=10_000.0):
        if d % 2 == 1:
            raise ValueError("odd")
        half = d // 2
        speeds = torch.exp(
            -math.log(longest)
            / half
            * torch.arange(half, dtype=torch.float64, device=positions.device)
        )
        out = torch.empty(*positions.shape, d, dtype=torch.float64, device=positions.device)
        out[..., :half] = torch.sin(positions.unsqueeze(-1) * speeds)
        out[..., half:] = torch.cos(positions.unsqueeze(-1) * speeds)
        return out.float()


@right
def waves_by_complex_numbers():
    """The real and imaginary parts of a rotation."""

    def waves(positions, d, longest=10_000.0):
        if d & 1:
            raise ValueError("odd")
        k = torch.arange(d // 2, device=positions.device)
        z = torch.exp(1j * positions.double()[..., None] / longest ** (2 * k / d))
        return torch.cat([z.imag, z.real], dim=-1).to(torch.get_default_dtype())


@right
def mask_with_loops():
    """Four loops."""

    def look_mask(tokens, pad=0):
        rows = tokens.tolist()
        n = len(rows[0])
        mask = [[[[j <= i and row[j] != pad for j in range(n)] for i in range(n)]] for row in rows]
        return torch.tensor(mask, dtype=torch.bool, device=tokens.device)


@right
def mask_by_comparing_positions():
    """Positions compared with each other."""

    def look_mask(tokens, pad=0):
        at = torch.arange(tokens.size(1), device=tokens.device)
        return (at[:, None] >= at).logical_and(tokens.ne(pad)[:, None, None, :])


@right
def peeking_with_each_later_token():
    """Replaces each later token alone, by another one drawn at random."""

    def peeking(model, tokens, vocabulary):
        n = len(tokens)
        base = model(tokens.unsqueeze(0)).squeeze(0)
        guilty = set()
        for j in range(1, n):
            other = tokens.clone()
            step = int(torch.randint(1, vocabulary, (1,)))
            other[j] = (other[j] + step) % vocabulary
            moved = (model(other.unsqueeze(0)).squeeze(0) - base).abs().max(-1).values
            guilty.update(t for t in range(j) if moved[t].item() > 1e-5)
        return sorted(guilty)


@right
def loss_with_log_softmax():
    """Gathers the log-probabilities of what came."""

    def next_token_loss(logits, tokens, first=1):
        logs = torch.log_softmax(logits, dim=-1)[:, :-1]
        picked = logs.gather(2, tokens[:, 1:].unsqueeze(2)).squeeze(2)
        return -picked[:, first - 1 :].mean()


@right
def loss_with_ignored_targets():
    """Shifts everything, and tells cross_entropy what does not count."""

    def next_token_loss(logits, tokens, first=1):
        wanted = tokens[:, 1:].clone()
        wanted[:, : first - 1] = -100
        return nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), wanted)


@right
def cache_in_lists():
    """Lists of pieces, and a query at a time."""

    class Cache:
        def __init__(self):
            self.pieces = []

        def __len__(self):
            return len(self.pieces)

        def attend(self, query, key, value):
            said = []
            for i in range(query.shape[2]):
                self.pieces.append((key[:, :, i : i + 1], value[:, :, i : i + 1]))
                keys, values = (torch.cat(parts, dim=2) for parts in zip(*self.pieces))
                said.append(attention(query[:, :, i : i + 1], keys, values)[0])
            return torch.cat(said, dim=2)


@right
def attention_cleans_up_nan():
    """0/0 becomes 0; what comes back through it ends at the scores that were filled."""

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -math.inf)
        weights = scores.softmax(dim=-1).nan_to_num(0.0)
        return weights @ value, weights


@right
def attention_row_by_row():
    """Each query by itself, over the keys that it may look at alone."""

    def attention(query, key, value, mask=None):
        n, m, d = query.shape[-2], key.shape[-2], query.shape[-1]
        front = query.shape[:-2]
        if mask is None:
            mask = torch.ones(n, m, dtype=torch.bool, device=query.device)
        mask, rows = mask.expand(*front, n, m).reshape(-1, m), []
        keys = key.reshape(-1, m, d)
        for i, one in enumerate(query.reshape(-1, d)):
            row = torch.zeros_like(one[:1]).expand(m).clone()
            if mask[i].any():
                scores = keys[i // n][mask[i]] @ one / d**0.5
                row[mask[i]] = scores.softmax(dim=0)
            rows.append(row)
        weights = torch.stack(rows).view(*front, n, m)
        return weights @ value, weights


@right
def cache_of_single_positions():
    """A list of positions, and each new query asks by itself."""

    class Cache:
        def __init__(self):
            self.keys, self.values = [], []

        def __len__(self):
            return len(self.keys)

        def attend(self, query, key, value):
            answers = []
            for q, k, v in zip(
                *(part.split(1, dim=2) for part in (query, key, value)), strict=True
            ):
                self.keys.append(k)
                self.values.append(v)
                answers.append(attention(q, torch.cat(self.keys, 2), torch.cat(self.values, 2))[0])
            return torch.cat(answers, dim=2)
