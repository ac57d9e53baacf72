"""Wrong and unusual answers to the exercise `cloud`."""

import copy

import numpy as np
import torch

from course_lib.assignments.answers import right, wrong

accepted = {}

# Shards -------------------------------------------------------------------------------------------


@wrong(loses=["test-shard-hidden"], says="seed and the epoch alone")
def forgets_the_epoch():
    """Every epoch has the order of the first: set_epoch forgotten."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        return np.random.default_rng([seed, 0]).permutation(n)[rank::workers]


@wrong(loses=["test-shard", "test-shard-hidden"], says="the order that all share")
def an_order_for_each_worker():
    """Each worker shuffles with a seed of its own, so that rows are seen twice and never."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        return np.random.default_rng([seed + rank + 1, epoch]).permutation(n)[rank::workers]


@wrong(loses=["test-shard-hidden"], says="seed and the epoch alone")
def a_seed_that_is_ignored():
    """Takes the epoch alone."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        return np.random.default_rng([0, epoch]).permutation(n)[rank::workers]


@wrong(loses=["test-shard-hidden"], says="in this order")
def seed_and_epoch_added():
    """Epoch 1 of seed 0 is epoch 0 of seed 1."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        return np.random.default_rng([0, seed + epoch]).permutation(n)[rank::workers]


@wrong(loses=["test-shard", "test-shard-hidden"], says="every second row")
def blocks_of_the_order():
    """Consecutive blocks instead of every workers-th row."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        return np.array_split(np.random.default_rng([seed, epoch]).permutation(n), workers)[rank]


@wrong(loses=["test-shard-hidden"], says="every workers-th")
def all_shards_of_one_length():
    """Drops the rows that are left over."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        whole = n // workers * workers
        return np.random.default_rng([seed, epoch]).permutation(n)[rank:whole:workers]


@wrong(loses=["test-shard-hidden"], says="every workers-th")
def padded_shards():
    """Repeats rows until all shards are as long, as DistributedSampler does."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        order = np.random.default_rng([seed, epoch]).permutation(n)
        length = -(-n // workers) * workers
        return np.resize(order, length)[rank::workers]


@wrong(loses=["test-shard-hidden"], says="Ranks go from 0")
def any_rank():
    """A slice takes every rank."""

    def shard(n, rank, workers, epoch, seed=0):
        return np.random.default_rng([seed, epoch]).permutation(n)[rank::workers]


@wrong(loses=["test-shard", "test-shard-hidden"], says="every second row")
def ranks_from_one():
    """Begins at place rank - 1."""

    def shard(n, rank, workers, epoch, seed=0):
        if not 0 <= rank < workers:
            raise ValueError("rank")
        return np.random.default_rng([seed, epoch]).permutation(n)[(rank - 1) % workers :: workers]


@right
def a_shard_by_a_mask():
    """Chooses places by their remainder."""

    def shard(n, rank, workers, epoch, seed=0):
        if rank not in range(workers):
            raise ValueError(f"no worker {rank} of {workers}")
        order = np.random.default_rng([seed, epoch]).permutation(n)
        return order[np.arange(n) % workers == rank]


@right
def a_shard_in_a_loop():
    """Deals rows out like cards."""

    def shard(count, who, crew, epoch, seed=0):
        if who < 0 or who >= crew:
            raise ValueError(who)
        hands = [[] for _ in range(crew)]
        for place, row in enumerate(np.random.default_rng([seed, epoch]).permutation(count)):
            hands[place % crew].append(row)
        return np.array(hands[who], dtype=int)


# Means --------------------------------------------------------------------------------------------


@wrong(loses=["test-mean_gradient", "test-mean_gradient-hidden"], says="each of the 40 rows")
def a_mean_of_means():
    """Unequal shards count alike."""

    def mean_gradient(gradients, rows):
        if sum(rows) == 0:
            raise ValueError("no rows")
        busy = [mine for mine, n in zip(gradients, rows, strict=True) if n]
        return [sum(of_one) / len(busy) for of_one in zip(*busy, strict=True)]


@wrong(loses=["test-mean_gradient", "test-mean_gradient-hidden"], says="each of the 40 rows")
def averaged_twice():
    """Divides by the number of workers once more."""

    def mean_gradient(gradients, rows):
        total = sum(rows)
        if total == 0:
            raise ValueError("no rows")
        busy = [(mine, n) for mine, n in zip(gradients, rows, strict=True) if n]
        return [
            sum(n / total * g for g, (_, n) in zip(of_one, busy, strict=True)) / len(rows)
            for of_one in zip(*(mine for mine, _ in busy), strict=True)
        ]


@wrong(loses=["test-mean_gradient", "test-mean_gradient-hidden"], says="each of the 40 rows")
def a_sum_by_rows():
    """Forgets to divide by all rows."""

    def mean_gradient(gradients, rows):
        if sum(rows) == 0:
            raise ValueError("no rows")
        busy = [(mine, n) for mine, n in zip(gradients, rows, strict=True) if n]
        return [
            sum(n * g for g, (_, n) in zip(of_one, busy, strict=True))
            for of_one in zip(*(mine for mine, _ in busy), strict=True)
        ]


@wrong(loses=["test-mean_gradient-hidden"], says="0 times nan")
def nan_from_idle_workers():
    """Multiplies what an idle worker holds by zero."""

    def mean_gradient(gradients, rows):
        total = sum(rows)
        if total == 0:
            raise ValueError("no rows")
        return [
            sum(n / total * g for g, n in zip(of_one, rows, strict=True))
            for of_one in zip(*gradients, strict=True)
        ]


@wrong(loses=["test-mean_gradient-hidden"], says="expected ValueError")
def nan_of_nothing():
    """No rows give nan, or an empty list."""

    def mean_gradient(gradients, rows):
        total = sum(rows)
        busy = [(mine, n) for mine, n in zip(gradients, rows, strict=True) if n]
        return [
            sum(n / total * g for g, (_, n) in zip(of_one, busy, strict=True))
            for of_one in zip(*(mine for mine, _ in busy), strict=True)
        ]


@wrong(loses=["test-mean_gradient", "test-mean_gradient-hidden"], says="you changed gradients")
def into_the_first_worker_s():
    """Adds everything up in the tensors of the first worker."""

    def mean_gradient(gradients, rows):
        total = sum(rows)
        if total == 0:
            raise ValueError("no rows")
        busy = [(mine, n) for mine, n in zip(gradients, rows, strict=True) if n]
        first, n = busy[0]
        for k in range(len(first)):
            first[k].mul_(n / total)
            for other, m in busy[1:]:
                first[k].add_(other[k], alpha=m / total)
        return first


@wrong(loses=["test-mean_gradient-hidden"], says="expected")
def two_workers_only():
    """Written for the visible test."""

    def mean_gradient(gradients, rows):
        total = sum(rows)
        if total == 0:
            raise ValueError("no rows")
        return [
            (rows[0] * a + rows[1] * b) / total
            for a, b in zip(gradients[0], gradients[1], strict=True)
        ]


@right
def a_mean_by_einsum():
    """Stacks the busy workers."""

    def mean_gradient(found, counts):
        busy = [k for k, n in enumerate(counts) if n]
        if not busy:
            raise ValueError("nothing was seen")
        result = []
        for k in range(len(found[0])):
            stacked = torch.stack([found[w][k] for w in busy])
            share = torch.tensor([counts[w] for w in busy], dtype=stacked.dtype).to(stacked.device)
            result.append(torch.einsum("w...,w->...", stacked, share / share.sum()))
        return result


@right
def a_mean_in_double_precision():
    """Adds in float64, and returns the type that came."""

    def mean_gradient(gradients, rows):
        if not any(rows):
            raise ValueError("nothing was seen")
        result = []
        for k, first in enumerate(gradients[0]):
            total = torch.zeros_like(first, dtype=torch.float64)
            for mine, n in zip(gradients, rows, strict=True):
                if n:
                    total += n * mine[k].double()
            result.append((total / sum(rows)).to(first.dtype))
        return result


# Accumulation -------------------------------------------------------------------------------------


@wrong(loses=["test-accumulate-hidden"], says="share of the rows")
def pieces_count_alike():
    """Each micro-batch counts the same, the small one as well."""

    def accumulate(model, loss, X, y, size):
        model.zero_grad()
        pieces = list(zip(X.split(size), y.split(size), strict=True))
        total = 0.0
        for inputs, targets in pieces:
            share = loss(model(inputs), targets) / len(pieces)
            share.backward()
            total += share.item()
        return total


@wrong(loses=["test-accumulate", "test-accumulate-hidden"], says="half of a share")
def gradients_of_pieces_added():
    """Adds mean gradients without weighting: too long by the number of pieces."""

    def accumulate(model, loss, X, y, size):
        model.zero_grad()
        total = 0.0
        for inputs, targets in zip(X.split(size), y.split(size), strict=True):
            error = loss(model(inputs), targets)
            error.backward()
            total += error.item() * len(inputs)
        return total / len(X)


@wrong(loses=["test-accumulate-hidden"], says="never sees more than")
def the_whole_batch_at_once():
    """Right, and out of memory."""

    def accumulate(model, loss, X, y, size):
        model.zero_grad()
        error = loss(model(X), y)
        error.backward()
        return error.item()


@wrong(loses=["test-accumulate-hidden"], says="older gradients do")
def old_gradients_stay():
    """Does not clear what was in .grad."""

    def accumulate(model, loss, X, y, size):
        total = 0.0
        for inputs, targets in zip(X.split(size), y.split(size), strict=True):
            share = len(inputs) / len(X) * loss(model(inputs), targets)
            share.backward()
            total += share.item()
        return total


@wrong(loses=["test-accumulate", "test-accumulate-hidden"], says="half of a share")
def cleared_for_each_piece():
    """Keeps the gradient of the last micro-batch alone."""

    def accumulate(model, loss, X, y, size):
        total = 0.0
        for inputs, targets in zip(X.split(size), y.split(size), strict=True):
            model.zero_grad()
            share = len(inputs) / len(X) * loss(model(inputs), targets)
            share.backward()
            total += share.item()
        return total


@wrong(loses=["test-accumulate-hidden"], says="the rows that went through")
def the_rest_is_dropped():
    """Leaves out a last micro-batch that is smaller."""

    def accumulate(model, loss, X, y, size):
        model.zero_grad()
        size = min(size, len(X))
        total = 0.0
        for k in range(len(X) // size):
            rows = slice(k * size, (k + 1) * size)
            share = size / len(X) * loss(model(X[rows]), y[rows])
            share.backward()
            total += share.item()
        return total


@wrong(loses=["test-accumulate-hidden"], says="the loss that is returned")
def the_mean_of_the_losses():
    """Gradients right, the loss a mean over pieces."""

    def accumulate(model, loss, X, y, size):
        model.zero_grad()
        errors = []
        for inputs, targets in zip(X.split(size), y.split(size), strict=True):
            error = loss(model(inputs), targets)
            (len(inputs) / len(X) * error).backward()
            errors.append(error.item())
        return sum(errors) / len(errors)


@wrong(loses=["test-accumulate-hidden"], says="as a Python float")
def a_tensor_for_the_loss():
    """Returns a tensor with its graph."""

    def accumulate(model, loss, X, y, size):
        model.zero_grad()
        total = 0.0
        for inputs, targets in zip(X.split(size), y.split(size), strict=True):
            share = len(inputs) / len(X) * loss(model(inputs), targets)
            share.backward()
            total = total + share
        return total


@wrong(loses=["test-accumulate-hidden"], says="the weights moved")
def takes_a_step():
    """Moves the weights after each micro-batch."""

    def accumulate(model, loss, X, y, size):
        model.zero_grad()
        total = 0.0
        for inputs, targets in zip(X.split(size), y.split(size), strict=True):
            share = len(inputs) / len(X) * loss(model(inputs), targets)
            share.backward()
            total += share.item()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.01 * p.grad
        return total


@right
def gradients_collected_by_hand():
    """torch.autograd.grad for each piece, set at the end."""

    def accumulate(net, criterion, X, y, size):
        weights = list(net.parameters())
        sums, total, n = [torch.zeros_like(w) for w in weights], 0.0, X.shape[0]
        for start in range(0, n, size):
            inputs, targets = X[start : start + size], y[start : start + size]
            error = criterion(net(inputs), targets)
            for s, g in zip(sums, torch.autograd.grad(error, weights), strict=True):
                s += len(inputs) * g
            total += len(inputs) * float(error)
        for w, s in zip(weights, sums, strict=True):
            w.grad = s / n
        return total / n


@right
def scaled_at_the_end():
    """Adds sums, and divides the gradients once."""

    def accumulate(model, loss, X, y, size):
        for p in model.parameters():
            p.grad = None
        total = 0.0
        for inputs, targets in zip(torch.split(X, size), torch.split(y, size), strict=True):
            error = loss(model(inputs), targets) * len(inputs)
            error.backward()
            total += error.item()
        for p in model.parameters():
            p.grad /= len(X)
        return total / len(X)


# Reduce-scatter -----------------------------------------------------------------------------------


@wrong(loses=["test-reduce_scatter", "test-reduce_scatter-hidden"], says="count back from there")
def as_in_the_chapter():
    """The finished part ends one place further on, as in the chapter."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        held = [np.array_split(array.copy(), workers) for array in arrays]
        for step in range(workers - 1):
            for rank in range(workers):
                part, right_ = (rank - step) % workers, (rank + 1) % workers
                held[right_][part] += send(rank, right_, held[rank][part])
        return [held[rank][rank] for rank in range(workers)]


@wrong(loses=["test-reduce_scatter", "test-reduce_scatter-hidden"], says="right neighbor")
def everything_to_the_owner():
    """Each worker sends each part to its owner: not a ring."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        held = [np.array_split(array.copy(), workers) for array in arrays]
        for owner in range(workers):
            for rank in range(workers):
                if rank != owner:
                    held[owner][owner] += send(rank, owner, held[rank][owner])
        return [held[rank][rank] for rank in range(workers)]


@wrong(
    loses=["test-reduce_scatter", "test-reduce_scatter-hidden"],
    says="that each worker has sent",
)
def nothing_is_sent():
    """Adds the arrays up without the network."""

    def reduce_scatter(arrays, send):
        return np.array_split(sum(arrays), len(arrays))


@wrong(loses=["test-reduce_scatter", "test-reduce_scatter-hidden"], says="you changed arrays")
def in_the_workers_arrays():
    """np.array_split gives views: the arrays that came are changed."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        held = [np.array_split(array, workers) for array in arrays]
        for step in range(workers - 1):
            for rank in range(workers):
                part, right_ = (rank - 1 - step) % workers, (rank + 1) % workers
                held[right_][part] += send(rank, right_, held[rank][part])
        return [held[rank][rank] for rank in range(workers)]


@wrong(loses=["test-reduce_scatter", "test-reduce_scatter-hidden"], says="messages")
def one_step_too_many():
    """P steps instead of P - 1."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        held = [np.array_split(array.copy(), workers) for array in arrays]
        result = None
        for step in range(workers):
            if step == workers - 1:
                result = [held[rank][rank].copy() for rank in range(workers)]
            for rank in range(workers):
                part, right_ = (rank - 1 - step) % workers, (rank + 1) % workers
                held[right_][part] = held[right_][part] + send(rank, right_, held[rank][part])
        return result


@wrong(
    loses=["test-reduce_scatter", "test-reduce_scatter-hidden"],
    says="that each worker has sent",
)
def whole_arrays_go_around():
    """Sends everything in each step: P times the bytes."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        passing = [array.copy() for array in arrays]
        totals = [array.copy() for array in arrays]
        for _ in range(workers - 1):
            passing = [send((r - 1) % workers, r, passing[r - 1]) for r in range(workers)]
            totals = [t + p for t, p in zip(totals, passing, strict=True)]
        return [np.array_split(totals[r], workers)[r] for r in range(workers)]


@wrong(loses=["test-reduce_scatter-hidden"], says="np.array_split")
def equal_parts_only():
    """Cuts by m // P, and forgets the rest."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        length = len(arrays[0]) // workers
        held = [
            [array[k * length : (k + 1) * length].copy() for k in range(workers)]
            for array in arrays
        ]
        for step in range(workers - 1):
            for rank in range(workers):
                part, right_ = (rank - 1 - step) % workers, (rank + 1) % workers
                held[right_][part] += send(rank, right_, held[rank][part])
        return [held[rank][rank] for rank in range(workers)]


@wrong(loses=["test-reduce_scatter-hidden"], says="A sum of whole numbers is whole")
def floats_for_whole_numbers():
    """Converts on the way."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        held = [np.array_split(array.astype(float), workers) for array in arrays]
        for step in range(workers - 1):
            for rank in range(workers):
                part, right_ = (rank - 1 - step) % workers, (rank + 1) % workers
                held[right_][part] += send(rank, right_, held[rank][part])
        return [held[rank][rank] for rank in range(workers)]


@wrong(loses=["test-reduce_scatter", "test-reduce_scatter-hidden"], says="the parts")
def the_parts_are_replaced():
    """Forgets to add: what arrives replaces what was there."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        held = [np.array_split(array.copy(), workers) for array in arrays]
        for step in range(workers - 1):
            for rank in range(workers):
                part, right_ = (rank - 1 - step) % workers, (rank + 1) % workers
                held[right_][part] = send(rank, right_, held[rank][part])
        return [held[rank][rank] for rank in range(workers)]


@right
def part_by_part():
    """Follows each part around the ring, one after the other."""

    def reduce_scatter(arrays, send):
        workers = len(arrays)
        cut = [np.array_split(array, workers) for array in arrays]
        finished = []
        for owner in range(workers):
            rank = (owner + 1) % workers
            running = cut[rank][owner].copy()
            while rank != owner:
                following = (rank + 1) % workers
                running = send(rank, following, running) + cut[following][owner]
                rank = following
            finished.append(running)
        return finished


@right
def all_messages_first():
    """In each step all send, then all add; renamed parameters."""

    def reduce_scatter(vectors, network):
        n = len(vectors)
        cut = [[part.copy() for part in np.array_split(v, n)] for v in vectors]
        for step in range(1, n):
            arriving = [network(r, (r + 1) % n, cut[r][(r - step) % n]) for r in range(n)]
            for r in range(n):
                cut[(r + 1) % n][(r - step) % n] += arriving[r]
        return [cut[r][r] for r in range(n)]


# All-gather ---------------------------------------------------------------------------------------


@wrong(loses=["test-all_gather", "test-all_gather-hidden"], says="right neighbor")
def everybody_to_everybody():
    """Sends its part to all others: not a ring."""

    def all_gather(parts, send):
        workers = len(parts)
        return [
            np.concatenate([parts[k] if k == r else send(k, r, parts[k]) for k in range(workers)])
            for r in range(workers)
        ]


@wrong(loses=["test-all_gather", "test-all_gather-hidden"], says="that each worker has sent")
def gathered_without_a_network():
    """Joins what the others hold without asking them."""

    def all_gather(parts, send):
        return [np.concatenate(parts) for _ in parts]


@wrong(loses=["test-all_gather-hidden"], says="share memory")
def one_array_for_all():
    """All workers get the same object."""

    def all_gather(parts, send):
        workers = len(parts)
        held = [{rank: part} for rank, part in enumerate(parts)]
        for step in range(workers - 1):
            for rank in range(workers):
                which, right_ = (rank - step) % workers, (rank + 1) % workers
                held[right_][which] = send(rank, right_, held[rank][which])
        whole = np.concatenate([held[0][k] for k in range(workers)])
        return [whole] * workers


@wrong(loses=["test-all_gather", "test-all_gather-hidden"], says="hold")
def in_the_order_of_arrival():
    """Each worker begins with its own part."""

    def all_gather(parts, send):
        workers = len(parts)
        held = [[part] for part in parts]
        for _ in range(workers - 1):
            arriving = [send((r - 1) % workers, r, held[r - 1][-1]) for r in range(workers)]
            for mine, part in zip(held, arriving, strict=True):
                mine.append(part)
        return [np.concatenate(mine) for mine in held]


@wrong(loses=["test-all_gather", "test-all_gather-hidden"], says="that each worker has sent")
def all_that_is_known():
    """Passes on everything that it knows in each step."""

    def all_gather(parts, send):
        workers = len(parts)
        held = [{rank: part.copy()} for rank, part in enumerate(parts)]
        for _ in range(workers - 1):
            known = [dict(mine) for mine in held]
            for rank in range(workers):
                right_ = (rank + 1) % workers
                for k, part in known[rank].items():
                    held[right_][k] = send(rank, right_, part)
        return [np.concatenate([mine[k] for k in range(workers)]) for mine in held]


@wrong(loses=["test-all_gather-hidden"], says="share memory")
def a_lonely_worker_s_own_part():
    """With one worker, its part itself comes back."""

    def all_gather(parts, send):
        workers = len(parts)
        if workers == 1:
            return list(parts)
        held = [{rank: part} for rank, part in enumerate(parts)]
        for step in range(workers - 1):
            for rank in range(workers):
                which, right_ = (rank - step) % workers, (rank + 1) % workers
                held[right_][which] = send(rank, right_, held[rank][which])
        return [np.concatenate([mine[k] for k in range(workers)]) for mine in held]


@right
def each_part_on_its_way():
    """One part after the other goes around."""

    def all_gather(parts, send):
        n = len(parts)
        wholes = [[None] * n for _ in range(n)]
        for owner, part in enumerate(parts):
            wholes[owner][owner] = part
            rank = owner
            for _ in range(n - 1):
                part = send(rank, (rank + 1) % n, part)
                rank = (rank + 1) % n
                wholes[rank][owner] = part
        return [np.hstack(whole) for whole in wholes]


# Resuming -----------------------------------------------------------------------------------------


@wrong(loses=["test-resume", "test-resume-hidden"], says="must all be as they were")
def the_weights_alone():
    """Momentum, order and dropout begin anew."""

    def capture(model, optimizer, generator, step):
        return copy.deepcopy({"model": model.state_dict(), "step": step})

    def restore(state, model, optimizer, generator):
        model.load_state_dict(copy.deepcopy(state["model"]))
        return state["step"]


@wrong(loses=["test-resume", "test-resume-hidden"], says="must all be as they were")
def without_the_optimizer():
    """The optimizer fills up again by itself, it was said."""

    def capture(model, optimizer, generator, step):
        return copy.deepcopy(
            {
                "model": model.state_dict(),
                "order": generator.get_state(),
                "dropout": torch.get_rng_state(),
                "step": step,
            }
        )

    def restore(state, model, optimizer, generator):
        model.load_state_dict(copy.deepcopy(state["model"]))
        generator.set_state(state["order"])
        torch.set_rng_state(state["dropout"])
        return state["step"]


@wrong(loses=["test-resume", "test-resume-hidden"], says="must all be as they were")
def without_the_order():
    """Forgets the generator of the rows."""

    def capture(model, optimizer, generator, step):
        parts = model.state_dict(), optimizer.state_dict(), torch.get_rng_state()
        return copy.deepcopy({"parts": parts, "step": step})

    def restore(state, model, optimizer, generator):
        weights, means, dropout = copy.deepcopy(state["parts"])
        model.load_state_dict(weights)
        optimizer.load_state_dict(means)
        torch.set_rng_state(dropout)
        return state["step"]


@wrong(loses=["test-resume", "test-resume-hidden"], says="must all be as they were")
def without_dropout_s_generator():
    """Forgets the generator that dropout draws from."""

    def capture(model, optimizer, generator, step):
        parts = model.state_dict(), optimizer.state_dict(), generator.get_state()
        return copy.deepcopy({"parts": parts, "step": step})

    def restore(state, model, optimizer, generator):
        weights, means, order = copy.deepcopy(state["parts"])
        model.load_state_dict(weights)
        optimizer.load_state_dict(means)
        generator.set_state(order)
        return state["step"]


@wrong(loses=["test-resume", "test-resume-hidden"], says="must all be as they were")
def without_copies():
    """state_dict() hands out the tensors themselves, which go on changing."""

    def capture(model, optimizer, generator, step):
        return {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "order": generator.get_state(),
            "dropout": torch.get_rng_state(),
            "step": step,
        }

    def restore(state, model, optimizer, generator):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["order"])
        torch.set_rng_state(state["dropout"])
        return state["step"]


@wrong(loses=["test-resume-hidden"], says="copy it before you hand it")
def restored_without_copies():
    """The optimizer goes on writing into the tensors of the state."""

    def capture(model, optimizer, generator, step):
        return copy.deepcopy(
            {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "order": generator.get_state(),
                "dropout": torch.get_rng_state(),
                "step": step,
            }
        )

    def restore(state, model, optimizer, generator):
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["order"])
        torch.set_rng_state(state["dropout"])
        return state["step"]


@wrong(loses=["test-resume-hidden"], says="and no objects")
def whole_objects():
    """Pickles the model: not readable with weights_only=True."""

    def capture(model, optimizer, generator, step):
        return {
            "model": copy.deepcopy(model),
            "optimizer": copy.deepcopy(optimizer.state_dict()),
            "order": generator.get_state(),
            "dropout": torch.get_rng_state(),
            "step": step,
        }

    def restore(state, model, optimizer, generator):
        model.load_state_dict(copy.deepcopy(state["model"].state_dict()))
        optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        generator.set_state(state["order"])
        torch.set_rng_state(state["dropout"])
        return state["step"]


@wrong(loses=["test-resume-hidden"], says="it draws no numbers")
def a_seed_drawn_for_later():
    """Draws a seed and reseeds with it at both ends, which changes the run itself."""

    def capture(model, optimizer, generator, step):
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
        state["seed"] = int(torch.randint(2**31, (1,), generator=generator))
        generator.manual_seed(state["seed"])
        torch.manual_seed(state["seed"])
        return copy.deepcopy(state)

    def restore(state, model, optimizer, generator):
        state = copy.deepcopy(state)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        generator.manual_seed(state["seed"])
        torch.manual_seed(state["seed"])
        return state["step"]


@wrong(loses=["test-resume-hidden"], says="in another process")
def parameters_without_statistics():
    """Saves the parameters, and forgets the buffers of batch normalization."""

    def capture(model, optimizer, generator, step):
        return {
            "weights": [p.detach().clone() for p in model.parameters()],
            "optimizer": copy.deepcopy(optimizer.state_dict()),
            "order": generator.get_state(),
            "dropout": torch.get_rng_state(),
            "step": step,
        }

    def restore(state, model, optimizer, generator):
        with torch.no_grad():
            for p, saved in zip(model.parameters(), state["weights"], strict=True):
                p.copy_(saved)
        optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        generator.set_state(state["order"])
        torch.set_rng_state(state["dropout"])
        return state["step"]


@wrong(loses=["test-resume", "test-resume-hidden"], says="the step")
def returns_nothing():
    """Forgets to return the step."""

    def capture(model, optimizer, generator, step):
        parts = model.state_dict(), optimizer.state_dict()
        return copy.deepcopy(
            {"parts": parts, "order": generator.get_state(), "dropout": torch.get_rng_state()}
        )

    def restore(state, model, optimizer, generator):
        weights, means = copy.deepcopy(state["parts"])
        model.load_state_dict(weights)
        optimizer.load_state_dict(means)
        generator.set_state(state["order"])
        torch.set_rng_state(state["dropout"])
        return 0


@right
def through_bytes():
    """Writes everything into one tensor of bytes, as torch.save would into a file."""

    def capture(model, optimizer, generator, step):
        import io

        buffer = io.BytesIO()
        parts = [model.state_dict(), optimizer.state_dict()]
        torch.save([*parts, generator.get_state(), torch.get_rng_state(), step], buffer)
        return {"all": torch.tensor(list(buffer.getvalue()), dtype=torch.uint8)}

    def restore(state, model, optimizer, generator):
        import io

        buffer = io.BytesIO(bytes(state["all"].tolist()))
        weights, means, order, dropout, step = torch.load(buffer, weights_only=True)
        model.load_state_dict(weights)
        optimizer.load_state_dict(means)
        generator.set_state(order)
        torch.set_rng_state(dropout)
        return step


# The bill -----------------------------------------------------------------------------------------


@wrong(loses=["test-bill", "test-bill-hidden"], says="with a machine")
def waiting_is_paid():
    """Pays for every hour on the clock."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = done = 0.0
        failures = list(failures)
        while done < work:
            stretch = min(every, work - done)
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] < clock + stretch + save:
                clock = failures.pop(0) + restart
            else:
                clock += stretch + save
                done += stretch
        return clock, price * clock


@wrong(loses=["test-bill-hidden"], says="hit nobody")
def failures_without_a_machine_count():
    """Each failure waits for a new machine, also while there is none."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = paid = done = 0.0
        failures = list(failures)
        while done < work:
            stretch = min(every, work - done)
            if failures and failures[0] < clock + stretch + save:
                failure = failures.pop(0)
                paid += max(failure - clock, 0.0)
                clock = max(clock, failure) + restart
            else:
                clock += stretch + save
                paid += stretch + save
                done += stretch
        return clock, price * paid


@wrong(loses=["test-bill-hidden"], says="is finished")
def saved_when_saving_begins():
    """A failure while saving finds everything saved."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = paid = done = 0.0
        failures = list(failures)
        while done < work:
            stretch = min(every, work - done)
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] < clock + stretch:
                failure = failures.pop(0)
                paid += failure - clock
                clock = failure + restart
            else:
                clock += stretch + save
                paid += stretch + save
                done += stretch
        return clock, price * paid


@wrong(loses=["test-bill-hidden"], says="the checkpoint counts")
def finished_at_that_moment_is_lost():
    """A failure at the end of saving undoes the stretch."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = paid = done = 0.0
        failures = list(failures)
        while done < work:
            stretch = min(every, work - done)
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] <= clock + stretch + save:
                failure = failures.pop(0)
                paid += failure - clock
                clock = failure + restart
            else:
                clock += stretch + save
                paid += stretch + save
                done += stretch
        return clock, price * paid


@wrong(loses=["test-bill", "test-bill-hidden"], says="throws you back")
def nothing_is_lost():
    """Goes on where it was, as if the machine had only paused."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        needed = work + save * -(-work // every)
        end = needed
        for failure in failures:
            if failure < end:
                end += restart
        return float(end), float(price * needed)


@wrong(loses=["test-bill-hidden"], says="checkpoint")
def all_is_lost():
    """Begins from zero after a failure."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = paid = done = 0.0
        failures = list(failures)
        while done < work:
            stretch = min(every, work - done)
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] < clock + stretch + save:
                failure = failures.pop(0)
                paid += failure - clock
                clock, done = failure + restart, 0.0
            else:
                clock += stretch + save
                paid += stretch + save
                done += stretch
        return clock, price * paid


@wrong(loses=["test-bill", "test-bill-hidden"], says="expected")
def the_result_is_not_saved():
    """Does not save after the last stretch."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = paid = done = 0.0
        failures = list(failures)
        while done < work:
            stretch = min(every, work - done)
            pause = save if done + stretch < work else 0.0
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] < clock + stretch + pause:
                failure = failures.pop(0)
                paid += failure - clock
                clock = failure + restart
            else:
                clock += stretch + pause
                paid += stretch + pause
                done += stretch
        return clock, price * paid


@wrong(loses=["test-bill-hidden"], says="the last stretch is shorter")
def whole_stretches():
    """Every stretch is as long as the others."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = paid = done = 0.0
        failures = list(failures)
        while done < work:
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] < clock + every + save:
                failure = failures.pop(0)
                paid += failure - clock
                clock = failure + restart
            else:
                clock += every + save
                paid += every + save
                done += every
        return clock, price * paid


@wrong(loses=["test-bill", "test-bill-hidden"], says="you changed failures")
def the_list_is_used_up():
    """Takes failures out of the list that came."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            raise ValueError("every")
        clock = paid = done = 0.0
        while done < work:
            stretch = min(every, work - done)
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] < clock + stretch + save:
                failure = failures.pop(0)
                paid += failure - clock
                clock = failure + restart
            else:
                clock += stretch + save
                paid += stretch + save
                done += stretch
        return clock, price * paid


@wrong(loses=["test-bill-hidden"], says="expected ValueError")
def saves_never():
    """Takes an interval of zero for "never"."""

    def bill(work, every, save, failures, restart, price):
        if every <= 0:
            every = work
        clock = paid = done = 0.0
        failures = list(failures)
        while done < work:
            stretch = min(every, work - done)
            while failures and failures[0] < clock:
                failures.pop(0)
            if failures and failures[0] < clock + stretch + save:
                failure = failures.pop(0)
                paid += failure - clock
                clock = failure + restart
            else:
                clock += stretch + save
                paid += stretch + save
                done += stretch
        return clock, price * paid


@right
def one_machine_after_the_other():
    """Goes from machine to machine, and counts the checkpoints that each of them finishes."""

    def bill(work, every, save, failures, restart, price):
        if not every > 0:
            raise ValueError("an interval must be positive")
        left, born, rented = work, 0.0, 0.0
        for death in [*failures, float("inf")]:
            if death < born or left <= 0:
                continue
            clock = born
            while left > 0 and clock + min(every, left) + save <= death:
                clock += min(every, left) + save
                left -= min(every, left)
            if left <= 0:
                return clock, price * (rented + clock - born)
            rented += death - born
            born = death + restart
        return born, price * rented
