"""Wrong and unusual answers to the exercise `neurons`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
    (
        "exactly_one",
        "a tenth more",
    ): "Every tenth more gives the same planes, and so the same answers.",
}

# Weigh and answer ---------------------------------------------------------------------------------


@wrong(
    loses=["test-weighted_sum", "test-weighted_sum-hidden"],
    says="The sum of the sample (0, 0) is the bias alone",
)
def bias_forgotten():
    """A weighted sum is taken at its word, and b never read."""

    def weighted_sum(X, w, b):
        return X @ w


@wrong(loses=["test-weighted_sum", "test-weighted_sum-hidden"], says="X[i] is a whole row")
def loop_for_one_sample():
    """Written and tried with a single sample; in a batch X[i] is a row and not an input."""

    def weighted_sum(X, w, b):
        z = b
        for i in range(len(w)):
            z = z + w[i] * X[i]
        return z


@wrong(
    loses=["test-weighted_sum", "test-weighted_sum-hidden"],
    says="(3,)",
)
def one_sum_for_the_whole_batch():
    """np.sum without an axis adds up the samples as well."""

    def weighted_sum(X, w, b):
        return np.sum(X * w) + b


@wrong(
    loses=["test-weighted_sum-hidden"],
    says="a single sample has shape (d,)",
)
def batches_only():
    """Rows are looped over, so a single sample falls apart into its inputs."""

    def weighted_sum(X, w, b):
        return np.array([np.sum(row * w) + b for row in X])


@wrong(loses=["test-weighted_sum", "test-weighted_sum-hidden"], says="you changed X")
def sums_in_place():
    """The products are written over the samples, and the next neuron sees those."""

    def weighted_sum(X, w, b):
        X *= w
        return X.sum(axis=-1) + b


@wrong(loses=["test-answer", "test-answer-hidden"], says="not 1 and 0, and not True and False")
def answers_true_and_false():
    """The comparison itself is returned."""

    def answer(X, w, b):
        return weighted_sum(X, w, b) > 0


@wrong(loses=["test-answer-hidden"], says="np.sign would say 0")
def answers_by_sign():
    """np.sign has a third value."""

    def answer(X, w, b):
        return np.sign(weighted_sum(X, w, b))


@wrong(loses=["test-answer-hidden"], says="A sum of exactly 0 is not above 0")
def answers_yes_at_zero():
    """>= for >."""

    def answer(X, w, b):
        return np.where(weighted_sum(X, w, b) >= 0, 1, -1)


@wrong(loses=["test-weighted_sum-hidden"], says="the fractions are lost")
def sums_like_the_samples():
    """The sums are written into an array of the samples' own kind."""

    def weighted_sum(X, w, b):
        if X.ndim == 1:
            return X @ w + b
        z = np.zeros_like(X[:, 0])
        for i in range(len(X)):
            z[i] = X[i] @ w + b
        return z


# Labels -------------------------------------------------------------------------------------------


@wrong(
    loses=["test-plus_minus", "test-plus_minus-hidden"],
    says="mistakes on them would teach nothing",
)
def labels_zero_and_one():
    """0 for no, as most libraries have it."""

    def plus_minus(labels, yes):
        return (labels == yes).astype(int)


@wrong(
    loses=["test-plus_minus", "test-plus_minus-hidden"],
    says="a new label was taken for an old one",
)
def labels_written_over():
    """After the first line the class 1 and the class that is asked for look the same."""

    def plus_minus(labels, yes):
        signs = labels.copy()
        signs[signs == yes] = 1
        signs[signs != 1] = -1
        return signs


@wrong(loses=["test-plus_minus", "test-plus_minus-hidden"], says="2 * labels - 1 works for")
def labels_for_two_classes_only():
    """The usual one-liner, which never looks at yes."""

    def plus_minus(labels, yes):
        return 2 * np.array(labels, dtype=int) - 1


@wrong(
    loses=["test-plus_minus", "test-plus_minus-hidden"],
    says="you changed labels",
)
def labels_of_the_caller():
    """Found out first, and then written over the labels that came."""

    def plus_minus(labels, yes):
        if labels.dtype.kind != "i":
            return np.where(labels == yes, 1, -1)
        found = labels == yes
        labels[:] = -1
        labels[found] = 1
        return labels


# One correction -----------------------------------------------------------------------------------


@wrong(loses=["test-corrected", "test-corrected-hidden"], says="The bias learns too")
def bias_never_learns():
    """Only the weights are moved."""

    def corrected(w, b, x, y):
        if answer(x, w, b) != y:
            w = w + y * x
        return w, b


@wrong(
    loses=["test-corrected-right-hidden", "test-corrected-hidden"],
    says="a right answer changes nothing",
)
def corrects_right_answers():
    """Every sample is added, whether the answer was wrong or not."""

    def corrected(w, b, x, y):
        return w + y * x, b + y


@wrong(
    loses=["test-corrected-right-hidden", "test-corrected-hidden"],
    says="At a sum of exactly 0 the answer is -1",
)
def corrects_samples_on_the_line():
    """The rule of many textbooks, y z <= 0, corrects a "no" that was right at z = 0."""

    def corrected(w, b, x, y):
        if y * weighted_sum(x, w, b) <= 0:
            return w + y * x, b + y
        return w, b


@wrong(
    loses=["test-corrected", "test-corrected-hidden"],
    says="At a sum of exactly 0 the answer is -1",
)
def corrects_only_below_zero():
    """y z < 0 overlooks that a sum of 0 is a "no", and wrong where the label is +1."""

    def corrected(w, b, x, y):
        if y * weighted_sum(x, w, b) < 0:
            return w + y * x, b + y
        return w, b


@wrong(
    loses=["test-corrected", "test-corrected-hidden"],
    says="y - answer is 2 or -2",
)
def corrects_by_the_difference():
    """The rule for labels 0 and 1, where y - answer is 1 or -1, used with +1 and -1."""

    def corrected(w, b, x, y):
        difference = y - answer(x, w, b)
        return w + difference * x, b + difference


@wrong(
    loses=["test-corrected", "test-corrected-right-hidden", "test-corrected-hidden"],
    says="y * x is added to the weights",
)
def labels_zero_and_one_in_the_rule():
    """A "no" is meant by 0, so +1 is subtracted where -1 stands."""

    def corrected(w, b, x, y):
        said = 1 if answer(x, w, b) == 1 else 0
        return w + (y - said) * x, b + (y - said)


@wrong(
    loses=["test-corrected", "test-corrected-hidden"],
    says="For the label -1 the sample is taken away",
)
def always_adds():
    """The label is forgotten: the sample is added whatever was wanted."""

    def corrected(w, b, x, y):
        if answer(x, w, b) != y:
            return w + x, b + 1
        return w, b


@wrong(loses=["test-corrected", "test-corrected-hidden"], says="you changed w")
def corrects_in_place():
    """+= saves a name, and changes the weights that somebody else holds."""

    def corrected(w, b, x, y):
        if answer(x, w, b) != y:
            w += y * x
            b += y
        return w, b


@wrong(loses=["test-corrected-hidden"], says="the fractions are lost")
def corrects_like_the_sample():
    """The new weights are an array of the sample's kind: integers cut them off."""

    def corrected(w, b, x, y):
        if answer(x, w, b) == y:
            return w, b
        new = np.zeros_like(x)
        new[:] = w + y * x
        return new, b + y


# Learn --------------------------------------------------------------------------------------------


@wrong(
    loses=["test-learn", "test-learn-hidden", "test-learn-gives-up-hidden"],
    says="with all corrections so far",
)
def corrects_after_the_pass():
    """All answers of a pass are taken from the same weights, as in batch learning."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(passes):
            wrong = answer(X, w, b) != y
            w, b = w + y[wrong] @ X[wrong], b + y[wrong].sum()
            mistakes.append(int(wrong.sum()))
            if not wrong.any():
                break
        return w, b, mistakes


@wrong(
    loses=["test-learn", "test-learn-hidden"],
    says="the last is the 0 of the pass that brought no mistake",
)
def never_looks_whether_it_is_done():
    """All passes are made, whether there is anything left to learn or not."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(min(passes, 60)):
            wrong = 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            mistakes.append(wrong)
        return w, b, mistakes


@wrong(
    loses=["test-learn", "test-learn-hidden"],
    says="the last is the 0 of the pass that brought no mistake",
)
def leaves_out_the_last_pass():
    """The loop is left before the 0 is written down."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(passes):
            wrong = 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            if wrong == 0:
                break
            mistakes.append(wrong)
        return w, b, mistakes


@wrong(
    loses=["test-learn", "test-learn-gives-up-hidden"],
    says="a mistake on (0, 0) changes only b",
)
def counts_changes_of_w():
    """A mistake is known by what it does to w; to a sample of zeros it does nothing there."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(passes):
            wrong = 0
            for i in range(len(X)):
                new_w, b = corrected(w, b, X[i], y[i])
                wrong += not np.array_equal(new_w, w)
                w = new_w
            mistakes.append(wrong)
            if wrong == 0:
                break
        return w, b, mistakes


@wrong(
    loses=["test-learn", "test-learn-hidden", "test-learn-gives-up-hidden"],
    says="one number per pass (how many mistakes, not which)",
)
def keeps_the_rows_of_the_mistakes():
    """As in the chapter: which samples were mistaken, and not how many."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(passes):
            rows = []
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    rows.append(i)
            mistakes.append(rows)
            if not rows:
                break
        return w, b, mistakes


@wrong(
    loses=["test-learn-hidden", "test-learn-gives-up-hidden"],
    says="give up after exactly as many passes",
)
def one_pass_too_many():
    """<= where < is meant."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        while len(mistakes) <= passes:
            wrong = 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            mistakes.append(wrong)
            if wrong == 0:
                break
        return w, b, mistakes


@wrong(
    loses=["test-learn", "test-learn-hidden", "test-learn-gives-up-hidden"],
    says="not set back between passes",
)
def starts_again_in_each_pass():
    """The zeros stand inside the loop."""

    def learn(X, y, passes=1000, start=None):
        mistakes = []
        for _ in range(min(passes, 60)):
            w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
            wrong = 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            mistakes.append(wrong)
            if wrong == 0:
                break
        return w, b, mistakes


@wrong(loses=["test-learn-hidden"], says="that came as `start`")
def start_is_forgotten():
    """The argument is there, and the neuron begins with zeros."""

    def learn(X, y, passes=1000, start=None):
        w, b = np.zeros(X.shape[1]), 0.0
        mistakes = []
        for _ in range(passes):
            wrong = 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            mistakes.append(wrong)
            if wrong == 0:
                break
        return w, b, mistakes


@wrong(loses=["test-learn-hidden"], says="you changed start")
def start_is_written_over():
    """In-place arithmetic on weights that somebody else has learned."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(passes):
            wrong = 0
            for x, label in zip(X, y):
                if answer(x, w, b) != label:
                    w += label * x
                    b += label
                    wrong += 1
            mistakes.append(wrong)
            if wrong == 0:
                break
        return w, b, mistakes


@wrong(loses=["test-learn-hidden"], says="Begin with the weights and the bias")
def start_without_its_bias():
    """The weights are taken over, and the bias begins at 0."""

    def learn(X, y, passes=1000, start=None):
        w, b = np.zeros(X.shape[1]) if start is None else start[0], 0.0
        mistakes = []
        for _ in range(passes):
            wrong = 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            mistakes.append(wrong)
            if wrong == 0:
                break
        return w, b, mistakes


@wrong(
    loses=["test-learn-gives-up-hidden", "test-learn-hidden"],
    says="those at the end of the last pass",
)
def gives_up_with_nothing():
    """Whoever has not learned it knows nothing: zeros come back."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(passes):
            wrong = 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            mistakes.append(wrong)
            if wrong == 0:
                break
        return (w, b, mistakes) if wrong == 0 else (np.zeros(X.shape[1]), 0.0, mistakes)


@wrong(
    loses=["test-learn-gives-up-hidden", "test-learn-hidden"],
    says="those at the end of the last pass",
)
def gives_up_with_the_weights_before():
    """What the last pass has begun with comes back."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
        mistakes = []
        for _ in range(passes):
            before, wrong = (w, b), 0
            for i in range(len(X)):
                if answer(X[i], w, b) != y[i]:
                    w, b = corrected(w, b, X[i], y[i])
                    wrong += 1
            mistakes.append(wrong)
            if wrong == 0:
                break
        return *before, mistakes


# Distances and the bound --------------------------------------------------------------------------


@wrong(loses=["test-distances", "test-distances-hidden"], says="the length of w is 5")
def sums_for_distances():
    """The weighted sum is taken for a distance."""

    def distances(X, w, b):
        return weighted_sum(X, w, b)


@wrong(
    loses=["test-distances", "test-distances-hidden"],
    says="The bias is no part of that length",
)
def distances_with_the_bias_in_the_length():
    """The length that belongs into the bound is used for the line."""

    def distances(X, w, b):
        return weighted_sum(X, w, b) / np.linalg.norm(np.append(w, b))


@wrong(loses=["test-distances", "test-distances-hidden"], says="The sign stays")
def distances_without_a_sign():
    """A distance is never negative, says the dictionary."""

    def distances(X, w, b):
        return np.abs(weighted_sum(X, w, b)) / np.linalg.norm(w)


@wrong(loses=["test-distances", "test-distances-hidden"], says="you changed w")
def distances_with_a_shorter_w():
    """The weights are brought to length 1, and they are the caller's."""

    def distances(X, w, b):
        length = np.linalg.norm(w)
        if w.dtype.kind != "f":
            return (X @ w + b) / length
        w /= length
        return X @ w + b / length


@wrong(
    loses=["test-mistake_bound", "test-mistake_bound-hidden"],
    says="With its 1 appended",
)
def bound_without_the_ones():
    """The trick is forgotten in R: the samples are measured without their 1."""

    def mistake_bound(X, y, w, b):
        closest = np.min(y * weighted_sum(X, w, b))
        if closest <= 0:
            raise ValueError("not separated")
        R = np.linalg.norm(X, axis=1).max()
        return (R * np.linalg.norm(np.append(w, b)) / closest) ** 2


@wrong(
    loses=["test-mistake_bound", "test-mistake_bound-hidden"],
    says="R / gamma is squared",
)
def bound_without_the_square():
    """R / gamma, as the name of the ratio suggests."""

    def mistake_bound(X, y, w, b):
        closest = np.min(y * weighted_sum(X, w, b))
        if closest <= 0:
            raise ValueError("not separated")
        R = np.sqrt(np.sum(X**2, axis=1).max() + 1)
        return R * np.linalg.norm(np.append(w, b)) / closest


@wrong(
    loses=["test-mistake_bound", "test-mistake_bound-hidden"],
    says="the longest sample and not the average one",
)
def bound_from_the_average_length():
    """R is taken for the typical length, which is smaller than the longest."""

    def mistake_bound(X, y, w, b):
        closest = np.min(y * weighted_sum(X, w, b))
        if closest <= 0:
            raise ValueError("not separated")
        R_squared = np.mean(np.sum(X**2, axis=1)) + 1
        return R_squared * np.sum(np.append(w, b) ** 2) / closest**2


@wrong(loses=["test-mistake_bound", "test-mistake_bound-hidden"], says="is the root of 24")
def bound_from_distances():
    """The smallest distance to the line is taken for gamma: the bias is not in that length."""

    def mistake_bound(X, y, w, b):
        nearest = np.min(y * distances(X, w, b))
        if nearest <= 0:
            raise ValueError("not separated")
        return ((X**2).sum(axis=1).max() + 1) / nearest**2


@wrong(loses=["test-mistake_bound-hidden"], says="one sample lies on the line")
def bound_on_the_line():
    """Looks for samples on the wrong side alone; on the line the bound becomes infinite."""

    def mistake_bound(X, y, w, b):
        smallest = np.min(y * (X @ w + b))
        if smallest < 0:
            raise ValueError("not separated")
        with np.errstate(all="ignore"):
            return ((X**2).sum(axis=1).max() + 1) * (w @ w + b**2) / smallest**2


@wrong(loses=["test-mistake_bound-hidden"], says="Its absolute value would hide it")
def bound_from_absolute_values():
    """The closest sample, whichever side it lies on: a bound where there is none."""

    def mistake_bound(X, y, w, b):
        closest = np.min(np.abs(weighted_sum(X, w, b)))
        if closest == 0:
            raise ValueError("on the line")
        R_squared = np.max(np.sum(X**2, axis=1)) + 1
        return R_squared * np.sum(np.append(w, b) ** 2) / closest**2


# A wrong step costs no later one ------------------------------------------------------------------


@wrong(
    loses=["test-answer", "test-answer-hidden"],
    says="The answers are +1 and -1, not 1 and 0",
)
def all_on_a_wrong_answer():
    """Everything after it is right, if only the answer were: it says the opposite."""

    def answer(X, w, b):
        return np.where(weighted_sum(X, w, b) > 0, -1, 1)

    def distances(X, w, b):
        return answer(X, w, b) * np.abs(weighted_sum(X, w, b)) / np.linalg.norm(w)

    def mistake_bound(X, y, w, b):
        sums = weighted_sum(X, w, b)
        if (answer(X, w, b) != y).any() or (sums == 0).any():
            raise ValueError("not separated")
        R_squared = np.max(np.sum(X**2, axis=1)) + 1
        return R_squared * np.sum(np.append(w, b) ** 2) / np.min(np.abs(sums)) ** 2


# Exactly one ----------------------------------------------------------------------------------


@wrong(
    loses=["test-xor_neurons", "test-xor_neurons-hidden"],
    says="The third neuron sees answers of -1 and +1",
)
def and_for_zeros_and_ones():
    """The third neuron is set as if it saw zeros and ones: more than half of one is enough."""

    def exactly_one():
        at_least_one = np.ones(3), -0.5
        less_than_two = -np.ones(3), 1.5
        return at_least_one, less_than_two, (np.array([1.0, 1.0]), 0.5)


@wrong(loses=["test-xor_neurons-hidden"], says="half-way between the corners")
def lines_that_touch_the_corners():
    """Right at the four corners, and nowhere else: the lines run through the bits themselves."""

    def exactly_one():
        at_least_one = np.ones(3), -0.05
        less_than_two = -np.ones(3), 1.95
        return at_least_one, less_than_two, (np.array([1.0, 1.0]), -1.5)


@wrong(
    loses=["test-xor_neurons", "test-xor_neurons-hidden"],
    says="'at least one' and 'less than two'",
)
def or_and_and():
    """The second neuron says "several", and the third wants both of them to be true."""

    def exactly_one():
        at_least_one = np.ones(3), -0.5
        several = np.ones(3), -1.5
        return at_least_one, several, (np.array([1.0, 1.0]), -1.0)


# Right, and unusual -------------------------------------------------------------------------------


@right
def one_number_at_a_time():
    """Loops and Python's own numbers, as somebody writes who has not met @ yet."""

    def one_sum(x, w, b):
        z = float(b)
        for value, weight in zip(x, w, strict=True):
            z += float(value) * float(weight)
        return z

    def weighted_sum(X, w, b):
        if X.ndim == 1:
            return one_sum(X, w, b)
        return np.array([one_sum(x, w, b) for x in X])

    def answer(X, w, b):
        if X.ndim == 1:
            return 1 if one_sum(X, w, b) > 0 else -1
        return [1 if one_sum(x, w, b) > 0 else -1 for x in X]

    def plus_minus(labels, yes):
        signs = []
        for label in labels:
            if label == yes:
                signs.append(1)
            else:
                signs.append(-1)
        return signs

    def corrected(w, b, x, y):
        if answer(x, w, b) == y:
            return w, b
        new_w = []
        for weight, value in zip(w, x, strict=True):
            new_w.append(float(weight + y * value))
        return np.array(new_w), b + y

    def distances(X, w, b):
        length = sum(float(weight) ** 2 for weight in w) ** 0.5
        return [one_sum(x, w, b) / length for x in X]

    def mistake_bound(X, y, w, b):
        smallest, longest = None, 0.0
        for x, label in zip(X, y, strict=True):
            z = label * one_sum(x, w, b)
            if z <= 0:
                raise ValueError("a sample is not on its side")
            smallest = z if smallest is None else min(smallest, z)
            longest = max(longest, sum(float(value) ** 2 for value in x) + 1)
        return longest * (sum(float(weight) ** 2 for weight in w) + b**2) / smallest**2


@right
def with_pytorch():
    """PyTorch inside, and tensors come out."""

    import torch

    def weighted_sum(X, w, b):
        X, w = torch.tensor(X, dtype=torch.float64), torch.tensor(w, dtype=torch.float64)
        return X @ w + b

    def answer(X, w, b):
        z = torch.as_tensor(np.asarray(X, float)) @ torch.as_tensor(np.asarray(w, float)) + b
        return torch.where(z > 0, 1, -1)

    def plus_minus(labels, yes):
        return torch.tensor([1 if label == yes else -1 for label in labels.tolist()])

    def distances(X, w, b):
        X, w = (torch.tensor(A, dtype=torch.float64) for A in (X, w))
        return (X @ w + b) / torch.linalg.vector_norm(w)


@right
def bias_as_a_weight():
    """The trick of the proof from the start: a 1 is appended, and b is the last weight."""

    def with_one(X):
        return np.concatenate([X, np.ones((*X.shape[:-1], 1))], axis=-1)

    def weighted_sum(X, w, b):
        return np.einsum("...j,j->...", with_one(X), np.append(w, b))

    def learn(X, y, passes=1000, start=None):
        rows = with_one(X)
        v, mistakes = np.zeros(rows.shape[1]), []
        if start is not None:
            v = np.append(*start)
        while len(mistakes) < passes and 0 not in mistakes:
            mistakes.append(0)
            for x, label in zip(rows, y, strict=True):
                if (x @ v > 0) != (label > 0):
                    v += label * x
                    mistakes[-1] += 1
        return v[:-1], v[-1], np.array(mistakes)

    def mistake_bound(X, y, w, b):
        rows = y[:, None] * with_one(X)
        u = np.append(w, b) / np.hypot(np.linalg.norm(w), b)
        gamma = (rows @ u).min()
        if not gamma > 0:
            raise ValueError(f"the margin is {gamma}")
        return np.max(np.sum(rows**2, axis=1)) / gamma**2


@right
def copies_changed_in_place():
    """In-place arithmetic, on arrays that belong to the function; floats for answers."""

    def answer(X, w, b):
        z = np.array(weighted_sum(X, w, b), dtype=float)
        return 2.0 * (z > 0) - 1.0

    def corrected(w, b, x, y):
        w = np.array(w, dtype=float)
        if answer(x, w, b) * y < 0:
            w += y * x
            b = b + y
        return w, b

    def distances(X, w, b):
        unit = np.array(w, dtype=float)
        length = np.linalg.norm(unit)
        unit /= length
        return X @ unit + b / length


@right
def none_and_several():
    """In other words: neither "none of them" nor "several". Lists, and whole numbers."""

    def exactly_one():
        none = [-2, -2, -2], 1
        several = (2.0, 2.0, 2.0), -3.0
        neither = np.array([-1, -1]), -1
        return [none, several, neither]


@right
def biases_as_arrays():
    """A bias of shape (1,), as a layer of one neuron has it, and one of shape ()."""

    def exactly_one():
        at_least_one = np.ones(3), np.array([-0.5])
        less_than_two = -np.ones(3), np.array(1.5)
        return at_least_one, less_than_two, (np.array([1.0, 1.0]), np.array([-1.0]))


@right
def answers_in_a_list():
    """Not what the header asks for, and understood all the same, by the tests and by Step 7."""

    def answer(X, w, b):
        z = weighted_sum(X, w, b)
        if np.ndim(z) == 0:
            return 1 if z > 0 else -1
        return [1 if value > 0 else -1 for value in z]


@right
def parallel_planes_the_other_way():
    """ "At least one" and "several", joined by "the first and not the second"."""

    def exactly_one():
        at_least_one = np.full(3, 2.0), -1.0
        several = np.ones(3), -1.5
        return at_least_one, several, (np.array([1.0, -1.0]), -1.0)


@right
def corrects_and_looks_what_changed():
    """A mistake is known by what it does: the bias moves after a mistake, and only then."""

    def learn(X, y, passes=1000, start=None):
        w, b = (np.zeros(X.shape[1]), 0) if start is None else start
        mistakes = []
        done = False
        while not done and len(mistakes) < passes:
            biases = [b]
            for x, label in zip(X, y, strict=True):
                w, b = corrected(w, b, x, label)
                biases.append(b)
            mistakes.append(np.count_nonzero(np.diff(biases)))
            done = mistakes[-1] == 0
        return w, b, mistakes


@right
def warns_on_the_way():
    """A bound that is computed before it is known that there is one, and log of 0."""

    def weighted_sum(X, w, b):
        np.log(np.zeros(1))  # what somebody tried before, and left standing
        return np.dot(X, w) + b

    def mistake_bound(X, y, w, b):
        import sys

        with_one = np.hstack([X, np.ones((len(X), 1))])
        u = np.append(w, b).astype(float)
        gamma = np.min(y * (with_one @ (u / np.sqrt(u @ u))))
        bound = (np.sqrt((with_one**2).sum(axis=1)).max() / np.round(gamma, 12)) ** 2
        print("bound", bound, file=sys.stderr)
        if gamma < 1e-12:
            raise ValueError("no margin")
        return bound


@right
def in_single_precision():
    """float32 inside: five digits are asked for."""

    def weighted_sum(X, w, b):
        z = np.asarray(X, np.float32) @ np.asarray(w, np.float32)
        return z + np.float32(b)

    def distances(X, w, b):
        w = np.asarray(w, np.float32)
        return weighted_sum(X, w, b) / np.sqrt(w @ w)


@right
def with_other_names():
    """Parameters by other names; a while loop that counts down."""

    def weighted_sum(inputs, weights, bias):
        return np.sum(inputs * weights, axis=-1) + bias

    def plus_minus(classes, wanted):
        return 2 * (classes == wanted).astype(int) - 1

    def learn(samples, labels, passes=1000, start=None):
        weights, bias = start or (np.zeros(samples.shape[1]), 0)
        weights, record = np.array(weights, dtype=float), []
        while passes > 0:
            record.append(0)
            for sample, label in zip(samples, labels):
                said = 1 if weights @ sample + bias > 0 else -1
                record[-1] += said != label
                weights += (label - said) / 2 * sample
                bias += (label - said) / 2
            passes = passes - 1 if record[-1] else 0
        return weights, bias, record
