"""Wrong and unusual answers to the exercise `layers`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

_SIX = "Six digits are asked for, and float32 has seven."

#: What the mutants of the reference may do (see course_lib/assignments/mutants.py).
accepted = {
    ("linear", "float32"): _SIX,
    ("forward", "float32"): _SIX,
    ("collapse", "float32"): _SIX,
    ("fold", "float32"): _SIX,
    ("fold", "whole numbers u"): "An arrow of whole numbers with length 1 is an axis, and so are "
    "the weights of its fold: there are no fractions.",
}

# A layer ------------------------------------------------------------------------------------------


@wrong(loses=["test-linear", "test-linear-hidden"], says="W @ X has the right shape too")
def weights_first():
    """W x, as most books write it, with the rows of this book."""

    def linear(X, W, b, transposed=False):
        return (W.T if transposed else W) @ X + b


@wrong(loses=["test-linear", "test-linear-hidden"], says="so has a bias for each row")
def bias_for_each_row():
    """The bias is stood up, so that it runs down the batch."""

    def linear(X, W, b, transposed=False):
        return X @ (W.T if transposed else W) + b.reshape(-1, 1)


@wrong(loses=["test-linear", "test-linear-hidden"], says="first column of W")
def transposed_as_in_pytorch():
    """x @ weight.T is PyTorch's formula, for PyTorch's weights: the flag is read the wrong way."""

    def linear(X, W, b, transposed=False):
        return X @ (W if transposed else W.T) + b


@wrong(loses=["test-linear", "test-linear-hidden"], says="The second has the bias 0.5")
def bias_forgotten():
    """The product is the layer, and b is never read."""

    def linear(X, W, b, transposed=False):
        return X @ (W.T if transposed else W)


@wrong(loses=["test-linear-hidden"], says="A single sample has shape (d_in,)")
def batches_only():
    """Loops over rows, and a single sample falls apart into its inputs."""

    def linear(X, W, b, transposed=False):
        W = W.T if transposed else W
        rows = []
        for i in range(X.shape[0]):
            rows.append(np.atleast_1d(X[i]) @ W + b if X.ndim == 2 else X[i] * W[i] + b)
        return np.array(rows)


@wrong(loses=["test-linear-hidden"], says="Cannot cast ufunc 'add'")
def adds_in_place():
    """The product of integers is an array of integers, and a bias of 0.5 has no place in it."""

    def linear(X, W, b, transposed=False):
        Z = X @ (W.T if transposed else W)
        Z += b
        return Z


@wrong(loses=["test-linear-hidden"], says="the fractions are lost")
def array_of_the_samples_kind():
    """The result is made like X, of integers if X is, and loses what the bias adds."""

    def linear(X, W, b, transposed=False):
        Z = np.zeros((*X.shape[:-1], len(b)), dtype=X.dtype)
        Z[...] = X @ (W.T if transposed else W) + b
        return Z


@wrong(
    loses=["test-linear", "test-linear-hidden"], says="transposed=True says that a neuron is a row"
)
def ignores_the_flag():
    """The formula of the chapter."""

    def linear(X, W, b, transposed=False):
        return X @ W + b


@wrong(
    loses=["test-linear", "test-linear-hidden"], says="transposed=True says that a neuron is a row"
)
def guesses_from_the_shape():
    """W is turned if it does not fit: with a square W, nothing tells."""

    def linear(X, W, b, transposed=False):
        return X @ (W if W.shape == (X.shape[-1], len(b)) else W.T) + b


@wrong(loses=["test-linear", "test-linear-hidden"], says="The samples stay in the rows of X")
def turns_the_samples():
    """Everything is turned, where only the weights are."""

    def linear(X, W, b, transposed=False):
        return X.T @ W.T + b if transposed else X @ W + b


@wrong(loses=["test-linear", "test-linear-hidden"], says="you changed W")
def turns_the_callers_weights():
    """The weights are turned where they are, which fits as long as they are square."""

    def linear(X, W, b, transposed=False):
        if transposed:
            W[...] = W.T.copy().reshape(W.shape)
            return X @ (W if len(W) == X.shape[-1] else W.reshape(W.shape[::-1])) + b
        return X @ W + b


@wrong(loses=["test-linear-hidden"], says="raised ValueError: matmul")
def one_row_at_a_time():
    """A single sample has rows too: its numbers, which cannot be multiplied by a matrix."""

    def linear(X, W, b, transposed=False):
        W = W.T if transposed else W
        return np.stack([X[i] @ W + b for i in range(len(X))])


# What a network holds -----------------------------------------------------------------------------


@wrong(
    loses=["test-layer_table", "test-layer_table-hidden"],
    says="however many samples share them",
)
def biases_once_a_sample():
    """The bias is added to every row, so it is counted in every row."""

    def layer_table(widths, n):
        sizes = [(widths[i], widths[i + 1]) for i in range(len(widths) - 1)]
        return [(n, c, a * c + n * c) for a, c in sizes]


@wrong(loses=["test-layer_table", "test-layer_table-hidden"], says="one bias per neuron")
def biases_not_counted():
    """Weights alone."""

    def layer_table(widths, n):
        sizes = [(widths[i], widths[i + 1]) for i in range(len(widths) - 1)]
        return [(n, c, a * c) for a, c in sizes]


@wrong(loses=["test-layer_table", "test-layer_table-hidden"], says="one bias per neuron")
def one_bias_a_layer():
    """The bias is taken for a single number."""

    def layer_table(widths, n):
        sizes = [(widths[i], widths[i + 1]) for i in range(len(widths) - 1)]
        return [(n, c, a * c + 1) for a, c in sizes]


@wrong(
    loses=["test-layer_table", "test-layer_table-hidden"],
    says="The input layer computes nothing and gets no row",
)
def input_counted_as_a_layer():
    """An input layer is called a layer, so it gets a row."""

    def layer_table(widths, n):
        sizes = [(widths[i], widths[i + 1]) for i in range(len(widths) - 1)]
        return [(n, widths[0], 0)] + [(n, c, a * c + c) for a, c in sizes]


@wrong(loses=["test-layer_table", "test-layer_table-hidden"], says="you changed widths")
def uses_up_the_plan():
    """The widths are taken from the list one by one, and it is somebody else's list."""

    def layer_table(widths, n):
        table = []
        while len(widths) > 1:
            d_in = widths.pop(0)
            table.append((n, widths[0], (d_in + 1) * widths[0]))
        return table


# A network ----------------------------------------------------------------------------------------


@wrong(loses=["test-forward", "test-forward-hidden"], says="No activation follows the output")
def activates_the_output():
    """The same step for every layer, and the scores lose their sign."""

    def forward(X, layers, activation=relu):
        each = [activation] * len(layers) if callable(activation) else [*activation, relu]
        seen = [X]
        for (W, b), f in zip(layers, each):
            seen.append(f(linear(seen[-1], W, b)))
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="no number is negative")
def never_activates():
    """Layer after layer with nothing between."""

    def forward(X, layers, activation=relu):
        seen = [X]
        for W, b in layers:
            seen.append(linear(seen[-1], W, b))
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="what the next layer is fed with")
def keeps_pre_activations():
    """The activation comes on the way into the next layer, and what is kept is without it."""

    def forward(X, layers, activation=relu):
        hidden = len(layers) - 1
        each = [activation] * hidden if callable(activation) else activation
        seen = [X, linear(X, *layers[0])]
        for (W, b), f in zip(layers[1:], each):
            seen.append(linear(f(seen[-1]), W, b))
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="Two layers, three arrays")
def returns_without_the_input():
    """What the layers say, and the input is no layer."""

    def forward(X, layers, activation=relu):
        seen, A = [], X
        for i, (W, b) in enumerate(layers):
            A = linear(A, W, b)
            if i < len(layers) - 1:
                A = (activation if callable(activation) else activation[i])(A)
            seen.append(A)
        return seen


@wrong(loses=["test-forward-hidden"], says="Call activation, whatever it is")
def relu_for_any_function():
    """A list is honored, and a single function is never called."""

    def forward(X, layers, activation=relu):
        seen = [X]
        for i, (W, b) in enumerate(layers):
            Z = linear(seen[-1], W, b)
            f = relu if callable(activation) else [*activation, None][i]
            seen.append(f(Z) if i < len(layers) - 1 else Z)
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="raised TypeError: 'list' object is not")
def one_function_for_all():
    """The code of the chapter: a list cannot be called."""

    def forward(X, layers, activation=relu):
        seen = [X]
        for W, b in layers[:-1]:
            seen.append(activation(linear(seen[-1], W, b)))
        return [*seen, linear(seen[-1], *layers[-1])]


@wrong(
    loses=["test-forward", "test-forward-hidden"], says="A list has one activation per hidden layer"
)
def first_of_the_list_for_all():
    """A list is taken for a function in brackets."""

    def forward(X, layers, activation=relu):
        f = activation if callable(activation) else [*activation, None][0]
        seen = [X]
        for W, b in layers[:-1]:
            seen.append(f(linear(seen[-1], W, b)))
        return [*seen, linear(seen[-1], *layers[-1])]


@wrong(loses=["test-forward", "test-forward-hidden"], says="none follows the output")
def zips_the_output_away():
    """zip ends with the shorter list, and the list of activations is the shorter."""

    def forward(X, layers, activation=relu):
        hidden = len(layers) - 1
        each = hidden * [activation] + [identity] if callable(activation) else activation
        seen = [X]
        for (W, b), f in zip(layers, each):
            seen.append(f(linear(seen[-1], W, b)))
        return seen


@wrong(loses=["test-forward-hidden"], says="raised IndexError: pop from empty list")
def takes_from_a_list_that_may_be_empty():
    """The first activation is looked at before anybody asks whether there is a hidden layer."""

    def forward(X, layers, activation=relu):
        each = (len(layers) - 1) * [activation] if callable(activation) else list(activation)
        seen = [X, linear(X, *layers[0])]
        f = each.pop(0) if len(layers) > 1 or not callable(activation) else None
        for W, b in layers[1:]:
            seen[-1] = f(seen[-1])
            seen.append(linear(seen[-1], W, b))
            f = each.pop(0) if each else None
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="you changed activation")
def uses_up_the_activations():
    """Each activation is taken from the list, which belongs to the caller."""

    def forward(X, layers, activation=relu):
        seen = [X]
        for W, b in layers[:-1]:
            f = activation if callable(activation) else activation.pop(0)
            seen.append(f(linear(seen[-1], W, b)))
        return [*seen, linear(seen[-1], *layers[-1])]


@wrong(loses=["test-forward-hidden"], says="A network of one layer has no activation at all")
def two_layers_for_certain():
    """Written for one hidden layer at least: an activation follows the first layer."""

    def forward(X, layers, activation=relu):
        each = [activation] * len(layers) if callable(activation) else [*activation, identity]
        seen = [X, each[0](linear(X, *layers[0]))]
        for i, (W, b) in enumerate(layers[1:], start=1):
            Z = linear(seen[-1], W, b)
            seen.append(Z if i == len(layers) - 1 else each[i](Z))
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="you changed layers")
def uses_up_the_layers():
    """Each layer is taken from the list when its turn comes, and the network is gone."""

    def forward(X, layers, activation=relu):
        each = [activation] * len(layers) if callable(activation) else list(activation)
        seen = [X]
        while len(layers) > 1:
            seen.append(each.pop(0)(linear(seen[-1], *layers.pop(0))))
        return [*seen, linear(seen[-1], *layers[0])]


@wrong(loses=["test-forward-hidden"], says="the fractions are lost")
def arrays_of_the_samples_kind():
    """Room for every layer is made like X, of integers if X is."""

    def forward(X, layers, activation=relu):
        hidden = len(layers) - 1
        each = [*(hidden * [activation] if callable(activation) else activation), identity]
        seen = [X]
        for (W, b), f in zip(layers, each):
            A = np.zeros((len(X), len(b)), dtype=X.dtype)
            A[...] = f(linear(seen[-1], W, b))
            seen.append(A)
        return seen


# How many are right -------------------------------------------------------------------------------


@wrong(
    loses=["test-share_right", "test-share_right-hidden"],
    says="every score was compared with every label",
)
def column_against_row():
    """(n, 1) == (n,) is stretched to (n, n)."""

    def share_right(scores, labels):
        return np.mean((scores > 0 if scores.shape[1] == 1 else scores.argmax(1)) == labels)


@wrong(
    loses=["test-share_right", "test-share_right-hidden"],
    says="0.2 is above 0",
)
def scores_taken_for_probabilities():
    """A threshold of one half, which is for probabilities."""

    def share_right(scores, labels):
        if scores.shape[1] > 1:
            return np.mean(scores.argmax(axis=1) == labels)
        return np.mean((scores.ravel() > 0.5) == labels)


@wrong(loses=["test-share_right-hidden"], says="A score of exactly 0 is not above 0")
def yes_at_zero():
    """>= for >."""

    def share_right(scores, labels):
        if scores.shape[1] > 1:
            return np.mean(scores.argmax(axis=1) == labels)
        return np.mean((scores.ravel() >= 0) == labels)


@wrong(
    loses=["test-share_right", "test-share_right-hidden"],
    says="a row of scores is an array of length 1",
)
def one_row_against_a_label():
    """Looping over a column gives arrays of length 1, and so does adding them up."""

    def share_right(scores, labels):
        if scores.shape[1] > 1:
            return np.mean(scores.argmax(axis=1) == labels)
        agreed = 0
        for score, label in zip(scores, labels, strict=True):
            agreed += (score > 0) == label
        return agreed / len(labels)


@wrong(loses=["test-share_right", "test-share_right-hidden"], says="-1 is not, which is class 0")
def sign_for_a_class():
    """The sign is -1 or 1, and a label is 0 or 1."""

    def share_right(scores, labels):
        if scores.shape[1] > 1:
            return np.mean(scores.argmax(axis=1) == labels)
        return np.mean(np.sign(scores[:, 0]) == labels)


@wrong(loses=["test-share_right", "test-share_right-hidden"], says="divided by n")
def counts_them():
    """How many, where it says which share."""

    def share_right(scores, labels):
        if scores.shape[1] > 1:
            return np.sum(scores.argmax(axis=1) == labels)
        return np.sum((scores[:, 0] > 0) == labels)


@wrong(loses=["test-share_right", "test-share_right-hidden"], says="argmax is for several columns")
def highest_of_one():
    """The highest score in every case, and the highest of a single one is always the first."""

    def share_right(scores, labels):
        return np.mean(scores.argmax(axis=1) == labels)


@wrong(loses=["test-share_right-hidden"], says="with two classes as with ten")
def first_column_of_two():
    """Two classes are a question of yes or no, so one column is looked at."""

    def share_right(scores, labels):
        if scores.shape[1] <= 2:
            return np.mean((scores[:, 0] > 0) == labels)
        return np.mean(scores.argmax(axis=1) == labels)


@wrong(
    loses=["test-share_right", "test-share_right-hidden"], says="whether they are above 0 or not"
)
def classes_above_zero():
    """The first class whose score is above 0: right where one is, and only one."""

    def share_right(scores, labels):
        if scores.shape[1] == 1:
            return np.mean((scores[:, 0] > 0) == labels)
        return np.mean((scores > 0).argmax(axis=1) == labels)


@wrong(loses=["test-share_right", "test-share_right-hidden"], says="you changed scores")
def rounds_the_callers_scores():
    """Scores become answers where they are, and they belong to the caller."""

    def share_right(scores, labels):
        if scores.shape[1] > 1:
            return np.mean(scores.argmax(axis=1) == labels)
        scores[scores > 0] = 1
        scores[scores <= 0] = 0
        return np.mean(scores[:, 0] == labels)


# Collapse -----------------------------------------------------------------------------------------


@wrong(
    loses=["test-collapse", "test-collapse-hidden"],
    says="multiplied in the order in which the layers stand",
)
def multiplies_backwards():
    """Right for columns of samples, where the last layer stands on the left."""

    def collapse(layers):
        W, b = layers[0]
        for W_next, b_next in layers[1:]:
            W, b = W_next @ W, b @ W_next + b_next
        return W, b


@wrong(
    loses=["test-collapse", "test-collapse-hidden"],
    says="the first bias passes through the second layer's weights",
)
def adds_the_biases():
    """Weights are multiplied, so biases are added."""

    def collapse(layers):
        W, b = layers[0]
        for W_next, b_next in layers[1:]:
            if len(b) != len(b_next):
                b = np.zeros(len(b_next))
            W, b = W @ W_next, b + b_next
        return W, b


@wrong(
    loses=["test-collapse", "test-collapse-hidden"],
    says="the second bias is added",
)
def multiplies_only():
    """The product of the matrices, with the last bias."""

    def collapse(layers):
        W, b = layers[0]
        for W_next, b_next in layers[1:]:
            W, b = W @ W_next, b_next
        return W, b


@wrong(loses=["test-collapse-hidden"], says="Absorb one layer after the other, all of them")
def first_and_last_only():
    """Two layers for certain: the ones between are skipped."""

    def collapse(layers):
        if len(layers) == 1:
            return layers[0]
        (W, b), (W_2, b_2) = layers[:2]
        return W @ W_2, b @ W_2 + b_2


@wrong(loses=["test-collapse", "test-collapse-hidden"], says="the first bias passes through")
def asks_without_taking_the_bias_away():
    """The unit vectors are sent through, and what they bring back still has the bias in it."""

    def collapse(layers):
        d = np.shape(layers[0][0])[0]

        def stack(X):
            for W, b in layers:
                X = X @ W + b
            return X

        return stack(np.eye(d)) - stack(np.zeros((1, d))), np.zeros(np.shape(layers[-1][1]))


@wrong(loses=["test-collapse", "test-collapse-hidden"], says="you changed layers")
def adds_to_the_next_bias():
    """Right numbers, added up in a bias that belongs to the network."""

    def collapse(layers):
        W, b = layers[0]
        for W_next, b_next in layers[1:]:
            b_next += b @ W_next
            W, b = W @ W_next, b_next
        return W, b


@wrong(loses=["test-collapse-hidden"], says="the fractions are lost")
def room_of_the_first_layers_kind():
    """The result is made like the first weights, of integers if these are."""

    def collapse(layers):
        W, b = layers[0]
        kind = np.asarray(W).dtype
        for W_next, b_next in layers[1:]:
            W, b = W @ W_next, b @ W_next + b_next
        return np.array(W, dtype=kind), np.array(b, dtype=kind)


@wrong(loses=["test-collapse", "test-collapse-hidden"], says="[1]\n  came      shape (1, 2)")
def bias_as_a_row():
    """Zeros are sent through as a batch of one, and the bias comes out as a batch of one."""

    def collapse(layers):
        b = np.zeros((1, np.shape(layers[0][0])[0]))
        W = np.eye(b.shape[1])
        for W_next, b_next in layers:
            W, b = W @ W_next, b @ W_next + b_next
        return W, b


# Fold a line --------------------------------------------------------------------------------------


@wrong(
    loses=["test-tent", "test-tent-hidden"],
    says="must be -2 after it",
)
def takes_the_slope_away_once():
    """The second hinge cancels the first, and the roof is flat."""

    def tent(folds, peak=0.5):
        look = np.array([[1.0, 1.0]]), np.array([0.0, -peak])
        add = np.array([[1 / peak], [-1 / peak]]), np.array([0.0])
        again = add[0] @ look[0], add[1] @ look[0] + look[1]
        return [look] + (folds - 1) * [again] + [add]


@wrong(loses=["test-tent", "test-tent-hidden"], says="the shorter one is steeper")
def peak_in_the_middle():
    """The tent of the chapter, which has its peak in the middle."""

    def tent(folds, peak=0.5):
        look = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])
        add = np.array([[2.0], [-4.0]]), np.array([0.0])
        again = add[0] @ look[0], add[1] @ look[0] + look[1]
        return [look] + (folds - 1) * [again] + [add]


@wrong(loses=["test-tent", "test-tent-hidden"], says="the shorter one is steeper")
def falls_as_it_rises():
    """The peak is moved, and the way down has the slope of the way up."""

    def tent(folds, peak=0.5):
        look = np.array([[1.0, 1.0]]), np.array([0.0, -peak])
        add = np.array([[1 / peak], [-2 / peak]]), np.array([0.0])
        again = add[0] @ look[0], add[1] @ look[0] + look[1]
        return [look] + (folds - 1) * [again] + [add]


@wrong(loses=["test-tent-hidden"], says="in every fold")
def moves_the_first_peak():
    """The argument reaches the first and the last layer; those between fold in the middle."""

    def tent(folds, peak=0.5):
        look = np.array([[1.0, 1.0]]), np.array([0.0, -peak])
        add = np.array([[1 / peak], [-1 / peak - 1 / (1 - peak)]]), np.array([0.0])
        again = np.array([[2.0, 2.0], [-4.0, -4.0]]), np.array([0.0, -0.5])
        return [look] + (folds - 1) * [again] + [add]


@wrong(
    loses=["test-tent-hidden"],
    says="A wide layer can make the same curve",
)
def one_wide_layer():
    """A hinge for each corner: right numbers, and as many units as pieces."""

    def tent(folds, peak=0.5):
        x = np.array([0.0, 1.0])
        for _ in range(folds):
            x = np.union1d(x * peak, 1 - x * (1 - peak))
        if folds == 1:
            x = np.array([0.0, peak, 1.0])
        slopes = np.resize([1.0, -1.0], len(x) - 1) / np.diff(x)
        turns = np.diff(slopes, prepend=0.0)
        return [(np.ones((1, len(turns))), -x[:-1]), (turns[:, None], np.zeros(1))]


@wrong(
    loses=["test-tent", "test-tent-hidden"],
    says="One hidden layer (W of 1 row and 2 columns",
)
def folds_side_by_side():
    """One unit too many: a third hinge ends the tent at 1."""

    def tent(folds, peak=0.5):
        rise, fall = 1 / peak, 1 / (1 - peak)
        look = np.array([[1.0, 1.0, 1.0]]), np.array([0.0, -peak, -1.0])
        add = np.array([[rise], [-rise - fall], [fall]]), np.array([0.0])
        again = add[0] @ look[0], add[1] @ look[0] + look[1]
        return [look] + (folds - 1) * [again] + [add]


@wrong(loses=["test-tent-hidden"], says="Each hidden layer sees the tent before it")
def sees_only_one_unit():
    """The next layer looks at the first unit of the last and leaves the other out."""

    def tent(folds, peak=0.5):
        rise, fall = 1 / peak, 1 / (1 - peak)
        look = np.array([[1.0, 1.0]]), np.array([0.0, -peak])
        again = np.array([[rise, rise], [0.0, 0.0]]), np.array([0.0, -peak])
        add = np.array([[rise], [-rise - fall]]), np.array([0.0])
        return [look] + (folds - 1) * [again] + [add]


@wrong(loses=["test-tent-hidden"], says="As many hidden layers as folds")
def one_fold_too_many():
    """A fold is counted from the second layer on; one fold is taken care of by hand."""

    def tent(folds, peak=0.5):
        rise, fall = 1 / peak, 1 / (1 - peak)
        look = np.array([[1.0, 1.0]]), np.array([0.0, -peak])
        add = np.array([[rise], [-rise - fall]]), np.array([0.0])
        again = add[0] @ look[0], add[1] @ look[0] + look[1]
        return [look] + (0 if folds == 1 else folds) * [again] + [add]


# Fold a sheet -------------------------------------------------------------------------------------


@wrong(loses=["test-fold", "test-fold-hidden"], says="q stays as it is, negative or not")
def folds_twice():
    """Both numbers lose their sign: two folds, and the sheet is a quarter."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v, -v]), np.zeros(4)
        return [take, (np.stack([u, u, v, v]), np.zeros(2))]


@wrong(loses=["test-fold", "test-fold-hidden"], says="what one of them drops, the other one keeps")
def loses_half_of_the_line():
    """One unit for the number along the line, and its negative half is gone."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v]), np.zeros(3)
        return [take, (np.stack([u, u, v]), np.zeros(2))]


@wrong(loses=["test-fold", "test-fold-hidden"], says="|p| is relu(p) + relu(-p)")
def cuts_instead_of_folding():
    """relu(p) for |p|: the other side is pressed flat onto the line."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, v, -v]), np.zeros(3)
        return [take, (np.stack([u, v, -v]), np.zeros(2))]


@wrong(loses=["test-fold-hidden"], says="The absolute value belongs to p, the distance along u")
def folds_along_an_axis():
    """Right for the arrow (1, 0), and whatever the arrow is."""

    def fold(u):
        take = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]), np.zeros(4)
        return [take, (np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), np.zeros(2))]


@wrong(loses=["test-fold", "test-fold-hidden"], says="|p| is relu(p) + relu(-p)")
def takes_apart_and_puts_together():
    """relu(p) - relu(-p) is p again, and the sheet lies as flat as before."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v, -v]), np.zeros(4)
        return [take, (np.stack([u, -u, v, -v]), np.zeros(2))]


@wrong(loses=["test-fold-hidden"], says="and turn back")
def does_not_turn_back():
    """Distances along u and v are returned as if they were the coordinates."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v, -v]), np.zeros(4)
        return [take, (np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), np.zeros(2))]


@wrong(loses=["test-fold", "test-fold-hidden"], says="does so for near points only")
def lifted_through_relu():
    """A large bias carries q through ReLU and is taken off behind it: where q is not larger."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v]), np.array([0.0, 0.0, 1000.0])
        return [take, (np.stack([u, u, v]), -1000.0 * v)]


@wrong(loses=["test-fold-hidden"], says="and rounds the others away")
def lifted_very_high():
    """A bias of 1e15 is above every point of the test, and above the digits of a double."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v]), np.array([0.0, 0.0, 1e15])
        return [take, (np.stack([u, u, v]), -1e15 * v)]


@wrong(loses=["test-fold", "test-fold-hidden"], says="you changed u")
def turns_the_callers_arrow():
    """The arrow is turned to v where it is, once it has been used."""

    def fold(u):
        take, put = [u.copy(), -u], [u.copy(), u.copy()]
        u[0], u[1] = -u[1], u[0]
        return [
            (np.column_stack([*take, u, -u]), np.zeros(4)),
            (np.stack([*put, u, -u]), np.zeros(2)),
        ]


# Right, and unusual -------------------------------------------------------------------------------


@right
def one_number_at_a_time():
    """Loops and Python's own numbers."""

    def one_row(x, W, b):
        said = []
        for j in range(len(b)):
            z = float(b[j])
            for i in range(len(x)):
                z += float(x[i]) * float(W[i][j])
            said.append(z)
        return said

    def linear(X, W, b, transposed=False):
        W = [list(column) for column in zip(*W)] if transposed else W
        if X.ndim == 1:
            return np.array(one_row(X, W, b))
        return np.array([one_row(x, W, b) for x in X])

    def layer_table(widths, n):
        table = []
        for i in range(1, len(widths)):
            parameters = 0
            for _neuron in range(widths[i]):
                parameters += widths[i - 1] + 1
            table.append([n, widths[i], parameters])
        return table

    def share_right(scores, labels):
        right = 0
        for row, label in zip(scores.tolist(), labels.tolist()):
            if len(row) == 1:
                right += (1 if row[0] > 0 else 0) == label
            else:
                right += row.index(max(row)) == label
        return right / len(labels)


@right
def with_pytorch():
    """PyTorch inside, and tensors come out."""

    import torch

    def linear(X, W, b, transposed=False):
        X, W, b = (torch.tensor(np.asarray(part), dtype=torch.float64) for part in (X, W, b))
        return torch.nn.functional.linear(X, W if transposed else W.T, b)

    def forward(X, layers, activation=relu):
        seen = [np.array(X)]
        for i, (W, b) in enumerate(layers[:-1]):
            f = activation if callable(activation) else activation[i]
            seen.append(np.asarray(f(np.asarray(linear(seen[-1], W, b)))))
        return tuple(torch.tensor(A) for A in seen) + (linear(seen[-1], *layers[-1]),)

    def share_right(scores, labels):
        scores, labels = torch.tensor(scores), torch.tensor(labels)
        if scores.shape[1] == 1:
            return ((scores.squeeze(1) > 0) == labels.bool()).double().mean()
        return (scores.argmax(dim=1) == labels).double().mean()

    def layer_table(widths, n):
        table = []
        for i in range(1, len(widths)):
            layer = torch.nn.Linear(widths[i - 1], widths[i], device="meta")
            table.append((n, widths[i], sum(p.numel() for p in layer.parameters())))
        return np.array(table)


@right
def bias_as_a_weight():
    """A 1 is appended to each sample, and the bias is the last row of the weights."""

    def with_bias(W, b):
        return np.concatenate([W, np.reshape(b, (1, -1))])

    def linear(X, W, b, transposed=False):
        W = np.swapaxes(W, 0, 1) if transposed else W
        ones = np.ones((*X.shape[:-1], 1))
        return np.concatenate([X, ones], axis=-1) @ with_bias(W, b)

    def collapse(layers):
        M = np.eye(np.shape(layers[0][0])[0] + 1)
        for W, b in layers:
            step = np.zeros((W.shape[0] + 1, W.shape[1] + 1))
            step[:, :-1], step[-1, -1] = with_bias(W, b), 1.0
            M = M @ step
        return M[:-1, :-1], M[-1, :-1]


@right
def asks_the_stack():
    """Zeros bring out the bias, and unit vectors the weights, as in the chapter."""

    def collapse(layers):
        def same(Z):
            return Z

        d = np.shape(layers[0][0])[0]
        b = forward(np.zeros((1, d)), layers, activation=same)[-1][0]
        return forward(np.eye(d), layers, activation=same)[-1] - b, b


@right
def forward_by_recursion():
    """A network is its first layer and a network; a list of layers is a tree of calls."""

    def forward(X, layers, activation=relu):
        first, *others = layers
        Z = linear(X, *first)
        if not others:
            return [X, Z]
        if callable(activation):
            return [X, *forward(activation(Z), others, activation)]
        now, *later = activation
        return [X, *forward(now(Z), others, later)]

    def collapse(layers):
        *others, (W, b) = layers
        if not others:
            return np.array(W), np.array(b)
        W_before, b_before = collapse(others)
        return W_before @ W, b_before @ W + b


@right
def roof_from_the_peak():
    """1 - relu(x - peak) / (1 - peak) - relu(peak - x) / peak: both hinges stand at the peak."""

    def tent(folds, peak=0.5):
        look = np.array([[1.0, -1.0]]), np.array([-peak, peak])
        add = np.array([[-1 / (1 - peak)], [-1 / peak]]), np.array([1.0])
        layers = [look]
        for _ in range(folds - 1):
            layers.append((add[0] @ look[0], add[1] @ look[0] + look[1]))
        return (*layers, add)


@right
def scaled_hinges_and_lists():
    """The slopes stand inside the hinges, and lists stand for arrays."""

    def tent(folds, peak=0.5):
        a, c = 1 / peak, 1 / peak + 1 / (1 - peak)
        middle = [([[a, c], [-a, -c]], [0.0, -peak * c]) for _ in range(folds - 1)]
        return [[[[a, c]], [0.0, -peak * c]], *middle, [[[1.0], [-1.0]], [0.0]]]


@right
def folds_an_axis_and_collapses():
    """Turn, fold along the first axis, turn back: four maps, of which `collapse` makes two."""

    def fold(u):
        turn = np.array([[u[0], -u[1]], [u[1], u[0]]])  # to u and v
        pairs = np.kron(np.eye(2), [1.0, -1.0])  # p, -p, q, -q
        back = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        first = collapse([(turn, np.zeros(2)), (pairs, np.zeros(4))])
        return [first, collapse([(back, np.zeros(2)), (turn.T, np.zeros(2))])]

    def tent(folds, peak=0.5):
        look = np.ones((1, 2)), np.array([0.0, -peak])
        add = np.array([[1 / peak], [-1 / (peak * (1 - peak))]]), np.zeros(1)
        if folds == 1:
            return [look, add]
        *before, last = tent(folds - 1, peak)
        return [*before, collapse([last, look]), add]


@right
def reflection_by_a_single_unit():
    """x + 2 relu(-x . u) u: five units, of which four only pass x on."""

    def fold(u):
        take = np.column_stack([np.eye(2), -np.eye(2), -u]), np.zeros(5)
        return take, (np.concatenate([np.eye(2), -np.eye(2), [2 * u]]), np.zeros(2))


@right
def warns_on_the_way():
    """Divisions by 0 and logarithms of 0 whose results are not used: NumPy warns."""

    def share_right(scores, labels):
        signs = np.where(scores[:, 0] == 0, 0.0, scores[:, 0] / np.abs(scores[:, 0]))
        if scores.shape[1] > 1:
            exact = np.exp(scores - scores.max(axis=1, keepdims=True)).astype(float)
            return np.mean(np.log(np.floor(exact)).argmax(axis=1) == labels)
        return np.mean((signs == 1) == labels)

    def fold(u):
        slope = np.float64(u[1]) / np.float64(u[0])
        angle = np.where(u[0] == 0, np.sign(u[1]) * np.pi / 2, np.arctan(slope))
        angle = angle + np.pi * (u[0] < 0)
        u, v = [np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]
        U = np.array([u, v])
        pairs = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
        return [(U.T @ pairs, np.zeros(4)), (np.array([u, u, v, np.negative(v)]), np.zeros(2))]


@right
def with_other_names_and_progress():
    """Parameters by other names, and a progress bar, which is written to stderr."""

    def linear(batch, weight, bias, transposed=False):
        return np.add(np.dot(batch, weight.transpose() if transposed else weight), bias)

    def layer_table(sizes, batch_size):
        before, table = sizes[0], []
        for wide in sizes[1:]:
            table.append((batch_size, wide, (before + 1) * wide))
            before = wide
        return table

    def forward(inputs, net, activation=relu):
        import sys

        if callable(activation):
            activation = [activation for _ in net[1:]]
        outputs = [inputs]
        for k in range(len(net)):
            print(f"layer {k} of {len(net)}", end="\r", file=sys.stderr)
            Z = linear(outputs[-1], net[k][0], net[k][1])
            outputs += [Z if k + 1 == len(net) else activation[k](Z)]
        return outputs

    def collapse(net):
        from functools import reduce

        return reduce(lambda A, B: (A[0] @ B[0], A[1] @ B[0] + B[1]), net)

    def share_right(logits, y):
        column = logits.shape[1] == 1
        return float(((logits > 0).ravel() if column else np.argmax(logits, 1)).__eq__(y).mean())


@right
def sums_instead_of_products():
    """Broadcasting and sums, and a fold that is the reflection of half the plane."""

    def linear(X, W, b, transposed=False):
        W = W.T if transposed else W
        return (X[..., :, None] * W).sum(axis=-2) + b

    def collapse(layers):
        stack = list(layers)
        while len(stack) > 1:
            W_2, b_2 = stack.pop()
            W_1, b_1 = stack.pop()
            stack.append((linear(W_1, W_2, np.zeros(len(b_2))), linear(b_1, W_2, b_2)))
        return stack[0]

    def share_right(scores, labels):
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        return 1 - np.count_nonzero(scores.argmax(axis=1) - labels) / len(labels)

    def fold(u):
        same = np.array([[1.0, -1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0, 0.0]])
        same[:, 4] = -u
        back = np.zeros((5, 2))
        back[:4] = same[:, :4].T
        back[4] = 2.0 * u
        return [(same, np.zeros(5)), (back, np.zeros(2))]
