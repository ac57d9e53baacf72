"""Wrong and unusual answers to the exercise `activations`."""

import math

import numpy as np

from course_lib.assignments.answers import right, wrong

accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
    ("relu", "whole numbers z"): "ReLU of integers is integers: there are no fractions to lose.",
    ("relu_derivative", "whole numbers z"): "Slopes of 0 and 1 have no fractions to lose.",
}

# Sigmoid and tanh ---------------------------------------------------------------------------------


@wrong(loses=["test-sigmoid-large-hidden"], says="exp of a large positive number overflows")
def sigmoid_as_in_the_book():
    """The formula as it stands; its values are right, and it warns left of -709."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))


@wrong(loses=["test-sigmoid-large-hidden"], says="computes both branches")
def sigmoid_guarded_by_where():
    """np.where looks like an if, but the branch that is not taken overflows all the same."""

    def sigmoid(z):
        return np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))


@wrong(loses=["test-sigmoid-large-hidden"], says="z is float32 here")
def sigmoid_clipped_for_float64():
    """500 is a safe exponent in float64; in float32 the exponential overflows above 88."""

    def sigmoid(z):
        return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


@wrong(loses=["test-sigmoid-hidden"], says="the fractions are lost")
def sigmoid_into_an_integer_array():
    """zeros_like takes the dtype of z: for whole numbers every answer is cut to 0."""

    def sigmoid(z):
        answer = np.zeros_like(z)
        left = z < 0
        answer[left] = np.exp(z[left]) / (1 + np.exp(z[left]))
        answer[~left] = 1 / (1 + np.exp(-z[~left]))
        return answer


@wrong(
    loses=["test-sigmoid_derivative", "test-sigmoid_derivative-hidden"],
    says="wants the sigmoid's output",
)
def sigmoid_derivative_of_the_output():
    """The formula from backpropagation code, where the variable is the output, s."""

    def sigmoid_derivative(z):
        return z * (1 - z)


@wrong(loses=["test-sigmoid_derivative-hidden"], says="inf / inf")
def sigmoid_derivative_by_the_quotient_rule():
    """Right on paper; where exp(-z) overflows, the quotient is inf / inf."""

    def sigmoid_derivative(z):
        return np.exp(-z) / (1 + np.exp(-z)) ** 2


@wrong(
    loses=["test-tanh_derivative", "test-tanh_derivative-hidden"],
    says="z is what goes into tanh",
)
def tanh_derivative_of_the_output():
    """1 - a**2 with a the output, a name that the code lost."""

    def tanh_derivative(z):
        return 1 - z**2


@wrong(
    loses=["test-sigmoid", "test-sigmoid-hidden", "test-sigmoid-large-hidden"],
    says="you changed z",
)
def sigmoid_with_out():
    """out= saves memory, which is the caller's."""

    def sigmoid(z):
        if z.dtype.kind != "f":
            z = z.astype(float)
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1, e) / np.add(1, e, out=z)


@wrong(
    loses=["test-tanh_derivative", "test-tanh_derivative-hidden"],
    says="is not defined",
)
def tanh_derivative_with_a_typing_error():
    """It never runs: the message names the call and the line."""

    def tanh_derivative(z):
        return 1 - np.tanh(x) ** 2


@wrong(loses=["test-tanh_derivative-hidden"], says="exponentials that both overflow")
def tanh_derivative_by_exponentials():
    """Tanh as the quotient that defines it: inf / inf far from 0."""

    def tanh_derivative(z):
        tanh = (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))
        return 1 - tanh**2


@wrong(loses=["test-tanh_derivative-hidden"], says="the fractions are lost")
def tanh_derivative_into_a_copy():
    """A copy of integers holds integers."""

    def tanh_derivative(z):
        answer = z.copy()
        for place in np.ndindex(z.shape):
            answer[place] = 1 - np.tanh(z[place]) ** 2
        return answer


# ReLU and leaky ReLU ------------------------------------------------------------------------------


@wrong(loses=["test-relu", "test-relu-hidden"], says="np.maximum(z, 0) compares entry by entry")
def relu_by_max():
    """np.max and np.maximum differ by four letters: this is the largest along axis 0."""

    def relu(z):
        return np.max(z, 0)


@wrong(loses=["test-relu", "test-relu-hidden"], says="np.vectorize takes the type of its first")
def relu_by_vectorize():
    """max(0, v) gives the whole number 0 first, and NumPy makes all results whole numbers."""

    def relu(z):
        return np.vectorize(lambda v: max(0, v))(z)


@wrong(loses=["test-relu", "test-relu-hidden"], says="you changed z")
def relu_in_place():
    """The result is right, and the caller's z is gone."""

    def relu(z):
        z[z < 0] = 0
        return z


@wrong(
    loses=["test-relu_derivative", "test-relu_derivative-hidden"], says="nan there comes from 0 / 0"
)
def relu_derivative_by_division():
    """A line through the origin has the slope y / x, but not at the origin."""

    def relu_derivative(z):
        return relu(z) / z


@wrong(loses=["test-relu_derivative", "test-relu_derivative-hidden"], says="slope of the left side")
def relu_derivative_one_at_zero():
    """>= for >, so the corner takes the slope of the right side."""

    def relu_derivative(z):
        return np.where(z >= 0, 1.0, 0.0)


@wrong(loses=["test-leaky_relu", "test-leaky_relu-hidden"], says="negative_slope is ignored")
def leaky_relu_with_its_own_slope():
    """The number of the text is typed in, and the argument forgotten."""

    def leaky_relu(z, negative_slope=0.01):
        return np.where(z > 0, z, 0.01 * z)


@wrong(loses=["test-leaky_relu-hidden"], says="where its first result is an integer")
def leaky_relu_by_vectorize():
    """For whole numbers the first result may be one, and the fractions after it are cut off."""

    def leaky_relu(z, negative_slope=0.01):
        return np.vectorize(lambda v, slope: v if v > 0 else slope * v)(z, negative_slope)


@wrong(loses=["test-leaky_relu_derivative-hidden"], says="has no room for 0.01")
def leaky_relu_derivative_by_vectorize():
    """The whole number 1, where it comes first, turns negative_slope into 0."""

    def leaky_relu_derivative(z, negative_slope=0.01):
        return np.vectorize(lambda v, slope: 1 if v > 0 else slope)(z, negative_slope)


@wrong(
    loses=["test-leaky_relu_derivative", "test-leaky_relu_derivative-hidden"],
    says="nan there comes from 0 / 0, as in leaky_relu(z) / z",
)
def leaky_relu_derivative_by_division():
    """Right on both sides of the corner, and nan in it."""

    def leaky_relu_derivative(z, negative_slope=0.01):
        return leaky_relu(z, negative_slope) / z


@wrong(
    loses=["test-leaky_relu_derivative", "test-leaky_relu_derivative-hidden"],
    says="A slope does not grow with z",
)
def leaky_relu_derivative_is_leaky_relu():
    """The function's left branch is copied: its value, where its slope is asked for."""

    def leaky_relu_derivative(z, negative_slope=0.01):
        return np.where(z > 0, 1.0, negative_slope * z)


@wrong(
    loses=["test-leaky_relu", "test-leaky_relu-hidden"],
    says="units are columns: the first column has 0.25",
)
def leaky_relu_slopes_along_samples():
    """The slopes are turned into a column, one per sample."""

    def leaky_relu(z, negative_slope=0.01):
        slopes = np.asarray(negative_slope)
        slopes = slopes[:, None] if slopes.ndim else slopes
        return np.where(z > 0, z, slopes * z)


@wrong(
    loses=["test-leaky_relu", "test-leaky_relu-hidden"],
    says="raised ValueError: The truth value of an array",
)
def leaky_relu_with_max():
    """Python's max compares whole arrays."""

    def leaky_relu(z, negative_slope=0.01):
        return max(z, negative_slope * z)


@wrong(
    loses=["test-leaky_relu_derivative", "test-leaky_relu_derivative-hidden"],
    says="raised TypeError",
)
def leaky_relu_derivative_for_a_number():
    """float() takes no array of slopes."""

    def leaky_relu_derivative(z, negative_slope=0.01):
        slopes = np.full(z.shape, float(negative_slope))
        slopes[z > 0] = 1
        return slopes


@wrong(loses=["test-leaky_relu-hidden"], says="however many axes there are before it")
def leaky_relu_column_by_column():
    """A loop over the second axis, which is the last only in a batch."""

    def leaky_relu(z, negative_slope=0.01):
        if np.ndim(negative_slope) == 0:
            return np.where(z > 0, z, negative_slope * z)
        answer = np.where(z > 0, z, 0.0)
        for unit, slope in enumerate(negative_slope):
            if z.ndim == 1:
                answer[unit] = z[unit] if z[unit] > 0 else slope * z[unit]
            else:
                answer[:, unit] += slope * np.minimum(z[:, unit], 0)
        return answer


@wrong(loses=["test-leaky_relu_derivative-hidden"], says="has no room for 0.01")
def leaky_relu_derivative_into_ones():
    """ones_like takes the dtype of z: of integers, it has no room for 0.01."""

    def leaky_relu_derivative(z, negative_slope=0.01):
        slopes = np.ones_like(z)
        flat = z <= 0
        slopes[flat] = np.broadcast_to(negative_slope, z.shape)[flat]
        return slopes


# GELU ---------------------------------------------------------------------------------------------


@wrong(loses=["test-gelu", "test-gelu-hidden"], says="sqrt(2 / pi) = 0.7978845608")
def gelu_without_the_root():
    """2 / pi for its square root."""

    def gelu(z, approximate="none"):
        if approximate == "none":
            return z * (1 + erf(z / math.sqrt(2))) / 2
        if approximate == "tanh":
            return z * (1 + np.tanh(2 / math.pi * (z + 0.044715 * z**3))) / 2
        raise ValueError(approximate)


@wrong(
    loses=["test-gelu", "test-gelu-hidden"],
    says="write np.sqrt(2 / np.pi), not a rounded number",
)
def gelu_with_a_rounded_root():
    """Five digits of the root, as they stand in many a program."""

    def gelu(z, approximate="none"):
        if approximate == "none":
            return z * (1 + erf(z / math.sqrt(2))) / 2
        if approximate == "tanh":
            return z * (1 + np.tanh(0.79788 * (z + 0.044715 * z**3))) / 2
        raise ValueError(approximate)


@wrong(loses=["test-gelu", "test-gelu-hidden"], says="0.044715 before z**3")
def gelu_constant_off():
    """A digit of 0.044715 is lost: the error is in the fifth digit."""

    def gelu(z, approximate="none"):
        if approximate == "none":
            return z * (1 + erf(z / math.sqrt(2))) / 2
        if approximate == "tanh":
            return z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.04475 * z**3))) / 2
        raise ValueError(approximate)


@wrong(loses=["test-gelu", "test-gelu-hidden"], says="divided by the square root of 2")
def gelu_with_erf_for_phi():
    """erf is the integral of exp(-t**2), not of the normal density."""

    def gelu(z, approximate="none"):
        if approximate == "none":
            return z * (1 + erf(z)) / 2
        if approximate == "tanh":
            return z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2
        raise ValueError(approximate)


@wrong(loses=["test-gelu-hidden"], says="lets a typing error choose")
def gelu_takes_any_name():
    """if ... else ...: whatever is not "none" is taken for "tanh"."""

    def gelu(z, approximate="none"):
        if approximate == "none":
            return z * (1 + erf(z / math.sqrt(2))) / 2
        else:
            return z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2


@wrong(
    loses=["test-gelu_derivative", "test-gelu_derivative-hidden"],
    says="The product rule gives two terms",
)
def gelu_derivative_is_the_gate():
    """The gate is treated as if it did not depend on z."""

    def gelu_derivative(z):
        return (1 + erf(z / math.sqrt(2))) / 2


@wrong(
    loses=["test-gelu_derivative-hidden"], says="In float32 a difference quotient loses its digits"
)
def gelu_derivative_measured():
    """Good to ten digits in float64; in float32 the step is rounded away."""

    def gelu_derivative(z):
        h = np.float32(1e-5) if z.dtype == np.float32 else 1e-5
        return (gelu(z + h) - gelu(z - h)) / (2 * h)


@wrong(loses=["test-gelu", "test-gelu-hidden"], says="the exact function came back")
def gelu_ignores_the_name():
    """The name is checked, and then forgotten."""

    def gelu(z, approximate="none"):
        if approximate not in ("none", "tanh"):
            raise ValueError(approximate)
        return z * (1 + erf(z / math.sqrt(2))) / 2


@wrong(loses=["test-gelu-hidden"], says="the fractions are lost")
def gelu_into_an_integer_array():
    """Filled entry by entry into an array like z."""

    def gelu(z, approximate="none"):
        if approximate not in ("none", "tanh"):
            raise ValueError(approximate)
        answer = np.zeros_like(z)
        for place in np.ndindex(z.shape):
            x = float(z[place])
            u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
            gate = math.erf(x / math.sqrt(2)) if approximate == "none" else math.tanh(u)
            answer[place] = x * (1 + gate) / 2
        return answer


@wrong(loses=["test-gelu", "test-gelu-hidden"], says="you changed z")
def gelu_in_place():
    """The gate is multiplied into the caller's array."""

    def gelu(z, approximate="none"):
        if approximate not in ("none", "tanh"):
            raise ValueError(approximate)
        if approximate == "none":
            gate = (1 + erf(z / math.sqrt(2))) / 2
        else:
            gate = (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))) / 2
        if z.dtype.kind != "f":
            return z * gate
        z *= gate
        return z


# Softmax ------------------------------------------------------------------------------------------


@wrong(
    loses=["test-softmax-large-hidden", "test-softmax-temperature-hidden"],
    says="subtract the largest of each row first",
)
def naive_softmax():
    """exp overflows above 709, and inf / inf is nan."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp(z / temperature)
        return e / e.sum(axis=axis, keepdims=True)


@wrong(loses=["test-softmax-large-hidden"], says="Each row has its own")
def softmax_minus_the_largest_of_all():
    """One number for the whole array: a row far below it is 0 / 0."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp((z - z.max()) / temperature)
        return e / e.sum(axis=axis, keepdims=True)


@wrong(
    loses=["test-softmax", "test-softmax-large-hidden", "test-softmax-temperature-hidden"],
    says="each row is a distribution of its own",
)
def softmax_over_the_samples():
    """axis=0 by default: each class adds up to 1 over the batch."""

    def softmax(z, axis=0, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp((z - z.max(axis=axis, keepdims=True)) / temperature)
        return e / e.sum(axis=axis, keepdims=True)


@wrong(
    loses=[
        "test-softmax",
        "test-softmax-axis-hidden",
        "test-softmax-large-hidden",
        "test-softmax-temperature-hidden",
    ],
    says="keepdims=True keeps it, so that it lines up with z again",
)
def softmax_without_keepdims():
    """A square batch is divided by the sums of its rows as if they were those of its columns."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp((z - z.max(axis=axis, keepdims=True)) / temperature)
        return e / e.sum(axis=axis)


@wrong(
    loses=["test-softmax-axis-hidden", "test-softmax-large-hidden"],
    says="axis is ignored",
)
def softmax_always_over_rows():
    """The argument axis is never looked at."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp((z - z.max(axis=-1, keepdims=True)) / temperature)
        return e / e.sum(axis=-1, keepdims=True)


@wrong(
    loses=[
        "test-softmax",
        "test-softmax-axis-hidden",
        "test-softmax-large-hidden",
        "test-softmax-temperature-hidden",
    ],
    says="you changed z",
)
def softmax_in_place():
    """-= saves a line and costs the caller the logits."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        z -= z.max(axis=axis, keepdims=True)
        e = np.exp(z / temperature)
        return e / e.sum(axis=axis, keepdims=True)


@wrong(
    loses=["test-softmax", "test-softmax-temperature-hidden"],
    says="The temperature divides the logits before the exponential",
)
def softmax_divides_too_late():
    """exp(z) / T over sum(exp(z) / T): the temperature cancels."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp(z - z.max(axis=axis, keepdims=True)) / temperature
        return e / e.sum(axis=axis, keepdims=True)


@wrong(loses=["test-log_softmax-large-hidden"], says="-inf from the logarithm of a probability")
def log_softmax_in_two_steps():
    """The logarithm of a probability that is already 0."""

    def log_softmax(z, axis=-1):
        return np.log(softmax(z, axis=axis))


@wrong(loses=["test-log_softmax-large-hidden"], says="invents an answer")
def log_softmax_with_an_epsilon():
    """The usual patch: no infinity any more, and a wrong number in its place."""

    def log_softmax(z, axis=-1):
        return np.log(softmax(z, axis=axis) + 1e-12)


@wrong(
    loses=["test-log_softmax", "test-log_softmax-hidden", "test-log_softmax-large-hidden"],
    says="it was subtracted only once",
)
def log_softmax_subtracts_once():
    """The largest is taken from the exponents and not from the logit in front of them."""

    def log_softmax(z, axis=-1):
        below = z - z.max(axis=axis, keepdims=True)
        return z - np.log(np.exp(below).sum(axis=axis, keepdims=True))


@wrong(
    loses=["test-softmax", "test-softmax-temperature-hidden"],
    says="temperature is ignored",
)
def softmax_ignores_the_temperature():
    """It is checked, and never used."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


@wrong(loses=["test-softmax-temperature-hidden"], says="no power brings them back")
def softmax_by_powers():
    """p**(1/T) is proportional to exp(z / T), unless p was rounded to 0."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp(z - z.max(axis=axis, keepdims=True)) ** (1 / temperature)
        return e / e.sum(axis=axis, keepdims=True)


@wrong(loses=["test-softmax-axis-hidden"], says="for integers")
def softmax_into_an_array_like_z():
    """The rows are written into zeros_like(z), whose integers are all 0."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        rows = np.moveaxis(z, axis, -1)
        answer = np.zeros_like(rows)
        for place in np.ndindex(rows.shape[:-1]):
            e = np.exp((rows[place] - rows[place].max()) / temperature)
            answer[place] = e / e.sum()
        return np.moveaxis(answer, -1, axis)


@wrong(
    loses=["test-softmax-temperature-hidden"],
    says="expected  ValueError to be raised",
)
def softmax_at_temperature_zero():
    """< for <=: a temperature of 0 divides by 0."""

    def softmax(z, axis=-1, temperature=1.0):
        if temperature < 0:
            raise ValueError("temperature")
        z = z / np.float64(temperature)
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)


@wrong(loses=["test-log_softmax-hidden"], says="axis is ignored")
def log_softmax_always_over_rows():
    """The argument axis is never looked at."""

    def log_softmax(z, axis=-1):
        below = z - z.max(axis=-1, keepdims=True)
        return below - np.log(np.exp(below).sum(axis=-1, keepdims=True))


@wrong(
    loses=["test-log_softmax", "test-log_softmax-hidden", "test-log_softmax-large-hidden"],
    says="you changed z",
)
def log_softmax_in_place():
    """-= on the caller's logits; integers are left alone, because they would not take it."""

    def log_softmax(z, axis=-1):
        z -= z.max(axis=axis, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


# A wrong step costs no later one ------------------------------------------------------------------


@wrong(loses=["test-relu", "test-relu-hidden"], says="Each entry is compared with 0")
def all_on_a_wrong_relu():
    """Everything after it is right, if only relu were."""

    def relu(z):
        return np.abs(z)

    def relu_derivative(z):
        return 1.0 * (relu(z) > 0)

    def leaky_relu(z, negative_slope=0.01):
        return relu(z) - negative_slope * relu(-z)

    def leaky_relu_derivative(z, negative_slope=0.01):
        return np.where(relu(z) > 0, 1.0, negative_slope)

    def dead_units(pre_activations):
        if pre_activations.ndim != 2:
            raise ValueError("two axes")
        return (relu(pre_activations) == 0).all(axis=0)


@wrong(
    loses=["test-sigmoid", "test-sigmoid-hidden", "test-sigmoid-large-hidden"],
    says="the sign in the exponent is missing",
)
def all_on_a_wrong_sigmoid():
    """tanh(z) = 2 sigmoid(2 z) - 1, in the slopes and in GELU, from a sigmoid that falls."""

    def sigmoid(z):
        return 1 / (1 + np.exp(z))

    def tanh_derivative(z):
        return 4 * sigmoid(2 * z) * sigmoid(-2 * z)

    def gelu(z, approximate="none"):
        if approximate == "none":
            return z * (1 + erf(z / math.sqrt(2))) / 2
        if approximate == "tanh":
            return z * sigmoid(2 * np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
        raise ValueError(approximate)


# Dead units, and the way back ---------------------------------------------------------------------


@wrong(loses=["test-dead_units", "test-dead_units-hidden"], says="units are columns")
def dead_samples():
    """Looks along the units: tells which samples wake nobody."""

    def dead_units(pre_activations):
        if pre_activations.ndim != 2:
            raise ValueError("two axes")
        return (pre_activations <= 0).all(axis=1)


@wrong(loses=["test-dead_units", "test-dead_units-hidden"], says="At exactly 0 a ReLU is off")
def dead_only_below_zero():
    """< for <=: a unit that stands at 0 passes for alive."""

    def dead_units(pre_activations):
        if pre_activations.ndim != 2:
            raise ValueError("two axes")
        return (pre_activations < 0).all(axis=0)


@wrong(loses=["test-dead_units-hidden"], says="A negative mean is not enough")
def dead_on_average():
    """A unit that wakes rarely has a negative mean, and is alive."""

    def dead_units(pre_activations):
        if pre_activations.ndim != 2:
            raise ValueError("two axes")
        return pre_activations.mean(axis=0) <= 0


@wrong(
    loses=["test-activation_backward", "test-activation_backward-hidden"],
    says="taken at z, not at upstream",
)
def slope_at_the_gradient():
    """The derivative is called with what is at hand, the gradient."""

    def activation_backward(upstream, z, derivative):
        return z * derivative(upstream)


@wrong(loses=["test-dead_units", "test-dead_units-hidden"], says="expected  shape (3,)")
def dead_units_keep_an_axis():
    """keepdims, which was right for softmax: a row in place of one answer per unit."""

    def dead_units(pre_activations):
        if pre_activations.ndim != 2:
            raise ValueError("two axes")
        return (pre_activations <= 0).all(axis=0, keepdims=True)


@wrong(
    loses=["test-dead_units", "test-dead_units-hidden"],
    says="you changed pre_activations",
)
def dead_units_by_counting():
    """What is active is overwritten by 1, in the caller's array."""

    def dead_units(pre_activations):
        if pre_activations.ndim != 2:
            raise ValueError("two axes")
        pre_activations[pre_activations > 0] = 1
        pre_activations[pre_activations < 0] = 0
        return pre_activations.sum(axis=0) == 0


@wrong(loses=["test-dead_units-hidden"], says="check the number of axes")
def dead_units_of_anything():
    """A single sample has no axis 1, and three axes pass."""

    def dead_units(pre_activations):
        if pre_activations.ndim < 2:
            raise ValueError("two axes")
        return (pre_activations <= 0).all(axis=0)


@wrong(loses=["test-dead_units-hidden"], says="neither is one negative sample")
def dead_without_the_last_sample():
    """A range that ends one too early."""

    def dead_units(pre_activations):
        samples, units = pre_activations.shape
        dead = np.ones(units, dtype=bool)
        for i in range(max(samples - 1, 1)):
            dead &= pre_activations[i] <= 0
        return dead


@wrong(
    loses=["test-activation_backward", "test-activation_backward-hidden"],
    says="you changed upstream",
)
def backward_in_place():
    """The gradient that came is overwritten by the one that goes."""

    def activation_backward(upstream, z, derivative):
        upstream *= derivative(z)
        return upstream


@wrong(loses=["test-activation_backward-hidden"], says="the fractions are lost")
def backward_into_an_array_like_z():
    """Slopes that are kept in integers, where z holds integers."""

    def activation_backward(upstream, z, derivative):
        slopes = np.empty_like(z)
        slopes[...] = derivative(z)
        return upstream * slopes


@wrong(
    loses=["test-activation_backward", "test-activation_backward-hidden"],
    says="the product is entry by entry",
)
def backward_by_matrices():
    """@ for *: for a square batch there is no error."""

    def activation_backward(upstream, z, derivative):
        return upstream @ derivative(z)


# Right, and unusual -------------------------------------------------------------------------------


@right
def one_number_at_a_time():
    """Loops and the math module, as somebody writes who has not met NumPy's functions yet."""

    def entry_by_entry(function, z):
        answer = np.empty(z.shape)
        for place in np.ndindex(z.shape):
            answer[place] = function(float(z[place]))
        return answer

    def one_sigmoid(z):
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))

    def sigmoid(z):
        return entry_by_entry(one_sigmoid, z)

    def sigmoid_derivative(z):
        return entry_by_entry(lambda x: one_sigmoid(x) * one_sigmoid(-x), z)

    def relu(z):
        return entry_by_entry(lambda x: x if x > 0 else 0.0, z)

    def relu_derivative(z):
        return entry_by_entry(lambda x: 1.0 if x > 0 else 0.0, z)

    def leaky_relu(z, negative_slope=0.01):
        slopes = np.broadcast_to(negative_slope, z.shape)
        answer = np.empty(z.shape)
        for place in np.ndindex(z.shape):
            answer[place] = z[place] if z[place] > 0 else slopes[place] * z[place]
        return answer

    def gelu_derivative(z):
        def one(x):
            bell = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
            return math.erfc(-x / math.sqrt(2)) / 2 + x * bell

        return entry_by_entry(one, z)

    def softmax(z, axis=-1, temperature=1.0):
        if not temperature > 0:
            raise ValueError("the temperature must be positive")
        rows = np.moveaxis(np.array(z, dtype=float), axis, -1)
        for place in np.ndindex(rows.shape[:-1]):
            largest = max(rows[place])
            e = [math.exp((x - largest) / temperature) for x in rows[place]]
            rows[place] = [x / sum(e) for x in e]
        return np.moveaxis(rows, -1, axis)

    def dead_units(pre_activations):
        if len(pre_activations.shape) != 2:
            raise ValueError("samples and units, please")
        dead = []
        for unit in range(pre_activations.shape[1]):
            awake = [row[unit] for row in pre_activations if row[unit] > 0]
            dead.append(len(awake) == 0)
        return np.array(dead)


@right
def with_pytorch():
    """PyTorch inside and NumPy outside; the slopes come from autograd."""

    import torch

    def tensor(z):
        return torch.tensor(np.array(z, dtype=np.float64))

    def slope(function, z):
        z = tensor(z).requires_grad_()
        function(z).sum().backward()
        return z.grad.numpy()

    def sigmoid(z):
        return torch.sigmoid(tensor(z)).numpy()

    def sigmoid_derivative(z):
        return slope(torch.sigmoid, z)

    def tanh_derivative(z):
        return slope(torch.tanh, z)

    def relu_derivative(z):
        return slope(torch.relu, z)

    def leaky_relu_derivative(z, negative_slope=0.01):
        slopes = tensor(negative_slope)
        return slope(lambda t: torch.where(t > 0, t, slopes * t), z)

    def gelu(z, approximate="none"):
        if approximate not in ("none", "tanh"):
            raise ValueError(approximate)
        return torch.nn.functional.gelu(tensor(z), approximate=approximate).numpy()

    def gelu_derivative(z):
        return slope(torch.nn.functional.gelu, z)

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        return torch.softmax(tensor(z) / temperature, dim=axis).numpy()

    def log_softmax(z, axis=-1):
        return torch.log_softmax(tensor(z), dim=axis).numpy()


@right
def with_scipy():
    """SciPy has most of it."""

    from scipy import special

    def sigmoid(z):
        return special.expit(np.asarray(z, dtype=float))

    def gelu(z, approximate="none"):
        gates = {
            "none": special.ndtr,
            "tanh": lambda z: special.expit(math.sqrt(8 / math.pi) * (z + 0.044715 * z**3)),
        }
        if approximate not in gates:
            raise ValueError(f"choose from {sorted(gates)}")
        return z * gates[approximate](z)

    def gelu_derivative(z):
        return special.ndtr(z) + z * np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi)

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        return special.softmax(z / temperature, axis=axis)

    def log_softmax(z, axis=-1):
        return z - special.logsumexp(z, axis=axis, keepdims=True)


@right
def by_other_formulas():
    """Identities in place of the text's formulas, einsum and logaddexp in place of its sums."""

    def sigmoid(z):
        return (1 + np.tanh(z / 2)) / 2

    def sigmoid_derivative(z):
        return (1 - np.tanh(z / 2) ** 2) / 4

    def relu(z):
        return (np.abs(z) + z) / 2

    def leaky_relu(z, negative_slope=0.01):
        return np.maximum(z, negative_slope * z)

    def leaky_relu_derivative(z, negative_slope=0.01):
        return (z > 0) + negative_slope * (z <= 0)

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        z = z / temperature
        return np.exp(z - np.logaddexp.reduce(z, axis=axis, keepdims=True))

    def log_softmax(z, axis=-1):
        return z - np.logaddexp.reduce(z, axis=axis, keepdims=True)

    def dead_units(pre_activations):
        if np.ndim(pre_activations) != 2:
            raise ValueError("(n, units)")
        return np.max(pre_activations, axis=0) <= 0

    def activation_backward(upstream, z, derivative):
        return np.einsum("...,...->...", upstream, derivative(z))


@right
def in_place_on_a_copy():
    """Masks and out=, on arrays that belong to the function."""

    def sigmoid(z):
        answer = np.array(z, dtype=float)
        left = answer < 0
        answer[left] = np.exp(answer[left]) / (1 + np.exp(answer[left]))
        answer[~left] = 1 / (1 + np.exp(-answer[~left]))
        return answer

    def relu(z):
        z = z.copy()
        z[z < 0] = 0
        return z

    def leaky_relu(z, negative_slope=0.01):
        z = z.astype(float)
        z *= np.where(z < 0, negative_slope, 1)
        return z

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError("temperature")
        z = z / temperature
        z -= z.max(axis=axis, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=axis, keepdims=True)
        return z

    def activation_backward(upstream, z, derivative):
        answer = upstream.astype(float)
        answer *= derivative(z)
        return answer


@right
def truth_values_for_numbers():
    """Slopes of 0 and 1 as booleans, and a mask of zeros and ones where booleans are asked for."""

    def relu_derivative(z):
        return z > 0

    def dead_units(pre_activations):
        _, units = pre_activations.shape
        return np.array([int(not (pre_activations[:, u] > 0).any()) for u in range(units)])


@right
def with_warnings_that_harm_nobody():
    """Overflows and 0 / 0 that do not reach the answer, where the text allows them."""

    def sigmoid_derivative(z):
        return np.where(np.abs(z) > 80, 0.0, 1 / (2 + np.exp(z) + np.exp(-z)))

    def tanh_derivative(z):
        return 1 / np.cosh(z) ** 2

    def relu(z):
        return np.where(z == 0, 0.0, z * (1 + np.abs(z) / z) / 2)

    def relu_derivative(z):
        return np.where(z == 0, 0.0, np.maximum(z, 0) / z)

    def leaky_relu_derivative(z, negative_slope=0.01):
        values = np.where(z > 0, z, negative_slope * z)
        return np.where(z == 0, negative_slope, values / z)

    def softmax(z, axis=-1, temperature=1.0):
        z = z / np.float64(temperature)
        if temperature <= 0:
            raise ValueError("temperature")
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        naive = np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)
        stable = e / e.sum(axis=axis, keepdims=True)
        return np.where(np.abs(z).max() < 80, naive, stable)

    def log_softmax(z, axis=-1):
        safe = z - z.max(axis=axis, keepdims=True)
        naive = np.log(np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True))
        stable = safe - np.log(np.exp(safe).sum(axis=axis, keepdims=True))
        return np.where(np.isfinite(naive) & (naive > -20), naive, stable)


@right
def with_other_names_and_progress():
    """Parameters by other names, and a progress bar, which is written to stderr."""

    import sys

    def sigmoid(x):
        print("sigmoid", x.shape, file=sys.stderr)
        return np.exp(-np.logaddexp(0, -x))

    def tanh_derivative(inputs):
        a = np.tanh(inputs)
        return (1 - a) * (1 + a)

    def leaky_relu(x, negative_slope=0.01):
        return np.maximum(x, 0) + negative_slope * np.minimum(x, 0)

    def softmax(logits, axis=-1, temperature=1.0):
        if not temperature > 0:
            raise ValueError(temperature)
        print("softmax along", axis, file=sys.stderr)
        z = np.divide(logits, temperature)
        return np.exp(z - np.logaddexp.reduce(z, axis=axis, keepdims=True))

    def log_softmax(logits, axis=-1):
        shifted = logits - np.amax(logits, axis, keepdims=True)
        return shifted - np.log(np.sum(np.exp(shifted), axis, keepdims=True))

    def dead_units(batch):
        if batch.ndim != 2:
            raise ValueError("a batch, please")
        return ~np.any(batch > 0, axis=0)

    def activation_backward(grad, inputs, slope):
        return np.multiply(slope(inputs), grad)


@right
def in_a_precision_of_its_own():
    """Single precision where six digits survive it, and more than double elsewhere."""

    def sigmoid(z):
        z = np.asarray(z, dtype=np.float32)
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, np.float32(1), e) / (1 + e)

    def tanh_derivative(z):
        return 1 - np.tanh(np.asarray(z, dtype=np.longdouble)) ** 2

    def relu(z):
        return np.maximum(np.asarray(z, dtype=np.float32), 0)

    def relu_derivative(z):
        return (z > 0).astype(np.int8)

    def softmax(z, axis=-1, temperature=1.0):
        if temperature <= 0:
            raise ValueError(temperature)
        z = np.asarray(z, dtype=np.longdouble) / temperature
        e = np.exp(z - z.max(axis=axis, keepdims=True))
        return (e / e.sum(axis=axis, keepdims=True)).astype(np.float32)


@right
def row_by_row_in_lists():
    """Python's own lists inside, and an array at the end."""

    def sigmoid_derivative(z):
        flat = [math.exp(-abs(x)) for x in z.ravel().tolist()]
        return np.array([e / (1 + e) ** 2 for e in flat]).reshape(z.shape)

    def leaky_relu_derivative(z, negative_slope=0.01):
        units = z.shape[-1]
        slopes = list(negative_slope) if np.ndim(negative_slope) else [negative_slope] * units
        flat = z.reshape(-1, units).tolist()
        rows = [[1.0 if x > 0 else s for x, s in zip(row, slopes)] for row in flat]
        return np.array(rows).reshape(z.shape)

    def log_softmax(z, axis=-1):
        def of_one(values):
            largest = max(values)
            total = math.fsum(math.exp(x - largest) for x in values)
            return np.array([x - largest - math.log(total) for x in values])

        return np.apply_along_axis(of_one, axis, np.asarray(z, dtype=float))

    def dead_units(pre_activations):
        if pre_activations.ndim != 2:
            raise ValueError(pre_activations.shape)
        return np.array([max(column) <= 0 for column in pre_activations.T.tolist()])

    def activation_backward(upstream, z, derivative):
        pairs = zip(upstream.ravel().tolist(), derivative(z).ravel().tolist())
        return np.array([u * s for u, s in pairs]).reshape(z.shape)
