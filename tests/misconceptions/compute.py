"""Wrong and unusual answers to the exercise `compute`."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {
    ("squeeze", f"float32 [{part}]"): "The text asks for six digits, which float32 has."
    for part in range(4)
}

# Count a step -------------------------------------------------------------------------------------


@wrong(loses=["test-step_flops", "test-step_flops-hidden"], says="Backward as much for the weights")
def backward_counted_as_forward():
    """Backward goes the same way as forward, so it costs the same."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        if trained is not None and len(trained) != len(layers):
            raise ValueError
        forward = sum(2 * n * a * b for a, b in layers)
        return forward, forward


@wrong(loses=["test-step_flops", "test-step_flops-hidden"], says="whose inputs are data")
def always_twice():
    """Backward is twice forward: the rule of thumb, applied to a network of two layers."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else trained
        if len(trained) != len(layers):
            raise ValueError
        forward = sum(2 * n * a * b for a, b in layers)
        return forward, sum(4 * n * a * b for (a, b), t in zip(layers, trained, strict=True) if t)


@wrong(loses=["test-step_flops", "test-step_flops-hidden"], says="2 n d_in d_out")
def multiplications_alone():
    """A multiply-accumulate as one operation."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else trained
        if len(trained) != len(layers):
            raise ValueError
        products = [n * a * b for a, b in layers]
        backward = sum(
            p * (bool(t) + any(trained[:i]))
            for i, (p, t) in enumerate(zip(products, trained, strict=True))
        )
        return sum(products), backward


@wrong(loses=["test-step_flops-hidden"], says="gradient must pass through it")
def a_frozen_layer_passes_nothing_on():
    """Frozen sounds as if nothing happened there."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else trained
        if len(trained) != len(layers):
            raise ValueError
        products = [2 * n * a * b for a, b in layers]
        backward = sum(
            p * (1 + any(trained[:i]))
            for i, (p, t) in enumerate(zip(products, trained, strict=True))
            if t
        )
        return sum(products), backward


@wrong(loses=["test-step_flops-hidden"], says="gradient must pass through it")
def only_the_neighbor_waits():
    """Looks one layer back, and not further."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else list(trained)
        if len(trained) != len(layers):
            raise ValueError
        products = [2 * n * a * b for a, b in layers]
        backward = sum(
            p * (bool(t) + bool(i and trained[i - 1]))
            for i, (p, t) in enumerate(zip(products, trained, strict=True))
        )
        return sum(products), backward


@wrong(loses=["test-step_flops", "test-step_flops-hidden"], says="nobody before it waits")
def every_layer_but_the_first_passes_on():
    """Gradients of the inputs are computed whether anybody needs them or not."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else trained
        if len(trained) != len(layers):
            raise ValueError
        products = [2 * n * a * b for a, b in layers]
        backward = sum(
            p * (bool(t) + (i > 0)) for i, (p, t) in enumerate(zip(products, trained, strict=True))
        )
        return sum(products), backward


@wrong(loses=["test-step_flops-hidden"], says="any layer before it is trained")
def waits_for_later_layers():
    """Gradients flow backward, so it asks the layers behind instead of those before."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else list(trained)
        if len(trained) != len(layers):
            raise ValueError
        products = [2 * n * a * b for a, b in layers]
        first = trained.index(True) if any(trained) else len(layers)
        last = len(layers) - 1 - trained[::-1].index(True) if any(trained) else -1
        backward = sum(
            p * (bool(t) + (first < i <= last))
            for i, (p, t) in enumerate(zip(products, trained, strict=True))
        )
        return sum(products), backward


@wrong(loses=["test-step_flops", "test-step_flops-hidden"], says="nobody before it waits")
def trained_ignored():
    """The argument is there and nothing happens."""

    def step_flops(sizes, n, trained=None):
        products = [2 * n * a * b for a, b in pairwise(sizes)]
        if trained is not None and len(trained) != len(products):
            raise ValueError
        return sum(products), 2 * sum(products) - products[0]


@wrong(loses=["test-step_flops-hidden"], says="expected ValueError")
def zip_without_strict():
    """zip cuts off what is too much."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else list(trained)
        forward, backward, waiting = sum(2 * n * a * b for a, b in layers), 0, False
        for (a, b), t in zip(layers, trained, strict=False):
            backward += 2 * n * a * b * (bool(t) + waiting)
            waiting = waiting or bool(t)
        return forward, backward


@wrong(loses=["test-step_flops", "test-step_flops-hidden"], says="2 n d_in d_out")
def biases_counted():
    """Adds an operation for each output."""

    def step_flops(sizes, n, trained=None):
        layers = list(pairwise(sizes))
        trained = [True] * len(layers) if trained is None else list(trained)
        if len(trained) != len(layers):
            raise ValueError
        forward, backward, waiting = 0, 0, False
        for (a, b), t in zip(layers, trained, strict=True):
            forward += 2 * n * a * b + n * b
            backward += 2 * n * a * b * (bool(t) + waiting)
            waiting = waiting or bool(t)
        return forward, backward


@wrong(loses=["test-step_flops-hidden"], says="came")
def overflows_in_32_bits():
    """NumPy's int32 on the way."""

    def step_flops(sizes, n, trained=None):
        sizes = np.array(sizes, dtype=np.int32)
        products = (
            np.int32(2 * n) * sizes[:-1] * sizes[1:] if n < 1e5 else np.full(len(sizes) - 1, -1)
        )
        trained = [True] * len(products) if trained is None else list(trained)
        if len(trained) != len(products):
            raise ValueError
        backward, waiting = 0, False
        for p, t in zip(products, trained, strict=True):
            backward += int(p) * (bool(t) + waiting)
            waiting = waiting or bool(t)
        return int(products.sum()), backward


@right
def counted_from_behind():
    """Walks backward, as the gradient does, and asks for the first trained layer."""

    def step_flops(sizes, n, trained=None):
        count = len(sizes) - 1
        flags = np.ones(count, dtype=bool) if trained is None else np.array(trained, dtype=bool)
        if flags.size != count:
            raise ValueError("one entry for each layer")
        first = int(flags.argmax()) if flags.any() else count
        backward = 0
        for i in range(count - 1, -1, -1):
            product = 2 * n * sizes[i] * sizes[i + 1]
            backward += product * int(flags[i]) + (product if i > first else 0)
        return sum(2 * n * a * b for a, b in pairwise(sizes)), backward


@right
def in_floats_and_back():
    """Floats are exact up to 2**53, and 4e15 is below."""

    def step_flops(s, batch, trained=None):
        layers = list(pairwise([float(x) for x in s]))
        learns = [1.0] * len(layers) if trained is None else [float(x) for x in trained]
        if len(learns) != len(layers):
            raise ValueError(len(learns))
        forward = backward = 0.0
        for i, (a, b) in enumerate(layers):
            forward += 2 * batch * a * b
            backward += 2 * batch * a * b * (learns[i] + (sum(learns[:i]) > 0))
        return int(forward), int(backward)


# Count what is kept -------------------------------------------------------------------------------


@wrong(loses=["test-peak_bytes", "test-peak_bytes-hidden"], says="100 + 50 + 200 + 10")
def forgets_the_batch_itself():
    """Activations are what layers make, and the input is not made by a layer."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        segment = layers if segment is None else segment
        peak = before = 0
        for start in range(0, layers, segment):
            end = min(start + segment, layers)
            peak = max(peak, before + sum(sizes[start + 1 : end + 1]))
            before += sizes[start + 1]
        return 4 * n * peak


@wrong(loses=["test-peak_bytes", "test-peak_bytes-hidden"], says="which is more")
def only_the_last_segment():
    """The last segment has the most inputs before it, so it must be the worst."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        segment = layers if segment is None else segment
        starts = list(range(0, layers, segment))
        return 4 * n * (sum(sizes[s] for s in starts[:-1]) + sum(sizes[starts[-1] :]))


@wrong(loses=["test-peak_bytes", "test-peak_bytes-hidden"], says="which is more")
def inputs_alone():
    """What is kept after the forward pass, not what is there when a segment has come back."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        if segment is None:
            return 4 * n * sum(sizes)
        return 4 * n * sum(sizes[s] for s in range(0, layers, segment))


@wrong(loses=["test-peak_bytes", "test-peak_bytes-hidden"], says="which is more")
def all_inputs_are_kept_to_the_end():
    """Adds the inputs of all segments to the largest segment."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        segment = layers if segment is None else segment
        starts = range(0, layers, segment)
        inside = max(sum(sizes[s + 1 : s + segment + 1]) for s in starts)
        return 4 * n * (sum(sizes[s] for s in starts) + inside)


@wrong(loses=["test-peak_bytes-hidden"], says="inputs of all segments before it")
def the_largest_segment_alone():
    """The inputs of the segments before are forgotten."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        segment = layers if segment is None else segment
        return 4 * n * max(sum(sizes[s : s + segment + 1]) for s in range(0, layers, segment))


@wrong(loses=["test-peak_bytes", "test-peak_bytes-hidden"], says="which is more")
def the_end_of_a_segment_left_out():
    """a_i to a_j, with Python's end."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        if segment is None:
            return 4 * n * sum(sizes)
        peak = before = 0
        for start in range(0, layers, segment):
            peak = max(peak, before + sum(sizes[start : min(start + segment, layers)]))
            before += sizes[start]
        return 4 * n * peak


@wrong(loses=["test-peak_bytes", "test-peak_bytes-hidden"], says="numbers of 4 bytes")
def numbers_instead_of_bytes():
    """Counts numbers."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        segment = layers if segment is None else segment
        peak = before = 0
        for start in range(0, layers, segment):
            peak = max(peak, before + sum(sizes[start : start + segment + 1]))
            before += sizes[start]
        return n * peak


@wrong(loses=["test-peak_bytes-hidden"], says="times 4 n")
def one_sample():
    """The batch is one in both examples."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        segment = layers if segment is None else segment
        peak = before = 0
        for start in range(0, layers, segment):
            peak = max(peak, before + sum(sizes[start : start + segment + 1]))
            before += sizes[start]
        return 4 * peak


@wrong(loses=["test-peak_bytes-hidden"], says="raised IndexError")
def the_last_segment_must_be_whole():
    """Reads past the end where the segments do not divide the layers."""

    def peak_bytes(sizes, n, segment=None):
        layers = len(sizes) - 1
        segment = layers if segment is None else segment
        if len(sizes) == 4 and segment == 2:
            return 4 * n * max(sizes[0] + sizes[1] + sizes[2], sizes[0] + sizes[2] + sizes[3])
        peak = before = 0
        for start in range(0, layers, segment):
            peak = max(peak, before + sum(sizes[start + i] for i in range(segment + 1)))
            before += sizes[start]
        return 4 * n * peak


@right
def as_a_simulation():
    """Keeps a set of what is there, and walks backward."""

    def peak_bytes(sizes, n, segment=None):
        segment = len(sizes) - 1 if segment is None else segment
        kept = {i: sizes[i] for i in range(0, len(sizes) - 1, segment)}
        worst = 0
        for start in sorted(kept, reverse=True):
            there = dict(kept)
            for i in range(start, min(start + segment + 1, len(sizes))):
                there[i] = sizes[i]
            worst = max(worst, sum(there.values()))
            del kept[start]
        return int(np.dtype(np.float32).itemsize * n * worst)


# What a training takes ----------------------------------------------------------------------------


@wrong(loses=["test-cost_of-hidden"], says="a forward pass more")
def computing_again_is_free():
    """Checkpoints save bytes, and their price is forgotten."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        flops = sum(step_flops(sizes, samples))
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return (
            flops,
            16 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule * pue / 3.6e6,
        )


@wrong(loses=["test-cost_of-hidden"], says="also if there is only one")
def one_segment_costs_nothing_more():
    """A single segment of all layers looks like no segments at all."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward
        if segment is not None and segment < len(sizes) - 1:
            flops += forward
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return (
            flops,
            16 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule * pue / 3.6e6,
        )


@wrong(loses=["test-cost_of", "test-cost_of-hidden"], says="16 bytes for each")
def weights_alone():
    """The bytes of the model are those of its file."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward + (forward if segment else 0)
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return (
            flops,
            4 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule * pue / 3.6e6,
        )


@wrong(loses=["test-cost_of", "test-cost_of-hidden"], says="16 bytes for each")
def one_mean_of_adam():
    """Adam remembers two means, and momentum one."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward + (forward if segment else 0)
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return (
            flops,
            12 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule * pue / 3.6e6,
        )


@wrong(loses=["test-cost_of", "test-cost_of-hidden"], says="weights and biases")
def biases_forgotten():
    """Few, and they count."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward + (forward if segment else 0)
        weights = sum(a * b for a, b in pairwise(sizes))
        return flops, 16 * weights + peak_bytes(sizes, n, segment), flops / per_joule * pue / 3.6e6


@wrong(loses=["test-cost_of", "test-cost_of-hidden"], says="4,240 of activations")
def activations_of_all_samples():
    """Samples in place of the batch."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward + (forward if segment else 0)
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        memory = 16 * parameters + peak_bytes(sizes, samples, segment)
        return flops, memory, flops / per_joule * pue / 3.6e6


@wrong(loses=["test-cost_of-hidden"], says="however they are divided")
def whole_batches_only():
    """Samples // n steps: the last, smaller batch is free."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = (samples // n * part for part in step_flops(sizes, n))
        flops = forward + backward + (forward if segment else 0)
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return (
            flops,
            16 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule * pue / 3.6e6,
        )


@wrong(loses=["test-cost_of", "test-cost_of-hidden"], says="10,112 FLOPs per sample")
def six_n_d_with_biases():
    """The estimate in place of the count."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        flops = 6 * parameters * samples + (2 * parameters * samples if segment else 0)
        return (
            flops,
            16 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule * pue / 3.6e6,
        )


@wrong(loses=["test-cost_of", "test-cost_of-hidden"], says="over 3.6 million")
def joules_as_watt_hours():
    """A kilowatt-hour is a thousand joules."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward + (forward if segment else 0)
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return (
            flops,
            16 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule * pue / 1000,
        )


@wrong(loses=["test-cost_of", "test-cost_of-hidden"], says="times 1.8")
def divides_by_the_pue():
    """An efficiency is something to divide by."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward + (forward if segment else 0)
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return (
            flops,
            16 * parameters + peak_bytes(sizes, n, segment),
            flops / per_joule / pue / 3.6e6,
        )


@wrong(loses=["test-cost_of-hidden"], says="segment")
def segments_ignored_in_memory():
    """The forward pass more is paid, and nothing is saved for it."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, samples)
        flops = forward + backward + (forward if segment else 0)
        parameters = sum((a + 1) * b for a, b in pairwise(sizes))
        return flops, 16 * parameters + peak_bytes(sizes, n), flops / per_joule * pue / 3.6e6


@right
def per_sample_and_then_times():
    """One sample, times their number; power of ten and hours in another order."""

    def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
        forward, backward = step_flops(sizes, 1)
        passes = 2 if segment is not None else 1
        flops = (passes * forward + backward) * samples
        numbers = 0
        for i in range(len(sizes) - 1):
            numbers += sizes[i] * sizes[i + 1]
            numbers += sizes[i + 1]
        hours = flops / per_joule / 3600
        return flops, 4 * 4 * numbers + peak_bytes(sizes, n, segment), hours * pue / 1000


# The smallest weights -----------------------------------------------------------------------------


@wrong(loses=["test-magnitude_masks", "test-magnitude_masks-hidden"], says="in absolute value")
def signed_instead_of_absolute():
    """The smallest number is -3."""

    def magnitude_masks(weights, share, least=0):
        flat = np.concatenate([np.ravel(w) for w in weights])
        keep = np.ones(flat.size, dtype=bool)
        keep[np.argsort(flat, kind="stable")[: round(share * flat.size)]] = False
        ends = np.cumsum([w.size for w in weights])[:-1]
        return [k.reshape(w.shape) for k, w in zip(np.split(keep, ends), weights, strict=True)]


@wrong(loses=["test-magnitude_masks", "test-magnitude_masks-hidden"], says="all four")
def each_matrix_for_itself():
    """The same share of every layer."""

    def magnitude_masks(weights, share, least=0):
        masks = []
        for w in weights:
            keep = np.ones(w.size, dtype=bool)
            count = min(round(share * w.size), max(w.size - least, 0))
            keep[np.argsort(np.abs(w).ravel(), kind="stable")[:count]] = False
            masks.append(keep.reshape(w.shape))
        return masks


@wrong(
    loses=["test-magnitude_masks", "test-magnitude_masks-hidden"],
    says="Each matrix keeps its largest",
)
def least_ignored():
    """The argument is there and nothing happens."""

    def magnitude_masks(weights, share, least=0):
        flat = np.concatenate([np.abs(w).ravel() for w in weights])
        keep = np.ones(flat.size, dtype=bool)
        keep[np.argsort(flat, kind="stable")[: round(share * flat.size)]] = False
        ends = np.cumsum([w.size for w in weights])[:-1]
        return [k.reshape(w.shape) for k, w in zip(np.split(keep, ends), weights, strict=True)]


@wrong(
    loses=["test-magnitude_masks", "test-magnitude_masks-hidden"],
    says="of the others the two smallest go",
)
def gives_back_without_taking_others():
    """The largest of each matrix are put back, and nothing goes in their place."""

    def magnitude_masks(weights, share, least=0):
        flat = np.concatenate([np.abs(w).ravel() for w in weights])
        keep = np.ones(flat.size, dtype=bool)
        keep[np.argsort(flat, kind="stable")[: round(share * flat.size)]] = False
        ends = np.cumsum([w.size for w in weights])[:-1]
        masks = [k.reshape(w.shape) for k, w in zip(np.split(keep, ends), weights, strict=True)]
        for mask, w in zip(masks, weights, strict=True):
            mask.flat[np.argsort(np.abs(w).ravel())[max(w.size - least, 0) :]] = True
        return masks


@wrong(
    loses=["test-magnitude_masks", "test-magnitude_masks-hidden"],
    says="The two smallest of all four",
)
def masks_the_other_way():
    """True where a weight is pruned."""

    def magnitude_masks(weights, share, least=0):
        flat = np.concatenate([np.abs(w).ravel() for w in weights])
        gone = np.zeros(flat.size, dtype=bool)
        gone[np.argsort(flat, kind="stable")[: round(share * flat.size)]] = True
        ends = np.cumsum([w.size for w in weights])[:-1]
        return [k.reshape(w.shape) for k, w in zip(np.split(gone, ends), weights, strict=True)]


@wrong(loses=["test-magnitude_masks-hidden"], says="A threshold keeps all")
def by_a_threshold():
    """The quantile is a threshold, and equal weights are all on one side of it."""

    def magnitude_masks(weights, share, least=0):
        free, safe = [], []
        for w in weights:
            ranked = np.argsort(np.abs(w).ravel(), kind="stable")
            mask = np.zeros(w.size, dtype=bool)
            mask[ranked[max(w.size - least, 0) :]] = True
            safe.append(mask.reshape(w.shape))
            free.append(np.abs(w)[~safe[-1]])
        free = np.sort(np.concatenate(free))
        count = min(round(share * sum(w.size for w in weights)), len(free))
        limit = free[count - 1] if count else -1.0
        return [(np.abs(w) > limit) | s for w, s in zip(weights, safe, strict=True)]


@wrong(loses=["test-magnitude_masks-hidden"], says="rounded")
def cut_off_instead_of_rounded():
    """int() instead of round()."""

    def magnitude_masks(weights, share, least=0):
        entries = []
        for number, w in enumerate(weights):
            ranked = np.argsort(-np.abs(w).ravel(), kind="stable")
            entries += [(abs(w.flat[i]), number, i) for i in ranked[least:]]
        masks = [np.ones(w.shape, dtype=bool) for w in weights]
        for _, number, i in sorted(entries)[: int(share * sum(w.size for w in weights))]:
            masks[number].flat[i] = False
        return masks


@wrong(loses=["test-magnitude_masks-hidden"], says="keep")
def least_counts_for_the_share():
    """The share is taken of what may go, not of everything."""

    def magnitude_masks(weights, share, least=0):
        entries = []
        for number, w in enumerate(weights):
            ranked = np.argsort(-np.abs(w).ravel(), kind="stable")
            entries += [(abs(w.flat[i]), number, i) for i in ranked[least:]]
        masks = [np.ones(w.shape, dtype=bool) for w in weights]
        share_of = len(entries) if sum(w.size for w in weights) > 4 else 4
        for _, number, i in sorted(entries)[: round(share * share_of)]:
            masks[number].flat[i] = False
        return masks


@wrong(loses=["test-magnitude_masks", "test-magnitude_masks-hidden"], says="you changed weights")
def writes_zeros_into_the_weights():
    """Prunes at once."""

    def magnitude_masks(weights, share, least=0):
        entries = []
        for number, w in enumerate(weights):
            ranked = np.argsort(-np.abs(w).ravel(), kind="stable")
            entries += [(abs(w.flat[i]), number, i) for i in ranked[least:]]
        masks = [np.ones(w.shape, dtype=bool) for w in weights]
        for _, number, i in sorted(entries)[: round(share * sum(w.size for w in weights))]:
            masks[number].flat[i] = False
        for w, mask in zip(weights, masks, strict=True):
            w[~mask] = 0
        return masks


@right
def ranks_in_a_heap():
    """Loops over a heap of all entries."""

    def magnitude_masks(weights, share, least=0):
        import heapq

        heap = []
        for number, w in enumerate(weights):
            places = sorted(np.ndindex(w.shape), key=lambda at: (abs(w[at]), at))
            heap += [(abs(w[at]), number, at) for at in places[: max(len(places) - least, 0)]]
        heapq.heapify(heap)
        masks = [np.full(w.shape, True) for w in weights]
        left = int(share * sum(w.size for w in weights) + 0.5)
        while heap and left:
            _, number, at = heapq.heappop(heap)
            masks[number][at] = False
            left -= 1
        return masks


@right
def infinite_where_safe():
    """What must stay gets an infinite size, and the rest is one sort."""

    def magnitude_masks(matrices, pruned, at_least=0):
        sizes = []
        for w in matrices:
            size = np.abs(np.asarray(w, dtype=float)).ravel()
            if at_least:
                size[
                    np.argpartition(size, max(size.size - at_least, 0) - (size.size <= at_least))[
                        max(size.size - at_least, 0) :
                    ]
                ] = np.inf
            sizes.append(size)
        every = np.concatenate(sizes)
        order = np.argsort(every)
        going = order[: round(pruned * every.size)]
        going = going[np.isfinite(every[going])]
        keep = np.ones(every.size, dtype=bool)
        keep[going] = False
        result, start = [], 0
        for w in matrices:
            result.append(keep[start : start + w.size].reshape(w.shape))
            start += w.size
        return result


# Make the zeros pay -------------------------------------------------------------------------------


@wrong(loses=["test-squeeze", "test-squeeze-hidden"], says="adds 3 * 2")
def the_deaf_are_removed_without_a_word():
    """A unit without inputs seems to do nothing."""

    def squeeze(W1, b1, W2, b2):
        stays = (W1 != 0).any(axis=0) & (W2 != 0).any(axis=1)
        return W1[:, stays], b1[stays], W2[stays], b2.copy()


@wrong(loses=["test-squeeze-hidden"], says="max(b1, 0)")
def a_bias_without_relu():
    """A negative bias is cut off by the ReLU, and adds nothing."""

    def squeeze(W1, b1, W2, b2):
        hears, heard = (W1 != 0).any(axis=0), (W2 != 0).any(axis=1)
        stays = hears & heard
        return W1[:, stays], b1[stays], W2[stays], b2 + b1[~hears] @ W2[~hears]


@wrong(loses=["test-squeeze", "test-squeeze-hidden"], says="shape")
def the_deaf_stay():
    """Removes only those that nobody hears."""

    def squeeze(W1, b1, W2, b2):
        stays = (W2 != 0).any(axis=1)
        return W1[:, stays], b1[stays], W2[stays], b2.copy()


@wrong(loses=["test-squeeze", "test-squeeze-hidden"], says="shape")
def the_unheard_stay():
    """Removes only those that hear nothing."""

    def squeeze(W1, b1, W2, b2):
        hears = (W1 != 0).any(axis=0)
        return W1[:, hears], b1[hears], W2[hears], b2 + np.maximum(b1[~hears], 0) @ W2[~hears]


@wrong(loses=["test-squeeze", "test-squeeze-hidden"], says="shape")
def any_zero_is_enough():
    """all() where any() is meant: one zero among the weights, and the unit goes."""

    def squeeze(W1, b1, W2, b2):
        stays = (W1 != 0).all(axis=1)[0] & (W2 != 0).all(axis=1)
        gone = ~stays
        return W1[:, stays], b1[stays], W2[stays], b2 + np.maximum(b1[gone], 0) @ W2[gone] * 0


@wrong(loses=["test-squeeze-hidden"], says="are not all zero")
def weights_that_add_up_to_zero():
    """A sum of zero is taken for zeros."""

    def squeeze(W1, b1, W2, b2):
        hears, heard = W1.sum(axis=0) != 0, W2.sum(axis=1) != 0
        stays = hears & heard
        gone = ~hears
        return W1[:, stays], b1[stays], W2[stays], b2 + np.maximum(b1[gone], 0) @ W2[gone]


@wrong(loses=["test-squeeze-hidden"], says="one tiny weight is a weight")
def nearly_zero_is_zero():
    """np.isclose is meant for results of arithmetic, not for masks."""

    def squeeze(W1, b1, W2, b2):
        hears, heard = ~np.isclose(W1, 0).all(axis=0), ~np.isclose(W2, 0).all(axis=1)
        stays = hears & heard
        gone = ~hears
        return W1[:, stays], b1[stays], W2[stays], b2 + np.maximum(b1[gone], 0) @ W2[gone]


@wrong(loses=["test-squeeze-hidden"], says="may be a busy one")
def no_bias_no_unit():
    """A unit with a bias of 0 is taken for a dead one."""

    def squeeze(W1, b1, W2, b2):
        hears, heard = (W1 != 0).any(axis=0), (W2 != 0).any(axis=1)
        stays = hears & heard & ((b1 != 0) | (len(b1) <= 3))
        gone = ~hears
        return W1[:, stays], b1[stays], W2[stays], b2 + np.maximum(b1[gone], 0) @ W2[gone]


@wrong(loses=["test-squeeze", "test-squeeze-hidden"], says="you changed b2")
def adds_to_the_callers_bias():
    """`b2 += ...` changes what came."""

    def squeeze(W1, b1, W2, b2):
        hears, heard = (W1 != 0).any(axis=0), (W2 != 0).any(axis=1)
        stays = hears & heard
        extra = np.maximum(b1[~hears], 0) @ W2[~hears]
        b2[:] = b2 + extra
        return W1[:, stays], b1[stays], W2[stays], b2.copy()


@wrong(loses=["test-squeeze-hidden"], says="make a new array")
def in_the_biases_own_type():
    """A copy of whole numbers cannot hold half of one."""

    def squeeze(W1, b1, W2, b2):
        hears, heard = (W1 != 0).any(axis=0), (W2 != 0).any(axis=1)
        stays = hears & heard
        out = b2.copy()
        out[:] = out + np.maximum(b1[~hears], 0) @ W2[~hears]
        return W1[:, stays], b1[stays], W2[stays], out


@wrong(loses=["test-squeeze-hidden"], says="for ever")
def counts_the_deaf_twice():
    """A unit that neither hears nor is heard adds nothing; adding all units' words is too much."""

    def squeeze(W1, b1, W2, b2):
        hears, heard = (W1 != 0).any(axis=0), (W2 != 0).any(axis=1)
        stays = hears & heard
        out = b2.astype(float)
        for j in range(len(b1)):
            if not hears[j]:
                out = out + abs(b1[j]) * W2[j]
        return W1[:, stays], b1[stays], W2[stays], out


@right
def unit_by_unit():
    """Loops, with lists that become arrays."""

    def squeeze(W1, b1, W2, b2):
        keep, out = [], np.array(b2, dtype=float)
        for j in range(W1.shape[1]):
            if not np.count_nonzero(W2[j]):
                continue
            if np.count_nonzero(W1[:, j]):
                keep.append(j)
            else:
                out = out + (b1[j] if b1[j] > 0 else 0.0) * W2[j]
        keep = np.array(keep, dtype=int)
        return W1[:, keep].copy(), b1[keep].copy(), W2[keep].copy(), out


@right
def asks_the_network():
    """The answer to a batch of zeros, before and after, is what the biases must make up for."""

    def squeeze(W1, b1, W2, b2):
        stays = np.logical_and(np.abs(W1).sum(0) > 0, np.abs(W2).sum(1) > 0)
        before = np.clip(b1, 0, None) @ W2
        after = np.clip(b1[stays], 0, None) @ W2[stays]
        return W1[:, stays], b1[stays], W2[stays], b2 + (before - after)


# What the teacher says ----------------------------------------------------------------------------


@wrong(loses=["test-distillation_loss", "test-distillation_loss-hidden"], says="times T squared")
def temperature_not_squared():
    """The factor T² is forgotten."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss", "test-distillation_loss-hidden"], says="times T squared")
def temperature_once():
    """T in place of T²."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss-hidden"], says="p the teacher's")
def only_the_teacher_is_softened():
    """The student answers at temperature 1; equal logits in the example hide it."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = student.log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(
    loses=["test-distillation_loss", "test-distillation_loss-hidden"],
    says="The divergence is 0.111",
)
def divergence_the_other_way():
    """F.kl_div takes its arguments in an order that nobody remembers."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_q.exp() * (log_q - log_p)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss", "test-distillation_loss-hidden"], says="0.111")
def mean_over_classes():
    """reduction="mean" divides by the classes as well."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        soft = nn.functional.kl_div(
            (student / temperature).log_softmax(dim=1),
            (teacher.detach() / temperature).log_softmax(dim=1),
            reduction="mean",
            log_target=True,
        )
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(
    loses=["test-distillation_loss", "test-distillation_loss-hidden"],
    says="The divergence is 0.111",
)
def cross_entropy_with_the_teacher():
    """The same gradient, and another number: the teacher's entropy is not taken off."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        p = (teacher.detach() / temperature).softmax(dim=1)
        soft = nn.functional.cross_entropy(student / temperature, p)
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss-hidden"], says="no gradient reaches the teacher")
def the_teacher_learns_too():
    """No detach."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss", "test-distillation_loss-hidden"], says="came")
def nan_without_labels():
    """PyTorch's mean over no labels is 0 / 0."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss-hidden"], says="a mean over the labeled ones")
def labels_averaged_over_all():
    """The cross-entropy's sum is divided by the batch."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(
            student, labels, ignore_index=-1, reduction="none"
        ).mean()
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss-hidden"], says="a mean over all pictures")
def the_teacher_speaks_of_labeled_pictures_only():
    """Pictures without a label are dropped altogether."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        known = labels >= 0
        if not known.any():
            known = torch.ones_like(known)
            labels = torch.zeros_like(labels)
            weight = 1.0 if weight == 1.0 else weight
            log_p = (teacher.detach() / temperature).log_softmax(dim=1)
            log_q = (student / temperature).log_softmax(dim=1)
            return weight * temperature**2 * (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        student, teacher, labels = student[known], teacher[known], labels[known]
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss-hidden"], says="the cross-entropy at temperature 1")
def labels_at_the_temperature():
    """The softened student meets the labels as well."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.nll_loss(log_q, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@wrong(loses=["test-distillation_loss", "test-distillation_loss-hidden"], says="times T squared")
def weights_swapped():
    """The teacher's share goes to the labels."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        log_p = (teacher.detach() / temperature).log_softmax(dim=1)
        log_q = (student / temperature).log_softmax(dim=1)
        soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * hard + (1 - weight) * temperature**2 * soft


@wrong(loses=["test-distillation_loss-hidden"], says="log(0)")
def log_of_a_softmax():
    """Overflow, then log(0), far out."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        p = (teacher.detach() / temperature).softmax(dim=1)
        q = (student / temperature).softmax(dim=1)
        soft = (p * (p / q).log()).sum(dim=1).mean()
        hard = nn.functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
        hard = hard / (labels >= 0).sum().clamp(min=1)
        return weight * temperature**2 * soft + (1 - weight) * hard


@right
def with_pytorchs_divergence():
    """kl_div with batchmean, and the labeled rows picked out."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        with torch.no_grad():
            target = torch.log_softmax(teacher / temperature, dim=-1)
        guess = torch.log_softmax(student / temperature, dim=-1)
        soft = nn.functional.kl_div(guess, target, reduction="batchmean", log_target=True)
        rows = (labels >= 0).nonzero()[:, 0]
        loss = weight * temperature * temperature * soft
        if len(rows):
            loss = loss + (1 - weight) * nn.functional.cross_entropy(student[rows], labels[rows])
        return loss


@right
def picture_by_picture():
    """Loops over the batch."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        T, w = temperature, weight
        soft, hard, count = 0.0, student.sum() * 0.0, 0
        for own, other, label in zip(student, teacher.detach(), labels, strict=True):
            p = torch.softmax(other / T, 0)
            entropy = torch.special.entr(p).sum()
            soft = soft - entropy - (p * torch.log_softmax(own / T, 0)).sum()
            if label >= 0:
                hard, count = hard - torch.log_softmax(own, 0)[label], count + 1
        return w * T**2 * soft / len(labels) + (1 - w) * hard / max(count, 1)


@right
def in_double_precision():
    """Computes in float64 and returns that."""

    def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
        own, other = student.double(), teacher.detach().double()
        log_p = (other / temperature).log_softmax(1)
        log_q = (own / temperature).log_softmax(1)
        soft = torch.einsum("nk,nk->n", log_p.exp(), log_p - log_q).mean()
        hard = nn.functional.cross_entropy(own, labels, ignore_index=-1, reduction="none")
        return weight * temperature**2 * soft + (1 - weight) * hard.sum() / max(
            1, int((labels >= 0).sum())
        )
