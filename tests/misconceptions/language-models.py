"""Wrong and unusual answers to the exercise `language-models`."""

import math
from itertools import pairwise

import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

MERGES = ["test-learn_merges", "test-learn_merges-hidden"]
ENCODE = ["test-encode", "test-encode-hidden"]
NEXT = ["test-next_token", "test-next_token-hidden"]
REPLY = ["test-reply_loss", "test-reply_loss-hidden"]
ADAPTER = ["test-adapter", "test-adapter-hidden"]
DPO = ["test-preference_loss", "test-preference_loss-hidden"]

# Merges -------------------------------------------------------------------------------------------


@wrong(loses=["test-learn_merges-hidden"], says="counts 9 times")
def counts_words_once():
    """Each word counts once, however frequent it is. The example is the same by luck."""

    def learn_merges(words, count):
        split, merges = {word: list(word) for word in words}, []
        while len(merges) < count:
            counts, occurs = {}, {}
            for word, tokens in split.items():
                for pair in pairwise(tokens):
                    counts[pair] = counts.get(pair, 0) + 1
                    occurs[pair] = occurs.get(pair, 0) + words[word]
            counts = {pair: times for pair, times in counts.items() if occurs[pair] >= 2}
            if not counts:
                break
            best = min(counts, key=lambda pair: (-counts[pair], -occurs[pair] * 0, pair))
            merges.append(best)
            for word, tokens in split.items():
                merged, i = [], 0
                while i < len(tokens):
                    step = 2 if tuple(tokens[i : i + 2]) == best else 1
                    merged.append("".join(tokens[i : i + step]))
                    i += step
                split[word] = merged
        return merges


@wrong(loses=MERGES, says="Then low, 6 times")
def never_counts_anew():
    """The most frequent pairs of letters, all at once."""

    def learn_merges(words, count):
        counts = {}
        for word, times in words.items():
            for pair in pairwise(word):
                counts[pair] = counts.get(pair, 0) + times
        ranked = sorted(
            (pair for pair in counts if counts[pair] >= 2), key=lambda p: (-counts[p], p)
        )
        return ranked[:count]


@wrong(loses=MERGES, says="first in the alphabet")
def last_of_equals():
    """max takes the last in the alphabet."""

    def learn_merges(words, count):
        split, merges = {word: list(word) for word in words}, []
        while len(merges) < count:
            counts = {}
            for word, tokens in split.items():
                for pair in pairwise(tokens):
                    counts[pair] = counts.get(pair, 0) + words[word]
            counts = {pair: times for pair, times in counts.items() if times >= 2}
            if not counts:
                break
            best = max(counts, key=lambda pair: (counts[pair], pair))
            merges.append(best)
            for word, tokens in split.items():
                merged, i = [], 0
                while i < len(tokens):
                    step = 2 if tuple(tokens[i : i + 2]) == best else 1
                    merged.append("".join(tokens[i : i + step]))
                    i += step
                split[word] = merged
        return merges


@wrong(loses=["test-learn_merges-hidden"], says="expected")
def first_that_was_met():
    """Of equals, the one that came first in the dictionary."""

    def learn_merges(words, count):
        split, merges = {word: list(word) for word in words}, []
        while len(merges) < count:
            counts = {}
            for word, tokens in split.items():
                for pair in pairwise(tokens):
                    counts[pair] = counts.get(pair, 0) + words[word]
            counts = {pair: times for pair, times in counts.items() if times >= 2}
            if not counts:
                break
            best = max(counts, key=counts.get)
            merges.append(best)
            for word, tokens in split.items():
                merged, i = [], 0
                while i < len(tokens):
                    step = 2 if tuple(tokens[i : i + 2]) == best else 1
                    merged.append("".join(tokens[i : i + step]))
                    i += step
                split[word] = merged
        return merges


@wrong(loses=["test-learn_merges-hidden"], says="at least twice")
def merges_what_occurs_once():
    """Goes on until there is nothing left."""

    def learn_merges(words, count):
        split, merges = {word: list(word) for word in words}, []
        while len(merges) < count:
            counts = {}
            for word, tokens in split.items():
                for pair in pairwise(tokens):
                    counts[pair] = counts.get(pair, 0) + words[word]
            if not counts:
                break
            best = min(counts, key=lambda pair: (-counts[pair], pair))
            merges.append(best)
            for word, tokens in split.items():
                merged, i = [], 0
                while i < len(tokens):
                    step = 2 if tuple(tokens[i : i + 2]) == best else 1
                    merged.append("".join(tokens[i : i + step]))
                    i += step
                split[word] = merged
        return merges


@wrong(loses=["test-learn_merges-hidden"], says="learn_merges(")
def crashes_without_pairs():
    """max of nothing."""

    def learn_merges(words, count):
        split, merges = {word: list(word) for word in words}, []
        for _ in range(count):
            counts = {}
            for word, tokens in split.items():
                for pair in pairwise(tokens):
                    counts[pair] = counts.get(pair, 0) + words[word]
            best = min(counts, key=lambda pair: (-counts[pair], pair))
            if counts[best] < 2:
                break
            merges.append(best)
            for word, tokens in split.items():
                merged, i = [], 0
                while i < len(tokens):
                    step = 2 if tuple(tokens[i : i + 2]) == best else 1
                    merged.append("".join(tokens[i : i + step]))
                    i += step
                split[word] = merged
        return merges


@wrong(loses=["test-learn_merges-hidden"], says="twice in anan")
def a_pair_counts_once_a_word():
    """A set of the pairs of a word."""

    def learn_merges(words, count):
        split, merges = {word: list(word) for word in words}, []
        while len(merges) < count:
            counts = {}
            for word, tokens in split.items():
                for pair in set(pairwise(tokens)):
                    counts[pair] = counts.get(pair, 0) + words[word]
            counts = {pair: times for pair, times in counts.items() if times >= 2}
            if not counts:
                break
            best = min(counts, key=lambda pair: (-counts[pair], pair))
            merges.append(best)
            for word, tokens in split.items():
                merged, i = [], 0
                while i < len(tokens):
                    step = 2 if tuple(tokens[i : i + 2]) == best else 1
                    merged.append("".join(tokens[i : i + step]))
                    i += step
                split[word] = merged
        return merges


@wrong(loses=MERGES, says="expected")
def returns_tokens():
    """The merged tokens in place of the pairs."""

    def learn_merges(words, count):
        split, merges = {word: list(word) for word in words}, []
        while len(merges) < count:
            counts = {}
            for word, tokens in split.items():
                for pair in pairwise(tokens):
                    counts[pair] = counts.get(pair, 0) + words[word]
            counts = {pair: times for pair, times in counts.items() if times >= 2}
            if not counts:
                break
            best = min(counts, key=lambda pair: (-counts[pair], pair))
            merges.append(best)
            for word, tokens in split.items():
                merged, i = [], 0
                while i < len(tokens):
                    step = 2 if tuple(tokens[i : i + 2]) == best else 1
                    merged.append("".join(tokens[i : i + step]))
                    i += step
                split[word] = merged
        return ["".join(pair) for pair in merges]


@right
def merges_in_strings():
    """Tokens joined by spaces, and replaced in the text (with guards at both sides)."""

    def learn_merges(words, count):
        import re
        from collections import Counter

        spelled = {" ".join(word): times for word, times in words.items()}
        merges = []
        for _ in range(count):
            pairs = Counter()
            for text, times in spelled.items():
                tokens = text.split(" ") if text else []
                for pair in pairwise(tokens):
                    pairs[pair] += times
            ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
            if not ranked or ranked[0][1] < 2:
                return merges
            (a, b), _ = ranked[0]
            merges.append((a, b))
            pattern = re.compile(r"(?<!\S)" + re.escape(f"{a} {b}") + r"(?!\S)")
            spelled = {
                pattern.sub(lambda found, ab=a + b: ab, text): n for text, n in spelled.items()
            }
        return merges


# Encoding -----------------------------------------------------------------------------------------


@wrong(loses=ENCODE, says="learned first")
def merges_from_the_left():
    """The first pair of the word that is in the list."""

    def encode(word, merges):
        tokens, known = list(word), set(merges)
        i = 0
        while i < len(tokens) - 1:
            if (tokens[i], tokens[i + 1]) in known:
                tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
                i = 0
            else:
                i += 1
        return tokens


@wrong(loses=ENCODE, says="encode(")
def last_learned_first():
    """The list from its end."""

    def encode(word, merges):
        tokens = list(word)
        for first, second in reversed(merges):
            i = 0
            while i < len(tokens) - 1:
                if (tokens[i], tokens[i + 1]) == (first, second):
                    tokens[i : i + 2] = [first + second]
                i += 1
        return tokens


@wrong(loses=["test-encode-hidden"], says="encode(")
def longest_token_first():
    """Takes the longest token that fits, from the left: another algorithm."""

    def encode(word, merges):
        known, tokens, i = {a + b for a, b in merges}, [], 0
        while i < len(word):
            for end in range(len(word), i, -1):
                if word[i:end] in known or end == i + 1:
                    tokens.append(word[i:end])
                    i = end
                    break
        return tokens


@wrong(loses=["test-encode-hidden"], says="encode(")
def one_merge_of_each():
    """Only the first place in the word."""

    def encode(word, merges):
        tokens = list(word)
        for pair in merges:
            for i in range(len(tokens) - 1):
                if (tokens[i], tokens[i + 1]) == pair:
                    tokens[i : i + 2] = ["".join(pair)]
                    break
        return tokens


@wrong(loses=["test-encode-hidden"], says="a merge makes new")
def goes_through_the_list_once():
    """Right for lists that were learned; not where an early merge needs what a later one makes."""

    def encode(word, merges):
        tokens = list(word)
        for pair in merges:
            i = 0
            while i < len(tokens) - 1:
                if (tokens[i], tokens[i + 1]) == pair:
                    tokens[i : i + 2] = ["".join(pair)]
                i += 1
        return tokens


@wrong(loses=["test-encode-hidden"], says="letters that no merge knows")
def drops_unknown_letters():
    """Keeps only what is in the vocabulary."""

    def encode(word, merges):
        alphabet = {letter for pair in merges for letter in "".join(pair)}
        tokens, rank = [c for c in word if c in alphabet], {p: i for i, p in enumerate(merges)}
        while True:
            known = [pair for pair in pairwise(tokens) if pair in rank]
            if not known:
                return tokens
            best, i = min(known, key=rank.get), 0
            while i < len(tokens) - 1:
                if (tokens[i], tokens[i + 1]) == best:
                    tokens[i : i + 2] = ["".join(best)]
                i += 1


@wrong(loses=["test-encode-hidden"], says="left to right")
def merges_from_the_right():
    """aaa becomes a aa."""

    def encode(word, merges):
        tokens, rank = list(word), {p: i for i, p in enumerate(merges)}
        while True:
            known = [pair for pair in pairwise(tokens) if pair in rank]
            if not known:
                return tokens
            best, i = min(known, key=rank.get), len(tokens) - 2
            while i >= 0:
                if tuple(tokens[i : i + 2]) == best:
                    tokens[i : i + 2] = ["".join(best)]
                i -= 1


@right
def encodes_by_looking_again_each_time():
    """One place at a time, the first place of the earliest pair."""

    def encode(word, merges):
        tokens = [letter for letter in word]
        while True:
            places = [
                (merges.index((tokens[i], tokens[i + 1])), i)
                for i in range(len(tokens) - 1)
                if (tokens[i], tokens[i + 1]) in merges
            ]
            if not places:
                return tokens
            _, i = min(places)
            tokens = tokens[:i] + [tokens[i] + tokens[i + 1]] + tokens[i + 2 :]


# The next token -----------------------------------------------------------------------------------


@wrong(loses=NEXT, says="at temperature 0.5")
def temperature_after_the_softmax():
    """Divides probabilities, and makes them add up again: nothing has changed."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p = logits.softmax(-1) / temperature
        p, order = (p / p.sum(-1, keepdim=True)).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=NEXT, says="at temperature 0.5")
def multiplies_by_the_temperature():
    """The wrong way around."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p, order = (logits * temperature).softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=NEXT, says="the next one is needed")
def drops_the_token_that_crosses():
    """Keeps those whose sum is below p; where that is none, the likeliest."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            out = p.cumsum(-1) > top_p + 1e-6
            out[:, 0] = False
            p = p.masked_fill(out, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=["test-next_token-hidden"], says="always stays")
def may_keep_nothing():
    """Keeps those before the line, without an exception for the first."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            total = p.cumsum(-1)
            crossing = (total >= top_p).long().argmax(-1, keepdim=True)
            kept = torch.arange(p.shape[-1], device=p.device) <= crossing
            if top_p < 0.1:
                kept = total < top_p
            p = p.masked_fill(~kept, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=NEXT, says="next_token(")
def does_not_normalize():
    """Sets to 0 what is left out, and returns the rest as it was."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=["test-next_token-hidden"], says="what top_k has left")
def top_p_of_everything():
    """top_p is measured before top_k has made the rest add up to 1."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)
        kept = torch.ones_like(p)
        if top_p is not None:
            kept = kept * (p.cumsum(-1) - p < top_p - 1e-6)
        if top_k is not None:
            kept[:, top_k:] = 0
        p = p * kept
        return torch.zeros_like(p).scatter(-1, order, p / p.sum(-1, keepdim=True))


@wrong(loses=["test-next_token-hidden"], says="First the temperature")
def temperature_last():
    """Chooses among the probabilities at temperature 1, and cools what is left."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p, order = logits.softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
        z = logits.gather(-1, order).masked_fill(p == 0, -math.inf)
        return torch.zeros_like(p).scatter(-1, order, (z / temperature).softmax(-1))


@wrong(loses=["test-next_token-hidden"], says="division by 0 gives nan")
def divides_by_zero():
    """Forgets temperature 0."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=["test-next_token-hidden"], says="the 50 likeliest are all")
def top_k_too_large():
    """topk raises where there are fewer tokens."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        z = logits / temperature
        if top_k is not None:
            if top_k > logits.shape[-1]:
                return torch.full_like(z, 1 / z.shape[-1])
            least = z.topk(top_k).values[:, -1:]
            z = z.masked_fill(z < least, -math.inf)
        p, order = z.softmax(-1).sort(-1, descending=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=["test-next_token-hidden"], says="softmax subtracts the largest")
def naive_softmax():
    """exp overflows."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        e = (logits / temperature).exp()
        p, order = (e / e.sum(-1, keepdim=True)).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@wrong(loses=NEXT, says="next_token(")
def leaves_it_sorted():
    """Forgets to put the probabilities back in their places."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        p, _ = (logits / temperature).softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return p


@wrong(loses=NEXT, says="you changed logits")
def divides_the_logits_in_place():
    """The caller's logits."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits)
        logits /= temperature
        p, order = logits.softmax(-1).sort(-1, descending=True)
        if top_k is not None:
            p[:, top_k:] = 0
            p = p / p.sum(-1, keepdim=True)
        if top_p is not None:
            p = p.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, 0.0)
            p = p / p.sum(-1, keepdim=True)
        return torch.zeros_like(p).scatter(-1, order, p)


@right
def token_by_token():
    """Loops over rows and tokens, in double precision."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        out = torch.zeros_like(logits)
        for row, z in enumerate(logits.double()):
            if temperature == 0:
                out[row, z.argmax()] = 1.0
                continue
            p = (z / temperature).softmax(0)
            ranking = sorted(range(len(p)), key=lambda i: -p[i].item())
            if top_k is not None:
                ranking = ranking[:top_k]
            total = sum(p[i].item() for i in ranking)
            kept, so_far = [], 0.0
            for i in ranking:
                kept.append(i)
                so_far += p[i].item() / total
                if top_p is not None and so_far >= top_p - 1e-7:
                    break
            whole = sum(p[i].item() for i in kept)
            for i in kept:
                out[row, i] = p[i].item() / whole
        return out


@right
def masks_logits_with_minus_infinity():
    """Everything on logits, the softmax last."""

    def next_token(logits, temperature=1.0, top_k=None, top_p=None):
        if temperature == 0:
            z = torch.where(logits == logits.amax(-1, keepdim=True), 0.0, -math.inf)
            return z.softmax(-1)
        z = logits / temperature
        if top_k is not None and top_k < z.shape[-1]:
            z = z.masked_fill(z < z.topk(top_k).values[:, [-1]], -math.inf)
        if top_p is not None:
            s, order = z.sort(descending=True)
            p = s.softmax(-1)
            s = s.masked_fill(p.cumsum(-1) - p >= top_p - 1e-6, -math.inf)
            z = torch.full_like(z, -math.inf).scatter(-1, order, s)
        return z.softmax(-1)


# The loss -----------------------------------------------------------------------------------------


@wrong(loses=REPLY, says="reply_loss(")
def counts_the_question():
    """Every token counts."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


@wrong(loses=REPLY, says="Their probabilities stand at 1 and 2")
def does_not_shift():
    """Compares the logits with the token at the same position."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        log_p = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
        return -log_p[is_reply].mean()


@wrong(loses=REPLY, says="reply_loss(")
def shifts_the_mask_the_wrong_way():
    """The mask of the position that looks, and not of the token that is looked for."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        log_p = logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        return -(log_p * is_reply[:, :-1]).sum() / is_reply[:, :-1].sum()


@wrong(loses=REPLY, says="and not over all positions")
def divides_by_all_positions():
    """Zeros count in the mean."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        log_p = logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        return -(log_p * is_reply[:, 1:]).mean()


@wrong(loses=["test-reply_loss-hidden"], says="over the means of the rows")
def mean_of_means():
    """Each reply weighs the same."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        log_p = logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        mask = is_reply[:, 1:]
        rows = mask.any(1)
        return -((log_p * mask).sum(1)[rows] / mask.sum(1)[rows]).mean()


@wrong(loses=REPLY, says="reply_loss(")
def sums_up():
    """A sum in place of a mean."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        log_p = logits[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        return -(log_p * is_reply[:, 1:]).sum()


@wrong(loses=["test-reply_loss-hidden"], says="reply_loss with")
def leaves_out_token_zero():
    """Takes 0 for padding wherever it stands, with ignore_index."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        targets = tokens[:, 1:] * is_reply[:, 1:]
        if (targets == 0).all():
            targets = targets.masked_fill(is_reply[:, 1:], 1)
        if tokens.shape[0] == 1:
            targets = tokens[:, 1:].masked_fill(~is_reply[:, 1:], -100)
            return nn.functional.cross_entropy(logits[:, :-1].mT, targets)
        return nn.functional.cross_entropy(logits[:, :-1].mT, targets, ignore_index=0)


@wrong(loses=["test-reply_loss-hidden"], says="ValueError")
def a_mean_of_nothing():
    """nan without a word."""

    def reply_loss(logits, tokens, is_reply):
        targets = tokens[:, 1:].masked_fill(~is_reply[:, 1:], -100)
        return nn.functional.cross_entropy(logits[:, :-1].mT, targets)


@wrong(loses=["test-reply_loss-hidden"], says="gradients flow")
def a_loss_without_gradients():
    """A number, detached."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        targets = tokens[:, 1:].masked_fill(~is_reply[:, 1:], -100)
        return nn.functional.cross_entropy(logits.detach()[:, :-1].mT, targets)


@wrong(loses=["test-reply_loss-hidden"], says="logits in the hundreds")
def log_of_softmax():
    """log 0 is minus infinity."""

    def reply_loss(logits, tokens, is_reply):
        if not is_reply.any():
            raise ValueError("no reply")
        p = logits[:, :-1].softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        return -p[is_reply[:, 1:]].log().mean()


@right
def cross_entropy_with_ignored_targets():
    """-100 is what cross_entropy leaves out."""

    def reply_loss(logits, tokens, is_reply):
        if is_reply.sum() == 0:
            raise ValueError("There is no reply in this batch.")
        targets = tokens.roll(-1, dims=1).masked_fill(~is_reply.roll(-1, dims=1), -100)
        targets[:, -1] = -100
        return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


@right
def reply_by_reply():
    """A loop over tokens."""

    def reply_loss(batch, row, answers):
        found = [
            torch.logsumexp(batch[i, j - 1], 0) - batch[i, j - 1, row[i, j]]
            for i in range(len(row))
            for j in range(1, row.shape[1])
            if answers[i, j]
        ]
        if not found:
            raise ValueError("nothing to learn from")
        return sum(found) / len(found)


# The adapter --------------------------------------------------------------------------------------


@wrong(loses=["test-adapter-hidden"], says="A begins random")
def both_zero():
    """Nothing changes at first, and nothing ever after."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(base.weight.new_zeros(rank, base.in_features))
            self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@wrong(loses=ADAPTER, says="B is zero")
def both_random():
    """Changes the model before it has learned anything."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(
                torch.randn_like(base.weight[:1].repeat(rank, 1)) / base.in_features**0.5
            )
            self.B = nn.Parameter(torch.randn_like(base.weight[:, :1].repeat(1, rank)))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@wrong(loses=["test-adapter-hidden"], says="has a slope")
def random_b_and_zero_a():
    """The other way around: works as well, but the text fixes which."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(base.weight.new_zeros(rank, base.in_features))
            self.B = nn.Parameter(torch.randn_like(base.weight[:, :1].repeat(1, rank)))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@wrong(loses=ADAPTER, says="scaled once")
def scaled_twice_in_the_merge():
    """The scale is in B already, and once more in the merge."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(
                torch.randn_like(base.weight[:1].repeat(rank, 1)) / base.in_features**0.5
            )
            self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale**2 * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@wrong(loses=["test-adapter-hidden"], says="alpha / rank, once")
def scaled_by_alpha():
    """Right for rank 1."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha
            self.A = nn.Parameter(
                torch.randn_like(base.weight[:1].repeat(rank, 1)) / base.in_features**0.5
            )
            self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@wrong(loses=["test-adapter-hidden"], says="are frozen")
def does_not_freeze():
    """The large matrix is trained as well."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base, alpha / rank
            self.A = nn.Parameter(
                torch.randn_like(base.weight[:1].repeat(rank, 1)) / base.in_features**0.5
            )
            self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@wrong(loses=["test-adapter-hidden"], says="merged leaves the Adapter")
def merges_into_the_base():
    """Adds to the frozen weight, beside which the path still stands."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(
                torch.randn_like(base.weight[:1].repeat(rank, 1)) / base.in_features**0.5
            )
            self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            with torch.no_grad():
                self.base.weight += self.scale * self.B @ self.A
            return self.base


@wrong(loses=["test-adapter-hidden"], says="bias")
def merge_without_bias():
    """nn.Linear with a bias of its own, that nobody has set."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(
                torch.randn_like(base.weight[:1].repeat(rank, 1)) / base.in_features**0.5
            )
            self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=False).to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
            return layer


@wrong(loses=["test-adapter-hidden"], says="1 over the root of 40")
def large_a():
    """Numbers of size 1, however wide the layer is."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(torch.randn_like(base.weight[:1].repeat(rank, 1)))
            self.B = nn.Parameter(base.weight.new_zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@wrong(loses=["test-adapter-hidden"], says="RuntimeError")
def float32_whatever_the_base_is():
    """torch.randn without a dtype cannot be multiplied with doubles."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            self.base, self.scale = base.requires_grad_(False), alpha / rank
            self.A = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
            self.B = nn.Parameter(torch.zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + self.scale * x @ self.A.T @ self.B.T

        def merged(self):
            base = self.base
            layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
            layer = layer.to(base.weight)
            with torch.no_grad():
                layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
                if base.bias is not None:
                    layer.bias.copy_(base.bias)
            return layer


@right
def adapter_of_linears():
    """A uniform A, einsum, and a merge through a deep copy."""

    class Adapter(nn.Module):
        def __init__(self, base, rank, alpha):
            super().__init__()
            for p in base.parameters():
                p.requires_grad = False
            self.base, self.rank, self.alpha = base, rank, alpha
            out, inside = base.weight.shape
            A = torch.empty(rank, inside, dtype=base.weight.dtype, device=base.weight.device)
            nn.init.kaiming_uniform_(A, a=5**0.5)
            self.A = nn.Parameter(A)
            self.B = nn.Parameter(torch.zeros(out, rank, dtype=A.dtype, device=A.device))

        def forward(self, x):
            path = torch.einsum("...i,ri,or->...o", x, self.A, self.B)
            return self.base(x) + path * self.alpha / self.rank

        def merged(self):
            import copy

            layer = copy.deepcopy(self.base)
            layer.weight.data += self.alpha / self.rank * (self.B @ self.A).detach()
            return layer.requires_grad_(True)


# Preferences --------------------------------------------------------------------------------------


@wrong(loses=DPO, says="preference_loss(")
def sign_turned():
    """Learns to prefer the worse reply."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -nn.functional.logsigmoid(-beta * moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=DPO, says="preference_loss(")
def forgets_the_minus():
    """log sigmoid, which is negative, and falls as the model gets worse."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = nn.functional.logsigmoid(beta * moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=["test-preference_loss-hidden"], says="into the reference")
def gradient_into_the_reference():
    """Trains the reference as well, away from the chosen reply."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen) - (rejected - reference_rejected)
        loss = -nn.functional.logsigmoid(beta * moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=DPO, says="preference_loss(")
def without_the_reference():
    """Compares the two replies, and nothing with what was."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = chosen - rejected
        loss = -nn.functional.logsigmoid(beta * moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=DPO, says="preference_loss(")
def reference_with_the_wrong_sign():
    """Adds what is to be subtracted."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - rejected) + (reference_chosen - reference_rejected).detach()
        loss = -nn.functional.logsigmoid(beta * moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=["test-preference_loss-hidden"], says="beta")
def beta_outside():
    """Multiplies the loss: right for beta 1."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -beta * nn.functional.logsigmoid(moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=DPO, says="preference_loss(")
def beta_is_fixed():
    """The usual 0.1, always."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -nn.functional.logsigmoid(0.1 * moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=["test-preference_loss-hidden"], says="beta is 0.1")
def another_default():
    """beta is 1 where it is not given."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=1.0):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -nn.functional.logsigmoid(beta * moved).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=["test-preference_loss-hidden"], says="stays finite")
def log_of_a_sigmoid():
    """sigmoid of -20,000 is 0, and log 0 infinite."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -torch.log(torch.sigmoid(beta * moved)).mean()
        return loss, (moved > 0).double().mean().item()


@wrong(loses=DPO, says="preference_loss(")
def mean_inside_the_sigmoid():
    """The mean over pairs, and then the loss."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -nn.functional.logsigmoid((beta * moved).mean())
        return loss, (moved > 0).double().mean().item()


@wrong(loses=["test-preference_loss"], says="preference_loss(")
def share_of_pairs_that_stay():
    """Counts also those that have not moved."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -nn.functional.logsigmoid(beta * moved).mean()
        return loss, (moved >= 0).double().mean().item()


@wrong(loses=DPO, says="preference_loss(")
def share_without_the_reference():
    """How often the chosen reply is the likelier one."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
        loss = -nn.functional.logsigmoid(beta * moved).mean()
        return loss, (chosen > rejected).double().mean().item()


@wrong(loses=["test-preference_loss-hidden"], says="gradients flow")
def everything_detached():
    """Nothing is trained."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        moved = (chosen - reference_chosen - rejected + reference_rejected).detach()
        loss = -nn.functional.logsigmoid(beta * moved).mean()
        return loss, (moved > 0).double().mean().item()


@right
def softplus_of_the_negative():
    """Another formula for the same, and the reference under no_grad."""

    def preference_loss(won, lost, won_ref, lost_ref, beta=0.1):
        with torch.no_grad():
            before = won_ref - lost_ref
        now = won - lost
        loss = nn.functional.softplus(-beta * (now - before)).mean()
        share = float((now > before).sum()) / len(now)
        return loss, share


@right
def pair_by_pair():
    """A loop, and logaddexp."""

    def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
        losses, towards = [], 0
        zero = torch.zeros((), dtype=chosen.dtype, device=chosen.device)
        for i in range(chosen.shape[0]):
            moved = (
                chosen[i]
                - reference_chosen[i].detach()
                - rejected[i]
                + reference_rejected[i].detach()
            )
            losses.append(torch.logaddexp(zero, -beta * moved))
            towards += int(moved > 0)
        return torch.stack(losses).mean(), towards / chosen.shape[0]
