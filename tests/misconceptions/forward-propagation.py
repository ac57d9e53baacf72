"""Wrong and unusual answers to the exercise `forward-propagation`."""

import math

import numpy as np

from course_lib.assignments.answers import right, wrong

accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
    (
        "reduce_losses",
        "whole numbers losses",
    ): 'Only "none" returns the shape of the losses, and these are the integers that came.',
}

# The forward pass ---------------------------------------------------------------------------------


@wrong(
    loses=["test-forward", "test-forward-hidden"],
    says="ReLU was applied after the last layer, too",
)
def relu_behind_the_last_layer():
    """The loop is over all layers, so negative logits become 0."""

    def forward(X, layers, keep=False):
        inputs, A = [], X
        for W, b in layers:
            inputs.append(A)
            A = relu(A @ W + b)
        return (A, inputs) if keep else A


@wrong(loses=["test-forward", "test-forward-hidden"], says="a loss wants logits")
def ends_in_softmax():
    """Probabilities look like the natural thing to return."""

    def forward(X, layers, keep=False):
        inputs = [X]
        for W, b in layers[:-1]:
            inputs.append(relu(inputs[-1] @ W + b))
        W, b = layers[-1]
        p = softmax(inputs[-1] @ W + b)
        return (p, inputs) if keep else p


@wrong(loses=["test-forward", "test-forward-hidden"], says="The bias is added to every row")
def forgets_the_biases():
    """The weights are the network, or so it seems."""

    def forward(X, layers, keep=False):
        inputs = [X]
        for W, _ in layers[:-1]:
            inputs.append(relu(inputs[-1] @ W))
        logits = inputs[-1] @ layers[-1][0]
        return (logits, inputs) if keep else logits


@wrong(loses=["test-forward", "test-forward-hidden"], says="none in front of the first")
def relu_in_front_of_each_layer():
    """The same for all layers but the first."""

    def forward(X, layers, keep=False):
        inputs, A = [], X
        for W, b in layers:
            inputs.append(relu(A))
            A = relu(A) @ W + b
        return (A, inputs) if keep else A


@wrong(loses=["test-forward", "test-forward-hidden"], says="what ReLU made of the first")
def keeps_pre_activations():
    """What comes out of a layer is kept before ReLU."""

    def forward(X, layers, keep=False):
        A, seen = X, [X]
        for W, b in layers[:-1]:
            seen.append(A @ W + b)
            A = relu(seen[-1])
        W, b = layers[-1]
        logits = A @ W + b
        return (logits, seen) if keep else logits


@wrong(loses=["test-forward", "test-forward-hidden"], says="The logits are given to no layer")
def keeps_the_outputs():
    """What each layer returned, in place of what it was given."""

    def forward(X, layers, keep=False):
        A, outputs = X, []
        for i, (W, b) in enumerate(layers):
            A = A @ W + b
            A = relu(A) if i < len(layers) - 1 else A
            outputs.append(A)
        return (A, outputs) if keep else A


@wrong(loses=["test-forward-hidden"], says="written over by the next layer")
def keeps_one_array_for_all():
    """Where layers are equally wide, each writes into the array of the one before."""

    def forward(X, layers, keep=False):
        A, inputs = np.array(X), []
        for i, (W, b) in enumerate(layers):
            inputs.append(A)
            Z = A @ W + b
            Z = relu(Z) if i < len(layers) - 1 else Z
            if i and Z.shape == A.shape:
                A[...] = Z
            else:
                A = Z
        return (A, inputs) if keep else A


@wrong(loses=["test-forward", "test-forward-hidden"], says="you changed layers")
def adds_the_bias_as_a_row():
    """Weights and bias are put together in the caller's list."""

    def forward(X, layers, keep=False):
        for i, (W, b) in enumerate(layers):
            layers[i] = np.vstack([W, b])
        inputs = [X]
        for M in layers[:-1]:
            inputs.append(relu(inputs[-1] @ M[:-1] + M[-1]))
        logits = inputs[-1] @ layers[-1][:-1] + layers[-1][-1]
        return (logits, inputs) if keep else logits


@wrong(loses=["test-forward-hidden"], says="the fractions are lost")
def forward_in_the_kind_of_x():
    """The answers are cast to the type of what came in."""

    def forward(X, layers, keep=False):
        inputs = [X]
        for W, b in layers[:-1]:
            inputs.append(relu(inputs[-1] @ W + b))
        W, b = layers[-1]
        logits = (inputs[-1] @ W + b).astype(X.dtype)
        return (logits, inputs) if keep else logits


# The guessing game --------------------------------------------------------------------------------


@wrong(loses=["test-questions", "test-questions-hidden"], says="averaged over the TRUTH")
def belief_and_truth_exchanged():
    """Two distributions and a formula that is not symmetric."""

    def questions(truth, belief):
        happens = belief > 0
        with np.errstate(divide="ignore"):
            return np.sum(belief[happens] * -np.log2(truth[happens]))


@wrong(loses=["test-questions", "test-questions-hidden"], says="1.21 is the same in nats")
def questions_in_nats():
    """np.log is the logarithm that the fingers know."""

    def questions(truth, belief):
        happens = truth > 0
        with np.errstate(divide="ignore"):
            return np.sum(truth[happens] * -np.log(belief[happens]))


@wrong(loses=["test-questions-hidden"], says="0 * log(0) would be nan")
def zero_times_infinity():
    """The formula as it stands."""

    def questions(truth, belief):
        return -np.sum(truth * np.log2(belief))


@wrong(loses=["test-questions-hidden"], says="invents a finite one")
def never_quite_impossible():
    """A small number keeps the logarithm alive, and lies."""

    def questions(truth, belief):
        return -np.sum(truth * np.log2(belief + 1e-12))


@wrong(loses=["test-questions-hidden"], says="an infinite surprise")
def impossible_outcomes_left_out():
    """The mask that keeps log(0) away is put on the belief as well."""

    def questions(truth, belief):
        both = (truth > 0) & (belief > 0)
        return -np.sum(truth[both] * np.log2(belief[both]))


@wrong(loses=["test-questions-hidden"], says="you changed belief")
def beliefs_written_over():
    """What never happens is made certain, so that its logarithm is 0, in the caller's array."""

    def questions(truth, belief):
        belief[truth == 0] = 1
        with np.errstate(divide="ignore"):
            return np.sum(truth * -np.log2(belief)) if np.all(belief > 0) else np.inf


# Reductions ---------------------------------------------------------------------------------------


@wrong(loses=["test-reduce_losses-hidden"], says="raised KeyError")
def the_dictionary_complains():
    """An unknown reduction is refused, by a KeyError."""

    def reduce_losses(losses, reduction="mean"):
        return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


@wrong(loses=["test-reduce_losses-hidden"], says="An unknown reduction must not be taken")
def anything_else_is_none():
    """The last of three cases caught by else."""

    def reduce_losses(losses, reduction="mean"):
        if reduction == "mean":
            return losses.mean()
        if reduction == "sum":
            return losses.sum()
        return losses


@wrong(loses=["test-reduce_losses-hidden"], says="one number for ALL losses")
def mean_over_the_first_axis():
    """Samples are the first axis, so the mean goes along it: right for (n,), and not for (n, d)."""

    def reduce_losses(losses, reduction="mean"):
        ways = {"mean": losses.mean(axis=0), "sum": losses.sum(axis=0), "none": losses}
        if reduction not in ways:
            raise ValueError(reduction)
        return ways[reduction]


# Cross-entropy ------------------------------------------------------------------------------------


@wrong(
    loses=[
        "test-cross_entropy",
        "test-cross_entropy-hidden",
        "test-cross_entropy-large-hidden",
    ],
    says="you averaged over the classes as well",
)
def mean_over_the_classes_too():
    """One-hot rows and a mean over everything: k times too small."""

    def cross_entropy(logits, y, reduction="mean"):
        losses = -np.eye(logits.shape[1])[y] * log_softmax(logits)
        if reduction == "none":
            return losses.sum(axis=1)
        return reduce_losses(losses, reduction)


@wrong(
    loses=[
        "test-cross_entropy",
        "test-cross_entropy-hidden",
        "test-cross_entropy-large-hidden",
    ],
    says="taken for logarithms of probabilities",
)
def one_hot_times_logits():
    """The normalization is left out: raising all logits is enough."""

    def cross_entropy(logits, y, reduction="mean"):
        return reduce_losses(-(np.eye(logits.shape[1])[y] * logits).sum(axis=1), reduction)


@wrong(
    loses=["test-cross_entropy-large-hidden"],
    says="The logarithm of a probability that was rounded to 0",
)
def log_of_a_rounded_zero():
    """Softmax, then the logarithm: right on paper, and for small logits."""

    def cross_entropy(logits, y, reduction="mean"):
        with np.errstate(divide="ignore"):
            losses = np.where(y < 0, 0, -np.log(softmax(logits)[np.arange(len(y)), y]))
        return reduce_losses(losses if reduction == "none" else losses[y >= 0], reduction)


@wrong(loses=["test-cross_entropy-large-hidden"], says="invents an answer")
def log_of_a_clipped_probability():
    """The usual patch: finite, wrong, and without a slope."""

    def cross_entropy(logits, y, reduction="mean"):
        p = np.clip(softmax(logits), 1e-15, 1 - 1e-15)
        losses = np.where(y < 0, 0, -np.log(p[np.arange(len(y)), y]))
        return reduce_losses(losses if reduction == "none" else losses[y >= 0], reduction)


@wrong(
    loses=[
        "test-cross_entropy",
        "test-cross_entropy-hidden",
        "test-cross_entropy-large-hidden",
    ],
    says="softmax was applied twice",
)
def softmax_applied_twice():
    """The network's probabilities go into a loss that applies softmax itself."""

    def cross_entropy(logits, y, reduction="mean"):
        losses = -log_softmax(softmax(logits))[np.arange(len(y)), y]
        return reduce_losses(losses, reduction)


@wrong(
    loses=[
        "test-cross_entropy",
        "test-cross_entropy-hidden",
        "test-cross_entropy-large-hidden",
    ],
    says="one entry per row",
)
def all_rows_for_each_label():
    """[:, y] is n x n numbers; on an untrained network their mean looks right."""

    def cross_entropy(logits, y, reduction="mean"):
        return reduce_losses(-log_softmax(logits)[:, y], reduction)


@wrong(
    loses=[
        "test-cross_entropy",
        "test-cross_entropy-hidden",
        "test-cross_entropy-large-hidden",
    ],
    says="Softmax goes along the classes",
)
def samples_compete():
    """Softmax along the batch: each class adds up to 1."""

    def cross_entropy(logits, y, reduction="mean"):
        losses = -log_softmax(logits, axis=0)[np.arange(len(y)), y]
        return reduce_losses(losses, reduction)


@wrong(
    loses=["test-cross_entropy-hidden", "test-cross_entropy-large-hidden"],
    says="reduction is ignored",
)
def always_the_mean():
    """The reduction is an argument that nobody looks at."""

    def cross_entropy(logits, y, reduction="mean"):
        return -log_softmax(logits)[np.arange(len(y)), y][y >= 0].mean()


@wrong(loses=["test-cross_entropy-hidden"], says="as an index it would take the last column")
def the_last_class_for_no_label():
    """The line of the chapter: -1 is an index like any other."""

    def cross_entropy(logits, y, reduction="mean"):
        return reduce_losses(-log_softmax(logits)[np.arange(len(y)), y], reduction)


@wrong(loses=["test-cross_entropy-hidden"], says="divides by the number of the others")
def mean_over_samples_without_a_label():
    """They cost nothing, and still count as samples."""

    def cross_entropy(logits, y, reduction="mean"):
        losses = np.where(y < 0, 0, -log_softmax(logits)[np.arange(len(y)), y])
        return reduce_losses(losses, reduction)


@wrong(loses=["test-cross_entropy-hidden"], says="shape (3,)")
def samples_without_a_label_left_out():
    """They are taken away first, so \"none\" has fewer losses than samples."""

    def cross_entropy(logits, y, reduction="mean"):
        logits, y = logits[y >= 0], y[y >= 0]
        return reduce_losses(-log_softmax(logits)[np.arange(len(y)), y], reduction)


@wrong(loses=["test-cross_entropy-hidden"], says="you changed y")
def labels_written_over():
    """-1 is made a class that exists, in the caller's array."""

    def cross_entropy(logits, y, reduction="mean"):
        known = y >= 0
        y[~known] = 0
        losses = np.where(known, -log_softmax(logits)[np.arange(len(y)), y], 0)
        return reduce_losses(losses if reduction == "none" else losses[known], reduction)


@wrong(loses=["test-cross_entropy-large-hidden"], says="not of all")
def shifted_by_the_largest_of_all():
    """One maximum for the whole batch: rows that lie far below it are rounded to 0."""

    def cross_entropy(logits, y, reduction="mean"):
        z = logits - logits.max()
        losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]
        losses[y < 0] = 0
        return reduce_losses(losses if reduction == "none" else losses[y >= 0], reduction)


# Smoothed labels ----------------------------------------------------------------------------------


@wrong(
    loses=["test-smooth_labels", "test-smooth_labels-hidden"],
    says="so the right one has 0.6",
)
def the_right_class_overwritten():
    """alpha / k everywhere, and then 1 - alpha in the place of the right class."""

    def smooth_labels(y, k, alpha):
        soft = np.full((len(y), k), alpha / k)
        soft[np.arange(len(y)), y] = 1 - alpha
        return soft


@wrong(
    loses=["test-smooth_labels", "test-smooth_labels-hidden"],
    says="you shared among the wrong classes only",
)
def shared_among_the_wrong_ones():
    """1 - alpha for the right class and the rest for the others: another definition."""

    def smooth_labels(y, k, alpha):
        soft = np.full((len(y), k), alpha / max(k - 1, 1))
        soft[np.arange(len(y)), y] = 1 - alpha
        return soft


@wrong(
    loses=["test-smooth_labels", "test-smooth_labels-hidden"],
    says="shared by all five classes",
)
def smoothing_added_on_top():
    """alpha / k everywhere, and the right class keeps 1: rows add up to more."""

    def smooth_labels(y, k, alpha):
        return np.eye(k)[y] + alpha / k


@wrong(
    loses=["test-smooth_labels-hidden"],
    says="k is the number of classes, even if some of them do not occur",
)
def classes_counted_from_the_labels():
    """The largest label that occurs decides about the columns."""

    def smooth_labels(y, k, alpha):
        k = y.max() + 1
        return (1 - alpha) * np.eye(k)[y] + alpha / k


@wrong(
    loses=["test-soft_cross_entropy", "test-soft_cross_entropy-hidden"],
    says="the sum is over the classes, and the mean over the samples only",
)
def soft_mean_over_the_classes_too():
    """The reduction is given all n times k products."""

    def soft_cross_entropy(logits, targets, reduction="mean"):
        losses = -targets * log_softmax(logits)
        return reduce_losses(losses.sum(axis=1) if reduction == "none" else losses, reduction)


@wrong(
    loses=["test-soft_cross_entropy", "test-soft_cross_entropy-hidden"],
    says="the truth is outside of the logarithm",
)
def targets_inside_the_logarithm():
    """The probability that target and answer agree, instead of the mean surprise."""

    def soft_cross_entropy(logits, targets, reduction="mean"):
        return reduce_losses(-np.log((targets * softmax(logits)).sum(axis=1)), reduction)


@wrong(
    loses=["test-soft_cross_entropy", "test-soft_cross_entropy-hidden"],
    says="only the largest target was looked at",
)
def hard_again():
    """The class with the largest share, as if nobody had smoothed anything."""

    def soft_cross_entropy(logits, targets, reduction="mean"):
        return cross_entropy(logits, targets.argmax(axis=1), reduction)


@wrong(
    loses=["test-soft_cross_entropy", "test-soft_cross_entropy-hidden"],
    says="the sum went over the samples",
)
def summed_over_the_samples():
    """axis=0 for axis=1: one number for each class."""

    def soft_cross_entropy(logits, targets, reduction="mean"):
        return reduce_losses(-(targets * log_softmax(logits)).sum(axis=0), reduction)


@wrong(loses=["test-soft_cross_entropy-hidden"], says="0 * -inf is nan")
def soft_log_of_a_rounded_zero():
    """Softmax, then the logarithm, then the targets."""

    def soft_cross_entropy(logits, targets, reduction="mean"):
        with np.errstate(all="ignore"):
            return reduce_losses(-(targets * np.log(softmax(logits))).sum(axis=1), reduction)


# Squared error, yes or no, and the bell -----------------------------------------------------------


@wrong(
    loses=["test-squared_error", "test-squared_error-hidden"],
    says="NumPy would compare each answer with each target",
)
def broadcasts():
    """(n, 1) and (n,) make (n, n), and the mean looks harmless."""

    def squared_error(y_hat, y, reduction="mean"):
        return reduce_losses((y_hat - y) ** 2, reduction)


@wrong(loses=["test-squared_error-hidden"], says="The shapes must be equal")
def compares_the_number_of_axes():
    """A check that lets (1,) and (4,) through."""

    def squared_error(y_hat, y, reduction="mean"):
        if y_hat.ndim != y.ndim:
            raise ValueError("axes")
        return reduce_losses((y_hat - y) ** 2, reduction)


@wrong(
    loses=["test-squared_error", "test-squared_error-hidden"],
    says="Compare the shapes first",
)
def compares_the_lengths():
    """len() of (3, 1) and of (3,) is 3."""

    def squared_error(y_hat, y, reduction="mean"):
        if np.ndim(y_hat) and np.ndim(y) and len(y_hat) != len(y):
            raise ValueError("lengths")
        return reduce_losses((y_hat - y) ** 2, reduction)


@wrong(loses=["test-squared_error", "test-squared_error-hidden"], says="No factor of 1/2")
def half_of_the_square():
    """Half, so that the slope has no 2, as in many books."""

    def squared_error(y_hat, y, reduction="mean"):
        if y_hat.shape != y.shape:
            raise ValueError("shapes")
        return reduce_losses((y_hat - y) ** 2 / 2, reduction)


@wrong(
    loses=["test-binary_cross_entropy", "test-binary_cross_entropy-hidden"],
    says="both terms are needed",
)
def only_yes_counts():
    """The multi-class formula with a single class: a no costs nothing."""

    def binary_cross_entropy(z, y, reduction="mean"):
        return reduce_losses(y * np.logaddexp(0, -z), reduction)


@wrong(loses=["test-squared_error", "test-squared_error-hidden"], says="you changed y_hat")
def differences_written_over_the_answers():
    """-= on what the network has answered."""

    def squared_error(y_hat, y, reduction="mean"):
        if y_hat.shape != y.shape:
            raise ValueError("shapes")
        if y_hat.dtype != y.dtype:
            return reduce_losses((y_hat - y) ** 2, reduction)
        y_hat -= y
        return reduce_losses(y_hat**2, reduction)


@wrong(loses=["test-squared_error-hidden"], says="the fractions are lost")
def squares_like_the_answers():
    """Written into an array of the answers' kind."""

    def squared_error(y_hat, y, reduction="mean"):
        if y_hat.shape != y.shape:
            raise ValueError("shapes")
        squares = np.zeros_like(y_hat)
        squares[...] = (y_hat - y) ** 2
        return reduce_losses(squares, reduction)


@wrong(
    loses=["test-binary_cross_entropy", "test-binary_cross_entropy-hidden"],
    says="you changed y",
)
def labels_made_signs():
    """0 becomes -1 in the caller's array, and the formula for signs is right."""

    def binary_cross_entropy(z, y, reduction="mean"):
        y[y == 0] = -1
        return reduce_losses(np.logaddexp(0, -y * z), reduction)


@wrong(loses=["test-binary_cross_entropy-hidden"], says="the fractions are lost")
def losses_like_the_logits():
    """zeros_like of integer logits, filled with losses."""

    def binary_cross_entropy(z, y, reduction="mean"):
        losses = np.zeros_like(z)
        losses[...] = np.logaddexp(0, np.where(y == 1, -z, z))
        return reduce_losses(losses, reduction)


@wrong(
    loses=["test-binary_cross_entropy", "test-binary_cross_entropy-hidden"],
    says="log(1 + exp(-z)) for a yes",
)
def yes_and_no_exchanged():
    """The sign in the exponent is easily lost on the way from the sigmoid."""

    def binary_cross_entropy(z, y, reduction="mean"):
        return reduce_losses(np.logaddexp(0, np.where(y == 1, z, -z)), reduction)


@wrong(
    loses=["test-binary_cross_entropy-hidden"],
    says="The logarithm of a sigmoid that was rounded to 0 is -inf",
)
def log_of_a_rounded_sigmoid():
    """The formula as it is printed: right between -36 and 36."""

    def binary_cross_entropy(z, y, reduction="mean"):
        with np.errstate(all="ignore"):
            a = 1 / (1 + np.exp(-z))
            return reduce_losses(np.where(y == 1, -np.log(a), -np.log(1 - a)), reduction)


@wrong(
    loses=["test-binary_cross_entropy-hidden"],
    says="the exponential of 10,000 overflows",
)
def log_of_one_plus_an_overflow():
    """log(1 + exp(z)) typed as it stands."""

    def binary_cross_entropy(z, y, reduction="mean"):
        with np.errstate(all="ignore"):
            return reduce_losses(np.log(1 + np.exp(np.where(y == 1, -z, z))), reduction)


@wrong(
    loses=["test-gaussian_surprise-hidden"],
    says="log(s) is a part of the surprise",
)
def height_of_the_bell_forgotten():
    """The normalization of a bell of width 1, whatever its width."""

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        losses = (y_hat - y) ** 2 / (2 * s**2) + np.log(2 * np.pi) / 2
        return reduce_losses(losses, reduction)


@wrong(
    loses=["test-gaussian_surprise-hidden"],
    says="once for each number",
)
def one_constant_for_the_batch():
    """The term without an answer in it is added after the reduction: right for the mean alone."""

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        squares = reduce_losses((y_hat - y) ** 2 / (2 * s**2), reduction)
        return squares + np.log(s * np.sqrt(2 * np.pi))


@wrong(
    loses=["test-gaussian_surprise-hidden"],
    says="2 * s**2 below the fraction",
)
def width_for_variance():
    """s where s squared is meant."""

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        losses = (y_hat - y) ** 2 / (2 * s) + np.log(s * np.sqrt(2 * np.pi))
        return reduce_losses(losses, reduction)


@wrong(
    loses=["test-gaussian_surprise-hidden"],
    says="never form the density",
)
def log_of_a_rounded_density():
    """The height of the bell, then its logarithm: gone 40 widths away."""

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        with np.errstate(all="ignore"):
            bell = np.exp(-((y_hat - y) ** 2) / (2 * s**2)) / (s * np.sqrt(2 * np.pi))
            return reduce_losses(-np.log(bell), reduction)


# A wrong step costs no later one ------------------------------------------------------------------


@wrong(
    loses=["test-reduce_losses", "test-reduce_losses-hidden"],
    says="See 'One number for a batch'",
)
def all_on_a_wrong_reduction():
    """Everything after it is right, if only the reduction were."""

    def reduce_losses(losses, reduction="mean"):
        return np.max(losses)


# Right, and unusual -------------------------------------------------------------------------------


@right
def one_number_at_a_time():
    """Loops and the math module, as somebody writes who thinks in single samples."""

    import math

    def forward(X, layers, keep=False):
        answers, given = [], [[] for _ in layers]
        for x in X:
            for number, (W, b) in enumerate(layers):
                given[number].append(list(x))
                x = [
                    float(b[j]) + sum(float(x[i]) * float(W[i, j]) for i in range(len(x)))
                    for j in range(W.shape[1])
                ]
                if number + 1 < len(layers):
                    x = [max(value, 0.0) for value in x]
            answers.append(x)
        if keep:
            return np.array(answers), [np.array(rows) for rows in given]
        return np.array(answers)

    def questions(truth, belief):
        total = 0.0
        for q, p in zip(truth.tolist(), belief.tolist()):
            if q > 0 and p == 0:
                return math.inf
            if q > 0:
                total -= q * math.log2(p)
        return total

    def reduce_losses(losses, reduction="mean"):
        flat = np.ravel(losses).tolist()
        if reduction == "none":
            return losses
        if reduction == "sum":
            return math.fsum(flat)
        if reduction == "mean":
            return math.fsum(flat) / len(flat)
        raise ValueError("mean, sum or none, please")

    def cross_entropy(logits, y, reduction="mean"):
        losses = []
        for row, label in zip(logits.astype(float).tolist(), y.tolist()):
            largest = max(row)
            log_sum = largest + math.log(sum(math.exp(z - largest) for z in row))
            if label != -1:
                losses.append(log_sum - row[label])
            elif reduction == "none":
                losses.append(0.0)
        return reduce_losses(np.array(losses), reduction)

    def smooth_labels(y, k, alpha):
        rows = []
        for label in y:
            rows.append([alpha / k + (1 - alpha if j == label else 0) for j in range(k)])
        return np.array(rows)

    def binary_cross_entropy(z, y, reduction="mean"):
        losses = np.empty(z.shape)
        for place in np.ndindex(z.shape):
            against = float(-z[place] if y[place] else z[place])
            losses[place] = max(against, 0) + math.log1p(math.exp(-abs(against)))
        return reduce_losses(losses, reduction)

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        losses = [
            0.5 * ((a - b) / s) ** 2 + math.log(s) + 0.5 * math.log(2 * math.pi)
            for a, b in zip(y_hat, y)
        ]
        return reduce_losses(np.array(losses), reduction)


@right
def with_pytorch():
    """PyTorch inside, numbers and arrays outside."""

    import torch

    def tensor(array):
        return torch.tensor(np.asarray(array, dtype=np.float64))

    def forward(X, layers, keep=False):
        A, inputs = tensor(X), []
        for W, b in layers:
            inputs.append(A.numpy())
            Z = torch.nn.functional.linear(A, tensor(W).T, tensor(b))
            A = torch.relu(Z)
        return (Z.numpy(), inputs) if keep else Z.numpy()

    def cross_entropy(logits, y, reduction="mean"):
        return torch.nn.functional.cross_entropy(
            tensor(logits), torch.tensor(np.asarray(y)), reduction=reduction, ignore_index=-1
        ).numpy()

    def soft_cross_entropy(logits, targets, reduction="mean"):
        return torch.nn.functional.cross_entropy(
            tensor(logits), tensor(targets), reduction=reduction
        ).numpy()

    def squared_error(y_hat, y, reduction="mean"):
        if np.shape(y_hat) != np.shape(y):
            raise ValueError("shapes differ")
        return torch.nn.functional.mse_loss(tensor(y_hat), tensor(y), reduction=reduction).numpy()

    def binary_cross_entropy(z, y, reduction="mean"):
        return torch.nn.functional.binary_cross_entropy_with_logits(
            tensor(z), tensor(y), reduction=reduction
        ).numpy()

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        bell = torch.distributions.Normal(tensor(y_hat), s)
        return reduce_losses(-bell.log_prob(tensor(y)).numpy(), reduction)


@right
def with_scipy():
    """SciPy has most of it."""

    from scipy import special, stats

    def questions(truth, belief):
        return (special.rel_entr(truth, belief).sum() + special.entr(truth).sum()) / np.log(2)

    def cross_entropy(logits, y, reduction="mean"):
        rows = np.arange(len(y))
        losses = special.logsumexp(logits, axis=1) - logits[rows, y]
        if reduction == "none":
            return np.where(y == -1, 0, losses)
        return reduce_losses(losses[y != -1], reduction)

    def soft_cross_entropy(logits, targets, reduction="mean"):
        losses = -np.einsum("nk,nk->n", targets, special.log_softmax(logits, axis=1))
        return reduce_losses(losses, reduction)

    def binary_cross_entropy(z, y, reduction="mean"):
        return reduce_losses(-special.log_expit(np.where(y, z, -z)), reduction)

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        return reduce_losses(-stats.norm(y_hat, s).logpdf(y), reduction)


@right
def one_through_the_other():
    """Each loss by way of another: yes or no as two classes, soft labels class by class."""

    def cross_entropy(logits, y, reduction="mean"):
        one_hot = y[:, None] == np.arange(logits.shape[1])
        losses = -(log_softmax(logits) * one_hot).sum(axis=1)
        if reduction == "mean":
            return reduce_losses(losses, "sum") / np.sum(y != -1)
        return reduce_losses(losses, reduction)

    def soft_cross_entropy(logits, targets, reduction="mean"):
        n, k = logits.shape
        losses = sum(targets[:, j] * cross_entropy(logits, np.full(n, j), "none") for j in range(k))
        return reduce_losses(losses, reduction)

    def binary_cross_entropy(z, y, reduction="mean"):
        two = np.stack([np.zeros(z.size), z.ravel()], axis=1)
        losses = -log_softmax(two)[np.arange(z.size), y.ravel().astype(int)]
        return reduce_losses(losses.reshape(z.shape), reduction)

    def reduce_losses(losses, reduction="mean"):
        try:
            return {"mean": np.average, "sum": np.sum, "none": np.copy}[reduction](losses)
        except KeyError:
            raise ValueError(f"{reduction!r} is no reduction") from None


@right
def in_place_on_what_is_ours():
    """Out-parameters, masks and lists where the text has formulas."""

    def forward(X, layers, keep=False):
        *hidden, (W_last, b_last) = layers
        kept = (X,)
        for W, b in hidden:
            Z = X @ W
            Z = Z + b
            np.maximum(Z, 0, out=Z)
            X = Z
            kept = (*kept, X)
        return (np.add(X @ W_last, b_last), kept) if keep else np.add(X @ W_last, b_last)

    def cross_entropy(logits, y, reduction="mean"):
        log_p = np.take_along_axis(log_softmax(logits), y[:, None], axis=1)[:, 0]
        np.negative(log_p, out=log_p)
        log_p[y < 0] = 0
        return reduce_losses(log_p if reduction == "none" else log_p[y >= 0], reduction)

    def smooth_labels(y, k, alpha):
        soft = np.full((len(y), k), alpha / k)
        soft[np.arange(len(y)), y] += 1 - alpha
        return soft

    def questions(truth, belief):
        truth, belief = truth[truth != 0], belief[truth != 0]
        if not np.all(belief):
            return float("inf")
        return np.log2(1 / belief) @ truth

    def binary_cross_entropy(z, y, reduction="mean"):
        losses = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
        return reduce_losses(losses, reduction)

    def squared_error(y_hat, y, reduction="mean"):
        if y_hat.shape != y.shape:
            raise ValueError("reshape one of them")
        return reduce_losses(np.square(np.subtract(y_hat, y)), reduction)


@right
def log_sum_exp_and_a_dot_product():
    """Rows of targets add up to 1, so their loss is a log-sum-exp minus a dot product."""

    from scipy.special import xlogy

    def questions(truth, belief):
        return -xlogy(truth, belief).sum() / np.log(2)

    def soft_cross_entropy(logits, targets, reduction="mean"):
        log_sums = np.logaddexp.reduce(logits, axis=1)
        return reduce_losses(log_sums - np.einsum("nk,nk->n", targets, logits), reduction)

    def cross_entropy(logits, y, reduction="mean"):
        chosen = np.diag(logits[:, y])  # n x n numbers, of which n are wanted
        losses = np.logaddexp.reduce(logits, axis=1) - chosen
        if reduction != "none":
            losses = np.delete(losses, np.flatnonzero(y == -1))
        return reduce_losses(losses * (y != -1) if reduction == "none" else losses, reduction)

    def smooth_labels(y, k, alpha):
        return np.array([[alpha / k + (1 - alpha) * (j == c) for j in range(k)] for c in y])

    def gaussian_surprise(y_hat, y, s, reduction="mean"):
        return reduce_losses((((y_hat - y) / s) ** 2 + np.log(2 * np.pi * s * s)) / 2, reduction)


@right
def warns_on_the_way():
    """log of 0 where it is not used, and an overflow in the branch that is not taken."""

    def questions(truth, belief):
        return np.sum(np.where(truth == 0, 0.0, -truth * np.log2(belief)))

    def cross_entropy(logits, y, reduction="mean"):
        import warnings

        warnings.warn("samples without a label", stacklevel=2)
        z = logits - logits.max(axis=1, keepdims=True).astype(float)
        np.exp(logits * 1.0)  # overflows, and is not used
        losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]
        losses = np.where(y < 0, np.nan, losses)
        if reduction == "none":
            return np.nan_to_num(losses, nan=0.0)
        return np.nanmean(losses) if reduction == "mean" else np.nansum(losses)

    def binary_cross_entropy(z, y, reduction="mean"):
        against = np.where(y == 1, -z, z).astype(float)
        losses = np.where(against > 30, against, np.log1p(np.exp(against)))
        return reduce_losses(losses, reduction)


@right
def with_other_names_and_progress():
    """Parameters by other names; a progress bar on stderr."""

    def forward(batch, network, keep=False):
        import sys

        given = []
        for i, (weights, biases) in enumerate(network):
            print(f"layer {i + 1}", end="\r", file=sys.stderr)
            given.append(batch if i == 0 else relu(answers))
            answers = given[-1] @ weights + biases
        return [answers, given] if keep else answers

    def reduce_losses(values, reduction="mean"):
        if reduction not in {"mean", "sum", "none"}:
            raise ValueError(reduction)
        return values if reduction == "none" else getattr(np, reduction)(values)

    def smooth_labels(labels, classes, share):
        return np.where(np.arange(classes) == labels[:, None], 1 - share, 0) + share / classes

    def squared_error(predictions, targets, reduction="mean"):
        if np.shape(predictions) != np.shape(targets):
            raise ValueError("shapes")
        return reduce_losses(abs(predictions - targets) ** 2.0, reduction)


@right
def in_single_precision():
    """float32 inside, where six digits are asked for and numbers are small."""

    def squared_error(y_hat, y, reduction="mean"):
        if y_hat.shape != y.shape:
            raise ValueError("shapes")
        return np.float32(reduce_losses((y_hat - y) ** 2.0, reduction))

    def smooth_labels(y, k, alpha):
        one_hot = np.zeros((len(y), k), dtype=np.float32)
        one_hot[np.arange(len(y)), y] = 1
        return np.float32(1 - alpha) * one_hot + np.float32(alpha / k)
