"""Wrong and unusual answers to the exercise `backpropagation`."""

import numpy as np

from course_lib.exercises.answers import right, wrong

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


@wrong(
    loses=["test-numerical_gradient-hidden"],
    says="an entry must be back in its place before the next one is nudged",
)
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


@wrong(loses=["test-numerical_gradient-hidden"], says="put every entry back exactly")
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


@wrong(loses=["test-add-mul-hidden"], says="writes into the caller's array")
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


@wrong(loses=["test-relu_backward-hidden"], says="writes into the caller's slopes")
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


@wrong(loses=["test-cross_entropy_backward-hidden"], says="writes into the caller's array")
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


@wrong(loses=["test-topological_order-large-hidden"], says="Your walk follows every way")
def order_of_all_ways():
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


# The engine ---------------------------------------------------------------------------------------


@wrong(
    loses=["test-backward", "test-backward-hidden", "test-backward-calls-hidden"],
    says="parent.grad = share overwrites what came before",
)
def overwrites():
    """= for +=: whoever comes last is right."""

    def backward(last):
        last.grad = np.ones(last.data.shape)
        for node in reversed(topological_order(last)):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = share


@wrong(
    loses=["test-backward-calls-hidden"],
    says="Wait until a node has received all of its slopes and pass them on once",
)
def sends_along_every_way():
    """The chain rule as it is said: follow each way, multiply, add. Exponential."""

    def backward(last):
        def send(node, slope):
            node.grad = node.grad + slope
            if node.parents:
                for parent, share in zip(node.parents, node.pull(slope)):
                    send(parent, share)

        send(last, np.ones(last.data.shape))


@wrong(
    loses=["test-backward", "test-backward-hidden", "test-backward-calls-hidden"],
    says="Slopes that arrive must be added to what is there",
)
def sends_what_has_gathered():
    """Recursion that passes on the sum so far, each time something arrives: counted twice."""

    def backward(last):
        def send(node):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = parent.grad + share
                    send(parent)

        last.grad = np.ones(last.data.shape)
        send(last)


@wrong(
    loses=["test-backward", "test-backward-hidden", "test-backward-calls-hidden"],
    says="added to what is there",
)
def walks_forward():
    """reversed is forgotten: every node passes on what it has not got yet."""

    def backward(last):
        last.grad = np.ones(last.data.shape)
        for node in topological_order(last):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = parent.grad + share


@wrong(loses=["test-backward-calls-hidden"], says="keep what it returns, and hand one to each")
def pulls_for_each_parent():
    """All gradients are computed, one is taken, and for the next parent they are computed again."""

    def backward(last):
        last.grad = np.ones(last.data.shape)
        for node in topological_order(last)[::-1]:
            for i in range(len(node.parents)):
                share = node.pull(node.grad)[i]
                node.parents[i].grad = node.parents[i].grad + share


@wrong(loses=["test-backward-hidden"], says="What a weight's grad held before stays in the sum")
def clears_everything_first():
    """Helpful, and against the agreement: the loss in two parts loses its first part."""

    def backward(last):
        order = topological_order(last)
        for node in order:
            node.grad = np.zeros(node.data.shape)
        last.grad = np.ones(last.data.shape)
        for node in reversed(order):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    parent.grad = parent.grad + share


@wrong(loses=["test-backward-hidden"], says="you write on an array that another node holds too")
def adds_into_a_shared_array():
    """The first share is kept as it came, and the next is added into it, wherever else it lives."""

    def backward(last):
        last.grad = np.ones(last.data.shape)
        reached = set()
        for node in reversed(topological_order(last)):
            if node.parents:
                for parent, share in zip(node.parents, node.pull(node.grad)):
                    if parent in reached:
                        parent.grad += share
                    else:
                        parent.grad = parent.grad + share if parent.grad.any() else share
                        reached.add(parent)


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
        answer = np.zeros((n, k))
        for i in range(n):
            largest = max(logits[i])
            e = [np.exp(z - largest) for z in logits[i]]
            for j in range(k):
                answer[i, j] = (e[j] / sum(e) - (1 if j == labels[i] else 0)) / n
        return answer


@right
def with_pytorch():
    """PyTorch does the calculus, and NumPy arrays come out."""

    import torch

    def pulled(operation, grad, *arrays):
        leaves = [torch.tensor(np.asarray(a), requires_grad=True) for a in arrays]
        operation(*leaves).backward(torch.tensor(np.asarray(grad)))
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
        y = torch.tensor(np.asarray(labels))
        return pulled(lambda z: torch.nn.functional.cross_entropy(z, y), 1.0, logits)[0]


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

    def backward(last):
        slopes = {id(last): np.ones(last.data.shape)}
        last.grad = np.zeros(last.data.shape)
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

        answer = softmax(logits, axis=1)
        np.subtract.at(answer, (range(len(labels)), labels), 1)
        return answer / len(answer)


@right
def in_place_where_it_is_ours():
    """+=, -= and fill, on arrays that belong to the nodes."""

    def backward(last):
        last.grad[...] = 1
        for node in topological_order(last)[::-1]:
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
def with_a_better_difference():
    """Four points instead of two for the slope, and a zero in place of an array of zeros."""

    def numerical_gradient(loss, x, h=1e-5):
        def at(place, step):
            nudged = np.array(x)
            nudged[place] += step
            return loss(nudged)

        slopes = np.zeros(np.shape(x))
        for place in np.ndindex(np.shape(x)):
            near = at(place, h) - at(place, -h)
            far = at(place, 2 * h) - at(place, -2 * h)
            slopes[place] = (8 * near - far) / (12 * h)
        return slopes

    def train_step(parameters, compute_loss, rate):
        for parameter in parameters:
            parameter.grad = 0.0
        loss = compute_loss()
        backward(loss)
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
        return loss.data


@right
def clears_with_a_slice():
    """[:] = 0 for the weights, and nodes in between are set to zeros before the walk."""

    def backward(last):
        nodes = tuple(topological_order(last))
        for node in nodes:
            if node.parents:
                node.grad = np.zeros_like(node.data)
        last.grad = last.grad * 0 + 1.0
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
