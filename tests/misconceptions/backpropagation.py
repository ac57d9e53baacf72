"""Wrong and unusual answers to the exercise `backpropagation`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
    ("numerical_gradient", "whole numbers x"): "The text asks for x of float64.",
    (
        "relu_backward",
        "whole numbers grad",
    ): "Integer slopes pass or become 0: there is no fraction.",
}

# Measuring ----------------------------------------------------------------------------------------


@wrong(loses=["test-numerical_gradient-hidden"], says="only one side was measured")
def measures_one_side():
    """The definition of the derivative, taken word for word."""

    def numerical_gradient(loss, x, h=1e-5):
        slopes, here = np.zeros(x.shape), loss(x)
        for place in np.ndindex(x.shape):
            nudged = x.copy()
            nudged[place] += h
            slopes[place] = (loss(nudged) - here) / h
        return slopes


@wrong(
    loses=["test-numerical_gradient", "test-numerical_gradient-hidden"],
    says="divide by 2 * h, not by h",
)
def divides_by_h():
    """Both sides are nudged, and the distance between them forgotten."""

    def numerical_gradient(loss, x, h=1e-5):
        slopes = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            up, down = x.copy(), x.copy()
            up[place] += h
            down[place] -= h
            slopes[place] = (loss(up) - loss(down)) / h
        return slopes


@wrong(loses=["test-numerical_gradient-hidden"], says="Use np.ndindex(x.shape)")
def nudges_a_flat_copy():
    """x.reshape(-1) is a view in every example that one tries first."""

    def numerical_gradient(loss, x, h=1e-5):
        flat, slopes = x.reshape(-1), np.zeros(x.size)
        for i in range(x.size):
            kept = flat[i]
            flat[i] = kept + h
            up = loss(x)
            flat[i] = kept - h
            slopes[i] = (up - loss(x)) / (2 * h)
            flat[i] = kept
        return slopes.reshape(x.shape)


@wrong(loses=["test-numerical_gradient", "test-numerical_gradient-hidden"], says="you changed x")
def leaves_x_nudged():
    """The last nudge is never taken back."""

    def numerical_gradient(loss, x, h=1e-5):
        slopes = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            x[place] += h
            up = loss(x)
            x[place] -= 2 * h
            slopes[place] = (up - loss(x)) / (2 * h)
        return slopes


@wrong(loses=["test-numerical_gradient-hidden"], says="you changed x")
def nudges_up_down_and_up():
    """Adds and subtracts h, as one would on paper: 2 + h - 2h + h is nearly 2."""

    def numerical_gradient(loss, x, h=1e-5):
        slopes = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            x[place] += h
            up = loss(x)
            x[place] -= 2 * h
            down = loss(x)
            x[place] += h
            slopes[place] = (up - down) / (2 * h)
        return slopes


@wrong(
    loses=["test-numerical_gradient-hidden"],
    says="an entry must be back in its place before the next one is nudged",
)
def leaves_a_copy_nudged():
    """The caller's array is safe in a copy, which moves away from it entry by entry."""

    def numerical_gradient(loss, x, h=1e-5):
        nudged, slopes = x.copy(), np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            nudged[place] += h
            up = loss(nudged)
            nudged[place] -= 2 * h
            slopes[place] = (up - loss(nudged)) / (2 * h)
        return slopes


@wrong(loses=["test-numerical_gradient-hidden"], says="h is ignored")
def knows_the_best_h():
    """The chapter says 1e-5, and so does the code."""

    def numerical_gradient(loss, x, h=1e-5):
        slopes = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            up, down = x.copy(), x.copy()
            up[place] += 1e-5
            down[place] -= 1e-5
            slopes[place] = (loss(up) - loss(down)) / 2e-5
        return slopes


@wrong(loses=["test-numerical_gradient-hidden"], says="raised TypeError")
def counts_along_the_first_axis():
    """len(x) for x.size: right for vectors, and a number has no length."""

    def numerical_gradient(loss, x, h=1e-5):
        x = x.copy()
        slopes = np.zeros(x.shape)
        for row in range(len(x)):
            for place in np.ndindex(x.shape[1:]):
                kept = x[(row, *place)]
                x[(row, *place)] = kept + h
                up = loss(x)
                x[(row, *place)] = kept - h
                slopes[(row, *place)] = (up - loss(x)) / (2 * h)
                x[(row, *place)] = kept
        return slopes


# Copies -------------------------------------------------------------------------------------------


@wrong(
    loses=["test-undo_broadcasting", "test-undo_broadcasting-hidden"],
    says="A mean would be a sum over the copies, divided by a number that nobody asked for",
)
def averages_the_copies():
    """A mean feels safer than a sum, since it does not grow with the batch."""

    def undo_broadcasting(grad, shape):
        grad = grad.mean(axis=tuple(range(grad.ndim - len(shape))))
        stretched = tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] > 1)
        return grad.mean(axis=stretched, keepdims=True) if stretched else grad


@wrong(
    loses=["test-undo_broadcasting", "test-undo_broadcasting-hidden"],
    says="The axis of length 1 was stretched to 3",
)
def sums_front_axes_only():
    """A bias is all that was thought of."""

    def undo_broadcasting(grad, shape):
        return grad.sum(axis=tuple(range(grad.ndim - len(shape))))


@wrong(
    loses=["test-undo_broadcasting", "test-undo_broadcasting-hidden"],
    says="keep it (keepdims=True)",
)
def drops_the_stretched_axis():
    """keepdims is forgotten: (2, 1) comes back as (2,)."""

    def undo_broadcasting(grad, shape):
        grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
        return grad.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1))


@wrong(loses=["test-undo_broadcasting-hidden"], says="axes of length 1 were stretched")
def undoes_one_axis_only():
    """The first axis of length 1 is found, and it may not be the only one."""

    def undo_broadcasting(grad, shape):
        grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
        return grad.sum(axis=shape.index(1), keepdims=True) if 1 in shape else grad


@wrong(loses=["test-undo_broadcasting-hidden"], says="axes were put in front")
def forgets_what_stands_in_front():
    """Sums every axis whose length differs, counted from the left."""

    def undo_broadcasting(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
            if grad.ndim == len(shape):
                return grad
        stretched = tuple(i for i, n in enumerate(shape) if n == 1)
        return grad.sum(axis=stretched, keepdims=True)


@wrong(loses=["test-undo_broadcasting-hidden"], says="you changed grad")
def gathers_in_the_first_row():
    """No new array: the rows in front are added into the first one, which is the caller's."""

    def undo_broadcasting(grad, shape):
        while grad.ndim > len(shape):
            if len(grad) < 2 or grad.ndim < 3:
                grad = grad.sum(axis=0)
                continue
            for row in grad[1:]:
                grad[0] += row
            grad = grad[0]
        stretched = tuple(i for i, n in enumerate(shape) if n == 1)
        return grad.sum(axis=stretched, keepdims=True)


# Sums, products, matrices -------------------------------------------------------------------------


@wrong(
    loses=["test-add_backward", "test-add-mul-hidden"],
    says="its gradient is the sum over the rows and has the shape of b",
)
def add_without_undoing():
    """A sum passes slopes on, and the copies are forgotten."""

    def add_backward(grad, a, b):
        return grad, grad


@wrong(loses=["test-add-mul-hidden"], says="add up the slopes of the copies")
def mul_without_undoing():
    """Right as long as the shapes are equal."""

    def mul_backward(grad, a, b):
        return grad * b, grad * a


@wrong(
    loses=["test-mul_backward", "test-add-mul-hidden"],
    says="Each factor's slope is the OTHER factor",
)
def mul_by_its_own_factor():
    """a for a and b for b looks tidier."""

    def mul_backward(grad, a, b):
        return undo_broadcasting(grad * a, a.shape), undo_broadcasting(grad * b, b.shape)


@wrong(loses=["test-mul_backward", "test-add-mul-hidden"], says="you changed grad")
def mul_in_place():
    """The second product is kept in the array of slopes, which somebody else still reads."""

    def mul_backward(grad, a, b):
        grad_a = grad * b
        if grad.shape == a.shape:
            grad *= a
        else:
            grad = grad * a
        return undo_broadcasting(grad_a, a.shape), undo_broadcasting(grad, b.shape)


@wrong(loses=["test-add-mul-hidden"], says="multiply first, in the large shape")
def mul_undoes_too_early():
    """Adds up the slopes of the copies before the other factor has told them apart."""

    def mul_backward(grad, a, b):
        return undo_broadcasting(grad, a.shape) * b, undo_broadcasting(grad, b.shape) * a


@wrong(
    loses=[
        "test-matmul_backward",
        "test-matmul_backward-hidden",
        "test-matmul_backward-stacks-hidden",
    ],
    says="a transposed @ grad, in this order",
)
def matmul_wrong_transpose():
    """grad.T @ a has the right shape when the matrix is square."""

    def matmul_backward(grad, a, b):
        grad_a = grad @ b.swapaxes(-1, -2)
        grad_b = grad.swapaxes(-1, -2) @ a
        return grad_a, grad_b


@wrong(loses=["test-matmul_backward-hidden"], says="With square matrices every wrong transpose")
def matmul_chosen_by_shape():
    """Tries products until the shapes fit, which proves nothing for square matrices."""

    def matmul_backward(grad, a, b):
        if grad.ndim == 2 and a.ndim == 2 and a.shape == b.shape == grad.shape != (1, 1):
            return grad @ b, a @ grad
        grad_a = grad @ b.swapaxes(-1, -2)
        grad_b = a.swapaxes(-1, -2) @ grad
        return undo_broadcasting(grad_a, a.shape), undo_broadcasting(grad_b, b.shape)


@wrong(loses=["test-matmul_backward-stacks-hidden"], says=".T turns all axes around")
def matmul_transposes_the_stack():
    """.T is the transpose, as long as there are two axes."""

    def matmul_backward(grad, a, b):
        return undo_broadcasting(grad @ b.T, a.shape), undo_broadcasting(a.T @ grad, b.shape)


@wrong(loses=["test-matmul_backward-stacks-hidden"], says="its slopes add up")
def matmul_keeps_the_copies():
    """A weight that multiplied a stack gets a gradient for each layer of it."""

    def matmul_backward(grad, a, b):
        return grad @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ grad


@wrong(loses=["test-add-mul-hidden"], says="zeros_like(a) would make an array of integers")
def mul_written_into_integers():
    """The gradient is written into an array like the operand, of its dtype too."""

    def mul_backward(grad, a, b):
        grad_a, grad_b = np.zeros_like(a), np.zeros_like(b)
        grad_a[...] = undo_broadcasting(grad * b, a.shape)
        grad_b[...] = undo_broadcasting(grad * a, b.shape)
        return grad_a, grad_b


@wrong(loses=["test-matmul_backward-hidden"], says="zeros_like(a) would make an array of integers")
def matmul_written_into_integers():
    """The same with matrices."""

    def matmul_backward(grad, a, b):
        grad_a, grad_b = np.zeros_like(a), np.zeros_like(b)
        grad_a[...] = undo_broadcasting(grad @ b.swapaxes(-1, -2), a.shape)
        grad_b[...] = undo_broadcasting(a.swapaxes(-1, -2) @ grad, b.shape)
        return grad_a, grad_b


@wrong(loses=["test-matmul_backward-stacks-hidden"], says="raised ValueError: ")
def matmul_by_einsum_of_two():
    """Letters for two axes, and a stack has three."""

    def matmul_backward(grad, a, b):
        return np.einsum("ik,jk->ij", grad, b), np.einsum("ij,ik->jk", a, grad)


# ReLU and cross-entropy ---------------------------------------------------------------------------


@wrong(
    loses=["test-relu_backward", "test-relu_backward-hidden"],
    says="It is the sign of z, what went in, that decides",
)
def relu_of_the_slopes():
    """The function itself is applied on the way back, to what comes back."""

    def relu_backward(grad, z):
        return np.maximum(grad, 0)


@wrong(loses=["test-relu_backward", "test-relu_backward-hidden"], says="it is 0, also at exactly 0")
def relu_open_at_zero():
    """>= for >."""

    def relu_backward(grad, z):
        return grad * (z >= 0)


@wrong(loses=["test-relu_backward", "test-relu_backward-hidden"], says="you changed grad")
def relu_in_place():
    """A mask saves a product and costs the caller the slopes."""

    def relu_backward(grad, z):
        grad[z <= 0] = 0
        return grad


@wrong(
    loses=["test-cross_entropy_backward", "test-cross_entropy_backward-hidden"],
    says="divided by n = 2",
)
def cross_entropy_summed():
    """The mean is forgotten: the learning rate grows with the batch."""

    def cross_entropy_backward(logits, labels):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(labels)), labels] -= 1
        return p


@wrong(
    loses=["test-cross_entropy_backward", "test-cross_entropy_backward-hidden"],
    says="not over all n * k numbers",
)
def cross_entropy_mean_over_everything():
    """.size counts classes as samples."""

    def cross_entropy_backward(logits, labels):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return (p - np.eye(logits.shape[1])[labels]) / logits.size


@wrong(
    loses=["test-cross_entropy_backward", "test-cross_entropy_backward-hidden"],
    says="With the signs exchanged it would lead uphill",
)
def cross_entropy_uphill():
    """What is true minus what was believed."""

    def cross_entropy_backward(logits, labels):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return (np.eye(logits.shape[1])[labels] - p) / len(labels)


@wrong(
    loses=["test-cross_entropy_backward-hidden"],
    says="Subtract the largest logit of each row first",
)
def cross_entropy_overflows():
    """The formula as it stands on paper."""

    def cross_entropy_backward(logits, labels):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return (p - np.eye(logits.shape[1])[labels]) / len(labels)


@wrong(loses=["test-cross_entropy_backward-hidden"], says="of its own row and not of all")
def cross_entropy_one_largest_for_all():
    """Nothing overflows, but a row far below the largest of all rows is 0 / 0."""

    def cross_entropy_backward(logits, labels):
        e = np.exp(logits - logits.max())
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(labels)), labels] -= 1
        return p / len(labels)


@wrong(
    loses=["test-cross_entropy_backward", "test-cross_entropy_backward-hidden"],
    says="you changed logits",
)
def cross_entropy_in_place():
    """Right slopes, and the logits are not what they were."""

    def cross_entropy_backward(logits, labels):
        logits -= logits.max(axis=1, keepdims=True)
        e = np.exp(logits)
        return (e / e.sum(axis=1, keepdims=True) - np.eye(logits.shape[1])[labels]) / len(labels)


@wrong(
    loses=["test-cross_entropy_backward", "test-cross_entropy_backward-hidden"],
    says="minus 1 at the right class",
)
def cross_entropy_every_label_in_every_row():
    """[:, labels] names whole columns: a class that is right anywhere is right everywhere."""

    def cross_entropy_backward(logits, labels):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        truth = np.zeros(logits.shape)
        truth[:, labels] = 1
        return (e / e.sum(axis=1, keepdims=True) - truth) / len(labels)


@wrong(loses=["test-relu_backward-hidden"], says="zeros_like(z) would make an array of integers")
def relu_written_into_integers():
    """The result looks like z, and z holds integers."""

    def relu_backward(grad, z):
        answer = np.zeros_like(z)
        answer[z > 0] = grad[z > 0]
        return answer


@wrong(
    loses=["test-cross_entropy_backward-hidden"],
    says="To NumPy the index -1 is the last class",
)
def cross_entropy_of_the_last_class():
    """-1 names the last class, as it names the last entry everywhere in Python."""

    def cross_entropy_backward(logits, labels):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(labels)), labels] -= 1
        return p / len(labels)


@wrong(
    loses=["test-cross_entropy_backward-hidden"],
    says="n counts the samples that have one",
)
def cross_entropy_mean_over_the_unlabeled():
    """Their slopes are 0, and they are counted all the same."""

    def cross_entropy_backward(logits, labels):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(labels)), labels] -= 1
        p[labels < 0] = 0
        return p / len(labels)


@wrong(loses=["test-cross_entropy_backward-hidden"], says="you changed labels")
def cross_entropy_cleans_the_labels():
    """Missing labels become class 0 first, in the caller's array."""

    def cross_entropy_backward(logits, labels):
        known = labels >= 0
        labels[~known] = 0
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return np.where(known[:, None], p - np.eye(logits.shape[1])[labels], 0) / known.sum()


@wrong(loses=["test-cross_entropy_backward-hidden"], says="for integers")
def cross_entropy_written_into_integers():
    """Logits that are whole numbers, and slopes that are cut to 0."""

    def cross_entropy_backward(logits, labels):
        answer, known = np.zeros_like(logits), labels >= 0
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        answer[known] = (p - np.eye(logits.shape[1])[labels])[known] / known.sum()
        return answer


# The order ----------------------------------------------------------------------------------------


@wrong(
    loses=["test-topological_order", "test-topological_order-hidden"],
    says="Listing a node when you first meet it",
)
def listed_when_met():
    """A walk that lists each node as it is entered, turned around."""

    def topological_order(last):
        order, met, waiting = [], set(), [last]
        while waiting:
            node = waiting.pop(0)
            if id(node) not in met:
                met.add(id(node))
                order.append(node)
                waiting.extend(node.parents)
        return order[::-1]


@wrong(
    loses=["test-topological_order-large-hidden"],
    says="Replace the recursion by a list of your own",
)
def recursive_order():
    """The textbook's depth-first search, and Python's limit of a thousand calls."""

    def topological_order(last):
        order, entered = [], set()

        def enter(node):
            if id(node) not in entered:
                entered.add(id(node))
                for parent in node.parents:
                    enter(parent)
                order.append(node)

        enter(last)
        return order


@wrong(loses=["test-topological_order-large-hidden"], says="Your walk follows every path")
def order_of_all_paths():
    """Looks for doubles only when a node is listed, not when it is entered."""

    def topological_order(last):
        order = []

        def enter(node):
            for parent in node.parents:
                enter(parent)
            if not any(node is listed for listed in order):
                order.append(node)

        enter(last)
        return order


@wrong(
    loses=[
        "test-topological_order",
        "test-topological_order-hidden",
        "test-topological_order-large-hidden",
    ],
    says="and once",
)
def listed_as_often_as_used():
    """Nobody remembers where the walk has been."""

    def topological_order(last):
        order = []

        def enter(node):
            for parent in node.parents:
                enter(parent)
            order.append(node)

        enter(last)
        return order


@wrong(
    loses=["test-topological_order-hidden", "test-topological_order-large-hidden"],
    says="You changed a node's list of parents",
)
def order_eats_the_parents():
    """Each parent is taken off the list when it has been visited: no set is needed."""

    def topological_order(last):
        order, listed, stack = [], set(), [last]
        while stack:
            node = stack[-1]
            if node.parents:
                parent = node.parents.pop()
                if id(parent) not in listed:
                    stack.append(parent)
                continue
            stack.pop()
            if id(node) not in listed:
                listed.add(id(node))
                order.append(node)
        return order


# The engine ---------------------------------------------------------------------------------------


@wrong(
    loses=["test-backward", "test-backward-hidden", "test-backward-calls-hidden"],
    says="parent.grad = share overwrites what came before",
)
def overwrites():
    """= for +=: whoever comes last is right."""

    def backward(last, grad=1.0):
        last.grad = np.zeros(last.data.shape) + grad
        for node in reversed(topological_order(last)):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = share


@wrong(loses=["test-backward-hidden"], says="only what has arrived in this call")
def passes_on_earlier_calls():
    """The engine of the chapter's first half: what a node in between holds travels again."""

    def backward(last, grad=1.0):
        last.grad = np.zeros(last.data.shape) + grad
        for node in reversed(topological_order(last)):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = parent.grad + share


@wrong(loses=["test-backward-hidden"], says="only what has arrived in this call")
def remembers_between_calls():
    """The slopes have a dictionary of their own, and it is one for all calls."""

    slopes = {}

    def backward(last, grad=1.0):
        slopes[last] = np.zeros(last.data.shape) + grad
        for node in reversed(topological_order(last)):
            if not node.parents:
                node.grad = node.grad + slopes.pop(node)
                continue
            for parent, share in zip(node.parents, node.pull(slopes[node])):
                slopes[parent] = slopes.get(parent, 0.0) + share


@wrong(loses=["test-backward-hidden"], says="the walk begins with these")
def backward_begins_with_one():
    """The slope of the loss in itself is 1, whatever the caller says."""

    def backward(last, grad=1.0):
        slopes = {last: np.ones(last.data.shape)}
        for node in reversed(topological_order(last)):
            slope = slopes.pop(node)
            if not node.parents:
                node.grad = node.grad + slope
                continue
            for parent, share in zip(node.parents, node.pull(slope)):
                slopes[parent] = slopes.get(parent, 0.0) + share


@wrong(loses=["test-backward-hidden"], says="you changed grad")
def backward_adds_into_grad():
    """What was handed over becomes the sum of all that arrives."""

    def backward(last, grad=1.0):
        slopes = {last: grad if np.shape(grad) else np.full(last.data.shape, grad)}
        for node in reversed(topological_order(last)):
            slope = slopes.pop(node)
            if not node.parents:
                slope += node.grad
                node.grad = slope.copy()
                continue
            for parent, share in zip(node.parents, node.pull(slope)):
                slopes[parent] = slopes.get(parent, 0.0) + share


@wrong(loses=["test-backward-hidden"], says="a leaf, they have arrived already")
def backward_ends_before_a_leaf():
    """Only parents are handed anything: a walk that begins at a leaf does nothing."""

    def backward(last, grad=1.0):
        slopes = {last: np.zeros(last.data.shape) + grad}
        for node in reversed(topological_order(last)):
            slope = slopes.pop(node, 0.0)
            if node.parents:
                for parent, share in zip(node.parents, node.pull(slope)):
                    if parent.parents:
                        slopes[parent] = slopes.get(parent, 0.0) + share
                    else:
                        parent.grad = parent.grad + share


@wrong(
    loses=["test-backward-calls-hidden"],
    says="Wait until a node has received all of its slopes and pass them on once",
)
def sends_along_every_path():
    """The chain rule as it is said: follow each path, multiply, add. Exponential."""

    def backward(last, grad=1.0):
        def send(node, slope):
            node.grad = node.grad + slope
            if node.parents:
                for parent, share in zip(node.parents, node.pull(slope)):
                    send(parent, share)

        send(last, np.zeros(last.data.shape) + grad)


@wrong(
    loses=["test-backward", "test-backward-hidden", "test-backward-calls-hidden"],
    says="Slopes that arrive must be added to what is there",
)
def sends_what_has_gathered():
    """Recursion that passes on the sum so far, each time something arrives: counted twice."""

    def backward(last, grad=1.0):
        def send(node):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = parent.grad + share
                    send(parent)

        last.grad = np.zeros(last.data.shape) + grad
        send(last)


@wrong(
    loses=["test-backward", "test-backward-hidden", "test-backward-calls-hidden"],
    says="added to what is there",
)
def walks_forward():
    """reversed is forgotten: every node passes on what it has not got yet."""

    def backward(last, grad=1.0):
        last.grad = np.zeros(last.data.shape) + grad
        for node in topological_order(last):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = parent.grad + share


@wrong(loses=["test-backward-calls-hidden"], says="keep what it returns, and hand one to each")
def pulls_for_each_parent():
    """All gradients are computed, one is taken, and for the next parent they are computed again."""

    def backward(last, grad=1.0):
        slopes = {last: np.zeros(last.data.shape) + grad}
        for node in topological_order(last)[::-1]:
            slope = slopes.pop(node)
            for i, parent in enumerate(node.parents):
                slopes[parent] = slopes.get(parent, 0.0) + node.pull(slope)[i]
            if not node.parents:
                node.grad = node.grad + slope


@wrong(loses=["test-backward-hidden"], says="What a weight's grad held before stays in the sum")
def clears_everything_first():
    """Helpful, and against the agreement: the loss in two parts loses its first part."""

    def backward(last, grad=1.0):
        order = topological_order(last)
        for node in order:
            node.grad = np.zeros(node.data.shape)
        last.grad = np.zeros(last.data.shape) + grad
        for node in reversed(order):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = parent.grad + share


@wrong(loses=["test-backward-hidden"], says="you write on an array that another node holds too")
def adds_into_a_shared_array():
    """The first share is kept as it came, and the next is added into it, wherever else it lives."""

    def backward(last, grad=1.0):
        slopes = {last: np.zeros(last.data.shape) + grad}
        for node in reversed(topological_order(last)):
            slope = slopes.pop(node)
            if not node.parents:
                node.grad = node.grad + slope
                continue
            for parent, share in zip(node.parents, node.pull(slope)):
                if parent in slopes:
                    slopes[parent] += share
                else:
                    slopes[parent] = share


# The step -----------------------------------------------------------------------------------------


@wrong(
    loses=["test-train_step-hidden"],
    says="Set every parameter's grad to zeros before the loss is computed, in every step",
)
def never_clears():
    """The classic: each step walks along all the gradients so far."""

    def train_step(parameters, compute_loss, rate):
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
        return loss.data.item()


@wrong(loses=["test-train_step-hidden"], says="backward adds to what is there")
def clears_after_the_step():
    """Right from the second step on; the first one starts with what others left."""

    def train_step(parameters, compute_loss, rate):
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
            parameter.grad = np.zeros(parameter.data.shape)
        return loss.data.item()


@wrong(loses=["test-train_step-hidden"], says="backward adds to what is there")
def clears_the_last_one_only():
    """The line that clears has slipped behind the loop."""

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            pass
        parameter.grad = np.zeros(parameter.data.shape)
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
        return loss.data.item()


@wrong(
    loses=["test-train_step", "test-train_step-hidden"],
    says="A weight moves by rate times its slope against it",
)
def climbs():
    """The gradient points uphill, and so do the weights."""

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            parameter.grad = np.zeros(parameter.data.shape)
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data + rate * parameter.grad
        return loss.data.item()


@wrong(loses=["test-train_step", "test-train_step-hidden"], says="before the weights move")
def loss_after_the_step():
    """The loss is computed again at the end, to report the latest."""

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            parameter.grad = np.zeros(parameter.data.shape)
        backward(compute_loss())
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
        return compute_loss().data.item()


@wrong(loses=["test-train_step", "test-train_step-hidden"], says="its data is the number")
def returns_the_node():
    """The loss is a node, and a number was asked for."""

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            parameter.grad = np.zeros(parameter.data.shape)
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
        return loss


@wrong(loses=["test-train_step-hidden"], says="the slopes of all weights belong to the same place")
def one_weight_after_the_other():
    """The loss is computed anew for each weight, when the ones before it have moved already."""

    def train_step(parameters, compute_loss, rate):
        before = compute_loss().data.item()
        for parameter in parameters:
            for other in parameters:
                other.grad = np.zeros(other.data.shape)
            backward(compute_loss())
            parameter.data = parameter.data - rate * parameter.grad
        return before


@wrong(
    loses=["test-train_step", "test-train_step-hidden"],
    says="A weight moves by rate times its slope against it",
)
def knows_its_rate():
    """0.1 has always worked."""

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            parameter.grad = np.zeros(parameter.data.shape)
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data - 0.1 * parameter.grad
        return loss.data.item()


@wrong(loses=["test-train_step", "test-train_step-hidden"], says="you changed parameters")
def uses_up_the_parameters():
    """The list is worked through from its end until nothing is left."""

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            parameter.grad = np.zeros(parameter.data.shape)
        loss = compute_loss()
        backward(loss)
        while parameters:
            parameter = parameters.pop()
            parameter.data = parameter.data - rate * parameter.grad
        return loss.data.item()


@wrong(loses=["test-train_step-hidden"], says="You changed the list `parameters`")
def turns_the_parameters_around():
    """The last layer first, as on the way back, in the caller's list."""

    def train_step(parameters, compute_loss, rate):
        parameters.reverse()
        for parameter in parameters:
            parameter.grad = np.zeros(parameter.data.shape)
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
        return loss.data.item()


# Right, and unusual -------------------------------------------------------------------------------


@right
def one_number_at_a_time():
    """Loops, as somebody writes who has not made friends with axes yet."""

    def numerical_gradient(loss, x, h=1e-5):
        slopes = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            kept = x[place]
            x[place] = kept + h
            up = loss(x)
            x[place] = kept - h
            down = loss(x)
            x[place] = kept
            slopes[place] = (up - down) / (2 * h)
        return slopes

    def undo_broadcasting(grad, shape):
        answer = np.zeros(shape)
        front = grad.ndim - len(shape)
        for place in np.ndindex(grad.shape):
            at = tuple(0 if n == 1 else i for i, n in zip(place[front:], shape))
            answer[at] += grad[place]
        return answer

    def matmul_backward(grad, a, b):
        front = grad.shape[:-2]
        wide_a = np.broadcast_to(a, front + a.shape[-2:])
        wide_b = np.broadcast_to(b, front + b.shape[-2:])
        grad_a, grad_b = np.zeros(wide_a.shape), np.zeros(wide_b.shape)
        for place in np.ndindex(front):
            for i in range(a.shape[-2]):
                for j in range(a.shape[-1]):
                    for k in range(b.shape[-1]):
                        g = grad[place + (i, k)]
                        grad_a[place + (i, j)] += g * wide_b[place + (j, k)]
                        grad_b[place + (j, k)] += g * wide_a[place + (i, j)]
        return undo_broadcasting(grad_a, a.shape), undo_broadcasting(grad_b, b.shape)

    def relu_backward(grad, z):
        answer = np.zeros(z.shape)
        for place in np.ndindex(z.shape):
            if z[place] > 0:
                answer[place] = grad[place]
        return answer

    def cross_entropy_backward(logits, labels):
        n, k = logits.shape
        known = sum(1 for label in labels if label != -1)
        answer = np.zeros((n, k))
        for i in range(n):
            if labels[i] == -1:
                continue
            largest = max(logits[i])
            e = [np.exp(z - largest) for z in logits[i]]
            for j in range(k):
                answer[i, j] = (e[j] / sum(e) - (1 if j == labels[i] else 0)) / known
        return answer


@right
def with_pytorch():
    """PyTorch does the calculus, and NumPy arrays come out."""

    import torch

    def pulled(operation, grad, *arrays):
        leaves = [torch.tensor(np.array(a, dtype=float), requires_grad=True) for a in arrays]
        operation(*leaves).backward(torch.tensor(np.array(grad, dtype=float)))
        return [leaf.grad.numpy() for leaf in leaves]

    def add_backward(grad, a, b):
        return pulled(torch.add, grad, a, b)

    def mul_backward(grad, a, b):
        return tuple(pulled(torch.mul, grad, a, b))

    def matmul_backward(grad, a, b):
        return pulled(torch.matmul, grad, a, b)

    def relu_backward(grad, z):
        return pulled(torch.relu, grad, z)[0]

    def cross_entropy_backward(logits, labels):
        y = torch.tensor(np.array(labels))
        loss = torch.nn.CrossEntropyLoss(ignore_index=-1)
        return pulled(lambda z: loss(z, y), 1.0, logits)[0]


@right
def by_counting_children():
    """Kahn's algorithm: a node is ready when all that was computed from it has been handled."""

    def topological_order(last):
        uses, nodes, waiting = {}, {id(last): last}, [last]
        while waiting:
            node = waiting.pop()
            for parent in node.parents:
                uses[id(parent)] = uses.get(id(parent), 0) + 1
                if id(parent) not in nodes:
                    nodes[id(parent)] = parent
                    waiting.append(parent)
        order, ready = [], [last]
        while ready:
            node = ready.pop()
            order.append(node)
            for parent in node.parents:
                uses[id(parent)] -= 1
                if uses[id(parent)] == 0:
                    ready.append(parent)
        order.reverse()
        return order

    def backward(last, grad=1.0):
        slopes = {id(last): np.full(last.data.shape, grad)}
        for node in topological_order(last)[::-1]:
            slope = slopes.pop(id(node))
            node.grad = node.grad + slope
            if node.pull is not None:
                for parent, share in zip(node.parents, node.pull(slope)):
                    slopes[id(parent)] = slopes.get(id(parent), 0) + share


@right
def with_the_standard_library():
    """graphlib for the order, einsum and tensordot for the products, a recursion with more room."""

    def topological_order(last):
        import sys

        before = sys.getrecursionlimit()
        sys.setrecursionlimit(50_000)
        order, entered = [], set()

        def enter(node):
            entered.add(node)
            for parent in node.parents:
                if parent not in entered:
                    enter(parent)
            order.append(node)

        try:
            enter(last)
        finally:
            sys.setrecursionlimit(before)
        return order

    def matmul_backward(grad, a, b):
        grad_a = np.einsum("...ik,...jk->...ij", grad, b)
        grad_b = np.einsum("...ij,...ik->...jk", a, grad)
        return [undo_broadcasting(grad_a, a.shape), undo_broadcasting(grad_b, b.shape)]

    def cross_entropy_backward(logits, labels):
        from scipy.special import softmax

        rows = np.flatnonzero(labels + 1)
        answer = np.zeros(logits.shape)
        answer[rows] = softmax(logits[rows], axis=1)
        np.subtract.at(answer, (rows, labels[rows]), 1)
        return answer / len(rows)


@right
def in_place_where_it_is_ours():
    """+=, -= and fill, on arrays that belong to the nodes."""

    def backward(last, grad=1.0):
        nodes = topological_order(last)
        for node in nodes:
            if node.parents:
                node.grad.fill(0)
        last.grad += grad
        for node in nodes[::-1]:
            if len(node.parents) > 0:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad += share

    def train_step(parameters, compute_loss, rate):
        loss = compute_loss()
        for parameter in parameters:
            parameter.grad.fill(0)
        backward(loss)
        for parameter in parameters:
            parameter.data -= rate * parameter.grad
        return float(loss.data)

    def undo_broadcasting(grad, shape):
        for _ in range(grad.ndim - len(shape)):
            grad = grad.sum(axis=0)
        for axis, length in enumerate(shape):
            if length == 1:
                grad = grad.sum(axis=axis, keepdims=True)
        return np.array(grad)

    def relu_backward(grad, z):
        grad = grad.copy()
        grad[z <= 0] = 0
        return grad


@right
def with_other_names_and_progress():
    """Parameters by other names, a progress bar on stderr, one copy that is put right each time."""

    def numerical_gradient(f, where, h=1e-5):
        import sys

        here, found = np.array(where), []
        for place in np.ndindex(here.shape):
            print(f"{place} of {here.shape}", end="\\r", file=sys.stderr)
            both = []
            for sign in (+1, -1):
                here[place] = where[place] + sign * h
                both.append(float(f(here)))
            here[place] = where[place]
            found.append((both[0] - both[1]) / (2 * h))
        return np.array(found).reshape(here.shape)

    def undo_broadcasting(slopes, target):
        wide = (1,) * (slopes.ndim - len(target)) + tuple(target)
        copied = tuple(i for i, n in enumerate(wide) if n == 1)
        return np.add.reduce(slopes, axis=copied).reshape(target)

    def train_step(weights, loss_of, eta):
        for w in weights:
            w.grad = 0.0
        loss = loss_of()
        backward(loss)
        for w in weights:
            w.data = w.data - eta * w.grad
        return loss.data


@right
def clears_with_a_slice():
    """[:] = 0 for the weights, and nodes in between are set to zeros before the walk."""

    def backward(last, grad=1.0):
        nodes = tuple(topological_order(last))
        for node in nodes:
            if node.parents:
                node.grad = np.zeros_like(node.data)
        last.grad = last.grad + grad
        for node in reversed(nodes):
            shares = node.pull(node.grad) if node.pull else ()
            for parent, share in zip(node.parents, shares, strict=True):
                parent.grad = np.add(parent.grad, share)

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            parameter.grad[:] = 0
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data[:] = parameter.data - rate * parameter.grad
        return np.asarray(loss.data)


@right
def warns_on_the_way():
    """Logarithms of 0, divisions by 0 and overflows whose results are not used, or are right."""

    def relu_backward(grad, z):
        return np.where(np.log(np.asarray(z, dtype=float)) > -np.inf, grad, 0)

    def mul_backward(grad, a, b):
        other = np.where(a == 0, b * 1.0, np.multiply(a, b) / a)
        return undo_broadcasting(grad * other, a.shape), undo_broadcasting(grad * a, b.shape)

    def cross_entropy_backward(logits, labels):
        # exp overflows to infinity where another class is far ahead, and 1 / inf is 0.
        p = 1 / np.exp(logits[:, None, :] - logits[:, :, None]).sum(axis=2)
        truth = np.arange(logits.shape[1]) == labels[:, None]
        return (p - truth) * (labels >= 0)[:, None] / np.sum(labels >= 0)


@right
def in_float32():
    """Six digits are asked for, and float32 has seven."""

    def add_backward(grad, a, b):
        grad = np.asarray(grad, dtype=np.float32)
        return undo_broadcasting(grad, a.shape), undo_broadcasting(grad, b.shape)

    def relu_backward(grad, z):
        return np.float32(grad) * np.heaviside(z, 0).astype(np.float32)


@right
def hands_on_what_it_was_given():
    """No copy where nothing changes, and slopes that wait at the nodes."""

    def undo_broadcasting(grad, shape):
        if grad.shape == shape:
            return grad
        if grad.ndim > len(shape):
            return undo_broadcasting(np.add.reduce(grad, axis=0), shape)
        axis = next(i for i, n in enumerate(shape) if n != grad.shape[i])
        return undo_broadcasting(grad.sum(axis=axis, keepdims=True), shape)

    def add_backward(grad, a, b):
        return [undo_broadcasting(grad, operand.shape) for operand in (a, b)]

    def backward(last, grad=1.0):
        order = topological_order(last)
        for node in order:
            node.waiting = []
        last.waiting.append(np.zeros(last.data.shape) + grad)
        for node in order[::-1]:
            slope = sum(node.waiting)
            del node.waiting
            if node.parents:
                for parent, share in zip(node.parents, node.pull(slope)):
                    parent.waiting.append(share)
            else:
                node.grad = node.grad + slope
