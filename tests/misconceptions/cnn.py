"""Wrong and unusual answers to the exercise `cnn`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

# The plan -----------------------------------------------------------------------------------------


@wrong(loses=["test-plan", "test-plan-hidden"], says="as long as all strides before it")
def field_without_strides():
    """Adds kernel - 1 for each layer, which is right while all strides are 1."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            if size + 2 * padding < reach + 1:
                raise ValueError(f"layer {number}")
            size = (size + 2 * padding - reach - 1) // stride + 1
            field, step = field + reach, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan", "test-plan-hidden"], says="as long as all strides before it")
def own_stride_counts_already():
    """Multiplies the step by the layer's own stride before it is used."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            if size + 2 * padding < reach + 1:
                raise ValueError(f"layer {number}")
            size = (size + 2 * padding - reach - 1) // stride + 1
            step *= stride
            field += reach * step
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan-hidden"], says="padding is put on both sides")
def padding_on_one_side():
    """Counts the padding once."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            if size + padding < reach + 1:
                raise ValueError(f"layer {number}")
            size = (size + padding - reach - 1) // stride + 1
            field, step = field + reach * step, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan-hidden"], says="rounded down")
def rounds_up():
    """Gives what does not fill a window a place of its own."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            if size + 2 * padding < reach + 1:
                raise ValueError(f"layer {number}")
            size = -(-(size + 2 * padding - reach - 1) // stride) + 1
            field, step = field + reach * step, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan-hidden"], says="Dilation spreads the kernel")
def no_dilation():
    """Reads three of the four settings."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer["kernel"] - 1
            if size + 2 * padding < reach + 1:
                raise ValueError(f"layer {number}")
            size = (size + 2 * padding - reach - 1) // stride + 1
            field, step = field + reach * step, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan-hidden"], says="look at the window before the division")
def checks_the_result():
    """Looks whether the size has become 0: with a stride, it may not."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            size = int((size + 2 * padding - reach - 1) / stride) + 1
            if size < 1:
                raise ValueError(f"layer {number}")
            field, step = field + reach * step, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan", "test-plan-hidden"], says="'2' in it")
def counts_layers_from_0():
    """enumerate counts from 0."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            if size + 2 * padding < reach + 1:
                raise ValueError(f"The window of layer {number} does not fit")
            size = (size + 2 * padding - reach - 1) // stride + 1
            field, step = field + reach * step, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan-hidden"], says="A window that just fits")
def just_fits_is_refused():
    """One too strict."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            if size + 2 * padding <= reach + 1:
                raise ValueError(f"layer {number}: A window that just fits")
            size = (size + 2 * padding - reach - 1) // stride + 1
            field, step = field + reach * step, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan", "test-plan-hidden"], says="you changed layers")
def writes_defaults_into_the_layers():
    """setdefault is convenient, and changes the dictionary."""

    def plan(size, layers):
        field, step, shapes = 1, 1, []
        for number, layer in enumerate(layers, start=1):
            for name, value in (("stride", 1), ("padding", 0), ("dilation", 1)):
                layer.setdefault(name, value)
            reach = layer["dilation"] * (layer["kernel"] - 1)
            if size + 2 * layer["padding"] < reach + 1:
                raise ValueError(f"layer {number}")
            size = (size + 2 * layer["padding"] - reach - 1) // layer["stride"] + 1
            field, step = field + reach * step, step * layer["stride"]
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan-hidden"], says="raised ValueError: layer 1")
def window_against_the_bare_image():
    """Whether the window fits is asked before the padding is put on."""

    def plan(size, layers):
        shapes, field, step = [], 1, 1
        for number, layer in enumerate(layers, start=1):
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            stride = layer.get("stride", 1)
            if reach + 1 > size:
                raise ValueError(f"layer {number}")
            size = (size + 2 * layer.get("padding", 0) - reach - 1) // stride + 1
            field, step = field + reach * step, step * stride
            shapes.append((size, field, step))
        return shapes


@wrong(loses=["test-plan-hidden"], says="it may be wider than the image")
def field_no_wider_than_the_image():
    """More than the image cannot be seen, but the padding counts."""

    def plan(size, layers):
        shapes, field, step, most = [], 1, 1, size
        for number, layer in enumerate(layers, start=1):
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            stride, free = layer.get("stride", 1), size + 2 * layer.get("padding", 0) - reach - 1
            if free < 0:
                raise ValueError(f"layer {number}")
            size = free // stride + 1
            field, step = field + reach * step, step * stride
            shapes.append((size, min(field, most), step))
        return shapes


# Which pixels -------------------------------------------------------------------------------------


@wrong(loses=["test-looks_at", "test-looks_at-hidden"], says="Begin with the last layer")
def from_the_first_layer():
    """Reads the list in its order."""

    def looks_at(layers, i):
        first = last = i
        for layer in layers:
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            first = first * stride - padding
            last = last * stride - padding + layer.get("dilation", 1) * (layer["kernel"] - 1)
        return first, last


@wrong(loses=["test-looks_at-hidden"], says="minus its padding")
def padding_forgotten():
    """The padding moves every place."""

    def looks_at(layers, i):
        first = last = i
        for layer in reversed(layers):
            stride = layer.get("stride", 1)
            first = first * stride
            last = last * stride + layer.get("dilation", 1) * (layer["kernel"] - 1)
        return first, last


@wrong(loses=["test-looks_at-hidden"], says="Negative places stay")
def cut_at_the_edge():
    """No pixel has a negative number, but the text says to leave them so."""

    def looks_at(layers, i):
        first = last = i
        for layer in reversed(layers):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            first = max(0, first * stride - padding)
            last = last * stride - padding + layer.get("dilation", 1) * (layer["kernel"] - 1)
        return first, last


@wrong(loses=["test-looks_at", "test-looks_at-hidden"], says="4 to 8")
def one_pixel_too_many():
    """The end as a slice has it."""

    def looks_at(layers, i):
        first, last = i, i + 1
        for layer in reversed(layers):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            first = first * stride - padding
            last = (last - 1) * stride - padding + layer.get("dilation", 1) * (layer["kernel"] - 1)
            last += 1
        return first, last


@wrong(loses=["test-looks_at-hidden"], says="dilation * (kernel - 1) more")
def looks_without_dilation():
    """Takes the kernel for as wide as it has weights."""

    def looks_at(layers, i):
        first = last = i
        for layer in reversed(layers):
            stride, padding = layer.get("stride", 1), layer.get("padding", 0)
            first = first * stride - padding
            last = last * stride - padding + layer["kernel"] - 1
        return first, last


# The convolution ----------------------------------------------------------------------------------


@wrong(loses=["test-conv2d", "test-conv2d-hidden"], says="the kernel was turned")
def turned_kernel():
    """Convolution as in signal processing."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        windows = windows[:, :, ::stride, ::stride]
        turned = weight[:, :, ::-1, ::-1]
        return np.einsum("nchwij,ocij->nohw", windows, turned) + bias[:, None, None]


@wrong(loses=["test-conv2d-hidden"], says="multiply first, then add up over the channels")
def channels_summed_too_early():
    """Adds the channels of the image up, and then slides one kernel, summed as well."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))).sum(axis=1)
        weight = weight.sum(axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[1:], axis=(1, 2))
        windows = windows[:, ::stride, ::stride]
        return np.einsum("nhwij,oij->nohw", windows, weight) + bias[:, None, None]


@wrong(loses=["test-conv2d-hidden"], says="left, right, top and bottom")
def zeros_at_one_end():
    """Twice the padding at the end gives the right shape."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        windows = windows[:, :, ::stride, ::stride]
        return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@wrong(loses=["test-conv2d-hidden"], says="shape")
def pads_channels_as_well():
    """np.pad with one number pads every axis."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, padding)
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        windows = windows[:, : weight.shape[1], ::stride, ::stride]
        return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@wrong(loses=["test-conv2d-hidden"], says="stride is ignored")
def stride_ignored():
    """Always one place at a time."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@wrong(loses=["test-conv2d-hidden"], says="(1, 3, 3, 3)")
def stride_in_one_direction():
    """Rows are skipped, columns are not."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        windows = windows[:, :, ::stride]
        return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


@wrong(loses=["test-conv2d", "test-conv2d-hidden"], says="and the bias")
def bias_forgotten():
    """The products alone."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        windows = windows[:, :, ::stride, ::stride]
        return np.einsum("nchwij,ocij->nohw", windows, weight)


@wrong(loses=["test-conv2d-hidden"], says="the fractions are lost")
def room_of_whole_numbers():
    """zeros_like is an array of the image's type."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        k, m = weight.shape[2:]
        rows = (x.shape[2] - k) // stride + 1
        columns = (x.shape[3] - m) // stride + 1
        out = np.zeros((len(x), len(weight), rows, columns), dtype=x.dtype)
        for i in range(rows):
            for j in range(columns):
                part = x[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                out[:, :, i, j] = np.einsum("ncij,ocij->no", part, weight) + bias
        return out


@wrong(loses=["test-conv2d-hidden"], says="as precise as float64")
def through_float32():
    """Casts to what networks use."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        tensors = [torch.tensor(np.asarray(a), dtype=torch.float32) for a in (x, weight, bias)]
        return nn.functional.conv2d(*tensors, stride=stride, padding=padding).numpy()


@wrong(loses=["test-conv2d-hidden"], says="Neither image nor kernel is square")
def square_kernels():
    """Takes the kernel's height for its width: the last columns of the kernel are lost."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        k = min(weight.shape[2:])
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        rows = (x.shape[2] - weight.shape[2]) // stride + 1
        columns = (x.shape[3] - weight.shape[3]) // stride + 1
        out = np.zeros((len(x), len(weight), rows, columns))
        for i in range(rows):
            for j in range(columns):
                part = x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
                out[:, :, i, j] = np.einsum("ncij,ocij->no", part, weight[:, :, :k, :k]) + bias
        return out


@wrong(loses=["test-conv2d-hidden"], says="Each output channel")
def sums_over_the_batch_too():
    """One letter missing in the einsum: all images are added up, and given to each."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        windows = windows[:, :, ::stride, ::stride]
        out = np.einsum("nchwij,ocij->ohw", windows, weight) + bias[:, None, None]
        return np.repeat(out[None], len(x), axis=0)


# Back through the convolution ---------------------------------------------------------------------


@wrong(
    loses=["test-conv2d_backward", "test-conv2d_backward-hidden"],
    says="The pixel in the middle lies in both windows",
)
def overlap_overwritten():
    """Where windows overlap, the last one wins."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                x_slopes[at] = np.einsum("no,ocij->ncij", G[:, :, i, j], weight)
                weight_slopes += np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes, G.sum(axis=(0, 2, 3))


@wrong(
    loses=["test-conv2d_backward", "test-conv2d_backward-hidden"],
    says="The pixel in the middle lies in both windows",
)
def turned_on_the_way_back():
    """The way back as a convolution with the kernel as it is, where it has to be turned."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                x_slopes[at] += np.einsum("no,ocij->ncij", G[:, :, i, j], weight[:, :, ::-1, ::-1])
                weight_slopes += np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes, G.sum(axis=(0, 2, 3))


@wrong(loses=["test-conv2d_backward-hidden"], says="shape")
def slopes_of_the_padding_stay():
    """Forgets to cut the zeros off."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                x_slopes[at] += np.einsum("no,ocij->ncij", G[:, :, i, j], weight)
                weight_slopes += np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
        return x_slopes, weight_slopes, G.sum(axis=(0, 2, 3))


@wrong(loses=["test-conv2d_backward-hidden"], says="Slopes add up over")
def mean_over_the_batch():
    """Divides by the number of images, as a loss would."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                x_slopes[at] += np.einsum("no,ocij->ncij", G[:, :, i, j], weight)
                weight_slopes += np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes / len(x), G.sum(axis=(0, 2, 3)) / len(x)


@wrong(loses=["test-conv2d_backward-hidden"], says="the windows begin at every second place")
def backward_without_stride():
    """The windows as if they lay one pixel apart."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i : i + k, j : j + m]
                x_slopes[at] += np.einsum("no,ocij->ncij", G[:, :, i, j], weight)
                weight_slopes += np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes, G.sum(axis=(0, 2, 3))


@wrong(loses=["test-conv2d_backward", "test-conv2d_backward-hidden"], says="shape")
def bias_slope_at_every_place():
    """Sums over the batch alone."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                x_slopes[at] += np.einsum("no,ocij->ncij", G[:, :, i, j], weight)
                weight_slopes += np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes, G.sum(axis=0)


@wrong(loses=["test-conv2d_backward-hidden"], says="make room with np.zeros(shape)")
def slopes_in_whole_numbers():
    """zeros_like of an image of whole numbers."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros_like(around), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                new = x_slopes[at] + np.einsum("no,ocij->ncij", G[:, :, i, j], weight)
                x_slopes[at] = new
                weight_slopes += np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes, G.sum(axis=(0, 2, 3))


@wrong(loses=["test-conv2d_backward-hidden"], says="make room with np.zeros(shape)")
def weight_slopes_in_whole_numbers():
    """zeros_like of whole weights."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros_like(weight)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                x_slopes[at] += np.einsum("no,ocij->ncij", G[:, :, i, j], weight)
                new = weight_slopes + np.einsum("no,ncij->ocij", G[:, :, i, j], around[at])
                weight_slopes[...] = new
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes, G.sum(axis=(0, 2, 3))


# The largest of each window -----------------------------------------------------------------------


@wrong(loses=["test-max_pool-hidden"], says="do not begin with 0")
def starts_at_0():
    """A running maximum that begins with 0."""

    def max_pool(x, k):
        n, channels, height, width = x.shape
        rows, columns = height // k, width // k
        out = np.zeros((n, channels, rows, columns))
        for i in range(k):
            for j in range(k):
                out = np.maximum(out, x[:, :, i : rows * k : k, j : columns * k : k])
        return out


@wrong(loses=["test-max_pool", "test-max_pool-hidden"], says="The largest of the four")
def takes_the_mean():
    """Average pooling is pooling, too."""

    def max_pool(x, k):
        n, channels, height, width = x.shape
        rows, columns = height // k, width // k
        cut = x[:, :, : rows * k, : columns * k].reshape(n, channels, rows, k, columns, k)
        return cut.mean(axis=(3, 5))


@wrong(loses=["test-max_pool-hidden"], says="raised ValueError")
def leftovers_do_not_fit():
    """reshape without cutting."""

    def max_pool(x, k):
        n, channels, height, width = x.shape
        return x.reshape(n, channels, height // k, k, width // k, k).max(axis=(3, 5))


@wrong(loses=["test-max_pool-hidden"], says="Of equals, the first")
def slopes_to_all_equals():
    """Compares with the maximum: after a ReLU, many are equal to it."""

    def max_pool_backward(G, x, k):
        rows, columns = G.shape[2] * k, G.shape[3] * k
        wide = G.repeat(k, axis=2).repeat(k, axis=3)
        largest = max_pool(x, k).repeat(k, axis=2).repeat(k, axis=3)
        out = np.zeros(x.shape)
        out[:, :, :rows, :columns] = wide * (x[:, :, :rows, :columns] == largest)
        return out


@wrong(loses=["test-max_pool-hidden"], says="Of equals, the first")
def last_of_equals():
    """Overwrites as long as it finds something as large."""

    def max_pool_backward(G, x, k):
        out = np.zeros(x.shape)
        for n, c, i, j in np.ndindex(*G.shape):
            best, at = -np.inf, None
            for a in range(k):
                for b in range(k):
                    if x[n, c, i * k + a, j * k + b] >= best:
                        best, at = x[n, c, i * k + a, j * k + b], (i * k + a, j * k + b)
            out[n, c, at[0], at[1]] = G[n, c, i, j]
        return out


@wrong(loses=["test-max_pool-hidden"], says="Of equals, the first")
def column_by_column():
    """Reads each window down its columns."""

    def max_pool_backward(G, x, k):
        out = np.zeros(x.shape)
        for n, c, i, j in np.ndindex(*G.shape):
            window = x[n, c, i * k : i * k + k, j * k : j * k + k]
            b, a = np.unravel_index(window.T.argmax(), (k, k))
            out[n, c, i * k + a, j * k + b] = G[n, c, i, j]
        return out


@wrong(loses=["test-max_pool", "test-max_pool-hidden"], says="Each slope goes where the maximum")
def slopes_spread_evenly():
    """The way back of a mean."""

    def max_pool_backward(G, x, k):
        out = np.zeros(x.shape)
        rows, columns = G.shape[2] * k, G.shape[3] * k
        out[:, :, :rows, :columns] = G.repeat(k, axis=2).repeat(k, axis=3) / k**2
        return out


@wrong(loses=["test-max_pool-hidden"], says="shape")
def leftovers_cut_off():
    """The slopes of what the windows cover, and no others."""

    def max_pool_backward(G, x, k):
        out = np.zeros((*x.shape[:2], G.shape[2] * k, G.shape[3] * k))
        for n, c, i, j in np.ndindex(*G.shape):
            window = x[n, c, i * k : i * k + k, j * k : j * k + k]
            a, b = np.unravel_index(window.argmax(), (k, k))
            out[n, c, i * k + a, j * k + b] = G[n, c, i, j]
        return out


@wrong(loses=["test-max_pool-hidden"], says="make room with np.zeros(shape)")
def pooled_slopes_in_whole_numbers():
    """zeros_like of whole numbers."""

    def max_pool_backward(G, x, k):
        out = np.zeros_like(x)
        for n, c, i, j in np.ndindex(*G.shape):
            window = x[n, c, i * k : i * k + k, j * k : j * k + k]
            a, b = np.unravel_index(window.argmax(), (k, k))
            out[n, c, i * k + a, j * k + b] = G[n, c, i, j]
        return out


@wrong(loses=["test-max_pool", "test-max_pool-hidden"], says="you changed x")
def marks_places_in_the_image():
    """Puts infinity where the maximum was found, to find it again."""

    def max_pool_backward(G, x, k):
        out = np.zeros(x.shape)
        for n, c, i, j in np.ndindex(*G.shape):
            window = x[n, c, i * k : i * k + k, j * k : j * k + k]
            a, b = np.unravel_index(window.argmax(), (k, k))
            window[a, b] = window.max() + 1
            out[n, c, i * k + a, j * k + b] = G[n, c, i, j]
        return out


# The residual block -------------------------------------------------------------------------------


@wrong(loses=["test-ResidualBlock", "test-ResidualBlock-hidden"], says="it was not added")
def plain_block():
    """Two convolutions, and nothing around them."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(self.norm2(self.conv2(z)))


@wrong(loses=["test-ResidualBlock", "test-ResidualBlock-hidden"], says="the last ReLU alone")
def relu_before_the_sum():
    """ReLU, then the sum: what comes out can be negative."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(self.norm2(self.conv2(z))) + self.shortcut(x)


@wrong(loses=["test-ResidualBlock-hidden"], says="without ReLU")
def relu_twice():
    """A ReLU behind both norms, and one behind the sum: corrections can only add."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(torch.relu(self.norm2(self.conv2(z))) + self.shortcut(x))


@wrong(loses=["test-ResidualBlock", "test-ResidualBlock-hidden"], says="number of parameters")
def convolutions_with_bias():
    """The default of nn.Conv2d."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            z = self.norm2(self.conv2(z))
            return torch.relu(z + self.shortcut(x))


@wrong(loses=["test-ResidualBlock-hidden"], says="leaves its input as it is")
def relu_in_place_on_the_input():
    """Adds into the shortcut's result, which is the input itself."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            z = self.norm2(self.conv2(z))
            out = self.shortcut(x)
            out += z
            return torch.relu(out)


@wrong(loses=["test-ResidualBlock-hidden"], says="conv1 has the stride")
def stride_in_the_second():
    """The shapes are the same, the numbers are not."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, stride, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(self.norm2(self.conv2(z)) + self.shortcut(x))


@wrong(loses=["test-ResidualBlock-hidden"], says="relu(norm1(conv1(x)))")
def one_norm_for_both():
    """Makes two, and uses the first one twice."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.norm2 = self.norm2
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = self.norm1(self.conv1(x))
            return torch.relu(self.norm2(self.conv2(z)) + self.shortcut(x))


@wrong(loses=["test-ResidualBlock-hidden"], says="a shortcut that is a")
def shortcut_by_channels_alone():
    """Forgets that a stride changes the shape as well: the sum does not fit."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()
            self.stride = stride
            if in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            z = self.norm2(self.conv2(z))
            around = self.shortcut(x)
            if around.shape != z.shape:
                around = around[:, :, :: self.stride, :: self.stride]
            return torch.relu(z + around)


@wrong(loses=["test-ResidualBlock-hidden"], says="a shortcut that is a Conv2d")
def shortcut_without_norm():
    """The convolution alone makes it fit."""

    class ResidualBlock(nn.Module):
        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(out_channels)
            self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(out_channels)
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(self.norm2(self.conv2(z)) + self.shortcut(x))


@wrong(loses=["test-ResidualBlock-hidden"], says="belongs to it")
def norms_in_the_class_body():
    """Layers that are made once, for all blocks with as many channels."""

    class ResidualBlock(nn.Module):
        made = {}

        def __init__(self, in_channels, out_channels, stride=1):
            super().__init__()
            key = (in_channels, out_channels, stride)
            if key not in self.made:
                self.made[key] = nn.ModuleList(
                    [
                        nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
                        nn.BatchNorm2d(out_channels),
                        nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
                        nn.BatchNorm2d(out_channels),
                    ]
                )
            self.conv1, self.norm1, self.conv2, self.norm2 = self.made[key]
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

        def forward(self, x):
            z = torch.relu(self.norm1(self.conv1(x)))
            return torch.relu(self.norm2(self.conv2(z)) + self.shortcut(x))


# Right, if unusual --------------------------------------------------------------------------------


@right
def convolution_with_four_loops():
    """Place by place and channel by channel, in Python's numbers."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        n, _, height, width = x.shape
        outs, _, k, m = weight.shape
        wide = np.zeros((n, x.shape[1], height + 2 * padding, width + 2 * padding))
        wide[:, :, padding : padding + height, padding : padding + width] = x
        rows = (height + 2 * padding - k) // stride + 1
        columns = (width + 2 * padding - m) // stride + 1
        out = np.zeros((n, outs, rows, columns))
        for o in range(outs):
            for i in range(rows):
                for j in range(columns):
                    part = wide[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                    out[:, o, i, j] = (part * weight[o]).sum(axis=(1, 2, 3)) + bias[o]
        return out


@right
def convolution_as_a_matrix_product():
    """im2col, as the chapter has it, with other names of the parameters."""

    def conv2d(images, kernels, offsets, step=1, border=0):
        images = np.pad(images, [(0, 0), (0, 0), (border, border), (border, border)])
        windows = np.lib.stride_tricks.sliding_window_view(images, kernels.shape[2:], (2, 3))
        windows = windows[:, :, ::step, ::step].transpose(0, 2, 3, 1, 4, 5)
        n, rows, columns = windows.shape[:3]
        patches = windows.reshape(n * rows * columns, -1)
        out = patches @ kernels.reshape(len(kernels), -1).T + offsets
        return out.reshape(n, rows, columns, -1).transpose(0, 3, 1, 2)


@right
def convolution_by_torch():
    """Uses what it was to write, in float64: the text forbids one module, and not this."""

    def conv2d(x, weight, bias, stride=1, padding=0):
        tensors = [torch.tensor(np.array(a, dtype=float)) for a in (x, weight, bias)]
        return nn.functional.conv2d(*tensors, stride=stride, padding=padding).numpy()


@right
def backward_place_by_place():
    """Goes over the places of the result, with an overflow on the way that changes nothing."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        np.exp(np.float32(1000.0))  # warns, and nobody needs it
        k, m = weight.shape[2:]
        around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        x_slopes, weight_slopes = np.zeros(around.shape), np.zeros(weight.shape)
        for i in range(G.shape[2]):
            for j in range(G.shape[3]):
                at = np.s_[:, :, i * stride : i * stride + k, j * stride : j * stride + m]
                x_slopes[at] += np.tensordot(G[:, :, i, j], weight, axes=(1, 0))
                weight_slopes += np.tensordot(G[:, :, i, j], around[at], axes=(0, 0))
        height, width = x.shape[2:]
        x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
        return x_slopes, weight_slopes, np.einsum("nohw->o", G)


@right
def backward_as_a_list():
    """Three arrays in a list, from autograd."""

    def conv2d_backward(G, x, weight, stride=1, padding=0):
        G, x, weight = (torch.tensor(np.array(a, dtype=float)) for a in (G, x, weight))
        bias = torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
        out = nn.functional.conv2d(
            x.requires_grad_(), weight.requires_grad_(), bias, stride=stride, padding=padding
        )
        out.backward(G)
        return x.grad.numpy(), weight.grad.numpy(), bias.grad.numpy()


@right
def pooling_in_loops():
    """Window by window, and argmax of each."""

    def max_pool(x, k):
        n, channels, height, width = x.shape
        out = np.empty((n, channels, height // k, width // k), dtype=x.dtype)
        for i in range(height // k):
            for j in range(width // k):
                window = x[:, :, i * k : i * k + k, j * k : j * k + k]
                out[:, :, i, j] = window.max(axis=(2, 3))
        return out

    def max_pool_backward(G, x, k):
        out = np.zeros(x.shape)
        for n, c, i, j in np.ndindex(*G.shape):
            window = x[n, c, i * k : i * k + k, j * k : j * k + k]
            a, b = np.unravel_index(window.argmax(), (k, k))
            out[n, c, i * k + a, j * k + b] = G[n, c, i, j]
        return out


@right
def plan_and_view_by_other_means():
    """The field from its definition: where the first output begins and ends."""

    def looks_at(layers, i):
        spans = [(layer.get("stride", 1), layer.get("padding", 0), layer) for layer in layers]
        places = {i}
        for stride, padding, layer in spans[::-1]:
            reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
            ends = [place * stride - padding for place in (min(places), max(places))]
            places = {ends[0], ends[1] + reach}
        return [min(places), max(places)]

    def plan(size, layers):
        shapes = []
        for number in range(len(layers)):
            layer = {"stride": 1, "padding": 0, "dilation": 1, **layers[number]}
            window = layer["dilation"] * (layer["kernel"] - 1) + 1
            starts = range(0, size + 2 * layer["padding"] - window + 1, layer["stride"])
            if not starts:
                raise ValueError(f"layer {number + 1}: {window} > {size}")
            size = len(starts)
            ends = []
            for place in (0, 1):
                first = last = place
                for below in layers[number::-1]:
                    below = {"stride": 1, "padding": 0, "dilation": 1, **below}
                    first = first * below["stride"] - below["padding"]
                    last = last * below["stride"] - below["padding"]
                    last += below["dilation"] * (below["kernel"] - 1)
                ends.append((first, last))
            (first, last), (second, _) = ends
            shapes.append([size, last - first + 1, second - first])
        return shapes


@right
def block_with_functions():
    """nn.functional, nn.ReLU(inplace=True) where it is safe, and kernels named by pairs."""

    class ResidualBlock(nn.Module):
        def __init__(self, inputs, outputs, stride=1):
            super().__init__()
            self.relu = nn.ReLU(inplace=True)
            self.norm2 = nn.BatchNorm2d(outputs)
            self.norm1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, (3, 3), padding="same", bias=False)
            self.conv1 = nn.Conv2d(inputs, outputs, (3, 3), (stride, stride), (1, 1), bias=False)
            if stride == 1 and inputs == outputs:
                self.shortcut = nn.Identity()
            else:
                conv = nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False)
                self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(outputs))

        def forward(self, inputs):
            z = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(inputs)))))
            z += self.shortcut(inputs)
            return self.relu(z)


@right
def noisy():
    """Prints what it does to stderr, as a progress bar would."""

    def max_pool(x, k):
        import sys

        print("pooling", file=sys.stderr)
        n, channels, height, width = x.shape
        rows, columns = height // k, width // k
        out = np.full((n, channels, rows, columns), -np.inf)
        for i in range(k):
            for j in range(k):
                out = np.maximum(out, x[:, :, i : rows * k : k, j : columns * k : k])
        return out
