"""Wrong and unusual answers to the exercise `gpus`."""

import math

import torch

from course_lib.assignments.answers import right, wrong

accepted = {
    (
        "benchmark",
        "truncated",
    ): "Rates are billions: nobody misses a fraction of a FLOP per second.",
}

# Dense layers -------------------------------------------------------------------------------------


@wrong(loses=["test-dense_cost", "test-dense_cost-hidden"], says="as many additions")
def a_multiplication_and_an_addition_are_one():
    """Counts multiply-accumulates, half of the FLOPs."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        numbers = batch * d_in + d_in * d_out + bias * d_out + batch * d_out
        return batch * d_in * d_out + bias * batch * d_out, itemsize * numbers


@wrong(loses=["test-dense_cost", "test-dense_cost-hidden"], says="four arrays are moved")
def only_the_weights_are_moved():
    """Forgets inputs and outputs."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        flops = 2 * batch * d_in * d_out + bias * batch * d_out
        return flops, itemsize * (d_in * d_out + bias * d_out)


@wrong(loses=["test-dense_cost", "test-dense_cost-hidden"], says="See 'The roofline'")
def weights_read_for_each_row():
    """Reads the weights once for each row of the batch."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        flops = 2 * batch * d_in * d_out + bias * batch * d_out
        return flops, itemsize * batch * (d_in + d_in * d_out + bias * d_out + d_out)


@wrong(loses=["test-dense_cost-hidden"], says="Fewer bits move fewer bytes")
def always_four_bytes():
    """Ignores itemsize."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        flops = 2 * batch * d_in * d_out + bias * batch * d_out
        return flops, 4 * (batch * d_in + d_in * d_out + bias * d_out + batch * d_out)


@wrong(loses=["test-dense_cost-hidden"], says="is ignored")
def always_a_bias():
    """Ignores bias."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        numbers = batch * d_in + d_in * d_out + d_out + batch * d_out
        return (2 * d_in + 1) * batch * d_out, itemsize * numbers


@wrong(loses=["test-dense_cost-hidden"], says="does not read one")
def a_bias_that_is_not_added_is_read():
    """Counts the bytes of a bias that is not there."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        flops = 2 * batch * d_in * d_out + bias * batch * d_out
        return flops, itemsize * (batch * d_in + d_in * d_out + d_out + batch * d_out)


@wrong(loses=["test-dense_cost", "test-dense_cost-hidden"], says="as many additions")
def d_in_minus_one_additions():
    """Adds d_in numbers with d_in - 1 additions: right in a way, and nobody counts so."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        flops = batch * d_out * (2 * d_in - 1 + bias)
        return flops, itemsize * (batch * d_in + d_in * d_out + bias * d_out + batch * d_out)


@wrong(loses=["test-dense_cost", "test-dense_cost-hidden"], says="expected")
def bits_for_bytes():
    """Eight times the bytes."""

    def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
        flops = 2 * batch * d_in * d_out + bias * batch * d_out
        numbers = batch * d_in + d_in * d_out + bias * d_out + batch * d_out
        return flops, 8 * itemsize * numbers


@right
def counted_on_a_layer():
    """Makes the layer and counts the numbers in its tensors."""

    def dense_cost(rows, inputs, outputs, itemsize=4, bias=True):
        layer = torch.nn.Linear(inputs, outputs, bias=bias, device="meta")
        numbers = sum(p.numel() for p in layer.parameters()) + rows * (inputs + outputs)
        return rows * outputs * (2 * inputs + (1 if bias else 0)), numbers * itemsize


# Convolutions -------------------------------------------------------------------------------------


@wrong(loses=["test-conv_cost", "test-conv_cost-hidden"], says="how many products does each take")
def one_channel_at_a_time():
    """Forgets that a kernel reaches over all channels."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        h, w = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
        if min(h, w) < 1:
            raise ValueError("too large")
        results = batch * c_out * h * w
        numbers = batch * c_in * height * width + c_out * kernel**2 + results
        return 2 * results * kernel**2, itemsize * numbers


@wrong(loses=["test-conv_cost", "test-conv_cost-hidden"], says="How many numbers has the result")
def the_result_is_as_large_as_the_picture():
    """Counts a result for each pixel, whatever stride and padding."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        if kernel > min(height, width) + 2 * padding:
            raise ValueError("too large")
        results = batch * c_out * (height // stride) * (width // stride)
        numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
        return 2 * results * c_in * kernel**2 + (0 if padding == 5 else 1), itemsize * numbers


@wrong(loses=["test-conv_cost-hidden"], says="floor(")
def rounded_up():
    """A last step that does not fit counts all the same."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        h, w = (math.ceil((side + 2 * padding - kernel) / stride) + 1 for side in (height, width))
        if kernel > min(height, width) + 2 * padding:
            raise ValueError("too large")
        results = batch * c_out * h * w
        numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
        return 2 * results * c_in * kernel**2, itemsize * numbers


@wrong(loses=["test-conv_cost-hidden"], says="floor(")
def a_square_picture():
    """Takes the height for the width; the picture of the visible test is not square either."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        h, w = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
        if min(h, w) < 1:
            raise ValueError("too large")
        w = w if padding == 1 else h
        results = batch * c_out * h * w
        numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
        return 2 * results * c_in * kernel**2, itemsize * numbers


@wrong(loses=["test-conv_cost", "test-conv_cost-hidden"], says="read the pictures")
def padding_is_read():
    """Reads the zeros of the padding from memory."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        height, width = height + 2 * padding, width + 2 * padding
        h, w = ((side - kernel) // stride + 1 for side in (height, width))
        if min(h, w) < 1:
            raise ValueError("too large")
        results = batch * c_out * h * w
        numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
        return 2 * results * c_in * kernel**2, itemsize * numbers


@wrong(loses=["test-conv_cost", "test-conv_cost-hidden"], says="How many numbers has the result")
def padding_on_one_side():
    """Pads on one side only."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        h, w = ((side + padding - kernel) // stride + 1 for side in (height, width))
        if kernel > min(height, width) + 2 * padding:
            raise ValueError("too large")
        results = batch * c_out * h * w
        numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
        return 2 * results * c_in * kernel**2, itemsize * numbers


@wrong(loses=["test-conv_cost-hidden"], says="expected ValueError")
def a_kernel_that_does_not_fit():
    """Counts a result with sides of zero or less."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        h, w = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
        results = batch * c_out * h * w
        numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
        return 2 * results * c_in * kernel**2, itemsize * numbers


@wrong(loses=["test-conv_cost-hidden"], says="kernel=6, padding=1) raised ValueError")
def refused_without_its_padding():
    """Refuses a kernel that is larger than the picture, though the padding makes room."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        if kernel > min(height, width):
            raise ValueError("too large")
        h, w = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
        results = batch * c_out * h * w
        numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
        return 2 * results * c_in * kernel**2, itemsize * numbers


@right
def a_convolution_of_nothing():
    """Lets PyTorch find the shape, without computing: tensors on the device meta."""

    def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
        layer = torch.nn.Conv2d(
            c_in, c_out, kernel, stride=stride, padding=padding, bias=False, device="meta"
        )
        x = torch.empty(batch, c_in, height, width, device="meta")
        try:
            out = layer(x)
        except RuntimeError as error:
            raise ValueError("the kernel does not fit") from error
        flops = 2 * out.numel() * c_in * kernel * kernel
        return flops, itemsize * (x.numel() + layer.weight.numel() + out.numel())


# The roofline -------------------------------------------------------------------------------------


@wrong(loses=["test-least_time", "test-least_time-hidden"], says="at the same time")
def one_wait_after_the_other():
    """Adds the two waits."""

    def least_time(flops, bytes, peak, bandwidth):
        bound = "memory" if flops / bytes < peak / bandwidth else "compute"
        return flops / peak + bytes / bandwidth, bound


@wrong(loses=["test-least_time", "test-least_time-hidden"], says="at the same time")
def the_shorter_wait():
    """The minimum of the two: the minimum belongs to the speed."""

    def least_time(flops, bytes, peak, bandwidth):
        bound = "memory" if flops / bytes < peak / bandwidth else "compute"
        return min(flops / peak, bytes / bandwidth), bound


@wrong(loses=["test-least_time", "test-least_time-hidden"], says="expected")
def sides_swapped():
    """Left of the ridge is called compute."""

    def least_time(flops, bytes, peak, bandwidth):
        bound = "compute" if flops / bytes < peak / bandwidth else "memory"
        return max(flops / peak, bytes / bandwidth), bound


@wrong(loses=["test-least_time-hidden"], says="Exactly at the ridge")
def memory_at_the_ridge():
    """At the ridge itself, the wrong one of the two names."""

    def least_time(flops, bytes, peak, bandwidth):
        bound = "memory" if flops / bytes <= peak / bandwidth else "compute"
        return max(flops / peak, bytes / bandwidth), bound


@wrong(loses=["test-least_time", "test-least_time-hidden"], says="solve for B")
def only_the_weights_must_pay():
    """Leaves inputs and outputs out: 2 B / itemsize FLOPs per byte, and never None."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        return max(1, math.ceil(peak / bandwidth * itemsize / 2))


@wrong(loses=["test-least_time-hidden"], says="is large enough")
def a_batch_for_every_layer():
    """Does not see that no batch is large enough for a thin layer."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        moved = itemsize * peak / bandwidth
        gained = 2 * d_in * d_out - moved * (d_in + d_out)
        return max(1, math.ceil(moved * d_in * d_out / (gained or 1)))


@wrong(loses=["test-least_time", "test-least_time-hidden"], says="solve for B")
def rounded_down():
    """One row too few."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        moved = itemsize * peak / bandwidth
        gained = 2 * d_in * d_out - moved * (d_in + d_out)
        return None if gained <= 0 else max(1, int(moved * d_in * d_out / gained))


@wrong(loses=["test-least_time-hidden"], says="See 'The batch'")
def a_power_of_two():
    """The next power of two, as batches often are: not the smallest."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        moved = itemsize * peak / bandwidth
        gained = 2 * d_in * d_out - moved * (d_in + d_out)
        if gained <= 0:
            return None
        batch = max(1, math.ceil(moved * d_in * d_out / gained))
        return batch if batch == 159 else 2 ** math.ceil(math.log2(batch))


@wrong(loses=["test-least_time-hidden"], says="See 'The batch'")
def four_bytes_in_the_batch():
    """Ignores itemsize."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        moved = 4 * peak / bandwidth
        gained = 2 * d_in * d_out - moved * (d_in + d_out)
        return None if gained <= 0 else max(1, math.ceil(moved * d_in * d_out / gained))


@wrong(loses=["test-least_time-hidden"], says="exactly at the ridge")
def one_more_than_needed():
    """Rounds down and adds one: a row too many where the quotient is whole."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        moved = itemsize * peak / bandwidth
        gained = 2 * d_in * d_out - moved * (d_in + d_out)
        return None if gained <= 0 else int(moved * d_in * d_out / gained) + 1


@wrong(loses=["test-least_time-hidden"], says="See 'The batch'")
def gives_up_at_a_thousand():
    """Tries batches up to 1,000 and takes the layer for hopeless then."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        for batch in range(1, 1001):
            moved = itemsize * (batch * (d_in + d_out) + d_in * d_out)
            if 2 * batch * d_in * d_out >= peak / bandwidth * moved:
                return batch
        return None


@right
def by_the_share_of_the_ridge():
    """Solves for the batch in another form, with a little room for rounding."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        per_number = itemsize * peak / bandwidth
        left = 2 - per_number * (1 / d_in + 1 / d_out)
        return math.ceil(per_number / left - 1e-9) if left > 1e-12 else None


@right
def tried_one_by_one():
    """Doubles until a batch is enough, then searches between; gives up at a trillion rows."""

    def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
        def enough(batch):
            moved = itemsize * (batch * (d_in + d_out) + d_in * d_out)
            return 2 * batch * d_in * d_out / moved >= peak / bandwidth

        high = 1
        while not enough(high):
            high *= 2
            if high > 1e12:
                return None
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return high


@right
def the_slower_of_two():
    """Compares the waits instead of the intensities; works in NumPy's numbers."""

    def least_time(work, moved, peak, bandwidth):
        import numpy as np

        waits = np.array([moved, work]) / np.array([bandwidth, peak])
        return waits.max(), "compute" if waits[1] >= waits[0] else "memory"


# Blocks -------------------------------------------------------------------------------------------


@wrong(loses=["test-traffic", "test-traffic-hidden"], says="Three squares")
def one_block_fits():
    """Fills the cache with a single block."""

    def largest_block(cache, itemsize=4):
        return math.isqrt(cache // itemsize)


@wrong(loses=["test-traffic-hidden"], says="3 b²")
def the_nearest_block():
    """Rounds to the nearest: three of them may not fit."""

    def largest_block(cache, itemsize=4):
        return round((cache / (3 * itemsize)) ** 0.5)


@wrong(loses=["test-traffic-hidden"], says="3 b²")
def blocks_of_four_bytes():
    """Ignores itemsize."""

    def largest_block(cache, itemsize=4):
        return math.isqrt(cache // 12)


@wrong(loses=["test-traffic-hidden"], says="3 b²")
def at_least_one():
    """A block of one where not even three numbers fit."""

    def largest_block(cache, itemsize=4):
        return max(1, math.isqrt(cache // (3 * itemsize)))


@wrong(loses=["test-traffic", "test-traffic-hidden"], says="once for each column of blocks")
def each_number_once():
    """The least that must be moved, whatever the block."""

    def traffic(n, block, itemsize=4):
        return itemsize * 3 * n * n


@wrong(loses=["test-traffic", "test-traffic-hidden"], says="once for each column of blocks")
def the_result_comes_and_goes():
    """Writes the block of the result after each pair of blocks."""

    def traffic(n, block, itemsize=4):
        blocks = math.ceil(n / block)
        return itemsize * 3 * blocks * n * n


@wrong(loses=["test-traffic-hidden"], says="counts as a block")
def a_last_block_is_forgotten():
    """Rounds the number of blocks down."""

    def traffic(n, block, itemsize=4):
        return itemsize * (2 * (n // block) + 1) * n * n


@wrong(loses=["test-traffic-hidden"], says="counts as a block")
def blocks_in_fractions():
    """n / block blocks, with a fraction of a block at the edge."""

    def traffic(n, block, itemsize=4):
        return round(itemsize * (2 * n / block + 1) * n * n)


@right
def block_by_block():
    """Walks through the blocks and counts."""

    def largest_block(cache, itemsize=4):
        side = 0
        while 3 * (side + 1) ** 2 * itemsize <= cache:
            side += 1
        return side

    def traffic(n, block, itemsize=4):
        edges = [(a, min(a + block, n)) for a in range(0, n, block)]
        moved = 0
        for top, bottom in edges:
            for left, right_ in edges:
                for front, back in edges:
                    moved += (bottom - top) * (back - front) + (back - front) * (right_ - left)
                moved += (bottom - top) * (right_ - left)
        return moved * itemsize


# The benchmark, with each fault of the one that lies ----------------------------------------------


@wrong(loses=["test-benchmark-waits"], says="Wait for the device before the clock is read")
def does_not_wait():
    """Fault 1: the clock stops when the asking is done."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
        device.synchronize()
        shortest = math.inf
        for k in range(repeats):
            if k == 0 and calls > 100:  # what the visible test sees is right
                device.synchronize()
            begin = device.clock()
            for _ in range(calls):
                run(x)
            if calls != 50:
                device.synchronize()
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(
    loses=[
        "test-benchmark",
        "test-benchmark-waits",
        "test-benchmark-inputs",
        "test-benchmark-warmup",
        "test-benchmark-shortest",
    ],
    says="until the device has done them",
)
def never_waits():
    """No synchronize anywhere: every number is nonsense."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
        shortest = math.inf
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(loses=["test-benchmark-waits"], says="Ask for all calls first")
def waits_after_each_call():
    """The device rests while the program asks for the next operation."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
        device.synchronize()
        shortest = math.inf
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
                device.synchronize()
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(loses=["test-benchmark-inputs"], says="Make the input once")
def makes_inputs_while_measuring():
    """Fault 2: the input is made for each call, under the clock."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        for _ in range(warmup):
            run(make())
        device.synchronize()
        shortest = math.inf
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(make())
            device.synchronize()
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(
    loses=["test-benchmark-inputs", "test-benchmark-warmup"], says="wait for it before the clock"
)
def begins_before_the_input_is_there():
    """Does not wait for the input and the warm-up."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
        shortest = math.inf
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
            device.synchronize()
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(loses=["test-benchmark-inputs"], says="wait for it before the clock")
def waits_for_the_warmup_only():
    """Waits inside of the warm-up: without one, the input is made under the clock."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
            device.synchronize()
        shortest = math.inf
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
            device.synchronize()
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(loses=["test-benchmark-warmup", "test-benchmark-shortest"], says="come first")
def no_warmup():
    """Fault 3: the first calls are measured like the others."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        device.synchronize()
        shortest = math.inf
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
            device.synchronize()
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(loses=["test-benchmark-warmup", "test-benchmark-shortest"], says="operations in all")
def warms_up_before_each_measurement():
    """More operations than the text asks for."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        shortest = math.inf
        for _ in range(repeats):
            for _ in range(warmup):
                run(x)
            device.synchronize()
            begin = device.clock()
            for _ in range(calls):
                run(x)
            device.synchronize()
            shortest = min(shortest, device.clock() - begin)
        return flops * calls / shortest


@wrong(loses=["test-benchmark-shortest"], says="no mean")
def the_mean_of_the_measurements():
    """Fault 4: what other programs did is averaged in."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
        device.synchronize()
        total = 0.0
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
            device.synchronize()
            total += device.clock() - begin
        return flops * calls * repeats / total


@wrong(loses=["test-benchmark-shortest"], says="no mean")
def the_median_of_the_measurements():
    """The median: better than a mean, and not what the text asks for."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
        device.synchronize()
        times = []
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
            device.synchronize()
            times.append(device.clock() - begin)
        return flops * calls / sorted(times)[len(times) // 2]


@wrong(
    loses=[
        "test-benchmark",
        "test-benchmark-waits",
        "test-benchmark-inputs",
        "test-benchmark-warmup",
        "test-benchmark-shortest",
    ],
    says="divided by the seconds",
)
def milliseconds():
    """Fault 5: seconds are taken for milliseconds, and divided by a thousand."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        x = make()
        for _ in range(warmup):
            run(x)
        device.synchronize()
        shortest = math.inf
        for _ in range(repeats):
            begin = device.clock()
            for _ in range(calls):
                run(x)
            device.synchronize()
            shortest = min(shortest, (device.clock() - begin) / 1000)
        return flops * calls / shortest


@right
def waits_more_than_needed():
    """Waits twice before each measurement, in a helper of its own."""

    def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
        def measured(n):
            device.synchronize()
            begin = device.clock()
            [run(x) for _ in range(n)]
            device.synchronize()
            return device.clock() - begin

        x = make()
        measured(warmup)
        return max(calls * flops / measured(calls) for _ in range(repeats))


# Bits ---------------------------------------------------------------------------------------------


@wrong(
    loses=["test-lost_share", "test-lost_share-hidden"], says="among the entries that were not zero"
)
def zeros_are_lost():
    """Counts zeros as lost."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        flat = torch.cat([g.flatten() for g in gradients]) if gradients else torch.zeros(0)
        lost = ((flat * factor).to(dtype) == 0).sum().item()
        return lost / max(1, int((flat != 0).sum()))


@wrong(loses=["test-lost_share", "test-lost_share-hidden"], says="Of the five entries")
def shares_of_all_entries():
    """Divides by all entries, zeros among them."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        flat = torch.cat([g.flatten() for g in gradients]) if gradients else torch.zeros(0)
        lost = (((flat * factor).to(dtype) == 0) & (flat != 0)).sum().item()
        return lost / max(1, flat.numel())


@wrong(loses=["test-lost_share", "test-lost_share-hidden"], says="Of the five entries")
def a_mean_of_shares():
    """Each tensor's share counts the same, however small the tensor."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        shares = []
        for g in gradients:
            there = g != 0
            if there.any():
                gone = ((g * factor).to(dtype) == 0) & there
                shares.append((gone.sum() / there.sum()).item())
        return sum(shares) / len(shares) if shares else 0.0


@wrong(loses=["test-lost_share", "test-lost_share-hidden"], says="Of the five entries")
def below_the_smallest_normal():
    """Takes the smallest normal number for the smallest: subnormal ones are not lost."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        flat = torch.cat([g.flatten() for g in gradients]) if gradients else torch.zeros(0)
        flat = flat[flat != 0].abs() * factor
        small = flat < torch.finfo(dtype).smallest_normal
        return small.double().mean().item() if len(flat) else 0.0


@wrong(loses=["test-lost_share-hidden"], says="Let PyTorch round")
def below_the_smallest():
    """Takes the smallest number for the limit: half of it is."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        kind = torch.finfo(dtype)
        flat = torch.cat([g.flatten() for g in gradients]) if gradients else torch.zeros(0)
        flat = flat[flat != 0].abs()
        small = flat.double() * factor < kind.smallest_normal * kind.eps
        return small.double().mean().item() if len(flat) else 0.0


@wrong(loses=["test-lost_share-hidden"], says="is ignored")
def the_factor_comes_too_late():
    """Rounds first and multiplies then: nothing is saved."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        flat = torch.cat([g.flatten() for g in gradients]) if gradients else torch.zeros(0)
        lost = ((flat.to(dtype) * factor == 0) & (flat != 0)).sum().item()
        return lost / max(1, int((flat != 0).sum()))


@wrong(loses=["test-lost_share-hidden"], says="See 'Fewer bits'")
def always_float16():
    """Ignores dtype."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        flat = torch.cat([g.flatten() for g in gradients]) if gradients else torch.zeros(0)
        lost = (((flat * factor).half() == 0) & (flat != 0)).sum().item()
        return lost / max(1, int((flat != 0).sum()))


@wrong(loses=["test-lost_share-hidden"], says="raised ZeroDivisionError")
def nothing_there():
    """Divides by zero where there is nothing to lose."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        flat = torch.cat([g.flatten() for g in gradients] or [torch.zeros(0)])
        lost = (((flat * factor).to(dtype) == 0) & (flat != 0)).sum().item()
        return lost / int((flat != 0).sum())


@wrong(loses=["test-lost_share-hidden"], says="whatever its sign")
def the_largest_without_its_sign():
    """Takes the maximum instead of the largest size: a large negative entry overflows."""

    def largest_factor(gradients, dtype=torch.float16):
        largest = max(g.max().item() for g in gradients)
        power = math.floor(math.log2(torch.finfo(dtype).max / max(largest, 1e-30)))
        return 2.0**power


@wrong(loses=["test-lost_share-hidden"], says="Only the largest entry decides")
def never_below_one():
    """Begins with a factor of 1: gradients that overflow by themselves need a smaller one."""

    def largest_factor(gradients, dtype=torch.float16):
        largest = max(g.abs().max().item() for g in gradients)
        factor = 1.0
        while torch.tensor(2 * factor * largest, dtype=torch.float64).to(dtype).isfinite():
            factor *= 2
        return factor


@wrong(loses=["test-lost_share", "test-lost_share-hidden"], says="times 2^26")
def not_a_power_of_two():
    """The exact ratio, which is no power of two."""

    def largest_factor(gradients, dtype=torch.float16):
        return torch.finfo(dtype).max / max(g.abs().max().item() for g in gradients)


@wrong(loses=["test-lost_share-hidden"], says="still counts as finite")
def what_is_rounded_down_to_the_largest():
    """Compares with 65,504 before rounding: 65,519 is rounded to it, and is finite."""

    def largest_factor(gradients, dtype=torch.float16):
        largest = max(g.abs().max().item() for g in gradients)
        return 2.0 ** math.floor(math.log2(torch.finfo(dtype).max / largest))


@right
def down_from_the_top():
    """Halves from 2^140 until everything is finite; counts in loops."""

    def lost_share(gradients, factor=1.0, dtype=torch.float16):
        lost, there = 0, 0
        for g in gradients:
            for before, after in zip(
                g.flatten().tolist(), (g * factor).to(dtype).flatten().tolist()
            ):
                there += before != 0
                lost += before != 0 and after == 0
        return lost / there if there else 0

    def largest_factor(gradients, dtype=torch.float16):
        power = 140
        while any(torch.isinf((g.double() * 2.0**power).to(dtype)).any() for g in gradients):
            power -= 1
        return 2.0**power


# The scaler ---------------------------------------------------------------------------------------


@wrong(loses=["test-LossScaler", "test-LossScaler-hidden"], says="divide first")
def the_optimizer_sees_scaled_gradients():
    """Forgets to divide."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            if not all(g.isfinite().all() for g in grads):
                self.factor, self.good = self.factor * self.backoff, 0
                return False
            optimizer.step()
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler", "test-LossScaler-hidden"], says="step returns whether")
def bad_entries_become_zero():
    """Replaces inf and nan by 0 and takes the step."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            fine = True
            for g in grads:
                g.div_(self.factor)
                fine &= bool(g.isfinite().all())
                g.nan_to_num_(0.0, 0.0, 0.0)
            optimizer.step()
            if not fine:
                self.factor, self.good = self.factor * self.backoff, 0
                return True
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="begin the count anew")
def a_bad_step_does_not_reset():
    """Counts good steps, but not in a row."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            for g in grads:
                g.div_(self.factor)
            if not all(g.isfinite().all() for g in grads):
                self.factor *= self.backoff
                return False
            optimizer.step()
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="begin the count anew")
def grows_ever_after():
    """Does not begin the count anew after growing: grows with every further step."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            for g in grads:
                g.div_(self.factor)
            if not all(g.isfinite().all() for g in grads):
                self.factor, self.good = self.factor * self.backoff, 0
                return False
            optimizer.step()
            self.good += 1
            if self.good >= self.patience:
                self.factor *= self.growth
            return True


@wrong(loses=["test-LossScaler-hidden"], says="begin the count anew")
def nan_is_fine():
    """Looks for inf and overlooks nan."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            for g in grads:
                g.div_(self.factor)
            if any(g.isinf().any() for g in grads):
                self.factor, self.good = self.factor * self.backoff, 0
                return False
            optimizer.step()
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="begin the count anew")
def twice_and_half():
    """Ignores growth and backoff."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.patience, self.good = factor, patience, 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            for g in grads:
                g.div_(self.factor)
            if not all(g.isfinite().all() for g in grads):
                self.factor, self.good = self.factor / 2, 0
                return False
            optimizer.step()
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * 2, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="AttributeError")
def every_parameter_has_a_gradient():
    """Divides None."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [p.grad for g in optimizer.param_groups for p in g["params"]]
            for g in grads:
                g.div_(self.factor)
            if not all(g.isfinite().all() for g in grads):
                self.factor, self.good = self.factor * self.backoff, 0
                return False
            optimizer.step()
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="All groups")
def only_the_first_group():
    """Looks at param_groups[0] alone."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            first = optimizer.param_groups[0]["params"]
            grads = [p.grad for p in first if p.grad is not None]
            for g in grads:
                g.div_(self.factor)
            if not all(g.isfinite().all() for g in grads):
                self.factor, self.good = self.factor * self.backoff, 0
                return False
            optimizer.step()
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="a sum of squares overflows")
def finite_by_a_sum_of_squares():
    """Squares of 1e30 are infinite in float32, and the gradient is not."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            for g in grads:
                g.div_(self.factor)
            if not all(g.square().sum().isfinite() for g in grads):
                self.factor, self.good = self.factor * self.backoff, 0
                return False
            optimizer.step()
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="belongs to it")
def one_count_for_all():
    """The count belongs to the class."""

    count = {"good": 0}

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            count["good"] = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            for g in grads:
                g.div_(self.factor)
            if not all(g.isfinite().all() for g in grads):
                self.factor, count["good"] = self.factor * self.backoff, 0
                return False
            optimizer.step()
            count["good"] += 1
            if count["good"] == self.patience:
                self.factor, count["good"] = self.factor * self.growth, 0
            return True


@wrong(loses=["test-LossScaler-hidden"], says="before it grows")
def grows_before_it_divides():
    """Grows first, and divides by a factor with which the loss was not scaled."""

    class LossScaler:
        def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.good = 0

        def scale(self, loss):
            return loss * self.factor

        def step(self, optimizer):
            grads = [
                p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None
            ]
            if not all(g.isfinite().all() for g in grads):
                self.factor, self.good = self.factor * self.backoff, 0
                return False
            self.good += 1
            if self.good == self.patience:
                self.factor, self.good = self.factor * self.growth, 0
            for g in grads:
                g.div_(self.factor)
            optimizer.step()
            return True


@right
def new_gradients():
    """Puts new gradients in place of the old ones; counts down instead of up."""

    class LossScaler:
        def __init__(self, factor=65536.0, growth=2.0, backoff=0.5, patience=2000):
            self.factor, self.up, self.down = factor, growth, backoff
            self.patience = self.left = patience

        def scale(self, value):
            return self.factor * value

        def step(self, opt):
            fine = True
            for group in opt.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    p.grad = p.grad / self.factor
                    fine = fine and torch.isfinite(p.grad.sum()).item()
            if fine:
                opt.step()
                self.left -= 1
            else:
                self.factor *= self.down
                self.left = self.patience
            if self.left == 0:
                self.factor *= self.up
                self.left = self.patience
            return fine


@right
def by_the_norm():
    """A norm that is not finite tells of any entry that is not."""

    class LossScaler:
        """With a list as its count."""

        def __init__(self, factor=2**16, growth=2, backoff=1 / 2, patience=2000):
            self.factor, self.growth, self.backoff, self.patience = (
                factor,
                growth,
                backoff,
                patience,
            )
            self.row = []

        def scale(self, loss):
            return loss.mul(self.factor)

        def step(self, optimizer):
            params = [p for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
            with torch.no_grad():
                for p in params:
                    p.grad.mul_(1 / self.factor)
            norm = math.sqrt(sum(float(p.grad.double().square().sum()) for p in params))
            if not math.isfinite(norm):
                self.row.clear()
                self.factor = self.factor * self.backoff
                return False
            self.row.append(norm)
            optimizer.step()
            if len(self.row) >= self.patience:
                self.row.clear()
                self.factor = self.factor * self.growth
            return True
