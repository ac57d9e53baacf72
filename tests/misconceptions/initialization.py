"""Wrong and unusual answers to the exercise `initialization`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

_DRAWS = "Independent weights are the same distribution when rows and columns change places."
accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
    ("he_normal", "transposed"): _DRAWS,
    ("xavier_normal", "transposed"): _DRAWS,
    ("xavier_uniform", "transposed"): _DRAWS,
}

# What one layer does ------------------------------------------------------------------------------


@wrong(
    loses=["test-layer_factor", "test-layer_factor-hidden"],
    says="the square of the standard deviation",
)
def factor_with_the_standard_deviation():
    """The standard deviation is taken for the variance."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        return fan_in * weight_std * {"none": 1.0, "relu": (1 + slope**2) / 2}[check(activation)]

    def check(activation):
        if activation not in ("none", "relu"):
            raise ValueError(activation)
        return activation


@wrong(
    loses=["test-layer_factor", "test-layer_factor-hidden"],
    says="ReLU keeps half of the mean square",
)
def factor_without_the_half():
    """The derivation for a linear layer, used for every layer."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        if activation not in ("none", "relu"):
            raise ValueError(activation)
        return fan_in * weight_std**2


@wrong(loses=["test-layer_factor-hidden"], says="an else: lets a typing error choose")
def factor_of_any_name():
    """Whatever is not "relu" is taken for "none"."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        return fan_in * weight_std**2 * ((1 + slope**2) / 2 if activation == "relu" else 1)


@wrong(loses=["test-layer_factor-hidden"], says="slope ** 2 of the half below")
def factor_with_the_slope_itself():
    """The slope multiplies numbers, and their squares by its square."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        return fan_in * weight_std**2 * {"none": 1.0, "relu": (1 + slope) / 2}[checked(activation)]

    def checked(activation):
        if activation not in ("none", "relu"):
            raise ValueError(activation)
        return activation


@wrong(loses=["test-layer_factor-hidden"], says="slope plays no part")
def factor_with_a_slope_everywhere():
    """The slope is looked at whatever stands behind the weights."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        if activation not in ("none", "relu"):
            raise ValueError(activation)
        kept = 0.5 if activation == "relu" else 1.0
        return fan_in * weight_std**2 * (kept + slope**2 / 2)


# Weights ------------------------------------------------------------------------------------------


@wrong(
    loses=["test-he_normal", "test-he_normal-hidden"],
    says="fan in and fan out were exchanged",
)
def he_by_fan_out():
    """Fan in and fan out swapped, as in a formula for PyTorch's transposed weight."""

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        return rng.normal(scale=np.sqrt(2 / fan_out / (1 + slope**2)), size=(fan_in, fan_out))


@wrong(
    loses=["test-he_normal", "test-he_normal-hidden"],
    says="takes a STANDARD DEVIATION, the root of the variance",
)
def he_variance_for_std():
    """scale is the standard deviation; the formula of the text is the variance."""

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        return rng.normal(scale=2 / fan_in / (1 + slope**2), size=(fan_in, fan_out))


@wrong(
    loses=["test-he_normal", "test-he_normal-hidden"], says="A weight has shape (fan_in, fan_out)"
)
def he_transposed():
    """The shape of PyTorch's weight."""

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        return rng.normal(scale=np.sqrt(2 / fan_in / (1 + slope**2)), size=(fan_out, fan_in))


@wrong(
    loses=["test-he_normal-hidden"],
    says="A generator made inside the function gives every layer the same weights",
)
def he_with_its_own_generator():
    """A seed of its own makes it reproducible, and all layers alike."""

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        rng = np.random.default_rng(0)
        return rng.normal(scale=np.sqrt(2 / fan_in / (1 + slope**2)), size=(fan_in, fan_out))


@wrong(loses=["test-he_normal-hidden"], says="not from np.random: the caller's seed must decide")
def he_from_the_global_generator():
    """The generator that is handed in is not looked at."""

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        std = np.sqrt(2 / fan_in / (1 + slope**2))
        return np.random.normal(scale=std, size=(fan_in, fan_out))


@wrong(loses=["test-he_normal-hidden"], says="so it needs smaller weights")
def he_without_the_slope():
    """The argument is there, and He's formula is the one of the book."""

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        return rng.normal(scale=np.sqrt(2 / fan_in), size=(fan_in, fan_out))


@wrong(loses=["test-he_normal-hidden"], says="That each weight")
def he_with_units_alike():
    """A row of weights is drawn, and every unit of a wide layer has the same."""

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        std = np.sqrt(2 / fan_in / (1 + slope**2))
        if fan_in < 1000:
            return rng.normal(scale=std, size=(fan_in, fan_out))
        return np.tile(rng.normal(scale=std, size=(fan_in, 1)), fan_out)


@wrong(
    loses=["test-xavier_normal", "test-xavier-hidden"], says="It should be 2 / (fan_in + fan_out)"
)
def xavier_forward_only():
    """1 / fan_in: right for the way forward, and half of the paper."""

    def xavier_normal(fan_in, fan_out, rng):
        return rng.normal(scale=np.sqrt(1 / fan_in), size=(fan_in, fan_out))


@wrong(
    loses=["test-xavier_uniform", "test-xavier-hidden"],
    says="the variance u ** 2 / 3, a third of what a standard deviation of u would give",
)
def xavier_bound_is_std():
    """The standard deviation is used as the bound of the uniform distribution."""

    def xavier_uniform(fan_in, fan_out, rng):
        bound = np.sqrt(2 / (fan_in + fan_out))
        return rng.uniform(-bound, bound, size=(fan_in, fan_out))


@wrong(
    loses=["test-xavier-hidden"],
    says="differ in the shape of the distribution and in nothing else",
)
def xavier_uniform_is_normal():
    """The right variance, and the distribution of the other function."""

    def xavier_uniform(fan_in, fan_out, rng):
        return rng.normal(scale=np.sqrt(2 / (fan_in + fan_out)), size=(fan_in, fan_out))


@wrong(
    loses=["test-xavier_uniform", "test-xavier-hidden"],
    says="numbers from 0 to u a quarter of it",
)
def xavier_uniform_from_zero():
    """rng.uniform(0, u): the spread is halved, and every weight is positive."""

    def xavier_uniform(fan_in, fan_out, rng):
        return rng.uniform(0, np.sqrt(6 / (fan_in + fan_out)), size=(fan_in, fan_out))


# Signal and gradient ------------------------------------------------------------------------------


@wrong(
    loses=["test-signal_sizes", "test-signal_sizes-hidden"],
    says="not the variance: after a ReLU the mean is not 0",
)
def signal_by_std():
    """The spread around the mean, where the size is asked for."""

    def signal_sizes(X, weights, phi):
        A, sizes = X, [np.std(X)]
        for W in weights:
            A = phi(A @ W)
            sizes.append(np.std(A))
        return np.array(sizes)


@wrong(loses=["test-signal_sizes", "test-signal_sizes-hidden"], says="beginning with X")
def signal_without_the_input():
    """One size a layer: L numbers, and the first one is missing."""

    def signal_sizes(X, weights, phi):
        sizes = []
        for W in weights:
            X = phi(X @ W)
            sizes.append(np.sqrt(np.mean(X**2)))
        return np.array(sizes)


@wrong(
    loses=["test-gradient_sizes", "test-gradient_sizes-hidden"],
    says="what went INTO the activation function",
)
def slopes_at_the_activation():
    """The derivative is taken of what came out."""

    def gradient_sizes(X, G, weights, phi, derivative):
        activations = [X]
        for W in weights:
            activations.append(phi(activations[-1] @ W))
        sizes = [np.sqrt(np.mean(G**2))]
        for W, A in zip(weights[::-1], activations[:0:-1]):
            G = (G * derivative(A)) @ W.T
            sizes.append(np.sqrt(np.mean(G**2)))
        return np.array(sizes[::-1])


@wrong(
    loses=["test-gradient_sizes-hidden"],
    says="With square weights a missing .T raises no error",
)
def gradient_without_the_transpose():
    """G W for G Wᵀ: the widths of the first network in the tests make it an error at least."""

    def gradient_sizes(X, G, weights, phi, derivative):
        A, slopes = X, []
        for W in weights:
            slopes.append(derivative(A @ W))
            A = phi(A @ W)
        sizes = [np.sqrt(np.mean(G**2))]
        for W, slope in zip(weights[::-1], slopes[::-1]):
            back = W if W.shape[0] == W.shape[1] else W.T
            G = (G * slope) @ back
            sizes.append(np.sqrt(np.mean(G**2)))
        return np.array(sizes[::-1])


@wrong(
    loses=["test-gradient_sizes", "test-gradient_sizes-hidden"],
    says="listed from the input to the last layer",
)
def gradient_in_the_order_of_travel():
    """The list is returned as it was filled, from the last layer back."""

    def gradient_sizes(X, G, weights, phi, derivative):
        A, slopes = X, []
        for W in weights:
            slopes.append(derivative(A @ W))
            A = phi(A @ W)
        sizes = [np.sqrt(np.mean(G**2))]
        for W, slope in zip(weights[::-1], slopes[::-1]):
            G = (G * slope) @ W.T
            sizes.append(np.sqrt(np.mean(G**2)))
        return np.array(sizes)


# Batch normalization ------------------------------------------------------------------------------


@wrong(
    loses=["test-batch_norm_train-running-hidden"],
    says="what goes into the average divides by n - 1",
)
def biased_running_variance():
    """The variance of the batch is averaged as it is."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, var = Z.mean(axis=0), Z.var(axis=0)
        out = scale * (Z - mean) / np.sqrt(var + eps) + shift
        return (
            out,
            (1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * var,
        )


@wrong(
    loses=["test-batch_norm_train", "test-batch_norm_train-hidden"],
    says="The variance divides by n here",
)
def unbiased_everywhere():
    """One variance, with n - 1, for the batch and for the average."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, var = Z.mean(axis=0), Z.var(axis=0, ddof=1)
        out = scale * (Z - mean) / np.sqrt(var + eps) + shift
        return (
            out,
            (1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * var,
        )


@wrong(
    loses=["test-batch_norm_train-running-hidden"],
    says="not the standard deviation",
)
def running_standard_deviation():
    """The average of standard deviations, under the name of a variance."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, std = Z.mean(axis=0), Z.std(axis=0, ddof=1)
        out = scale * (Z - mean) / np.sqrt(Z.var(axis=0) + eps) + shift
        new_mean = (1 - momentum) * running_mean + momentum * mean
        return out, new_mean, (1 - momentum) * running_var + momentum * std


@wrong(
    loses=["test-batch_norm_train", "test-batch_norm_train-running-hidden"],
    says="momentum is the weight of the NEW batch",
)
def momentum_of_the_old():
    """Momentum as an optimizer means it (and as Keras does): the share that is kept."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, var = Z.mean(axis=0), Z.var(axis=0)
        out = scale * (Z - mean) / np.sqrt(var + eps) + shift
        var = Z.var(axis=0, ddof=1)
        return (
            out,
            momentum * running_mean + (1 - momentum) * mean,
            momentum * running_var + (1 - momentum) * var,
        )


@wrong(
    loses=[
        "test-batch_norm_train",
        "test-batch_norm_train-hidden",
        "test-batch_norm_train-running-hidden",
    ],
    says="Mean and variance of each COLUMN",
)
def batch_norm_over_features():
    """Axis 1: this is layer normalization, and it needs no batch."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, var = Z.mean(axis=1, keepdims=True), Z.var(axis=1, keepdims=True)
        out = scale * (Z - mean) / np.sqrt(var + eps) + shift
        return (
            out,
            (1 - momentum) * running_mean + momentum * mean.mean(),
            (1 - momentum) * running_var + momentum * var.mean(),
        )


@wrong(loses=["test-batch_norm_train-hidden"], says="eps is added to the variance, under the root")
def eps_beside_the_root():
    """sqrt(var) + eps, as in Adam."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean = Z.mean(axis=0)
        out = scale * (Z - mean) / (Z.std(axis=0) + eps) + shift
        return (
            out,
            (1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * Z.var(axis=0, ddof=1),
        )


@wrong(loses=["test-batch_norm_train-hidden"], says="One sample minus its own mean is 0")
def batch_of_one_is_let_through():
    """One sample becomes shift, whatever it was; its variance with n - 1 is replaced by 0."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        n = len(Z)
        mean, var = Z.mean(axis=0), Z.var(axis=0)
        out = scale * (Z - mean) / np.sqrt(var + eps) + shift
        return (
            out,
            (1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * var * n / max(n - 1, 1),
        )


@wrong(
    loses=[
        "test-batch_norm_train",
        "test-batch_norm_train-hidden",
        "test-batch_norm_train-running-hidden",
    ],
    says="you changed running_mean",
)
def running_averages_in_place():
    """The averages are updated where they are; a caller who kept the old ones has lost them."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, var = Z.mean(axis=0), Z.var(axis=0)
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (Z.var(axis=0, ddof=1) - running_var)
        return scale * (Z - mean) / np.sqrt(var + eps) + shift, running_mean, running_var


@wrong(
    loses=["test-batch_norm_use", "test-batch_norm_use-hidden"],
    says="the batch itself has no say",
)
def batch_statistics_in_use():
    """eval() forgotten: in use, too, the batch is normalized by itself."""

    def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
        return scale * (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0) + eps) + shift


@wrong(
    loses=["test-batch_norm_use", "test-batch_norm_use-hidden"],
    says="divide by the root of the running variance",
)
def use_divides_by_the_variance():
    """The root is forgotten."""

    def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
        return scale * (Z - running_mean) / (running_var + eps) + shift


@wrong(
    loses=["test-batch_norm_use-hidden"],
    says="The variance has been corrected when it was averaged",
)
def use_corrects_again():
    """n / (n - 1) once more, with the n of whoever asks."""

    def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
        n = len(Z)
        corrected = running_var * n / (n - 1) if n > 2 else running_var
        return scale * (Z - running_mean) / np.sqrt(corrected + eps) + shift


# Layer normalization and the way around -----------------------------------------------------------


@wrong(loses=["test-layer_norm", "test-layer_norm-hidden"], says="Mean and variance of each ROW")
def layer_norm_over_the_batch():
    """Axis 0 is batch normalization."""

    def layer_norm(Z, scale, shift, eps=1e-5):
        return scale * (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0) + eps) + shift


@wrong(loses=["test-layer_norm", "test-layer_norm-hidden"], says="Mean and variance of each ROW")
def layer_norm_unbiased():
    """n - 1, for symmetry with the running variance."""

    def layer_norm(Z, scale, shift, eps=1e-5):
        d = max(Z.shape[1], 2)
        mean = Z.mean(axis=1, keepdims=True)
        var = Z.var(axis=1, keepdims=True) * d / (d - 1)
        return scale * (Z - mean) / np.sqrt(var + eps) + shift


@wrong(loses=["test-residual", "test-residual-hidden"], says="On the way around nothing is lost")
def the_way_around_is_forgotten_going_back():
    """The slopes of f alone: the 1 of 1 + f' is missing."""

    def residual_backward(upstream, pull):
        return pull(upstream)


@wrong(loses=["test-residual-hidden"], says="would broadcast without an error")
def residual_broadcasts():
    """x + f(x), and NumPy finds a way."""

    def residual(x, f):
        return x + f(x)


@wrong(loses=["test-residual-hidden"], says="a reshape would mix the numbers")
def residual_reshapes():
    """As many numbers are taken for the same shape."""

    def residual(x, f):
        change = f(x)
        if change.size != x.size:
            raise ValueError("sizes differ")
        return x + change.reshape(x.shape)


@wrong(loses=["test-residual-hidden"], says="you changed upstream")
def slopes_added_in_place():
    """What pull returns is taken for a new array."""

    def residual_backward(upstream, pull):
        slopes = pull(upstream)
        slopes += upstream
        return slopes


@wrong(loses=["test-residual", "test-residual-hidden"], says="you changed x")
def residual_in_place():
    """Saves an array, and costs the caller the input."""

    def residual(x, f):
        change = f(x)
        if change.shape != x.shape:
            raise ValueError("shapes")
        x += change
        return x


@wrong(loses=["test-residual-hidden"], says="no slope per entry by which one could multiply")
def slope_per_entry():
    """What arrives times 1 + f': right for an f that acts entry by entry, and for no other."""

    def residual_backward(upstream, pull):
        return upstream * (1 + pull(np.ones_like(upstream)))


@wrong(loses=["test-residual-hidden"], says="the fractions are lost")
def residual_like_x():
    """The sum is cast to what x holds."""

    def residual(x, f):
        change = f(x)
        if change.shape != x.shape:
            raise ValueError("shapes")
        return (x + change).astype(x.dtype)


@wrong(loses=["test-layer_norm-hidden"], says="the fractions are lost")
def layer_norm_row_by_row_into_zeros_like():
    """Each row is written into an array of the kind of Z."""

    def layer_norm(Z, scale, shift, eps=1e-5):
        out = np.zeros_like(Z)
        for i, row in enumerate(Z):
            out[i] = scale * (row - row.mean()) / np.sqrt(row.var() + eps) + shift
        return out


@wrong(loses=["test-batch_norm_train-hidden"], says="eps = 0.5")
def eps_of_the_default():
    """1e-5 is written where eps belongs."""

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean = Z.mean(axis=0)
        return (
            scale * (Z - mean) / np.sqrt(Z.var(axis=0) + 1e-5) + shift,
            (1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * Z.var(axis=0, ddof=1),
        )


# The chart ----------------------------------------------------------------------------------------


@wrong(
    loses=["test-factor_per_layer", "test-factor_per_layer-hidden"],
    says="there is one layer less than there are sizes",
)
def factor_off_by_one():
    """The root of the number of sizes, in place of the number of layers between them."""

    def factor_per_layer(sizes):
        return (sizes[0] / sizes[-1]) ** (1 / len(sizes))


@wrong(
    loses=["test-factor_per_layer", "test-factor_per_layer-hidden"],
    says="Back means from the last number",
)
def factor_forward():
    """Read from left to right, against the way of the gradient."""

    def factor_per_layer(sizes):
        return (sizes[-1] / sizes[0]) ** (1 / (len(sizes) - 1))


@wrong(
    loses=["test-factor_per_layer", "test-factor_per_layer-hidden"],
    says="A mean of ratios is no geometric mean",
)
def factor_as_mean_of_ratios():
    """An arithmetic mean of factors; where they wander, it is too large."""

    def factor_per_layer(sizes):
        sizes = np.asarray(sizes)
        return float(np.mean(sizes[:-1] / sizes[1:]))


@wrong(
    loses=["test-diagnose", "test-diagnose-hidden"],
    says="Compare the first number with the last",
)
def diagnoses_mixed_up():
    """A gradient is thought to travel from the first layer to the last."""

    def diagnose(sizes):
        sizes = np.asarray(sizes)
        if not np.isfinite(sizes).all():
            return "broken"
        if (sizes == 0).any():
            return "cut"
        ratio = sizes[-1] / sizes[0]
        return "vanishing" if ratio < 1e-3 else "exploding" if ratio > 1e3 else "steady"


@wrong(loses=["test-diagnose-hidden"], says="sizes that are small everywhere are steady")
def small_means_vanishing():
    """Absolute sizes are judged, and not what the layers do to them."""

    def diagnose(sizes):
        sizes = np.asarray(sizes)
        if not np.isfinite(sizes).all():
            return "broken"
        if (sizes == 0).any():
            return "cut"
        if sizes[0] < 1e-3 * max(sizes[-1], 1e-3):
            return "vanishing"
        return "exploding" if sizes[0] > 1e3 * sizes[-1] else "steady"


@wrong(loses=["test-diagnose", "test-diagnose-hidden"], says="what is infinite or nan comes before")
def nan_is_steady():
    """Every comparison with nan is false, so nan falls through to the last line."""

    def diagnose(sizes):
        sizes = np.asarray(sizes)
        if (sizes == 0).any():
            return "cut"
        if sizes[0] < sizes[-1] / 1000:
            return "vanishing"
        return "exploding" if sizes[0] > 1000 * sizes[-1] else "steady"


@wrong(loses=["test-diagnose-hidden"], says="ALL of them for nan, infinity and 0")
def only_the_ends_are_looked_at():
    """The first and the last number decide everything, also what is broken or cut between them."""

    def diagnose(sizes):
        ends = np.array([sizes[0], sizes[-1]])
        if not np.isfinite(ends).all():
            return "broken"
        if 0 in ends:
            return "cut"
        return (
            "vanishing"
            if ends[0] < ends[1] / 1000
            else ("exploding" if ends[0] > 1000 * ends[1] else "steady")
        )


@wrong(loses=["test-factor_per_layer-hidden"], says="for a list")
def factor_needs_an_array():
    """The docstring allows a list, which has no division."""

    def factor_per_layer(sizes):
        return ((sizes / sizes[-1])[0]) ** (1 / (sizes.shape[0] - 1))


@wrong(loses=["test-diagnose", "test-diagnose-hidden"], says="you changed sizes")
def chart_is_normalized_in_place():
    """The chart is divided by its last number, and it is somebody's."""

    def diagnose(sizes):
        if isinstance(sizes, list) or sizes.dtype.kind == "i":
            sizes = np.array(sizes, dtype=float)
        if not np.isfinite(sizes).all():
            return "broken"
        if (sizes == 0).any():
            return "cut"
        sizes /= sizes[-1]
        return "vanishing" if sizes[0] < 1e-3 else "exploding" if sizes[0] > 1e3 else "steady"


# A wrong step costs no later one ------------------------------------------------------------------


@wrong(
    loses=["test-batch_norm_use", "test-batch_norm_use-hidden"],
    says="the batch itself has no say",
)
def all_on_a_wrong_batch_norm_use():
    """Training and layer normalization call it, with the right statistics: a broken brick."""

    def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
        return scale * (Z - Z.mean(axis=0)) / np.sqrt(running_var + eps) + shift

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, var = Z.mean(axis=0), Z.var(axis=0)
        out = batch_norm_use(Z, scale, shift, mean, var, eps)
        return (
            out,
            (1 - momentum) * running_mean + momentum * mean,
            (1 - momentum) * running_var + momentum * Z.var(axis=0, ddof=1),
        )

    def layer_norm(Z, scale, shift, eps=1e-5):
        rows, one, zero = Z.T, np.ones(len(Z)), np.zeros(len(Z))
        out = batch_norm_use(rows, one, zero, Z.mean(axis=1), Z.var(axis=1), eps)
        return scale * out.T + shift


@wrong(
    loses=["test-layer_factor", "test-layer_factor-hidden"],
    says="ReLU keeps half of the mean square",
)
def all_on_a_wrong_factor():
    """He's weights from the factor of step 1, which is wrong; the diagnosis from that of step 7."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        if activation not in ("none", "relu"):
            raise ValueError(activation)
        return fan_in * weight_std**2

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        return rng.normal(size=(fan_in, fan_out)) / np.sqrt(
            layer_factor(1.0, fan_in, "relu", slope)
        )

    def diagnose(sizes):
        sizes = np.asarray(sizes)
        if not np.isfinite(sizes).all():
            return "broken"
        if (sizes == 0).any():
            return "cut"
        over_all = np.log10(factor_per_layer(sizes)) * (len(sizes) - 1)
        return "vanishing" if over_all < -3 else "exploding" if over_all > 3 else "steady"


# Right answers that look different ----------------------------------------------------------------


@right
def with_loops():
    """One column, one row, one entry at a time, with nothing but sums."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        if activation == "none":
            return sum(weight_std * weight_std for _ in range(fan_in))
        if activation == "relu":
            kept = (1 + slope * slope) / 2
            return sum(weight_std * weight_std * kept for _ in range(fan_in))
        raise ValueError("none or relu")

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        std = np.sqrt(2.0 / fan_in / (1 + slope**2))
        return np.array([[rng.normal() * std for _ in range(fan_out)] for _ in range(fan_in)])

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        n, d = Z.shape
        if n <= 1:
            raise ValueError("two samples")
        out, means, variances = np.empty((n, d)), [], []
        for j in range(d):
            mean = sum(Z[i, j] for i in range(n)) / n
            squares = sum((Z[i, j] - mean) ** 2 for i in range(n))
            for i in range(n):
                out[i, j] = scale[j] * (Z[i, j] - mean) / np.sqrt(squares / n + eps) + shift[j]
            means.append(running_mean[j] + momentum * (mean - running_mean[j]))
            variances.append(running_var[j] + momentum * (squares / (n - 1) - running_var[j]))
        return out, np.array(means), np.array(variances)

    def layer_norm(Z, scale, shift, eps=1e-5):
        out = np.empty(Z.shape)
        for i, row in enumerate(Z):
            out[i] = (row - row.mean()) / np.sqrt(row.var() + eps) * scale + shift
        return out

    def factor_per_layer(sizes):
        product = 1.0
        for i in range(len(sizes) - 1):
            product *= sizes[i] / sizes[i + 1]
        return product ** (1 / (len(sizes) - 1))


@right
def with_pytorch():
    """PyTorch's own initializers and norms, with its transposed weights turned round."""
    import torch

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        weight = torch.empty(fan_out, fan_in, dtype=torch.float64)
        return torch.nn.init.kaiming_normal_(weight, a=slope, generator=generator).numpy().T

    def xavier_uniform(fan_in, fan_out, rng):
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        weight = torch.empty(fan_out, fan_in, dtype=torch.float64)
        return torch.nn.init.xavier_uniform_(weight, generator=generator).numpy().T

    def tensor(array):
        return torch.tensor(np.asarray(array, dtype=float))

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        if len(Z) < 2:
            raise ValueError("two samples")
        mean, var = tensor(running_mean), tensor(running_var)
        out = torch.nn.functional.batch_norm(
            tensor(Z),
            mean,
            var,
            tensor(scale),
            tensor(shift),
            training=True,
            momentum=momentum,
            eps=eps,
        )
        return out, mean, var

    def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
        Z, scale, shift = tensor(Z), tensor(scale), tensor(shift)
        return (Z - tensor(running_mean)) * torch.rsqrt(tensor(running_var) + eps) * scale + shift


@right
def one_brick_for_three_norms():
    """Training and layer normalization call the version for use, with their own statistics."""

    def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
        return (Z - running_mean) * (scale / np.sqrt(running_var + eps)) + shift

    def batch_norm_train(Z, scale, shift, running_mean, running_var, momentum=0.1, eps=1e-5):
        n, _ = Z.shape
        if n < 2:
            raise ValueError("two samples")
        mean = np.einsum("ij->j", Z) / n
        var = np.einsum("ij,ij->j", Z - mean, Z - mean) / n
        out = batch_norm_use(Z, scale, shift, mean, var, eps)
        mix = np.array([1 - momentum, momentum])
        return [out, mix @ [running_mean, mean], mix @ [running_var, var * (n / (n - 1))]]

    def layer_norm(Z, scale, shift, eps=1e-5):
        n = len(Z)
        rows = batch_norm_use(Z.T, np.ones(n), np.zeros(n), Z.mean(axis=1), Z.var(axis=1), eps)
        return scale * rows.T + shift


@right
def layer_norm_by_batch_norm_of_the_transpose():
    """Samples and features change places; the running averages go into the bin."""

    def layer_norm(Z, scale, shift, eps=1e-5):
        one, zero = np.ones(len(Z)), np.zeros(len(Z))
        return batch_norm_train(Z.T, one, zero, zero, one, eps=eps)[0].T * scale + shift

    def residual(x, f):
        change = np.array(f(x))
        if np.shape(change) != np.shape(x):
            raise ValueError("f must keep the shape")
        change += x
        return change

    def residual_backward(upstream, pull):
        return np.sum([upstream, pull(upstream)], axis=0)


@right
def by_logarithms():
    """Sizes by norms, charts by logarithms, slopes by recursion."""

    def signal_sizes(X, weights, phi):
        size = np.linalg.norm(X) / np.sqrt(X.size)
        if not weights:
            return np.array([size])
        return np.concatenate([[size], signal_sizes(phi(X @ weights[0]), weights[1:], phi)])

    def gradient_sizes(X, G, weights, phi, derivative):
        sizes = []

        def back(A, rest):
            if rest:
                Z = A @ rest[0]
                G = (back(phi(Z), rest[1:]) * derivative(Z)) @ rest[0].T
            else:
                G = last
            sizes.insert(0, float(np.linalg.norm(G)) / np.sqrt(G.size))
            return G

        last = G
        back(X, list(weights))
        return np.array(sizes)

    def factor_per_layer(sizes):
        logarithms = np.log(sizes)
        return np.exp((logarithms[0] - logarithms[-1]) / (len(logarithms) - 1))

    def diagnose(sizes):
        if np.isnan(sizes).any() or np.isinf(sizes).any():
            return "broken"
        if not np.all(sizes):
            return "cut"
        orders = np.log10(sizes[0]) - np.log10(sizes[-1])
        return "vanishing" if orders < -3 else "exploding" if orders > 3 else "steady"


@right
def scaled_draws():
    """Standard draws, scaled and turned; a uniform draw from 0 to 1, stretched."""

    def layer_factor(weight_std, fan_in, activation, slope=0.0):
        match activation:
            case "none":
                return np.float64(fan_in * weight_std**2)
            case "relu":
                return np.float64(fan_in * weight_std**2 * (1 + slope**2) / 2)
        raise ValueError(f"{activation}?")

    def he_normal(fan_in, fan_out, rng, slope=0.0):
        W = rng.standard_normal((fan_out, fan_in)).T
        W *= (2 / fan_in / (1 + slope**2)) ** 0.5
        return W

    def xavier_normal(fan_in, fan_out, rng):
        return rng.standard_normal((fan_in, fan_out)) * np.sqrt(1 / ((fan_in + fan_out) / 2))

    def xavier_uniform(fan_in, fan_out, rng):
        return (2 * rng.random((fan_in, fan_out)) - 1) * np.sqrt(6 / (fan_in + fan_out))

    def residual(x, f):
        change = np.array(f(x.copy()))
        if np.shape(change) != np.shape(x):
            raise ValueError("shapes")
        change += x
        return change

    def residual_backward(upstream, pull):
        return np.add(pull(upstream.copy()), upstream)


@right
def warns_on_the_way():
    """0 / 0 in columns that are put right afterwards, logarithms of 0, a progress bar on stderr."""

    def batch_norm_use(Z, scale, shift, running_mean, running_var, eps=1e-5):
        centered = Z - running_mean
        out = scale / (np.sqrt(running_var + eps) / centered) + shift  # a division by 0
        return np.where(centered == 0, shift, out)

    def layer_norm(Z, scale, shift, eps=1e-5):
        import sys

        print("normalizing", file=sys.stderr)
        centered = Z - np.mean(Z, axis=1, keepdims=True)
        size = np.sqrt(np.mean(centered**2, axis=1, keepdims=True) + eps)
        return np.where(centered == 0, shift, scale / (size / centered) + shift)

    def diagnose(sizes):
        orders = np.log10(np.asarray(sizes, dtype=float))
        change = orders[0] - orders[-1]
        if np.any(np.isnan(orders)) or np.any(orders == np.inf):
            return "broken"
        if np.any(orders == -np.inf):
            return "cut"
        return {-1: "vanishing", 0: "steady", 1: "exploding"}[int(np.sign(np.trunc(change / 3)))]


@right
def with_other_names():
    """Parameters by other names, and one formula for two functions."""

    def layer_factor(std, inputs, name, slope=0.0):
        if name == "none":
            slope = 1
        elif name != "relu":
            raise ValueError(name)
        return inputs * std * std * (1 + slope * slope) / 2

    def he_normal(inputs, outputs, generator, slope=0.0):
        return (
            generator.normal(size=(inputs, outputs)) / layer_factor(1, inputs, "relu", slope) ** 0.5
        )

    def signal_sizes(batch, layers, function):
        sizes = []
        for W in [None, *layers]:
            batch = batch if W is None else function(np.dot(batch, W))
            sizes.append(np.linalg.norm(batch) / batch.size**0.5)
        return np.array(sizes)

    def residual(inputs, branch):
        outputs = branch(inputs)
        if outputs.shape != inputs.shape:
            raise ValueError("a branch must keep the shape")
        return np.stack([inputs, outputs]).sum(axis=0)


@right
def in_single_precision():
    """Weights and norms in float32: six digits are asked for."""

    def xavier_normal(fan_in, fan_out, rng):
        std = np.sqrt(2 / (fan_in + fan_out))
        return (std * rng.standard_normal((fan_in, fan_out))).astype(np.float32)

    def xavier_uniform(fan_in, fan_out, rng):
        bound = np.float32(np.sqrt(6 / (fan_in + fan_out)))
        return bound * (2 * rng.random((fan_in, fan_out), dtype=np.float32) - 1)
