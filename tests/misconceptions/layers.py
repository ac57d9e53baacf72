"""Wrong and unusual answers to the exercise `layers`."""

import numpy as np

from course_lib.exercises.answers import right, wrong

# A layer ------------------------------------------------------------------------------------------


@wrong(loses=["test-linear", "test-linear-hidden"], says="W @ X has the right shape too")
def weights_first():
    """W x, as most books write it, with the rows of this book."""

    def linear(X, W, b):
        return W @ X + b


@wrong(loses=["test-linear", "test-linear-hidden"], says="so has a bias for each row")
def bias_for_each_row():
    """The bias is stood up, so that it runs down the batch."""

    def linear(X, W, b):
        return X @ W + b.reshape(-1, 1)


@wrong(loses=["test-linear", "test-linear-hidden"], says="first column of W")
def transposed_as_in_pytorch():
    """x @ weight.T is PyTorch's formula, for PyTorch's weights."""

    def linear(X, W, b):
        return X @ W.T + b


@wrong(loses=["test-linear", "test-linear-hidden"], says="The second has the bias 0.5")
def bias_forgotten():
    """The product is the layer, and b is never read."""

    def linear(X, W, b):
        return X @ W


@wrong(loses=["test-linear-hidden"], says="A single sample has shape (d_in,)")
def batches_only():
    """Loops over rows, and a single sample falls apart into its inputs."""

    def linear(X, W, b):
        rows = []
        for i in range(X.shape[0]):
            rows.append(np.atleast_1d(X[i]) @ W + b if X.ndim == 2 else X[i] * W[i] + b)
        return np.array(rows)


@wrong(loses=["test-linear-hidden"], says="write Z = Z + b for Z += b")
def adds_in_place():
    """The product of whole numbers is an array of whole numbers, and a bias of 0.5 has no place."""

    def linear(X, W, b):
        Z = X @ W
        Z += b
        return Z


@wrong(loses=["test-linear-hidden"], says="A single sample has shape (d_in,)")
def one_row_at_a_time():
    """A single sample has rows too: its numbers, which cannot be multiplied by a matrix."""

    def linear(X, W, b):
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


@wrong(loses=["test-layer_table", "test-layer_table-hidden"], says="one bias a neuron")
def biases_not_counted():
    """Weights alone."""

    def layer_table(widths, n):
        sizes = [(widths[i], widths[i + 1]) for i in range(len(widths) - 1)]
        return [(n, c, a * c) for a, c in sizes]


@wrong(loses=["test-layer_table", "test-layer_table-hidden"], says="one bias a neuron")
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


@wrong(loses=["test-layer_table-hidden"], says="leave it as it was")
def uses_up_the_plan():
    """The widths are taken from the list one by one, and it is somebody else's list."""

    def layer_table(widths, n):
        table = []
        while len(widths) > 1:
            d_in = widths.pop(0)
            table.append((n, widths[0], (d_in + 1) * widths[0]))
        return table


# A network ----------------------------------------------------------------------------------------


@wrong(loses=["test-forward", "test-forward-hidden"], says="The output is not bent")
def bends_the_output():
    """The same step for every layer, and the scores lose their sign."""

    def forward(X, layers, bend=relu):
        seen = [X]
        for W, b in layers:
            seen.append(bend(linear(seen[-1], W, b)))
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="no number in it is negative")
def never_bends():
    """Layer after layer with nothing between."""

    def forward(X, layers, bend=relu):
        seen = [X]
        for W, b in layers:
            seen.append(linear(seen[-1], W, b))
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="what the next layer is fed with")
def keeps_pre_activations():
    """The bend is done on the way into the next layer, and what is kept is not bent."""

    def forward(X, layers, bend=relu):
        seen = [X, linear(X, *layers[0])]
        for W, b in layers[1:]:
            seen.append(linear(bend(seen[-1]), W, b))
        return seen


@wrong(loses=["test-forward", "test-forward-hidden"], says="one more than layers")
def returns_without_the_input():
    """What the layers say, and the input is no layer."""

    def forward(X, layers, bend=relu):
        seen, A = [], X
        for i, (W, b) in enumerate(layers):
            A = linear(A, W, b)
            if i < len(layers) - 1:
                A = bend(A)
            seen.append(A)
        return seen


@wrong(loses=["test-forward-hidden"], says="Call bend, whatever it is")
def always_relu():
    """The argument is there and never used."""

    def forward(X, layers, bend=relu):
        seen = [X]
        for i, (W, b) in enumerate(layers):
            Z = seen[-1] @ W + b
            seen.append(np.maximum(Z, 0) if i < len(layers) - 1 else Z)
        return seen


@wrong(loses=["test-forward-hidden"], says="A network of one layer has no bend at all")
def two_layers_for_certain():
    """Written for one hidden layer: the first layer is always bent."""

    def forward(X, layers, bend=relu):
        seen = [X, bend(linear(X, *layers[0]))]
        for i, (W, b) in enumerate(layers[1:]):
            Z = linear(seen[-1], W, b)
            seen.append(Z if i == len(layers) - 2 else bend(Z))
        return seen


@wrong(loses=["test-forward-hidden"], says="take no layer out of the list")
def uses_up_the_layers():
    """Each layer is taken from the list when its turn comes, and the network is gone."""

    def forward(X, layers, bend=relu):
        seen = [X]
        while len(layers) > 1:
            seen.append(bend(linear(seen[-1], *layers.pop(0))))
        return [*seen, linear(seen[-1], *layers[0])]


# How many are right -------------------------------------------------------------------------------


@wrong(
    loses=["test-share_right", "test-share_right-hidden"],
    says="every score was compared with every label",
)
def column_against_row():
    """(n, 1) == (n,) is stretched to (n, n)."""

    def share_right(scores, labels):
        return np.mean((scores > 0) == labels)


@wrong(
    loses=["test-share_right", "test-share_right-hidden"],
    says="0.2 is above 0",
)
def scores_taken_for_probabilities():
    """A threshold of one half, which is for probabilities."""

    def share_right(scores, labels):
        return np.mean((scores.ravel() > 0.5) == labels)


@wrong(loses=["test-share_right-hidden"], says="A score of exactly 0 is not above 0")
def yes_at_zero():
    """>= for >."""

    def share_right(scores, labels):
        return np.mean((scores.ravel() >= 0) == labels)


@wrong(
    loses=["test-share_right", "test-share_right-hidden"],
    says="a row of scores is an array of length 1",
)
def one_row_against_a_label():
    """Looping over a column gives arrays of length 1, and so does adding them up."""

    def share_right(scores, labels):
        agreed = 0
        for score, label in zip(scores, labels, strict=True):
            agreed += (score > 0) == label
        return agreed / len(labels)


@wrong(loses=["test-share_right", "test-share_right-hidden"], says="-1 is not, which is class 0")
def sign_for_a_class():
    """The sign is -1 or 1, and a label is 0 or 1."""

    def share_right(scores, labels):
        return np.mean(np.sign(scores[:, 0]) == labels)


@wrong(loses=["test-share_right", "test-share_right-hidden"], says="divided by n")
def counts_them():
    """How many, where it says which share."""

    def share_right(scores, labels):
        return np.sum((scores[:, 0] > 0) == labels)


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


@wrong(loses=["test-collapse-hidden"], says="+= changes the array on its left")
def adds_to_the_next_bias():
    """Right numbers, added up in a bias that belongs to the network."""

    def collapse(layers):
        W, b = layers[0]
        for W_next, b_next in layers[1:]:
            b_next += b @ W_next
            W, b = W @ W_next, b_next
        return W, b


# Fold a line --------------------------------------------------------------------------------------


@wrong(
    loses=["test-tent", "test-tent-hidden"],
    says="Behind the middle the slope must be -2",
)
def takes_the_slope_away_once():
    """The second hinge cancels the first, and the roof is flat."""

    def tent(folds):
        look = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])
        add = np.array([[2.0], [-2.0]]), np.array([0.0])
        again = add[0] @ look[0], add[1] @ look[0] + look[1]
        return [look] + (folds - 1) * [again] + [add]


@wrong(
    loses=["test-tent-hidden"],
    says="A wide layer can make the same curve",
)
def one_wide_layer():
    """A hinge for each corner: right numbers, and as many units as pieces."""

    def tent(folds):
        pieces = 2**folds
        places = np.arange(pieces) / pieces
        turns = np.append(1.0, np.resize([-2.0, 2.0], pieces - 1)) * pieces
        return [(np.ones((1, pieces)), -places), (turns[:, None], np.zeros(1))]


@wrong(
    loses=["test-tent", "test-tent-hidden"],
    says="One hidden layer of two units, then an output layer",
)
def folds_side_by_side():
    """One unit too many: x itself is handed on as well."""

    def tent(folds):
        look = np.array([[1.0, 1.0, 1.0]]), np.array([0.0, -0.5, -1.0])
        add = np.array([[2.0], [-4.0], [2.0]]), np.array([0.0])
        again = add[0] @ look[0], add[1] @ look[0] + look[1]
        return [look] + (folds - 1) * [again] + [add]


@wrong(loses=["test-tent-hidden"], says="Each hidden layer sees the tent before it")
def sees_only_one_unit():
    """The next layer looks at the first unit of the last and leaves the other out."""

    def tent(folds):
        look = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])
        again = np.array([[2.0, 2.0], [0.0, 0.0]]), np.array([0.0, -0.5])
        add = np.array([[2.0], [-4.0]]), np.array([0.0])
        return [look] + (folds - 1) * [again] + [add]


@wrong(loses=["test-tent-hidden"], says="As many hidden layers as folds")
def one_fold_too_many():
    """A fold is counted from the second layer on; one fold is taken care of by hand."""

    def tent(folds):
        look = np.array([[1.0, 1.0]]), np.array([0.0, -0.5])
        again = np.array([[2.0, 2.0], [-4.0, -4.0]]), np.array([0.0, -0.5])
        add = np.array([[2.0], [-4.0]]), np.array([0.0])
        return [look] + (0 if folds == 1 else folds) * [again] + [add]


# Fold a sheet -------------------------------------------------------------------------------------


@wrong(loses=["test-fold", "test-fold-hidden"], says="q stays as it is, negative or not")
def folds_twice():
    """Both numbers lose their sign: two folds, and the sheet is a quarter."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v, -v]), np.zeros(4)
        return [take, (np.stack([u, u, v, v]), np.zeros(2))]


@wrong(loses=["test-fold", "test-fold-hidden"], says="A number q gets through ReLU as")
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

    def linear(X, W, b):
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
        for i in range(len(labels)):
            right += (1 if scores[i][0] > 0 else 0) == labels[i]
        return right / len(labels)


@right
def with_pytorch():
    """PyTorch inside, and tensors come out."""

    import torch

    def linear(X, W, b):
        X, W, b = (torch.tensor(np.asarray(part), dtype=torch.float64) for part in (X, W, b))
        return torch.nn.functional.linear(X, W.T, b)

    def forward(X, layers, bend=relu):
        seen = [np.array(X)]
        for W, b in layers[:-1]:
            seen.append(np.asarray(bend(np.asarray(linear(seen[-1], W, b)))))
        return tuple(torch.tensor(A) for A in seen) + (linear(seen[-1], *layers[-1]),)

    def share_right(scores, labels):
        yes = torch.tensor(scores).squeeze(1) > 0
        return (yes == torch.tensor(labels).bool()).double().mean()

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

    def linear(X, W, b):
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
        b = forward(np.zeros((1, d)), layers, bend=same)[-1][0]
        return forward(np.eye(d), layers, bend=same)[-1] - b, b


@right
def forward_by_recursion():
    """A network is its first layer and a network; a list of layers is a tree of calls."""

    def forward(X, layers, bend=relu):
        first, *others = layers
        Z = linear(X, *first)
        if not others:
            return [X, Z]
        return [X, *forward(bend(Z), others, bend)]

    def collapse(layers):
        *others, (W, b) = layers
        if not others:
            return np.array(W), np.array(b)
        W_before, b_before = collapse(others)
        return W_before @ W, b_before @ W + b


@right
def roof_from_the_middle():
    """1 - 2 relu(x - 1/2) - 2 relu(1/2 - x): both hinges stand in the middle."""

    def tent(folds):
        look = np.array([[1.0, -1.0]]), np.array([-0.5, 0.5])
        add = np.array([[-2.0], [-2.0]]), np.array([1.0])
        layers = [look]
        for _ in range(folds - 1):
            layers.append((add[0] @ look[0], add[1] @ look[0] + look[1]))
        return (*layers, add)


@right
def scaled_hinges_and_lists():
    """The factors 2 and 4 stand inside the hinges, and lists stand for arrays."""

    def tent(folds):
        again = [[2.0, 4.0], [-2.0, -4.0]], [0.0, -2.0]
        middle = [([[2.0, 4.0], [-1.0 * 2, -1.0 * 4]], again[1]) for _ in range(folds - 1)]
        return [[[[2.0, 4.0]], [0.0, -2.0]], *middle, [[[1.0], [-1.0]], [0.0]]]


@right
def folds_an_axis_and_collapses():
    """Turn, fold along the first axis, turn back: four maps, of which `collapse` makes two."""

    def fold(u):
        turn = np.array([[u[0], -u[1]], [u[1], u[0]]])  # to u and v
        pairs = np.kron(np.eye(2), [1.0, -1.0])  # p, -p, q, -q
        back = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        first = collapse([(turn, np.zeros(2)), (pairs, np.zeros(4))])
        return [first, collapse([(back, np.zeros(2)), (turn.T, np.zeros(2))])]

    def tent(folds):
        look = np.ones((1, 2)), np.array([0.0, -0.5])
        add = np.array([[2.0], [-4.0]]), np.zeros(1)
        if folds == 1:
            return [look, add]
        *before, last = tent(folds - 1)
        return [*before, collapse([last, look]), add]


@right
def reflection_by_a_single_unit():
    """x + 2 relu(-x . u) u: five units, of which four only pass x on."""

    def fold(u):
        take = np.column_stack([np.eye(2), -np.eye(2), -u]), np.zeros(5)
        return take, (np.concatenate([np.eye(2), -np.eye(2), [2 * u]]), np.zeros(2))


@right
def lifted_through_relu():
    """A large bias carries a number of either sign through ReLU, and is taken off behind it."""

    def fold(u):
        v = np.array([-u[1], u[0]])
        take = np.column_stack([u, -u, v]), np.array([0.0, 0.0, 1000.0])
        return [take, (np.stack([u, u, v]), -1000.0 * v)]
