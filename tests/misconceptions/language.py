"""Wrong and unusual answers to the exercise `language`."""

import math
from collections import Counter

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {}

# Padding and masks --------------------------------------------------------------------------------


@wrong(loses=["test-pad", "test-pad-hidden"], says="filled up at the end")
def padding_in_front():
    """Some frameworks fill up at the beginning."""

    def pad(rows, fill=0):
        longest = max(len(row) for row in rows)
        tokens = torch.tensor([[fill] * (longest - len(row)) + list(row) for row in rows])
        lengths = torch.tensor([len(row) for row in rows])
        return tokens, torch.arange(longest) >= longest - lengths[:, None]


@wrong(loses=["test-pad-hidden"], says="and not which token it is")
def mask_from_the_tokens():
    """What equals the fill is taken for padding."""

    def pad(rows, fill=0):
        longest = max(len(row) for row in rows)
        tokens = torch.tensor([list(row) + [fill] * (longest - len(row)) for row in rows])
        return tokens, tokens != fill


@wrong(loses=["test-pad-hidden"], says="fill is ignored")
def always_zero():
    """Padding is 0 everywhere."""

    def pad(rows, fill=0):
        longest = max(len(row) for row in rows)
        tokens = torch.tensor([list(row) + [0] * (longest - len(row)) for row in rows])
        lengths = torch.tensor([len(row) for row in rows])
        return tokens, torch.arange(longest) < lengths[:, None]


@wrong(loses=["test-pad", "test-pad-hidden"], says="came")
def mask_of_padding():
    """True means padding, as in nn.Transformer."""

    def pad(rows, fill=0):
        longest = max(len(row) for row in rows)
        tokens = torch.tensor([list(row) + [fill] * (longest - len(row)) for row in rows])
        lengths = torch.tensor([len(row) for row in rows])
        return tokens, torch.arange(longest) >= lengths[:, None]


@wrong(loses=["test-pad", "test-pad-hidden"], says="you changed rows")
def rows_are_extended():
    """The student's own loop fills up the lists that came."""

    def pad(rows, fill=0):
        lengths = torch.tensor([len(row) for row in rows])
        longest = int(lengths.max())
        for row in rows:
            row.extend([fill] * (longest - len(row)))
        return torch.tensor(rows), torch.arange(longest) < lengths[:, None]


@wrong(loses=["test-pad", "test-pad-hidden"], says="pad")
def cut_to_the_shortest():
    """Rows are cut to the shortest one."""

    def pad(rows, fill=0):
        shortest = min(len(row) for row in rows)
        tokens = torch.tensor([list(row)[:shortest] for row in rows])
        return tokens, torch.ones_like(tokens, dtype=torch.bool)


@wrong(loses=["test-pad", "test-pad-hidden"], says="Divide by how many tokens")
def mean_over_the_rectangle():
    """Zeros on the padding, and a plain mean."""

    def masked_mean(states, mask):
        return states.masked_fill(~mask[:, :, None], 0.0).mean(dim=1)


@wrong(loses=["test-pad-hidden"], says="0 times nan is nan")
def multiplied_by_the_mask():
    """nan on the padding survives a multiplication by 0."""

    def masked_mean(states, mask):
        kept = states * mask[:, :, None]
        return kept.sum(dim=1) / mask.sum(dim=1, keepdim=True)


@wrong(loses=["test-pad-hidden"], says="Each sentence by its own number")
def divided_by_the_mean_length():
    """One number of tokens for the whole batch."""

    def masked_mean(states, mask):
        kept = states.masked_fill(~mask[:, :, None], 0.0)
        return kept.sum(dim=1) / mask.sum() * len(mask)


@wrong(loses=["test-pad-hidden"], says="tensors throughout")
def mean_without_gradient():
    """Detached on the way."""

    def masked_mean(states, mask):
        return torch.stack([s[m].mean(dim=0) for s, m in zip(states.detach(), mask)])


@wrong(loses=["test-pad", "test-pad-hidden"], says="you changed states")
def zeros_written_into_the_states():
    """masked_fill_ changes what came."""

    def masked_mean(states, mask):
        with torch.no_grad():
            states.masked_fill_(~mask[:, :, None], 0.0)
        return states.sum(dim=1) / mask.sum(dim=1, keepdim=True)


# Attention ----------------------------------------------------------------------------------------


@wrong(loses=["test-attend", "test-attend-hidden"], says="came")
def attends_to_padding():
    """The mask is ignored."""

    def attend(states, memory, mask):
        weights = (states @ memory.mT / math.sqrt(memory.shape[2])).softmax(dim=2)
        return weights @ memory, weights


@wrong(loses=["test-attend", "test-attend-hidden"], says="came")
def mask_after_the_softmax():
    """Weights are set to 0 afterwards, and no longer add up to 1."""

    def attend(states, memory, mask):
        weights = (states @ memory.mT / math.sqrt(memory.shape[2])).softmax(dim=2)
        weights = weights * mask[:, None]
        return weights @ memory, weights


@wrong(loses=["test-attend", "test-attend-hidden"], says="came")
def padding_scores_zero():
    """Scores are multiplied by the mask: exp(0) is 1."""

    def attend(states, memory, mask):
        scores = states @ memory.mT / math.sqrt(memory.shape[2]) * mask[:, None]
        weights = scores.softmax(dim=2)
        return weights @ memory, weights


@wrong(loses=["test-attend", "test-attend-hidden"], says="root of 4")
def not_scaled():
    """Dot products as they are."""

    def attend(states, memory, mask):
        scores = (states @ memory.mT).masked_fill(~mask[:, None], -math.inf)
        weights = scores.softmax(dim=2)
        return weights @ memory, weights


@wrong(loses=["test-attend", "test-attend-hidden"], says="root of 4")
def divided_by_the_width():
    """By d, and not by its root."""

    def attend(states, memory, mask):
        scores = (states @ memory.mT / memory.shape[2]).masked_fill(~mask[:, None], -math.inf)
        weights = scores.softmax(dim=2)
        return weights @ memory, weights


@wrong(loses=["test-attend-hidden"], says="Softmax over the source")
def softmax_over_the_states():
    """The wrong dimension; with one state and no mask it would be 1 everywhere."""

    def attend(states, memory, mask):
        scores = (states @ memory.mT / math.sqrt(memory.shape[2])).masked_fill(~mask[:, None], -1e9)
        dim = 2 if states.shape[1] == 1 else 1
        weights = scores.softmax(dim=dim)
        return weights @ memory, weights


@wrong(loses=["test-attend-hidden"], says="large states on the padding")
def exp_without_care():
    """exp overflows."""

    def attend(states, memory, mask):
        power = (states @ memory.mT / math.sqrt(memory.shape[2])).exp() * mask[:, None]
        weights = power / power.sum(dim=2, keepdim=True)
        return weights @ memory, weights


@wrong(loses=["test-attend-hidden"], says="far below 0")
def padding_at_minus_a_hundred():
    """A number that looks small enough."""

    def attend(states, memory, mask):
        scores = states @ memory.mT / math.sqrt(memory.shape[2])
        weights = scores.masked_fill(~mask[:, None], -100.0).softmax(dim=2)
        return weights @ memory, weights


@wrong(loses=["test-attend-hidden"], says="each sentence with its own mask")
def mask_of_the_first_sentence():
    """One mask for all."""

    def attend(states, memory, mask):
        scores = states @ memory.mT / math.sqrt(memory.shape[2])
        weights = scores.masked_fill(~mask[0], -math.inf).softmax(dim=2)
        return weights @ memory, weights


@wrong(loses=["test-attend-hidden"], says="root of the width")
def root_of_the_length():
    """The root of the number of source tokens."""

    def attend(states, memory, mask):
        d = 4 if memory.shape[1] == 3 and states.shape[1] == 1 else memory.shape[1]
        scores = states @ memory.mT / math.sqrt(d)
        weights = scores.masked_fill(~mask[:, None], -math.inf).softmax(dim=2)
        return weights @ memory, weights


@wrong(loses=["test-attend-hidden"], says="The gradient of the context in memory")
def weights_detached():
    """The memory gets a gradient as a value alone."""

    def attend(states, memory, mask):
        scores = states @ memory.detach().mT / math.sqrt(memory.shape[2])
        weights = scores.masked_fill(~mask[:, None], -math.inf).softmax(dim=2)
        return weights @ memory, weights


# Targets and loss ---------------------------------------------------------------------------------


@wrong(loses=["test-teach", "test-teach-hidden"], says="wanted is what follows")
def targets_not_shifted():
    """The decoder is given what it is to say."""

    def given_and_wanted(rows, start, end):
        tokens, _ = pad([[start, *row, end] for row in rows])
        return tokens[:, :-1], tokens[:, :-1]


@wrong(loses=["test-teach", "test-teach-hidden"], says="the end follows the last one")
def end_behind_the_padding():
    """The end stands in the last column of all rows."""

    def given_and_wanted(rows, start, end):
        tokens, _ = pad([[*row, 0] for row in rows])
        wanted = tokens.clone()
        wanted[:, -1] = end
        given, _ = pad([[start, *row] for row in rows])
        return given, wanted


@wrong(loses=["test-teach", "test-teach-hidden"], says="came")
def end_is_given():
    """The columns of one tensor: the end of a short row stays in what is given."""

    def given_and_wanted(rows, start, end):
        tokens, _ = pad([[start, *row, end] for row in rows])
        return tokens[:, :-1], tokens[:, 1:]


@wrong(loses=["test-teach", "test-teach-hidden"], says="came")
def no_end():
    """Nothing says that a target is over."""

    def given_and_wanted(rows, start, end):
        given, _ = pad([[start, *row[:-1]] for row in rows])
        wanted, _ = pad([list(row) for row in rows])
        return given, wanted


@wrong(loses=["test-teach-hidden"], says="came")
def start_and_end_fixed():
    """1 and 2 are written down."""

    def given_and_wanted(rows, start, end):
        given, _ = pad([[1, *row] for row in rows])
        wanted, _ = pad([[*row, 2] for row in rows])
        return given, wanted


@wrong(loses=["test-teach", "test-teach-hidden"], says="The second place is padding")
def padding_in_the_loss():
    """A plain cross-entropy."""

    def token_loss(logits, wanted):
        return nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())


@wrong(loses=["test-teach", "test-teach-hidden"], says="The second place is padding")
def padding_in_the_denominator():
    """The sum is right, and divided by all places."""

    def token_loss(logits, wanted):
        loss = nn.functional.cross_entropy(
            logits.transpose(1, 2), wanted, ignore_index=0, reduction="none"
        )
        return loss.mean()


@wrong(loses=["test-teach-hidden"], says="a short sentence weighs less")
def mean_of_means():
    """Every sentence counts alike."""

    def token_loss(logits, wanted):
        loss = nn.functional.cross_entropy(
            logits.transpose(1, 2), wanted, ignore_index=0, reduction="none"
        )
        return (loss.sum(dim=1) / (wanted != 0).sum(dim=1)).mean()


@wrong(loses=["test-teach-hidden"], says="log(softmax(x))")
def log_of_softmax():
    """The logarithm of a probability of 0."""

    def token_loss(logits, wanted):
        p = logits.softmax(dim=2).gather(2, wanted[:, :, None])[:, :, 0]
        mask = wanted != 0
        return -p[mask].log().mean()


@wrong(loses=["test-teach-hidden"], says="The gradient of token_loss")
def loss_as_a_number():
    """.item() stops the gradient."""

    def token_loss(logits, wanted):
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=0)
        return torch.tensor(loss.item())


# Beam search --------------------------------------------------------------------------------------


@wrong(loses=["test-beam", "test-beam-hidden"], says="beam of 2")
def always_greedy():
    """The likeliest token each time, whatever the size."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        prefix, p = [start], 0.0
        for _ in range(max_length):
            row = next_token([prefix])[0]
            token = int(np.argmax(row))
            prefix, p = prefix + [token], p + float(row[token])
            if token == end:
                return [(prefix[1:-1], p / (len(prefix) - 1) ** alpha)]
        return [(prefix[1:], p / (len(prefix) - 1) ** alpha)]


@wrong(loses=["test-beam-hidden"], says="Finished ones take up places")
def finished_ones_take_no_place():
    """The beam stays as wide as it was."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        beams, finished = [([start], 0.0)], []
        for _ in range(max_length):
            total = np.asarray(next_token([prefix for prefix, _ in beams]))
            total = total + np.array([[before] for _, before in beams])
            kept = []
            for flat in np.argsort(-total, axis=None, kind="stable")[:size]:
                row, token = divmod(int(flat), total.shape[1])
                made = (beams[row][0] + [token], float(total[row, token]))
                (finished if token == end else kept).append(made)
            beams = kept
            if not beams:
                break
        scored = [(prefix[1:-1], p / (len(prefix) - 1) ** alpha) for prefix, p in finished]
        scored += [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in beams]
        return sorted(scored, key=lambda entry: -entry[1])


@wrong(loses=["test-beam-hidden"], says="alpha=1.0")
def never_normalized():
    """alpha is ignored."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        beams, finished = [([start], 0.0)], []
        for _ in range(max_length):
            total = np.asarray(next_token([prefix for prefix, _ in beams]))
            total = total + np.array([[before] for _, before in beams])
            kept = []
            for flat in np.argsort(-total, axis=None, kind="stable")[: size - len(finished)]:
                row, token = divmod(int(flat), total.shape[1])
                made = (beams[row][0] + [token], float(total[row, token]))
                (finished if token == end else kept).append(made)
            beams = kept
            if not beams:
                break
        scored = [(prefix[1:-1], p) for prefix, p in finished]
        scored += [(prefix[1:], p) for prefix, p in beams]
        return sorted(scored, key=lambda entry: -entry[1])


@wrong(loses=["test-beam-hidden"], says="alpha=1.0")
def end_is_not_counted():
    """The length is that of the words alone."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        beams, finished = [([start], 0.0)], []
        for _ in range(max_length):
            total = np.asarray(next_token([prefix for prefix, _ in beams]))
            total = total + np.array([[before] for _, before in beams])
            kept = []
            for flat in np.argsort(-total, axis=None, kind="stable")[: size - len(finished)]:
                row, token = divmod(int(flat), total.shape[1])
                made = (beams[row][0] + [token], float(total[row, token]))
                (finished if token == end else kept).append(made)
            beams = kept
            if not beams:
                break
        scored = [(prefix[1:-1], p / max(len(prefix) - 2, 1) ** alpha) for prefix, p in finished]
        scored += [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in beams]
        return sorted(scored, key=lambda entry: -entry[1])


@wrong(loses=["test-beam-hidden"], says="what is open at the end counts")
def open_ones_are_lost():
    """Only what has ended comes back."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        beams, finished = [([start], 0.0)], []
        for _ in range(max_length):
            total = np.asarray(next_token([prefix for prefix, _ in beams]))
            total = total + np.array([[before] for _, before in beams])
            kept = []
            for flat in np.argsort(-total, axis=None, kind="stable")[: size - len(finished)]:
                row, token = divmod(int(flat), total.shape[1])
                made = (beams[row][0] + [token], float(total[row, token]))
                (finished if token == end else kept).append(made)
            beams = kept
            if not beams:
                break
        scored = [(prefix[1:-1], p / (len(prefix) - 1) ** alpha) for prefix, p in finished]
        scored = scored or [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in beams]
        return sorted(scored, key=lambda entry: -entry[1])


@wrong(loses=["test-beam-hidden"], says="The translations of")
def last_token_alone():
    """Beginnings are ranked by their last token's probability."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        beams, finished = [([start], 0.0)], []
        for _ in range(max_length):
            rows = np.asarray(next_token([prefix for prefix, _ in beams]))
            kept = []
            for flat in np.argsort(-rows, axis=None, kind="stable")[: size - len(finished)]:
                row, token = divmod(int(flat), rows.shape[1])
                made = (beams[row][0] + [token], beams[row][1] + float(rows[row, token]))
                (finished if token == end else kept).append(made)
            beams = kept
            if not beams:
                break
        scored = [(prefix[1:-1], p / (len(prefix) - 1) ** alpha) for prefix, p in finished]
        scored += [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in beams]
        return sorted(scored, key=lambda entry: -entry[1])


@wrong(loses=["test-beam", "test-beam-hidden"], says="came")
def ends_stay_in():
    """The end is part of the translation that comes back."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        beams, finished = [([start], 0.0)], []
        for _ in range(max_length):
            total = np.asarray(next_token([prefix for prefix, _ in beams]))
            total = total + np.array([[before] for _, before in beams])
            kept = []
            for flat in np.argsort(-total, axis=None, kind="stable")[: size - len(finished)]:
                row, token = divmod(int(flat), total.shape[1])
                made = (beams[row][0] + [token], float(total[row, token]))
                (finished if token == end else kept).append(made)
            beams = kept
            if not beams:
                break
        scored = [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in finished + beams]
        return sorted(scored, key=lambda entry: -entry[1])


@wrong(loses=["test-beam-hidden"], says="the order is that of the scores")
def in_order_of_finishing():
    """Whatever ended first comes first."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        beams, finished = [([start], 0.0)], []
        for _ in range(max_length):
            total = np.asarray(next_token([prefix for prefix, _ in beams]))
            total = total + np.array([[before] for _, before in beams])
            kept = []
            for flat in np.argsort(-total, axis=None, kind="stable")[: size - len(finished)]:
                row, token = divmod(int(flat), total.shape[1])
                made = (beams[row][0] + [token], float(total[row, token]))
                (finished if token == end else kept).append(made)
            beams = kept
            if not beams:
                break
        scored = [(prefix[1:-1], p / (len(prefix) - 1) ** alpha) for prefix, p in finished]
        scored += [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in beams]
        return scored


@wrong(loses=["test-beam-hidden"], says="The translations of")
def each_beginning_keeps_its_own_best():
    """The best continuation of each beginning, and not the best of all: the beam never branches."""

    def beam_search(next_token, start, end, max_length, size, alpha=0.0):
        first = next_token([[start]])[0]
        beams, finished = [], []
        for token in np.argsort(-first, kind="stable")[:size]:
            made = ([start, int(token)], float(first[token]))
            (finished if token == end else beams).append(made)
        for _ in range(max_length - 1):
            if not beams:
                break
            rows, kept = next_token([prefix for prefix, _ in beams]), []
            for (prefix, p), row in zip(beams, rows):
                token = int(np.argmax(row))
                made = (prefix + [token], p + float(row[token]))
                (finished if token == end else kept).append(made)
            beams = kept
        scored = [(prefix[1:-1], p / (len(prefix) - 1) ** alpha) for prefix, p in finished]
        scored += [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in beams]
        return sorted(scored, key=lambda entry: -entry[1])


# BLEU ---------------------------------------------------------------------------------------------


@wrong(loses=["test-bleu", "test-bleu-hidden"], says="it counts once")
def not_clipped():
    """Every n-gram that occurs in the reference is right, as often as it comes."""

    def clipped(translation, references, n):
        def grams(text):
            words = text.split()
            return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]

        known = {gram for reference in references for gram in grams(reference)}
        return sum(gram in known for gram in grams(translation)), len(grams(translation))


@wrong(loses=["test-bleu-hidden"], says="not as often as all of them together")
def references_added_up():
    """The counts of all references are added."""

    def clipped(translation, references, n):
        def count(text):
            words = text.split()
            return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

        allowed = sum((count(reference) for reference in references), Counter())
        return sum((count(translation) & allowed).values()), sum(count(translation).values())


@wrong(loses=["test-bleu-hidden"], says="the one reference")
def first_reference_alone():
    """The others are not looked at."""

    def clipped(translation, references, n):
        def count(text):
            words = text.split()
            return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

        made = count(translation)
        return sum((made & count(references[0])).values()), sum(made.values())


@wrong(loses=["test-bleu", "test-bleu-hidden"], says="came")
def n_grams_of_characters():
    """A string is indexed by character."""

    def clipped(translation, references, n):
        def count(text):
            return Counter(text[i : i + n] for i in range(len(text) - n + 1))

        allowed = Counter()
        for reference in references:
            allowed |= count(reference)
        made = count(translation)
        return sum((made & allowed).values()), sum(made.values())


@wrong(loses=["test-bleu-hidden"], says="Words are whole words")
def words_glued_together():
    """n-grams without a border between their words."""

    def clipped(translation, references, n):
        def count(text):
            words = text.split()
            return Counter("".join(words[i : i + n]) for i in range(len(words) - n + 1))

        allowed = Counter()
        for reference in references:
            allowed |= count(reference)
        made = count(translation)
        return sum((made & allowed).values()), sum(made.values())


@wrong(loses=["test-bleu", "test-bleu-hidden"], says="the brevity penalty")
def no_brevity_penalty():
    """Precision alone."""

    def bleu(translations, references, max_n=4):
        right, made = [0] * max_n, [0] * max_n
        for translation, known in zip(translations, references):
            for n in range(max_n):
                one, other = clipped(translation, known, n + 1)
                right[n] += one
                made[n] += other
        if not all(right):
            return 0.0
        return 100 * math.exp(sum(math.log(a / b) for a, b in zip(right, made)) / max_n)


@wrong(loses=["test-bleu-hidden"], says="it is not the mean of the sentences' scores")
def mean_of_sentences():
    """A score for each sentence, and their mean."""

    def bleu(translations, references, max_n=4):
        scores = []
        for translation, known in zip(translations, references):
            counts = [clipped(translation, known, n + 1) for n in range(max_n)]
            if not all(a for a, _ in counts):
                scores.append(0.0)
                continue
            c = len(translation.split())
            r = min((abs(len(k.split()) - c), len(k.split())) for k in known)[1]
            mean = math.exp(sum(math.log(a / b) for a, b in counts) / max_n)
            scores.append(100 * mean * min(1.0, math.exp(1 - r / c)))
        return sum(scores) / len(scores)


@wrong(loses=["test-bleu-hidden"], says="lengths over the whole test set")
def penalty_per_sentence():
    """Counts are added up, and every short sentence is penalized by itself."""

    def bleu(translations, references, max_n=4):
        right, made, penalty = [0] * max_n, [0] * max_n, []
        for translation, known in zip(translations, references):
            c = len(translation.split())
            r = min((abs(len(k.split()) - c), len(k.split())) for k in known)[1]
            penalty.append(min(1.0, math.exp(1 - r / c)) if c else 0.0)
            for n in range(max_n):
                one, other = clipped(translation, known, n + 1)
                right[n] += one
                made[n] += other
        if not all(right):
            return 0.0
        mean = math.exp(sum(math.log(a / b) for a, b in zip(right, made)) / max_n)
        return 100 * mean * sum(penalty) / len(penalty)


@wrong(loses=["test-bleu", "test-bleu-hidden"], says="The fourth root of the product")
def arithmetic_mean():
    """The precisions are averaged."""

    def bleu(translations, references, max_n=4):
        right, made, c, r = [0] * max_n, [0] * max_n, 0, 0
        for translation, known in zip(translations, references):
            length = len(translation.split())
            c += length
            r += min((abs(len(k.split()) - length), len(k.split())) for k in known)[1]
            for n in range(max_n):
                one, other = clipped(translation, known, n + 1)
                right[n] += one
                made[n] += other
        if not all(right):
            return 0.0
        return 100 * sum(a / b for a, b in zip(right, made)) / max_n * min(1.0, math.exp(1 - r / c))


@wrong(loses=["test-bleu-hidden"], says="lengths over the whole test set")
def longest_reference():
    """The longest reference is the strictest one."""

    def bleu(translations, references, max_n=4):
        right, made, c, r = [0] * max_n, [0] * max_n, 0, 0
        for translation, known in zip(translations, references):
            c += len(translation.split())
            r += max(len(k.split()) for k in known)
            for n in range(max_n):
                one, other = clipped(translation, known, n + 1)
                right[n] += one
                made[n] += other
        if not all(right):
            return 0.0
        mean = math.exp(sum(math.log(a / b) for a, b in zip(right, made)) / max_n)
        return 100 * mean * min(1.0, math.exp(1 - r / c))


@wrong(loses=["test-bleu-hidden"], says="ValueError")
def logarithm_of_zero():
    """No right n-gram of some length is not thought of."""

    def bleu(translations, references, max_n=4):
        right, made, c, r = [0] * max_n, [0] * max_n, 0, 0
        for translation, known in zip(translations, references):
            length = len(translation.split())
            c += length
            r += min((abs(len(k.split()) - length), len(k.split())) for k in known)[1]
            for n in range(max_n):
                one, other = clipped(translation, known, n + 1)
                right[n] += one
                made[n] += other
        mean = math.exp(sum(math.log(a / b) for a, b in zip(right, made)) / max_n)
        return 100 * mean * min(1.0, math.exp(1 - r / c))


@wrong(loses=["test-bleu-hidden"], says="n-grams up to 2")
def always_four():
    """n up to 4, whatever is asked."""

    def bleu(translations, references, max_n=4):
        right, made, c, r = [0] * 4, [0] * 4, 0, 0
        for translation, known in zip(translations, references):
            length = len(translation.split())
            c += length
            r += min((abs(len(k.split()) - length), len(k.split())) for k in known)[1]
            for n in range(4):
                one, other = clipped(translation, known, n + 1)
                right[n] += one
                made[n] += other
        if not all(right):
            return 0.0
        mean = math.exp(sum(math.log(a / b) for a, b in zip(right, made)) / 4)
        return 100 * mean * min(1.0, math.exp(1 - r / c))


@wrong(loses=["test-bleu", "test-bleu-hidden"], says="came")
def between_zero_and_one():
    """A share, and not percent."""

    def bleu(translations, references, max_n=4):
        right, made, c, r = [0] * max_n, [0] * max_n, 0, 0
        for translation, known in zip(translations, references):
            length = len(translation.split())
            c += length
            r += min((abs(len(k.split()) - length), len(k.split())) for k in known)[1]
            for n in range(max_n):
                one, other = clipped(translation, known, n + 1)
                right[n] += one
                made[n] += other
        if not all(right):
            return 0.0
        mean = math.exp(sum(math.log(a / b) for a, b in zip(right, made)) / max_n)
        return mean * min(1.0, math.exp(1 - r / c))


# chrF ---------------------------------------------------------------------------------------------


@wrong(loses=["test-chrf", "test-chrf-hidden"], says="Spaces are removed")
def spaces_are_characters():
    """The string as it is."""

    def chrf(translations, references, beta=2.0):
        def count(text, n):
            return Counter(text[i : i + n] for i in range(len(text) - n + 1))

        precisions, recalls = [], []
        for n in range(1, 7):
            right = made = there = 0
            for translation, reference in zip(translations, references):
                ours, theirs = count(translation, n), count(reference, n)
                right += sum((ours & theirs).values())
                made += sum(ours.values()) if theirs else 0
                there += sum(theirs.values())
            if made and there:
                precisions.append(right / made)
                recalls.append(right / there)
        if not any(precisions):
            return 0.0
        p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
        return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)


@wrong(loses=["test-chrf-hidden"], says="beta is ignored")
def f_two_always():
    """beta is 2."""

    def chrf(translations, references, beta=2.0):
        def count(text, n):
            letters = "".join(text.split())
            return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))

        precisions, recalls = [], []
        for n in range(1, 7):
            right = made = there = 0
            for translation, reference in zip(translations, references):
                ours, theirs = count(translation, n), count(reference, n)
                right += sum((ours & theirs).values())
                made += sum(ours.values()) if theirs else 0
                there += sum(theirs.values())
            if made and there:
                precisions.append(right / made)
                recalls.append(right / there)
        if not any(precisions):
            return 0.0
        p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
        return 100 * 5 * p * r / (4 * p + r)


@wrong(loses=["test-chrf", "test-chrf-hidden"], says="came")
def missing_lengths_count_as_zero():
    """Always a sixth of the sum."""

    def chrf(translations, references, beta=2.0):
        def count(text, n):
            letters = "".join(text.split())
            return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))

        precisions, recalls = [], []
        for n in range(1, 7):
            right = made = there = 0
            for translation, reference in zip(translations, references):
                ours, theirs = count(translation, n), count(reference, n)
                right += sum((ours & theirs).values())
                made += sum(ours.values()) if theirs else 0
                there += sum(theirs.values())
            precisions.append(right / made if made else 0)
            recalls.append(right / there if there else 0)
        if not any(precisions):
            return 0.0
        p, r = sum(precisions) / 6, sum(recalls) / 6
        return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)


@wrong(loses=["test-chrf", "test-chrf-hidden"], says="came")
def precision_and_recall_exchanged():
    """beta favors precision."""

    def chrf(translations, references, beta=2.0):
        def count(text, n):
            letters = "".join(text.split())
            return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))

        precisions, recalls = [], []
        for n in range(1, 7):
            right = made = there = 0
            for translation, reference in zip(translations, references):
                ours, theirs = count(translation, n), count(reference, n)
                right += sum((ours & theirs).values())
                made += sum(ours.values()) if theirs else 0
                there += sum(theirs.values())
            if made and there:
                precisions.append(right / made)
                recalls.append(right / there)
        if not any(precisions):
            return 0.0
        p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
        return 100 * (1 + beta**2) * p * r / (p + beta**2 * r)


@wrong(loses=["test-chrf-hidden"], says="clipped")
def chrf_not_clipped():
    """Sets of n-grams decide what is right."""

    def chrf(translations, references, beta=2.0):
        def grams(text, n):
            letters = "".join(text.split())
            return [letters[i : i + n] for i in range(len(letters) - n + 1)]

        precisions, recalls = [], []
        for n in range(1, 7):
            right = made = there = 0
            for translation, reference in zip(translations, references):
                ours, theirs = grams(translation, n), grams(reference, n)
                right += sum(gram in set(theirs) for gram in ours)
                made += len(ours) if theirs else 0
                there += len(theirs)
            if made and there:
                precisions.append(right / made)
                recalls.append(right / there)
        if not any(precisions):
            return 0.0
        p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
        return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)


@wrong(loses=["test-chrf-hidden"], says="over the whole test set")
def chrf_per_sentence():
    """The mean of the sentences' scores."""

    def chrf(translations, references, beta=2.0):
        def count(text, n):
            letters = "".join(text.split())
            return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))

        scores = []
        for translation, reference in zip(translations, references):
            precisions, recalls = [], []
            for n in range(1, 7):
                ours, theirs = count(translation, n), count(reference, n)
                right = sum((ours & theirs).values())
                if ours and theirs:
                    precisions.append(right / sum(ours.values()))
                    recalls.append(right / sum(theirs.values()))
            if not any(precisions):
                scores.append(0.0)
                continue
            p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
            scores.append(100 * (1 + beta**2) * p * r / (beta**2 * p + r))
        return sum(scores) / len(scores)


# Right answers of other kinds ---------------------------------------------------------------------


@right
def padded_by_the_library():
    """pad_sequence, and other names for the parameters."""

    def pad(sentences, value=0):
        rows = [torch.tensor(sentence) for sentence in sentences]
        tokens = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=value)
        ones = [torch.ones(len(row), dtype=torch.bool) for row in rows]
        return tokens, nn.utils.rnn.pad_sequence(ones, batch_first=True)


@right
def means_in_a_loop():
    """Sentence by sentence."""

    def masked_mean(states, mask):
        return torch.stack([states[i][mask[i]].mean(dim=0) for i in range(len(states))])


@right
def means_by_einsum():
    """Zeros first, then a product."""

    def masked_mean(states, mask):
        clean = torch.where(mask[..., None], states, torch.zeros_like(states))
        return torch.einsum("ntd,nt->nd", clean, mask.to(states)) / mask.sum(1)[:, None]


@right
def attention_by_the_library():
    """scaled_dot_product_attention for the context, and the weights by hand."""

    def attend(states, memory, mask):
        context = nn.functional.scaled_dot_product_attention(
            states, memory, memory, attn_mask=mask[:, None, :]
        )
        scores = torch.einsum("ntd,nsd->nts", states, memory) * memory.shape[2] ** -0.5
        return context, scores.masked_fill(mask.logical_not()[:, None], float("-inf")).softmax(-1)


@right
def attention_in_loops():
    """One sentence after another, over its tokens alone."""

    def attend(states, memory, mask):
        weights = states.new_zeros(len(states), states.shape[1], memory.shape[1])
        for i in range(len(states)):
            at = mask[i].nonzero()[:, 0]
            scores = states[i] @ memory[i, at].T / memory.shape[2] ** 0.5
            weights[i][:, at] = scores.softmax(dim=1)
        return torch.bmm(weights, memory), weights


@right
def loss_by_hand():
    """log_softmax, gather, and a mask; a warning on the way."""

    def token_loss(logits, wanted):
        import warnings

        warnings.warn("on the way", stacklevel=1)
        log_p = logits.log_softmax(dim=-1).gather(-1, wanted.unsqueeze(-1)).squeeze(-1)
        mask = wanted.ne(0)
        return -(log_p * mask).sum() / mask.sum()


@right
def targets_by_hand():
    """Tensors of zeros, filled row by row."""

    def given_and_wanted(targets, first, last):
        longest = max(map(len, targets)) + 1
        given, wanted = (torch.zeros(len(targets), longest, dtype=torch.long) for _ in range(2))
        for i, row in enumerate(targets):
            for j, token in enumerate([first, *row]):
                given[i, j] = token
            for j, token in enumerate([*row, last]):
                wanted[i, j] = token
        return given, wanted


@right
def beam_by_sorting_tuples():
    """Lists and tuples, one prefix of the network at a time."""

    def beam_search(step, first, last, rounds, width, power=0.0):
        open_, done = [((first,), 0.0)], []
        for _ in range(rounds):
            made = []
            for place, (prefix, p) in enumerate(open_):
                row = step([list(prefix)])[0]
                for token in range(len(row)):
                    made.append((-(p + float(row[token])), place, token, prefix))
            made.sort()
            made = made[: width - len(done)]
            done += [(prefix[1:], -p, len(prefix)) for p, _, token, prefix in made if token == last]
            open_ = [((*prefix, token), -p) for p, _, token, prefix in made if token != last]
            if not open_:
                break
        done += [(prefix[1:], p, len(prefix) - 1) for prefix, p in open_]
        return sorted(
            ((list(w), p / n**power) for w, p, n in done), key=lambda e: e[1], reverse=True
        )


@right
def bleu_with_arrays():
    """NumPy, and text joined to n-grams."""

    def clipped(text, known, size):
        def count(words):
            return Counter(" ".join(words[i : i + size]) for i in range(len(words) - size + 1))

        made = count(text.split())
        others = [count(reference.split()) for reference in known]
        return sum(min(k, max(o[g] for o in others)) for g, k in made.items()), made.total()

    def bleu(texts, known, longest=4):
        counts = np.array(
            [[clipped(t, k, n) for n in range(1, longest + 1)] for t, k in zip(texts, known)]
        ).sum(axis=0)
        c = sum(len(t.split()) for t in texts)
        r = sum(
            sorted((len(k.split()) for k in ks), key=lambda n: (abs(n - len(t.split())), n))[0]
            for t, ks in zip(texts, known)
        )
        if (counts[:, 0] == 0).any():
            return 0.0
        mean = np.exp(np.log(counts[:, 0] / counts[:, 1]).mean())
        return float(100 * mean * (1.0 if c >= r else np.exp(1 - r / c)))


@right
def chrf_with_arrays():
    """Counts in an array, divisions by 0 masked afterwards."""

    def chrf(texts, known, weight=2.0):
        import sys

        print("scoring", file=sys.stderr)
        counts = np.zeros((6, 3))
        for ours, theirs in zip(texts, known):
            a, b = ours.replace(" ", ""), theirs.replace(" ", "")
            for n in range(1, 7):
                x, y = (Counter(t[i : i + n] for i in range(len(t) - n + 1)) for t in (a, b))
                counts[n - 1] += (x & y).total(), x.total() * bool(y), y.total()
        there = (counts[:, 1] > 0) & (counts[:, 2] > 0)
        p, r = (
            np.where(there, counts[:, 0] / counts[:, k], 0).sum() / max(there.sum(), 1)
            for k in (1, 2)
        )
        return 100 * (1 + weight**2) * p * r / (weight**2 * p + r) if p + r else 0.0
