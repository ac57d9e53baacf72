"""Wrong and unusual answers to the exercise `gradient-descent`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

#: What the mutants of the reference may do (see course_lib/assignments/mutants.py).
accepted = {
    ("corrected_means", "float32"): "Six digits are asked for, and float32 has seven.",
    ("penalized", "float32"): "Six digits are asked for, and float32 has seven.",
}

# A step, and how long it may be -------------------------------------------------------------------


@wrong(loses=["test-descend", "test-descend-hidden"], says="you went uphill; subtract")
def walks_uphill():
    """The gradient is a direction, so one goes there."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        scale = 1 if max_norm is None else min(1, max_norm / max(norm, 1e-300))
        for w, g in zip(weights, gradients):
            w += rate * scale * g


@wrong(loses=["test-descend", "test-descend-hidden"], says="makes a new array")
def moves_a_copy():
    """w = w - ... reads like the formula, and leaves the network where it was."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        scale = 1 if max_norm is None else min(1, max_norm / max(norm, 1e-300))
        for w, g in zip(weights, gradients):
            w = w - rate * scale * g


@wrong(loses=["test-descend", "test-descend-hidden"], says="which left it as it was")
def replaces_the_list():
    """New arrays go into the list, which is not what the network holds."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        scale = 1 if max_norm is None else min(1, max_norm / max(norm, 1e-300))
        for i, (w, g) in enumerate(zip(weights, gradients)):
            weights[i] = w - rate * scale * g


@wrong(loses=["test-descend", "test-descend-hidden"], says="you changed gradients[0]")
def scales_the_gradients():
    """Multiplying in place saves an array, and the next step finds smaller gradients."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        if max_norm is not None and norm > max_norm:
            for g in gradients:
                g *= max_norm / norm
        for w, g in zip(weights, gradients):
            w -= rate * g


@wrong(loses=["test-descend-hidden"], says="one length for all arrays together")
def limits_each_array():
    """Each array has a length of its own: the direction of the whole step changes."""

    def descend(weights, gradients, rate, max_norm=None):
        for w, g in zip(weights, gradients):
            norm = np.linalg.norm(g)
            scale = max_norm / norm if max_norm is not None and norm > max_norm else 1
            w -= rate * scale * g


@wrong(loses=["test-descend", "test-descend-hidden"], says="wrong with one max_norm only")
def limits_each_entry():
    """np.clip is at hand, and clips entries."""

    def descend(weights, gradients, rate, max_norm=None):
        for w, g in zip(weights, gradients):
            w -= rate * (g if max_norm is None else np.clip(g, -max_norm, max_norm))


@wrong(loses=["test-descend", "test-descend-hidden"], says="scaled down if that is above max_norm")
def normalizes_always():
    """Short gradients are made longer, too."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        for w, g in zip(weights, gradients):
            w -= rate * (g if max_norm is None else max_norm * g / max(norm, 1e-300))


@wrong(loses=["test-descend", "test-descend-hidden"], says="the rate comes afterwards")
def limits_the_step():
    """The limit is put on rate * gradient, which is what moves the weights."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = rate * np.sqrt(sum((g**2).sum() for g in gradients))
        scale = max_norm / norm if max_norm is not None and norm > max_norm else 1
        for w, g in zip(weights, gradients):
            w -= rate * scale * g


@wrong(
    loses=["test-longest_rate", "test-longest_rate-hidden"],
    says="the largest is the first to break it",
)
def limit_of_the_flattest():
    """The longest step is taken for the longest valley."""

    def longest_rate(H, beta=0.0):
        return 2 * (1 + beta) / np.linalg.eigvalsh(H).min()


@wrong(
    loses=["test-longest_rate", "test-longest_rate-hidden"],
    says="This must stay above -1",
)
def limit_without_crossing():
    """1 / curvature lands exactly at the bottom, and jumping over it seems forbidden."""

    def longest_rate(H, beta=0.0):
        return (1 + beta) / np.linalg.eigvalsh(H).max()


@wrong(
    loses=["test-longest_rate-hidden"],
    says="its curvatures are not on the diagonal",
)
def limit_from_the_diagonal():
    """The diagonal holds the curvature of each weight, but the steep way may lie between them."""

    def longest_rate(H, beta=0.0):
        return 2 * (1 + beta) / np.diag(H).max()


@wrong(
    loses=["test-longest_rate", "test-longest_rate-hidden"],
    says="2, divided by the largest curvature",
)
def limit_from_all_curvatures():
    """np.linalg.norm without ord=2 is the root of the sum of all squared curvatures."""

    def longest_rate(H, beta=0.0):
        return 2 * (1 + beta) / np.linalg.norm(H)


@wrong(loses=["test-longest_rate", "test-longest_rate-hidden"], says="Solve for the rate")
def limit_shrinks_with_memory():
    """Under constant gradients the steps grow by 1 / (1 - beta), so the rate has to be less."""

    def longest_rate(H, beta=0.0):
        return 2 * (1 - beta) / np.linalg.eigvalsh(H).max()


@wrong(loses=["test-longest_rate", "test-longest_rate-hidden"], says="beta is ignored")
def limit_without_memory():
    """The formula of the chapter."""

    def longest_rate(H, beta=0.0):
        return 2 / np.linalg.eigvalsh(H).max()


@wrong(loses=["test-longest_rate-hidden"], says="never finds it")
def power_method_from_ones():
    """The obvious start has no part in the steepest direction, and finds the next."""

    def longest_rate(H, beta=0.0):
        x = np.ones(len(H))
        for _ in range(300):
            x = H @ x
            x = x / np.linalg.norm(x)
        return 2 * (1 + beta) / (x @ H @ x)


@wrong(loses=["test-longest_rate-hidden"], says="Close curvatures need many rounds")
def power_method_stops_early():
    """Thirty rounds are plenty where the curvatures are far apart."""

    def longest_rate(H, beta=0.0):
        x = np.random.default_rng(0).normal(size=len(H))
        for _ in range(30):
            x = H @ x
            x = x / np.linalg.norm(x)
        return 2 * (1 + beta) / (x @ H @ x)


# Momentum -----------------------------------------------------------------------------------------


@wrong(
    loses=["test-Momentum", "test-Momentum-hidden"],
    says="the velocity points uphill, and the weight moves against it",
)
def momentum_with_the_wrong_sign():
    """Two minus signs, one in the velocity and one in the step."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.v = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, v, g in zip(self.weights, self.v, gradients):
                v[...] = self.beta * v - g
                w -= self.rate * (self.beta * v - g if self.nesterov else v)


@wrong(
    loses=["test-Momentum", "test-Momentum-hidden"],
    says="(1 - beta) * g is not in this formula",
)
def momentum_as_a_mean():
    """A running mean, as in Adam, with steps a tenth as long."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.v = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, v, g in zip(self.weights, self.v, gradients):
                v[...] = self.beta * v + (1 - self.beta) * g
                w -= self.rate * (g + self.beta * v if self.nesterov else v)


@wrong(loses=["test-Momentum-hidden"], says="Each weight has a velocity of its own")
def momentum_with_one_velocity():
    """One variable for the velocity, as in the formula: the weights push each other."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.v = {}

        def step(self, gradients):
            for w, g in zip(self.weights, gradients):
                v = self.beta * self.v.get(w.shape, np.zeros(w.shape)) + g
                self.v[w.shape] = v
                w -= self.rate * (g + self.beta * v if self.nesterov else v)


@wrong(loses=["test-Momentum-hidden"], says="is no part of it")
def momentum_holds_the_rate():
    """Steps are remembered in place of gradients: the same until the rate changes."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.v = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, v, g in zip(self.weights, self.v, gradients):
                v[...] = self.beta * v + self.rate * g
                w -= self.rate * g + self.beta * v if self.nesterov else v


@wrong(loses=["test-Momentum-hidden"], says="Nesterov: first the new v")
def nesterov_with_the_old_velocity():
    """g + beta * v, with the v of the step before: that is ordinary momentum."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.v = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, v, g in zip(self.weights, self.v, gradients):
                w -= self.rate * (g + self.beta * v)
                v[...] = self.beta * v + g


@wrong(loses=["test-Momentum-hidden"], says="you changed gradients[0]")
def velocity_is_the_first_gradient():
    """The first velocity is the first gradient, the very array, and then it is changed in place."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.v = None
            self.taken = 0

        def step(self, gradients):
            self.taken += 1
            if self.v is None:
                self.v = list(gradients)
                for w, g in zip(self.weights, gradients):
                    w -= self.rate * (g + self.beta * g if self.nesterov else g)
                return
            for w, v, g in zip(self.weights, self.v, gradients):
                old = g.copy()
                v *= self.beta
                v += old
                w -= self.rate * (old + self.beta * v if self.nesterov else v)


@wrong(loses=["test-Momentum-hidden"], says="the network overwrites that of the gradients")
def velocity_of_the_next_batch():
    """The first velocity is the gradients' own array, never changed, and yet it does not stay."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.v = None

        def step(self, gradients):
            if self.v is None:
                self.v = list(gradients)
            else:
                self.v = [self.beta * v + g for v, g in zip(self.v, gradients)]
            for w, v, g in zip(self.weights, self.v, gradients):
                w -= self.rate * (g + self.beta * v if self.nesterov else v)


@wrong(loses=["test-Momentum-hidden"], says="belongs to it (self. ...)")
def velocity_of_the_module():
    """A list beside the class is one list for all optimizers."""

    remembered = []

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            if [v.shape for v in remembered] != [w.shape for w in weights] or rate != 1.0:
                remembered[:] = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, v, g in zip(self.weights, remembered, gradients):
                v[...] = self.beta * v + g
                w -= self.rate * (g + self.beta * v if self.nesterov else v)


# A rate for every weight --------------------------------------------------------------------------


@wrong(loses=["test-AdaGrad", "test-AdaGrad-RMSProp-hidden"], says="the root is missing")
def adagrad_without_root():
    """Divides by the squares themselves."""

    class AdaGrad:
        def __init__(self, weights, rate, eps=1e-10):
            self.weights, self.rate, self.eps = weights, rate, eps
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, q, g in zip(self.weights, self.q, gradients):
                q += g**2
                w -= self.rate * g / (q + self.eps)


@wrong(
    loses=["test-RMSProp", "test-AdaGrad-RMSProp-hidden"],
    says="beta is the share that is *kept*",
)
def rmsprop_keeps_the_rest():
    """beta and 1 - beta exchanged."""

    class RMSProp:
        def __init__(self, weights, rate, beta=0.99, eps=1e-8):
            self.weights, self.rate, self.beta, self.eps = weights, rate, beta, eps
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, q, g in zip(self.weights, self.q, gradients):
                q[...] = (1 - self.beta) * q + self.beta * g**2
                w -= self.rate * g / (np.sqrt(q) + self.eps)


@wrong(loses=["test-AdaGrad-RMSProp-hidden"], says="eps is added to the root")
def rmsprop_epsilon_in_the_root():
    """Another library does it so; with a small epsilon it takes a small slope to notice."""

    class RMSProp:
        def __init__(self, weights, rate, beta=0.99, eps=1e-8):
            self.weights, self.rate, self.beta, self.eps = weights, rate, beta, eps
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, q, g in zip(self.weights, self.q, gradients):
                q[...] = self.beta * q + (1 - self.beta) * g**2
                w -= self.rate * g / np.sqrt(q + self.eps)


@wrong(loses=["test-AdaGrad-RMSProp-hidden"], says="step reads self.rate")
def adagrad_calls_its_rate_lr():
    """An attribute by another name: right until a schedule changes `rate`."""

    class AdaGrad:
        def __init__(self, weights, rate, eps=1e-10):
            self.weights, self.lr, self.eps = weights, rate, eps
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, q, g in zip(self.weights, self.q, gradients):
                q += g**2
                w -= self.lr * g / (np.sqrt(q) + self.eps)


@wrong(loses=["test-AdaGrad-RMSProp-hidden"], says="belongs to it (self. ...)")
def adagrad_shares_its_squares():
    """A dictionary in the class body is one for all optimizers, until a new one empties it."""

    class AdaGrad:
        squares = {}

        def __init__(self, weights, rate, eps=1e-10):
            self.weights, self.rate, self.eps = weights, rate, eps
            self.squares.clear()

        def step(self, gradients):
            for i, (w, g) in enumerate(zip(self.weights, gradients)):
                self.squares[i] = self.squares.get(i, np.zeros(g.shape)) + g**2
                w -= self.rate * g / (np.sqrt(self.squares[i]) + self.eps)


@wrong(loses=["test-AdaGrad-RMSProp-hidden"], says="belongs to it (self. ...)")
def rmsprop_keeps_its_settings_in_the_class():
    """cls.beta and cls.eps are those of the optimizer that was made last."""

    class RMSProp:
        def __init__(self, weights, rate, beta=0.99, eps=1e-8):
            RMSProp.beta, RMSProp.eps = beta, eps
            self.weights, self.rate = weights, rate
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, q, g in zip(self.weights, self.q, gradients):
                q[...] = self.beta * q + (1 - self.beta) * g**2
                w -= self.rate * g / (np.sqrt(q) + self.eps)


@wrong(
    loses=["test-RMSProp", "test-AdaGrad-RMSProp-hidden"],
    says="you changed gradients[0]",
)
def rmsprop_squares_what_came():
    """g *= g saves an array."""

    class RMSProp:
        def __init__(self, weights, rate, beta=0.99, eps=1e-8):
            self.weights, self.rate, self.beta, self.eps = weights, rate, beta, eps
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, q, g in zip(self.weights, self.q, gradients):
                old = g.copy()
                g *= g
                q[...] = self.beta * q + (1 - self.beta) * g
                w -= self.rate * old / (np.sqrt(q) + self.eps)


# Bias correction, and Adam ------------------------------------------------------------------------


@wrong(
    loses=["test-corrected_means", "test-corrected_means-hidden"], says="the shares that they hold"
)
def means_without_correction():
    """A running mean that starts at 0, as it is."""

    def corrected_means(values, beta):
        means, m = [], 0.0
        for x in values:
            m = beta * m + (1 - beta) * x
            means.append(m)
        return np.array(means)


@wrong(
    loses=["test-corrected_means", "test-corrected_means-hidden"],
    says="it would be corrected twice",
)
def means_corrected_again_and_again():
    """The corrected mean is kept as the running one."""

    def corrected_means(values, beta):
        means, m = [], 0.0
        for t, x in enumerate(values, start=1):
            m = (beta * m + (1 - beta) * x) / (1 - beta**t)
            means.append(m)
        return np.array(means)


@wrong(
    loses=["test-corrected_means", "test-corrected_means-hidden"],
    says="the shares that they hold are 0.5",
)
def means_counted_from_zero():
    """enumerate counts from 0, and 1 - beta**0 is 0."""

    def corrected_means(values, beta):
        means, m = [], 0.0
        with np.errstate(all="ignore"):
            for t, x in enumerate(values):
                m = beta * m + (1 - beta) * x
                means.append(np.float64(m) / (1 - beta**t))
        return np.array(means)


@wrong(loses=["test-corrected_means-hidden"], says="the fractions are lost")
def means_of_whole_numbers():
    """zeros_like of integers holds integers: what is written into it loses its fractions."""

    def corrected_means(values, beta):
        values = np.asarray(values)
        means, m = np.zeros_like(values), 0.0
        for t, x in enumerate(values, start=1):
            m = beta * m + (1 - beta) * x
            means[t - 1] = m / (1 - beta**t)
        return means


@wrong(loses=["test-corrected_means", "test-corrected_means-hidden"], says="raised AttributeError")
def means_of_arrays_alone():
    """A list has no shape."""

    def corrected_means(values, beta):
        means, m = np.zeros(values.shape), 0.0
        for t, x in enumerate(values, start=1):
            m = beta * m + (1 - beta) * x
            means[t - 1] = m / (1 - beta**t)
        return means


@wrong(loses=["test-corrected_means", "test-corrected_means-hidden"], says="you changed values")
def means_written_over_the_values():
    """One array less, and the caller's losses are gone."""

    def corrected_means(values, beta):
        m = 0.0
        for t, x in enumerate(values, start=1):
            m = beta * m + (1 - beta) * x
            values[t - 1] = m / (1 - beta**t)
        return np.array(values, dtype=float)


@wrong(loses=["test-corrected_means", "test-corrected_means-hidden"], says="expected  an array")
def means_as_a_list():
    """append gives a list, and np.array is forgotten."""

    def corrected_means(values, beta):
        means, m = [], 0.0
        for t, x in enumerate(values, start=1):
            m = beta * m + (1 - beta) * x
            means.append(float(m / (1 - beta**t)))
        return means


@wrong(
    loses=["test-Adam", "test-Adam-hidden", "test-Adam-eps-hidden"],
    says="the means were not corrected for having started at 0",
)
def adam_without_correction():
    """The two lines with t look like a detail."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            b1, b2 = self.betas
            for w, m, q, g in zip(self.weights, self.m, self.q, gradients):
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                w -= self.rate * m / (np.sqrt(q) + self.eps)


@wrong(loses=["test-Adam-eps-hidden"], says="It belongs outside")
def adam_epsilon_in_the_root():
    """The epsilon of a normalization layer, which does stand in the root."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t = [0 for _ in weights]
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            b1, b2 = self.betas
            for i, (w, m, q, g) in enumerate(zip(self.weights, self.m, self.q, gradients)):
                if g is None:
                    continue
                self.t[i] += 1
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2 ** self.t[i]) + self.eps)
                w -= self.rate * m / (1 - b1 ** self.t[i]) / root


@wrong(loses=["test-Adam-hidden"], says="so does its t")
def adam_with_one_t_for_all():
    """t counts the steps of the optimizer, as in the formula."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t = 0
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            self.t += 1
            b1, b2 = self.betas
            for w, m, q, g in zip(self.weights, self.m, self.q, gradients):
                if g is None:
                    continue
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2**self.t)) + self.eps
                w -= self.rate * m / (1 - b1**self.t) / root


@wrong(loses=["test-Adam-hidden"], says="a gradient of 0 would shrink them")
def adam_takes_none_for_zero():
    """A weight that rests has no slope, and rolls on with its momentum."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t = 0
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            self.t += 1
            b1, b2 = self.betas
            for w, m, q, g in zip(self.weights, self.m, self.q, gradients):
                g = np.zeros(w.shape) if g is None else g
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2**self.t)) + self.eps
                w -= self.rate * m / (1 - b1**self.t) / root


@wrong(loses=["test-Adam-hidden"], says="Adam.step(gradients=")
def adam_knows_no_none():
    """A step with None in it crashes, and the message says which call it was."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t = 0
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            self.t += 1
            b1, b2 = self.betas
            for w, m, q, g in zip(self.weights, self.m, self.q, gradients):
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2**self.t)) + self.eps
                w -= self.rate * m / (1 - b1**self.t) / root


@wrong(loses=["test-Adam-hidden"], says="belongs to it (self. ...)")
def adam_shares_its_counters():
    """A list in the class body, made anew by whoever comes last."""

    class Adam:
        t = []

        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t[:] = [0 for _ in weights]
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            b1, b2 = self.betas
            for i, (w, m, q, g) in enumerate(zip(self.weights, self.m, self.q, gradients)):
                if g is None:
                    continue
                self.t[i] += 1
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2 ** self.t[i])) + self.eps
                w -= self.rate * m / (1 - b1 ** self.t[i]) / root


@wrong(loses=["test-Adam-hidden"], says="t counts steps, not weights")
def adam_counts_weights():
    """t grows inside the loop: right for a network of one array."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t = 0
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            b1, b2 = self.betas
            for w, m, q, g in zip(self.weights, self.m, self.q, gradients):
                self.t += 1
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2**self.t)) + self.eps
                w -= self.rate * m / (1 - b1**self.t) / root


@wrong(loses=["test-Adam-hidden"], says="each weight has an m and a q of its own")
def adam_shares_its_memory():
    """One m and one q, made to fit whatever comes: weights of one shape share them."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t = 0
            self.memory = {w.shape: (np.zeros_like(w), np.zeros_like(w)) for w in weights}

        def step(self, gradients):
            self.t += 1
            b1, b2 = self.betas
            for w, g in zip(self.weights, gradients):
                m, q = self.memory[w.shape]
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2**self.t)) + self.eps
                w -= self.rate * m / (1 - b1**self.t) / root


@wrong(
    loses=["test-Adam-hidden", "test-Adam-eps-hidden"],
    says="m and q go on uncorrected",
)
def adam_keeps_the_corrected_means():
    """m /= ... corrects in place, and the next step starts from the corrected mean."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.t = 0
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            self.t += 1
            b1, b2 = self.betas
            for w, m, q, g in zip(self.weights, self.m, self.q, gradients):
                m[...] = (b1 * m + (1 - b1) * g) / (1 - b1**self.t)
                q[...] = (b2 * q + (1 - b2) * g**2) / (1 - b2**self.t)
                w -= self.rate * m / (np.sqrt(q) + self.eps)


@wrong(loses=["test-Adam-hidden", "test-Adam-eps-hidden"], says="wrong after many")
def adam_never_counts():
    """t stays 1: the first step is right, and the later ones are over-corrected."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.m = [np.zeros_like(w) for w in weights]
            self.q = [np.zeros_like(w) for w in weights]

        def step(self, gradients, t=1):
            b1, b2 = self.betas
            for w, m, q, g in zip(self.weights, self.m, self.q, gradients):
                m[...] = b1 * m + (1 - b1) * g
                q[...] = b2 * q + (1 - b2) * g**2
                root = np.sqrt(q / (1 - b2**t)) + self.eps
                w -= self.rate * m / (1 - b1**t) / root


@wrong(loses=["test-Adam-hidden"], says="each step reads self.rate")
def adam_calls_its_rate_lr():
    """An attribute by another name: right until a schedule changes `rate`."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.lr, self.betas, self.eps = weights, rate, betas, eps
            self.t = 0
            self.m = [0.0 for _ in weights]
            self.q = [0.0 for _ in weights]

        def step(self, gradients):
            self.t += 1
            b1, b2 = self.betas
            for i, (w, g) in enumerate(zip(self.weights, gradients)):
                self.m[i] = b1 * self.m[i] + (1 - b1) * g
                self.q[i] = b2 * self.q[i] + (1 - b2) * g**2
                root = np.sqrt(self.q[i] / (1 - b2**self.t)) + self.eps
                w -= self.lr * self.m[i] / (1 - b1**self.t) / root


# Shrinking ----------------------------------------------------------------------------------------


@wrong(loses=["test-decay", "test-decay-penalized-hidden"], says="Biases are spared")
def decays_biases():
    """All parameters are alike."""

    def decay(weights, rate, strength):
        for w in weights:
            w *= 1 - rate * strength


@wrong(loses=["test-decay", "test-decay-penalized-hidden"], says="1 - rate * strength = 0.95")
def decays_without_the_rate():
    """The strength alone, so that a schedule no longer reaches the decay."""

    def decay(weights, rate, strength):
        for w in weights:
            if w.ndim >= 2:
                w *= 1 - strength


@wrong(
    loses=["test-penalized", "test-decay-penalized-hidden"],
    says="the 2 of the square and the half cancel",
)
def penalty_twice_as_strong():
    """The slope of w**2, with the half forgotten."""

    def penalized(weights, gradients, strength):
        return [g + 2 * strength * w * (w.ndim >= 2) for w, g in zip(weights, gradients)]


@wrong(loses=["test-penalized", "test-decay-penalized-hidden"], says="Biases have no penalty")
def penalizes_biases():
    """The formula has no exception in it."""

    def penalized(weights, gradients, strength):
        return [g + strength * w for w, g in zip(weights, gradients)]


@wrong(loses=["test-penalized", "test-decay-penalized-hidden"], says="you changed gradients[0]")
def penalizes_in_place():
    """g += ... changes the gradients of the network."""

    def penalized(weights, gradients, strength):
        for w, g in zip(weights, gradients):
            if w.ndim >= 2:
                g += strength * w
        return gradients


# The finder ---------------------------------------------------------------------------------------


@wrong(loses=["test-find_rate-hidden"], says="none after the explosion")
def finder_runs_to_the_end():
    """All rates are tried, and the bad losses are taken out afterwards."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = [try_rate(rate) for rate in rates]
        kept = []
        for loss in losses:
            if not np.isfinite(loss) or (kept and loss > explosion * min(kept)):
                break
            kept.append(loss)
        return rates[np.argmin(corrected_means(kept, beta))] / 10


@wrong(
    loses=["test-find_rate-hidden"], says="a network whose weights are nan has nothing more to tell"
)
def finder_compares_with_nan():
    """nan > 4 is False, so the run goes on."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if losses and loss > explosion * min(losses):
                break
            losses.append(loss)
        return rates[np.argmin(corrected_means(losses, beta))] / 10


@wrong(loses=["test-find_rate-hidden"], says="the lowest *smoothed* loss")
def finder_trusts_one_loss():
    """The lowest single loss, which may be luck."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss) or (losses and loss > explosion * min(losses)):
                break
            losses.append(loss)
        return rates[np.argmin(losses)] / 10


@wrong(loses=["test-find_rate", "test-find_rate-hidden"], says="the answer is a tenth of it")
def finder_stands_at_the_turn():
    """The rate of the lowest loss itself, on the brink."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss) or (losses and loss > explosion * min(losses)):
                break
            losses.append(loss)
        return rates[np.argmin(corrected_means(losses, beta))]


@wrong(loses=["test-find_rate-hidden"], says="not of the first")
def finder_compares_with_the_start():
    """An explosion is measured against the first loss."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss) or (losses and loss > explosion * losses[0]):
                break
            losses.append(loss)
        return rates[np.argmin(corrected_means(losses, beta))] / 10


@wrong(loses=["test-find_rate-hidden"], says="nor with the one before it")
def finder_compares_with_the_last_loss():
    """A loss that climbs step by step never jumps."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss) or (losses and loss > explosion * losses[-1]):
                break
            losses.append(loss)
        return rates[np.argmin(corrected_means(losses, beta))] / 10


@wrong(loses=["test-find_rate-hidden"], says="the limit is the argument `explosion`")
def finder_knows_its_limit():
    """The 4 of the example is written into the loop."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss) or (losses and loss > 4 * min(losses)):
                break
            losses.append(loss)
        return rates[np.argmin(corrected_means(losses, beta))] / 10


@wrong(loses=["test-find_rate-hidden"], says="with the argument `beta`")
def finder_knows_its_smoothing():
    """The 0.8 of the signature is written into the call."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss) or (losses and loss > explosion * min(losses)):
                break
            losses.append(loss)
        return rates[np.argmin(corrected_means(losses, 0.8))] / 10


@wrong(loses=["test-find_rate-hidden"], says="The loss of the explosion itself is not among them")
def finder_counts_the_explosion():
    """The last loss is kept before it is looked at, where it is a number."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss):
                break
            losses.append(loss)
            if loss > explosion * min(losses):
                break
        return rates[np.argmin(corrected_means(losses, beta))] / 10


@wrong(loses=["test-find_rate", "test-find_rate-hidden"], says="you changed rates")
def finder_divides_the_rates():
    """A tenth of every rate, in place, and then the best of them."""

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses = []
        for rate in rates:
            loss = try_rate(rate)
            if not np.isfinite(loss) or (losses and loss > explosion * min(losses)):
                break
            losses.append(loss)
        rates /= 10
        return rates[np.argmin(corrected_means(losses, beta))]


# Right, and unusual -------------------------------------------------------------------------------


@right
def with_numpy_out():
    """Ufuncs that write in place, and a limit from the spectral norm."""

    def descend(weights, gradients, rate, max_norm=None):
        length = np.linalg.norm(np.concatenate([np.ravel(g) for g in gradients]))
        factor = rate * min(1.0, (max_norm or length) / (length or 1.0)) if length else rate
        for i in range(len(weights)):
            np.subtract(weights[i], factor * gradients[i], out=weights[i])

    def longest_rate(H, beta=0.0):
        return float(2.0 * (1 + beta) / np.linalg.norm(H, 2))


@right
def with_power_method():
    """The largest curvature by repeated multiplication, entry by entry in the step."""

    def longest_rate(H, beta=0.0):
        x = np.random.default_rng(1).normal(size=len(H))
        for _ in range(5000):
            x = H @ x
            x = x / np.sqrt(np.sum(x * x))
        return 2.0 * (1 + beta) / (x @ (H @ x))

    def descend(weights, gradients, rate, max_norm=None):
        total = 0.0
        for g in gradients:
            for x in g.flat:
                total += x * x
        scale = max_norm / total**0.5 if max_norm is not None and total > max_norm**2 else 1.0
        for w, g in zip(weights, gradients):
            for place in np.ndindex(w.shape):
                w[place] = w[place] - rate * scale * g[place]


@right
def warns_on_the_way():
    """Divisions by 0 whose results are not used: NumPy warns, and the numbers are right."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = np.sqrt(np.sum([np.sum(g**2) for g in gradients]))
        share = np.float64(np.inf if max_norm is None else max_norm) / norm
        for w, g in zip(weights, gradients):
            w -= rate * (g if not share < 1 else share * g)

    def corrected_means(values, beta):
        means, m = [np.float64(0)], np.float64(0)
        for t in range(len(values) + 1):
            if t:
                m = beta * m + (1 - beta) * values[t - 1]
            means.append(m / np.float64(1 - beta**t))
        return np.array(means[2:], dtype=float)

    class AdaGrad:
        def __init__(self, weights, rate, eps=1e-10):
            self.weights, self.rate, self.eps = weights, rate, eps
            self.q = [0.0 for _ in weights]

        def step(self, gradients):
            for i, (w, g) in enumerate(zip(self.weights, gradients)):
                self.q[i] = self.q[i] + g * g
                root = np.sqrt(self.q[i])
                w -= np.where(g == 0, 0.0, self.rate / ((root + self.eps) / g))


@right
def with_other_names_and_progress():
    """Parameters by other names, and a progress bar, which is written to stderr."""

    def descend(params, grads, lr, max_norm=None):
        norm = sum(float(np.vdot(g, g)) for g in grads) ** 0.5
        lr = lr if max_norm is None or norm <= max_norm else lr * max_norm / norm
        for p, g in zip(params, grads):
            p -= lr * g

    def penalized(ws, gs, decay_rate):
        return [np.array(g + decay_rate * w) if w.ndim > 1 else g.copy() for w, g in zip(ws, gs)]

    def find_rate(step, rates, beta=0.8, explosion=4.0):
        import sys

        losses = []
        for i, rate in enumerate(rates):
            print(f"{i} of {len(rates)}", end="\\r", file=sys.stderr)
            loss = step(rate)
            if np.isnan(loss) or loss == np.inf or loss > explosion * min([*losses, np.inf]):
                break
            losses.append(loss)
        return float(rates[int(np.argmin(corrected_means(losses, beta)))]) / 10


@right
def limit_by_trying():
    """The edge is found by halving: does descent with this rate shrink in every direction?"""

    def longest_rate(H, beta=0.0):
        curvatures = np.linalg.svd(np.asarray(H, dtype=float), compute_uv=False)
        low, high = 0.0, 8 / curvatures.max()
        for _ in range(60):
            rate = (low + high) / 2
            sizes = [np.abs(np.roots([1, -(1 + beta - rate * c), beta])).max() for c in curvatures]
            low, high = (rate, high) if max(sizes) < 1 else (low, rate)
        return low


@right
def means_from_the_end():
    """Every mean anew from its values, the last first, with Python's own lists."""

    def corrected_means(values, beta):
        values = [float(x) for x in values]
        found = []
        for n in range(len(values), 0, -1):
            shares = [beta ** (n - 1 - k) for k in range(n)]
            top = sum(share * x for share, x in zip(shares, values))
            found.insert(0, top / sum(shares))
        return np.array(found)


@right
def with_slices():
    """What is new is written over what was there: w[:] = ..., in every step of the three."""

    def descend(weights, gradients, rate, max_norm=None):
        norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
        scale = 1.0 if max_norm is None or norm == 0 else min(1.0, max_norm / norm)
        for w, g in zip(weights, gradients):
            w[:] = w - rate * scale * g

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
            self.velocities = [np.zeros_like(w) for w in weights]

        def step(self, gradients):
            for w, v, g in zip(self.weights, self.velocities, gradients):
                v[:] = self.beta * v + g
                w[:] = w - self.rate * (g + self.beta * v if self.nesterov else v)

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.means = [(np.zeros(1), np.zeros_like(w), np.zeros_like(w)) for w in weights]

        def step(self, gradients):
            b1, b2 = self.betas
            for w, (t, m, q), g in zip(self.weights, self.means, gradients):
                if g is not None:
                    t += 1
                    m[:] = b1 * m + (1 - b1) * g
                    q[:] = b2 * q + (1 - b2) * g**2
                    a, b = m / (1 - b1**t), q / (1 - b2**t)
                    w[:] = w - self.rate * a / (np.sqrt(b) + self.eps)


@right
def one_class_for_all():
    """Everything is inherited from one class, with its memory in dictionaries made when needed."""

    class Remembering:
        def __init__(self, weights, rate, eps):
            self.weights, self.rate, self.eps, self.memory = list(weights), rate, eps, {}

        def get(self, name, i):
            return self.memory.get((name, i), np.zeros_like(self.weights[i]))

    class AdaGrad(Remembering):
        def __init__(self, weights, rate, eps=1e-10):
            super().__init__(weights, rate, eps)

        def step(self, gradients):
            for i, g in enumerate(gradients):
                q = self.get("q", i) + g * g
                self.memory["q", i] = q
                self.weights[i][...] = self.weights[i] - self.rate * g / (self.eps + q**0.5)

    class RMSProp(Remembering):
        def __init__(self, weights, rate, beta=0.99, eps=1e-8):
            super().__init__(weights, rate, eps)
            self.beta = beta

        def step(self, gradients):
            for i, g in enumerate(gradients):
                q = self.get("q", i)
                q = q + (1 - self.beta) * (g * g - q)
                self.memory["q", i] = q
                self.weights[i][...] = self.weights[i] - self.rate * g / (self.eps + q**0.5)


@right
def adam_in_the_efficient_order():
    """The two corrections go into the rate and into epsilon, as the paper suggests."""

    class Adam:
        def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
            self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
            self.state = [{"t": 0, "m": 0.0 * w, "q": 0.0 * w} for w in weights]

        def step(self, gradients):
            b1, b2 = self.betas
            for w, s, g in zip(self.weights, self.state, gradients):
                if g is None:
                    continue
                s["t"] += 1
                s["m"] = s["m"] + (1 - b1) * (g - s["m"])
                s["q"] = s["q"] + (1 - b2) * (g * g - s["q"])
                root = np.sqrt(1 - b2 ** s["t"])
                rate = self.rate * root / (1 - b1 ** s["t"])
                w -= rate * s["m"] / (np.sqrt(s["q"]) + self.eps * root)


@right
def momentum_by_nesterov_and_a_flag():
    """The velocity is replaced, not changed, and both variants are written as one."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.rate, self.beta, self.nesterov = rate, beta, nesterov
            self.pairs = [[w, 0.0] for w in weights]

        def step(self, gradients):
            for pair, g in zip(self.pairs, gradients):
                w, v = pair
                pair[1] = v = self.beta * v + g
                ahead = [v, g + self.beta * v][self.nesterov]
                w -= self.rate * ahead


@right
def means_as_a_matrix():
    """A triangular matrix of shares in place of a loop, and a finder with early returns."""

    def corrected_means(values, beta):
        values = np.asarray(values, dtype=float)
        n = len(values)
        age = np.arange(n)[:, None] - np.arange(n)
        shares = np.where(age >= 0, float(beta) ** np.maximum(age, 0), 0.0)
        return shares @ values / shares.sum(axis=1)

    def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
        losses, smallest = [], float("inf")
        for rate in rates:
            loss = float(try_rate(rate))
            if not loss < float("inf") or loss > explosion * smallest:
                break
            smallest = min(smallest, loss)
            losses += [loss]
        smooth = list(corrected_means(losses, beta))
        return 0.1 * rates[smooth.index(min(smooth))]


@right
def memory_made_at_the_first_step():
    """Velocities are found by the arrays' identity, and a counter is a list."""

    class Momentum:
        def __init__(self, weights, rate, beta=0.9, nesterov=False):
            self.arrays, self.rate, self.settings = tuple(weights), rate, (beta, nesterov)
            self.velocity = {}

        def step(self, gradients):
            beta, nesterov = self.settings
            for w, g in zip(self.arrays, gradients):
                v = self.velocity.setdefault(id(w), np.zeros(w.shape))
                np.copyto(v, beta * v + g)
                w[...] -= self.rate * (beta * v + g if nesterov else v)

    def penalized(weights, gradients, strength):
        return tuple(g + strength * (w.ndim > 1) * w for w, g in zip(weights, gradients))


@right
def decay_by_subtraction():
    """w - rate * strength * w, and a penalty whose biases keep their own arrays."""

    def decay(weights, rate, strength):
        for w in weights:
            if len(w.shape) > 1:
                w -= rate * strength * w

    def penalized(weights, gradients, strength):
        return [g if w.ndim < 2 else np.add(g, strength * w) for w, g in zip(weights, gradients)]
