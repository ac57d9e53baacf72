"""Wrong and unusual answers to the exercise `frameworks`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

_PRECISION = "The text fixes no precision: float32 agrees to about six digits."
accepted = {
    ("update_averages", "float32 [0]"): _PRECISION,
    ("update_averages", "float32 [1]"): _PRECISION,
    ("run_graph", "float32 ['a']"): _PRECISION,
    ("run_graph", "float32 ['y']"): _PRECISION,
    ("run_graph", "float32 ['u']"): _PRECISION,
    ("run_graph", "float32 ['f']"): _PRECISION,
    ("run_graph", "float32 ['m']"): _PRECISION,
    ("run_graph", "float32 ['x']"): _PRECISION,
    ("run_graph", "float32 ['z']"): _PRECISION,
    ("explain", "float32 [0]"): _PRECISION,
}

# The weights --------------------------------------------------------------------------------------


@wrong(loses=["test-to_torch", "test-to_torch-hidden"], says="Transpose the axes")
def kernel_reshaped():
    """The shape that is wanted comes out, and no error."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            h, w, before, after = weight.shape
            return weight.reshape(after, before, h, w)
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight.T
        out = weight.shape[1]
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@wrong(loses=["test-to_torch", "test-to_torch-hidden"], says="weight[:, :, 0, 0]")
def kernel_turned_over():
    """.T reverses all axes: height and width change places, which no shape of 3 by 3 shows."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return weight.T
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight.T
        out = weight.shape[1]
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@wrong(loses=["test-to_torch", "test-to_torch-hidden"], says="shape")
def kernel_in_out():
    """Channels come first, in the order in which they stood."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return weight.transpose(2, 3, 0, 1)
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight.T
        out = weight.shape[1]
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@wrong(loses=["test-to_torch-hidden"], says="A square matrix")
def square_as_it_is():
    """Transposes only where the shape asks for it."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return weight.transpose(3, 2, 0, 1)
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight if weight.shape[0] == weight.shape[1] else weight.T
        out = weight.shape[1]
        if np.prod(maps) != len(weight):
            raise ValueError(maps)
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@wrong(loses=["test-to_torch-hidden"], says="Give the inputs back the axes")
def flattening_ignored():
    """A dense layer is a dense layer."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return weight.transpose(3, 2, 0, 1)
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense" or (maps is not None and np.prod(maps) != len(weight)):
            raise ValueError(kind)
        return weight.T


@wrong(loses=["test-to_torch-hidden"], says="Give the inputs back the axes")
def flattening_the_other_way():
    """The conversion of the chapter, which goes from PyTorch to TensorFlow."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return weight.transpose(3, 2, 0, 1)
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight.T
        h, w, c = maps
        out = weight.shape[1]
        return weight.T.reshape(out, c, h, w).transpose(0, 2, 3, 1).reshape(out, -1)


@wrong(loses=["test-to_torch-hidden"], says="The m kernels of input channel k")
def depthwise_kernel_by_kernel():
    """First the first kernels of all channels, then the second ones."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return weight.transpose(3, 2, 0, 1)
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(3, 2, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight.T
        out = weight.shape[1]
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@wrong(loses=["test-to_torch-hidden"], says="shape")
def depthwise_as_conv():
    """Four axes are a kernel."""

    def to_torch(kind, weight, maps=None):
        if kind in ("conv", "depthwise"):
            return weight.transpose(3, 2, 0, 1)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight.T
        out = weight.shape[1]
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@wrong(loses=["test-to_torch-hidden"], says="an unknown one is an error")
def any_other_kind_is_dense():
    """else: dense."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return weight.transpose(3, 2, 0, 1)
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if maps is None:
            return weight.T
        out = weight.shape[1]
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@wrong(loses=["test-to_torch-hidden"], says="float")
def weights_in_double():
    """A loop into zeros, which are float64."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            h, w, before, after = weight.shape
            result = np.zeros((after, before, h, w))
            for o in range(after):
                for i in range(before):
                    result[o, i] = weight[:, :, i, o]
            return result
        if kind == "depthwise":
            h, w, channels, m = weight.shape
            return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
        if kind != "dense":
            raise ValueError(kind)
        if maps is None:
            return weight.T
        out = weight.shape[1]
        return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)


@right
def weights_by_loops():
    """Entry by entry."""

    def to_torch(kind, weight, maps=None):
        if kind == "conv":
            return np.einsum("hwio->oihw", weight)
        if kind == "depthwise":
            kernels = [
                weight[:, :, k, j] for k in range(weight.shape[2]) for j in range(weight.shape[3])
            ]
            return np.stack(kernels)[:, None]
        if kind != "dense":
            raise ValueError("no such kind")
        if maps is None:
            return np.ascontiguousarray(weight.T)
        h, w, c = maps
        if h * w * c != weight.shape[0]:
            raise ValueError("maps do not fit")
        order = [
            (row * w + column) * c + k for k in range(c) for row in range(h) for column in range(w)
        ]
        return weight[order].T


@right
def weights_through_torch():
    """PyTorch permutes as well; a reshape is right where the axes stand side by side."""

    def to_torch(kind, array, shape=None):
        t = torch.from_numpy(np.array(array))
        if kind == "conv":
            return t.permute(3, 2, 0, 1).numpy()
        if kind == "depthwise":
            h, w = t.shape[:2]
            return t.reshape(h, w, 1, -1).permute(3, 2, 0, 1).contiguous().numpy()
        if kind == "dense" and shape is None:
            return t.T.numpy()
        if kind == "dense":
            out = t.shape[1]
            if int(np.prod(shape)) != t.shape[0]:
                raise ValueError("maps do not fit")
            return t.T.reshape(out, *shape).permute(0, 3, 1, 2).reshape(out, t.shape[0]).numpy()
        raise ValueError(kind)


# Folding ------------------------------------------------------------------------------------------


@wrong(loses=["test-fold", "test-fold-hidden"], says="sort it by x, y and the rest")
def fold_the_kernel_alone():
    """The formula of the chapter, and beta for a bias."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + eps)
        return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), beta


@wrong(loses=["test-fold", "test-fold-hidden"], says="sort it by x, y and the rest")
def fold_adds_the_old_bias():
    """The old bias is added as it was, without being scaled."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + eps)
        old = 0 if bias is None else bias
        return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), old + beta - mean * scale


@wrong(loses=["test-fold", "test-fold-hidden"], says="sort it by x, y and the rest")
def fold_forgets_the_old_bias():
    """The chapter's convolution has none."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + eps)
        return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), beta - mean * scale


@wrong(loses=["test-fold", "test-fold-hidden"], says="sort it by x, y and the rest")
def fold_scales_the_last_axis():
    """weight * scale broadcasts over the last axis, the inputs."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + eps)
        old = 0 if bias is None else bias
        return weight * scale, beta + (old - mean) * scale


@wrong(loses=["test-fold", "test-fold-hidden"], says="sort it by x, y and the rest")
def fold_without_root():
    """Divides by the variance."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / (var + eps)
        old = 0 if bias is None else bias
        return (
            weight * scale.reshape(-1, *[1] * (weight.ndim - 1)),
            beta + (old - mean) * scale,
        )


@wrong(loses=["test-fold-hidden"], says="See 'Files as bridges'")
def fold_eps_outside_the_root():
    """eps keeps the division finite there, too."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / (np.sqrt(var) + eps)
        old = 0 if bias is None else bias
        return (
            weight * scale.reshape(-1, *[1] * (weight.ndim - 1)),
            beta + (old - mean) * scale,
        )


@wrong(loses=["test-fold", "test-fold-hidden"], says="See 'Files as bridges'")
def fold_ignores_eps():
    """1e-5, always."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + 1e-5)
        old = 0 if bias is None else bias
        return (
            weight * scale.reshape(-1, *[1] * (weight.ndim - 1)),
            beta + (old - mean) * scale,
        )


@wrong(loses=["test-fold-hidden"], says="it is 1e-5")
def fold_with_the_eps_of_keras():
    """The default of the framework that the weights come from."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-3):
        scale = gamma / np.sqrt(var + eps)
        old = 0 if bias is None else bias
        return (
            weight * scale.reshape(-1, *[1] * (weight.ndim - 1)),
            beta + (old - mean) * scale,
        )


@wrong(loses=["test-fold", "test-fold-hidden"], says="shape")
def fold_for_convolutions_only():
    """Three axes of length 1, also where there are no three."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + eps)
        old = 0 if bias is None else bias
        return weight * scale[:, None, None, None], beta + (old - mean) * scale


@wrong(loses=["test-fold", "test-fold-hidden"], says="you changed weight")
def fold_in_place():
    """The caller's kernel is scaled."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + eps)
        weight *= scale.reshape(-1, *[1] * (weight.ndim - 1))
        old = 0 if bias is None else bias
        return weight, beta + (old - mean) * scale


@wrong(loses=["test-fold-hidden"], says="TypeError")
def fold_needs_a_bias():
    """None minus an array."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        scale = gamma / np.sqrt(var + eps)
        return (
            weight * scale.reshape(-1, *[1] * (weight.ndim - 1)),
            beta + (bias - mean) * scale,
        )


@right
def fold_row_by_row():
    """A loop over the outputs, with a progress report."""

    def fold(W, b, g, s, m, v, e=1e-5):
        import sys

        new_W, new_b = np.zeros(W.shape), np.zeros(len(W))
        for o in range(len(W)):
            print("output", o, file=sys.stderr)
            factor = float(g[o]) / float(v[o] + e) ** 0.5
            new_W[o] = factor * W[o]
            new_b[o] = s[o] + factor * ((0.0 if b is None else b[o]) - m[o])
        return new_W, new_b


@right
def fold_by_asking():
    """Outputs at zero are the bias; a reciprocal of 0 is made on the way, and left out."""

    def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
        spread = np.sqrt(np.asarray(var, dtype=float) + eps)
        np.where(spread > 1e9, 1 / (spread - spread), 0.0)
        through = lambda z: gamma * (z - mean) / spread + beta
        start = np.zeros(len(mean)) if bias is None else bias
        flat = weight.reshape(len(weight), -1)
        columns = [through(start + column) - through(start) for column in flat.T]
        return np.stack(columns, axis=1).reshape(weight.shape), through(start)


# Running averages ---------------------------------------------------------------------------------


@wrong(loses=["test-update_averages", "test-update_averages-hidden"], says="Weight of the batch")
def momentum_is_the_new_weight():
    """0.1 means 0.1."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        ddof = 1 if convention == "torch" else 0
        new_mean = batch.mean(axis=(0, 2, 3))
        new_var = batch.var(axis=(0, 2, 3), ddof=ddof)
        return (
            (1 - momentum) * mean + momentum * new_mean,
            (1 - momentum) * var + momentum * new_var,
        )


@wrong(loses=["test-update_averages", "test-update_averages-hidden"], says="Weight of the batch")
def momentum_the_wrong_way_around():
    """Both conventions, exchanged."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        new = 1 - momentum if convention == "torch" else momentum
        new_mean = batch.mean(axis=(0, 2, 3))
        new_var = batch.var(axis=(0, 2, 3), ddof=convention == "torch")
        return (1 - new) * mean + new * new_mean, (1 - new) * var + new * new_var


@wrong(
    loses=["test-update_averages", "test-update_averages-hidden"], says="divided by 3 in PyTorch"
)
def variance_by_n():
    """NumPy's variance in both."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        new = momentum if convention == "torch" else 1 - momentum
        new_mean, new_var = batch.mean(axis=(0, 2, 3)), batch.var(axis=(0, 2, 3))
        return (1 - new) * mean + new * new_mean, (1 - new) * var + new * new_var


@wrong(loses=["test-update_averages", "test-update_averages-hidden"], says="by 4 in Keras")
def variance_by_n_less_one():
    """The unbiased one in both."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        new = momentum if convention == "torch" else 1 - momentum
        new_mean, new_var = batch.mean(axis=(0, 2, 3)), batch.var(axis=(0, 2, 3), ddof=1)
        return (1 - new) * mean + new * new_mean, (1 - new) * var + new * new_var


@wrong(
    loses=["test-update_averages", "test-update_averages-hidden"], says="divided by 3 in PyTorch"
)
def n_counts_samples():
    """n / (n - 1) with the number of samples."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        new = momentum if convention == "torch" else 1 - momentum
        n = len(batch)
        new_mean, new_var = batch.mean(axis=(0, 2, 3)), batch.var(axis=(0, 2, 3))
        if convention == "torch":
            new_var = new_var * n / (n - 1)
        return (1 - new) * mean + new * new_mean, (1 - new) * var + new * new_var


@wrong(loses=["test-update_averages", "test-update_averages-hidden"], says="shape")
def averages_over_samples_only():
    """axis=0, as for a dense layer."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        new = momentum if convention == "torch" else 1 - momentum
        new_mean = batch.mean(axis=0)
        new_var = batch.var(axis=0, ddof=convention == "torch")
        return (1 - new) * mean + new * new_mean, (1 - new) * var + new * new_var


@wrong(loses=["test-update_averages-hidden"], says="A mean and a variance per channel")
def one_mean_for_all_channels():
    """batch.mean() is right for one channel."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        new = momentum if convention == "torch" else 1 - momentum
        new_mean, new_var = batch.mean(), batch.var(ddof=convention == "torch")
        return (1 - new) * mean + new * new_mean, (1 - new) * var + new * new_var


@wrong(loses=["test-update_averages", "test-update_averages-hidden"], says="you changed mean")
def averages_in_place():
    """As a layer does, with arrays that belong to the caller."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        new = momentum if convention == "torch" else 1 - momentum
        mean += new * (batch.mean(axis=(0, 2, 3)) - mean)
        var += new * (batch.var(axis=(0, 2, 3), ddof=convention == "torch") - var)
        return mean, var


@wrong(loses=["test-update_averages-hidden"], says="an unknown one is an error")
def any_convention():
    """else: Keras."""

    def update_averages(mean, var, batch, momentum, convention):
        new = momentum if convention == "torch" else 1 - momentum
        new_mean = batch.mean(axis=(0, 2, 3))
        new_var = batch.var(axis=(0, 2, 3), ddof=convention == "torch")
        return (1 - new) * mean + new * new_mean, (1 - new) * var + new * new_var


@right
def averages_channel_by_channel():
    """Sums and squares, one channel after the other, in lists."""

    def update_averages(old_mean, old_var, x, m, name):
        if name == "torch":
            keep, lose = 1 - m, 1
        elif name == "keras":
            keep, lose = m, 0
        else:
            raise ValueError(name)
        means, spreads = [], []
        for c in range(x.shape[1]):
            numbers = [float(v) for v in x[:, c].ravel()]
            middle = sum(numbers) / len(numbers)
            spread = sum((v - middle) ** 2 for v in numbers) / (len(numbers) - lose)
            means.append(keep * float(old_mean[c]) + (1 - keep) * middle)
            spreads.append(keep * float(old_var[c]) + (1 - keep) * spread)
        return np.array(means), np.array(spreads)


@right
def averages_by_the_layer():
    """PyTorch's own layer; Keras's average from it, by its two differences."""

    def update_averages(mean, var, batch, momentum, convention):
        if convention not in ("torch", "keras"):
            raise ValueError(convention)
        layer = nn.BatchNorm2d(len(mean), momentum=1.0).double()
        layer(torch.tensor(np.asarray(batch, dtype=float)))
        n = batch.size / batch.shape[1]
        new_mean, new_var = layer.running_mean.numpy(), layer.running_var.numpy()
        if convention == "torch":
            return mean + momentum * (new_mean - mean), var + momentum * (new_var - var)
        new_var = new_var * (n - 1) / n
        return new_mean + momentum * (mean - new_mean), new_var + momentum * (var - new_var)


# The verifier -------------------------------------------------------------------------------------


@wrong(loses=["test-verify-hidden"], says="Differences that rounding explains are none")
def verify_exactly():
    """Equal is equal: ==."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            elif not np.array_equal(got[name], right):
                apart = np.abs(got[name] - right)
                found[name] = tuple(int(i) for i in np.unravel_index(apart.argmax(), apart.shape))
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify-hidden"], says="below zero")
def verify_one_sided():
    """No absolute value."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                excess = got[name].astype(float) - right - atol - rtol * np.abs(right)
                if excess.max() > 0:
                    place = np.unravel_index(excess.argmax(), excess.shape)
                    found[name] = tuple(int(i) for i in place)
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify-hidden"], says="nothing is broadcast")
def verify_broadcasts():
    """The shapes are left to NumPy, which broadcasts."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                excess = np.abs(got[name].astype(float) - right) - atol - rtol * np.abs(right)
                if excess.max() > 0:
                    place = np.unravel_index(excess.argmax(), excess.shape)
                    found[name] = tuple(int(i) for i in place)
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify-hidden"], says="for which every comparison is False")
def verify_lets_nan_pass():
    """nan > limit is False."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            else:
                excess = np.abs(got[name].astype(float) - right) - atol - rtol * np.abs(right)
                if (excess > 0).any():
                    place = np.unravel_index(np.nanargmax(excess), excess.shape)
                    found[name] = tuple(int(i) for i in place)
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify-hidden"], says="1000.5 is within its limit")
def verify_worst_by_difference():
    """The largest difference, also where it is allowed."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                apart = np.abs(got[name].astype(float) - right)
                if (apart > atol + rtol * np.abs(right)).any():
                    place = np.unravel_index(apart.argmax(), apart.shape)
                    found[name] = tuple(int(i) for i in place)
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify-hidden"], says="1.4 is not within its limit")
def verify_on_the_largest_scale():
    """One limit for the whole array, from its largest entry."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                apart = np.abs(got[name].astype(float) - right)
                if apart.max() > atol + rtol * np.abs(right).max():
                    place = np.unravel_index(apart.argmax(), apart.shape)
                    found[name] = tuple(int(i) for i in place)
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify", "test-verify-hidden"], says="norm")
def verify_counts_along_memory():
    """argmax gives one number."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                excess = np.abs(got[name].astype(float) - right) - atol - rtol * np.abs(right)
                if excess.max() > 0:
                    found[name] = int(excess.argmax())
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify-hidden"], says="unexpected")
def verify_forgets_what_came_besides():
    """Looks at what was wanted only."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                excess = np.abs(got[name].astype(float) - right) - atol - rtol * np.abs(right)
                if excess.max() > 0:
                    place = np.unravel_index(excess.argmax(), excess.shape)
                    found[name] = tuple(int(i) for i in place)
        return found


@wrong(loses=["test-verify-hidden"], says="In the order of wanted")
def verify_unexpected_first():
    """What is not wanted comes before the rest."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {name: "unexpected" for name in got if name not in wanted}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                excess = np.abs(got[name].astype(float) - right) - atol - rtol * np.abs(right)
                if excess.max() > 0:
                    place = np.unravel_index(excess.argmax(), excess.shape)
                    found[name] = tuple(int(i) for i in place)
        return found


@wrong(loses=["test-verify-hidden"], says="Bytes wrap around")
def verify_in_bytes():
    """The difference is computed in the type that came."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            else:
                excess = np.abs(got[name] - right) - atol - rtol * np.abs(right)
                if excess.max() > 0:
                    place = np.unravel_index(excess.argmax(), excess.shape)
                    found[name] = tuple(int(i) for i in place)
        return found | {name: "unexpected" for name in got if name not in wanted}


@wrong(loses=["test-verify-hidden"], says="Shapes are compared first")
def verify_finite_first():
    """nan is told before the shape."""

    def verify(got, wanted, rtol=1e-5, atol=1e-6):
        found = {}
        for name, right in wanted.items():
            if name not in got:
                found[name] = "missing"
            elif not np.isfinite(got[name]).all():
                found[name] = "not finite"
            elif got[name].shape != right.shape:
                found[name] = "shape"
            else:
                excess = np.abs(got[name].astype(float) - right) - atol - rtol * np.abs(right)
                if excess.max() > 0:
                    place = np.unravel_index(excess.argmax(), excess.shape)
                    found[name] = tuple(int(i) for i in place)
        return found | {name: "unexpected" for name in got if name not in wanted}


@right
def verify_entry_by_entry():
    """A loop over all places; NumPy's integers in the tuple."""

    def verify(a, b, r=1e-5, t=1e-6):
        told = {}
        for name in [*b, *(n for n in a if n not in b)]:
            if name not in a:
                told[name] = "missing"
                continue
            if name not in b:
                told[name] = "unexpected"
                continue
            if a[name].shape != b[name].shape:
                told[name] = "shape"
                continue
            worst, where = 0.0, None
            for place in np.ndindex(*b[name].shape):
                one, other = float(a[name][place]), float(b[name][place])
                if not np.isfinite(one):
                    where = "not finite"
                    break
                over = abs(one - other) - t - r * abs(other)
                if over > worst:
                    worst, where = over, place
            if where is not None:
                told[name] = where
        return told


# The graph ----------------------------------------------------------------------------------------


@wrong(loses=["test-graph", "test-graph-hidden"], says="KeyError")
def runs_in_the_order_of_the_list():
    """One pass, as if the list were sorted."""

    def run_graph(nodes, arrays, outputs):
        there = dict(arrays)
        for node in nodes:
            a, *more = (there[name] for name in node["inputs"])
            attributes = node.get("attributes", {})
            if node["op"] == "Gemm":
                b = more[0].T if attributes.get("transB") else more[0]
                there[node["output"]] = a @ b + (more[1] if more[1:] else 0)
            elif node["op"] == "Add":
                there[node["output"]] = a + more[0]
            elif node["op"] == "Relu":
                there[node["output"]] = np.maximum(a, 0)
            elif node["op"] == "Transpose":
                there[node["output"]] = a.transpose(attributes["perm"])
            elif node["op"] == "Flatten":
                there[node["output"]] = a.reshape(len(a), -1)
            else:
                raise ValueError(node["op"])
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph-hidden"], says="only if transB is 1")
def gemm_always_transposes():
    """As in PyTorch."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c=0: a @ b.T + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(k["perm"]),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there, left = dict(arrays), list(nodes)
        while left:
            ready = [n for n in left if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                left.remove(n)
        if not set(outputs) <= set(there):
            raise ValueError
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph-hidden"], says="A square matrix")
def gemm_transposes_by_shape():
    """Transposes where the shapes would not fit otherwise."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c=0: a @ (b if a.shape[1] == b.shape[0] else b.T) + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(k["perm"]),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there, left = dict(arrays), list(nodes)
        while left:
            ready = [n for n in left if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                left.remove(n)
        if not set(outputs) <= set(there):
            raise ValueError
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph-hidden"], says="TypeError")
def gemm_needs_a_bias():
    """The third input is always there."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c: a @ (b.T if k.get("transB") else b) + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(k["perm"]),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there, left = dict(arrays), list(nodes)
        while left:
            ready = [n for n in left if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                left.remove(n)
        if not set(outputs) <= set(there):
            raise ValueError
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph-hidden"], says="Flatten keeps the first")
def transposes_backward():
    """The inverse permutation."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c=0: a @ (b.T if k.get("transB") else b) + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(np.argsort(k["perm"])),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there, left = dict(arrays), list(nodes)
        while left:
            ready = [n for n in left if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                left.remove(n)
        if not set(outputs) <= set(there):
            raise ValueError
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph", "test-graph-hidden"], says="you changed arrays")
def runs_in_the_callers_dictionary():
    """What is made is put where the inputs are."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c=0: a @ (b.T if k.get("transB") else b) + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(k["perm"]),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there, left = arrays, list(nodes)
        while left:
            ready = [n for n in left if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                left.remove(n)
        if not set(outputs) <= set(there):
            raise ValueError
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph", "test-graph-hidden"], says="you changed nodes")
def takes_nodes_off_the_callers_list():
    """left is nodes, and what has run is removed."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c=0: a @ (b.T if k.get("transB") else b) + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(k["perm"]),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there = dict(arrays)
        while nodes:
            ready = [n for n in nodes if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                nodes.remove(n)
        if not set(outputs) <= set(there):
            raise ValueError
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph-hidden"], says="expected ValueError to be raised")
def stops_when_the_outputs_are_there():
    """Who cares for nodes that nobody needs."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c=0: a @ (b.T if k.get("transB") else b) + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(k["perm"]),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there, left = dict(arrays), list(nodes)
        while not set(outputs) <= set(there):
            ready = [n for n in left if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                left.remove(n)
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph-hidden"], says="KeyError")
def an_output_that_nobody_makes():
    """The dictionary raises an error by itself, of another type."""

    def run_graph(nodes, arrays, outputs):
        operations = {
            "Gemm": lambda k, a, b, c=0: a @ (b.T if k.get("transB") else b) + c,
            "Add": lambda k, a, b: a + b,
            "Relu": lambda k, a: np.maximum(a, 0),
            "Transpose": lambda k, a: a.transpose(k["perm"]),
            "Flatten": lambda k, a: a.reshape(len(a), -1),
        }
        if any(node["op"] not in operations for node in nodes):
            raise ValueError
        there, left = dict(arrays), list(nodes)
        while left:
            ready = [n for n in left if set(n["inputs"]) <= set(there)]
            if not ready:
                raise ValueError
            for n in ready:
                read = [there[name] for name in n["inputs"]]
                there[n["output"]] = operations[n["op"]](n.get("attributes", {}), *read)
                left.remove(n)
        return {name: there[name] for name in outputs}


@wrong(loses=["test-graph", "test-graph-hidden"], says="c is asked for")
def missing_is_what_is_read():
    """What is asked for is forgotten."""

    def check_graph(nodes, names, outputs):
        made = [*names, *(node["output"] for node in nodes)]
        read = {name for node in nodes for name in node["inputs"]}
        return {
            "missing": sorted(read - set(made)),
            "twice": sorted({name for name in made if made.count(name) > 1}),
            "unused": sorted(set(made) - read - set(outputs)),
        }


@wrong(loses=["test-graph-hidden"], says="count how often each is made")
def twice_by_nodes_only():
    """What was there before is not counted."""

    def check_graph(nodes, names, outputs):
        by_nodes = [node["output"] for node in nodes]
        made = {*names, *by_nodes}
        read = {name for node in nodes for name in node["inputs"]} | set(outputs)
        return {
            "missing": sorted(read - made),
            "twice": sorted({name for name in by_nodes if by_nodes.count(name) > 1}),
            "unused": sorted(made - read),
        }


@wrong(loses=["test-graph-hidden"], says="read by a node or asked for")
def unused_weights_only():
    """What nodes make is left out."""

    def check_graph(nodes, names, outputs):
        made = [*names, *(node["output"] for node in nodes)]
        read = {name for node in nodes for name in node["inputs"]} | set(outputs)
        return {
            "missing": sorted(read - set(made)),
            "twice": sorted({name for name in made if made.count(name) > 1}),
            "unused": sorted(set(names) - read),
        }


@wrong(loses=["test-graph", "test-graph-hidden"], says="b is read and c is asked for")
def missing_in_the_order_of_the_list():
    """A node that reads what a later one makes is reported."""

    def check_graph(nodes, names, outputs):
        there, missing = set(names), set()
        for node in nodes:
            missing |= set(node["inputs"]) - there
            there.add(node["output"])
        made = [*names, *(node["output"] for node in nodes)]
        read = {name for node in nodes for name in node["inputs"]} | set(outputs)
        return {
            "missing": sorted(missing | (set(outputs) - there)),
            "twice": sorted({name for name in made if made.count(name) > 1}),
            "unused": sorted(set(made) - read),
        }


@right
def graph_by_recursion():
    """What is asked for asks for what it needs; then every other node is asked for, too."""

    def run_graph(nodes, arrays, outputs):
        known = ("Gemm", "Add", "Relu", "Transpose", "Flatten")
        for node in nodes:
            if node["op"] not in known:
                raise ValueError(f"unknown: {node['op']}")
        maker = {node["output"]: node for node in nodes}
        there, waiting = dict(arrays), set()

        def value(name):
            if name in there:
                return there[name]
            if name not in maker or name in waiting:
                raise ValueError(f"cannot make {name}")
            waiting.add(name)
            node = maker[name]
            read = [value(n) for n in node["inputs"]]
            attributes = node.get("attributes", {})
            if node["op"] == "Gemm":
                second = np.swapaxes(read[1], 0, 1) if attributes.get("transB", 0) == 1 else read[1]
                made = np.dot(read[0], second)
                if len(read) == 3:
                    made = made + read[2]
            elif node["op"] == "Add":
                made = np.add(*read)
            elif node["op"] == "Relu":
                made = np.where(read[0] > 0, read[0], 0)
            elif node["op"] == "Transpose":
                made = np.moveaxis(read[0], attributes["perm"], range(read[0].ndim))
            else:
                made = np.stack([row.ravel() for row in read[0]])
            there[name] = made
            return made

        for name in maker:
            value(name)
        return {name: value(name) for name in outputs}

    def check_graph(graph, given, asked):
        from collections import Counter

        made = Counter(given) + Counter(node["output"] for node in graph)
        read = Counter(name for node in graph for name in node["inputs"]) + Counter(asked)
        return {
            "unused": sorted(name for name in made if not read[name]),
            "twice": sorted(name for name in made if made[name] > 1),
            "missing": sorted(name for name in read if not made[name]),
        }


# The tracer ---------------------------------------------------------------------------------------


@wrong(loses=["test-explain-hidden"], says="A loop asks in each round")
def empty_graphs_count():
    """Each question begins a new graph at once."""

    class Tracer:
        def __init__(self):
            self.graphs, self.breaks = [[]], 0

        def record(self, op, *operands):
            self.graphs[-1].append(op)
            values = [x.value if isinstance(x, Traced) else x for x in operands]
            return Traced(OPERATIONS[op](*values), self)

        def ask(self, traced):
            self.breaks += 1
            self.graphs.append([])
            return traced.value


@wrong(loses=["test-explain-hidden"], says="A loop asks in each round")
def breaks_are_graphs_less_one():
    """One break lies between two graphs."""

    def explain(function, inputs):
        tracer = Tracer()
        result = function(*(Traced(x, tracer) for x in inputs))
        value = result.value if isinstance(result, Traced) else result
        return value, tracer.graphs, max(len(tracer.graphs) - 1, 0)


@wrong(loses=["test-explain", "test-explain-hidden"], says="the `if` asks for its value")
def a_question_ends_nothing():
    """Counts, and goes on in the same graph."""

    class Tracer:
        def __init__(self):
            self.graphs, self.breaks = [], 0

        def record(self, op, *operands):
            if not self.graphs:
                self.graphs.append([])
            self.graphs[-1].append(op)
            values = [x.value if isinstance(x, Traced) else x for x in operands]
            return Traced(OPERATIONS[op](*values), self)

        def ask(self, traced):
            self.breaks += 1
            return traced.value


@wrong(loses=["test-explain", "test-explain-hidden"], says="the `if` asks for its value")
def the_comparison_is_not_recorded():
    """Only numbers are operations."""

    class Tracer:
        def __init__(self):
            self.graphs, self.breaks, self.ended = [], 0, True

        def record(self, op, *operands):
            values = [x.value if isinstance(x, Traced) else x for x in operands]
            if op != "gt":
                if self.ended:
                    self.graphs.append([])
                    self.ended = False
                self.graphs[-1].append(op)
            return Traced(OPERATIONS[op](*values), self)

        def ask(self, traced):
            self.breaks += 1
            self.ended = True
            return traced.value


@wrong(loses=["test-explain-hidden"], says="The graphs and breaks of")
def graphs_of_the_class():
    """The list in the class body is one for all tracers."""

    class Tracer:
        graphs = []
        breaks = 0
        ended = True

        def record(self, op, *operands):
            if self.ended:
                self.graphs.append([])
                self.ended = False
            self.graphs[-1].append(op)
            values = [x.value if isinstance(x, Traced) else x for x in operands]
            return Traced(OPERATIONS[op](*values), self)

        def ask(self, traced):
            self.breaks += 1
            self.ended = True
            return traced.value


@wrong(loses=["test-explain-hidden"], says="AttributeError")
def results_are_traced():
    """What the function returns may be a plain number."""

    def explain(function, inputs):
        tracer = Tracer()
        result = function(*(Traced(x, tracer) for x in inputs))
        return result.value, tracer.graphs, tracer.breaks


@wrong(loses=["test-explain-hidden"], says="explain")
def one_input_only():
    """function(Traced(inputs[0]))."""

    def explain(function, inputs):
        tracer = Tracer()
        result = function(Traced(inputs[0], tracer))
        value = result.value if isinstance(result, Traced) else result
        return value, tracer.graphs, tracer.breaks


@right
def tracer_with_one_list():
    """Operations and questions in one list, taken apart in the end."""

    class Tracer:
        def __init__(self):
            self.noted = []

        @property
        def breaks(self):
            return self.noted.count(None)

        @property
        def graphs(self):
            parts, part = [], []
            for op in [*self.noted, None]:
                if op is None:
                    parts, part = parts + [part] * bool(part), []
                else:
                    part.append(op)
            return parts

        def record(self, op, *operands):
            self.noted.append(op)
            plain = (getattr(x, "value", x) for x in operands)
            return Traced(OPERATIONS[op](*plain), self)

        def ask(self, traced):
            self.noted.append(None)
            return traced.value


@right
def explain_with_tuples():
    """Graphs as tuples would be lists of another kind; here the result is an array of shape ()."""

    def explain(f, arrays):
        recorder = Tracer()
        found = f(*[Traced(np.array(a), recorder) for a in arrays])
        return np.asarray(getattr(found, "value", found)), recorder.graphs, recorder.breaks
