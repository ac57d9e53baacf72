"""Wrong and unusual answers to the exercise `rnn`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

_PRECISION = "The text fixes no precision for what is returned."

accepted = {
    ("run", "float32"): _PRECISION,
    **{("backward", f"float32 ['{k}']"): _PRECISION for k in ("W_x", "W_h", "b", "x", "h0")},
    ("masked_loss", "float32 [1]"): _PRECISION,
    ("reach", "float32"): _PRECISION,
}

# Through time -------------------------------------------------------------------------------------


@wrong(loses=["test-run", "test-run-hidden"], says="behind the end of a sequence its state stays")
def reads_the_padding():
    """The padding is treated as input, so the last column is the state of the padding."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            h = np.tanh(x[:, step] @ W_x + h @ W_h + b)
            states.append(h)
        return np.stack(states, axis=1)


@wrong(loses=["test-run", "test-run-hidden"], says="its state stays")
def zeros_behind_the_end():
    """Padding sounds as if it were to be zero in the result as well."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            h = np.tanh(x[:, step] @ W_x + h @ W_h + b)
            states.append(h * (step < lengths)[:, None])
        return np.stack(states, axis=1)


@wrong(loses=["test-run", "test-run-hidden"], says="behind the end of a sequence its state stays")
def ends_one_step_late():
    """<= in place of <."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            h = np.where((step <= lengths)[:, None], np.tanh(x[:, step] @ W_x + h @ W_h + b), h)
            states.append(h)
        return np.stack(states, axis=1)


@wrong(loses=["test-run", "test-run-hidden"], says="its state stays")
def ends_one_step_early():
    """The last real step is taken for padding."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            on = (step < np.maximum(lengths - 1, 1))[:, None]
            h = np.where(on, np.tanh(x[:, step] @ W_x + h @ W_h + b), h)
            states.append(h)
        return np.stack(states, axis=1)


@wrong(loses=["test-run-hidden"], says="with the state of the step before")
def weights_transposed():
    """PyTorch's layout; with one unit or symmetric weights nothing shows."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            moved = np.tanh(x[:, step] @ W_x + h @ W_h.T + b)
            h = np.where((step < lengths)[:, None], moved, h)
            states.append(h)
        return np.stack(states, axis=1)


@wrong(loses=["test-run-hidden"], says="with the state of the step before")
def forgets_the_bias():
    """The visible test has a bias of zero."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            moved = np.tanh(x[:, step] @ W_x + h @ W_h)
            h = np.where((step < lengths)[:, None], moved, h)
            states.append(h)
        return np.stack(states, axis=1)


@wrong(loses=["test-run-hidden"], says="The first step begins with h0")
def ignores_h0():
    """Always begins with zeros."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h, states = np.zeros((len(x), len(b))), []
        for step in range(x.shape[1]):
            moved = np.tanh(x[:, step] @ W_x + h @ W_h + b)
            h = np.where((step < lengths)[:, None], moved, h)
            states.append(h)
        return np.stack(states, axis=1)


@wrong(loses=["test-run", "test-run-hidden"], says="shape")
def h0_in_the_result():
    """The list of states begins with the one before the first step."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        states = [np.zeros((len(x), len(b))) if h0 is None else h0]
        for step in range(x.shape[1]):
            moved = np.tanh(x[:, step] @ W_x + states[-1] @ W_h + b)
            states.append(np.where((step < lengths)[:, None], moved, states[-1]))
        return np.stack(states, axis=1)


@wrong(loses=["test-run-hidden"], says="nothing of the last batch's states")
def state_leaks_between_batches():
    """The state is kept for the next batch, which has other sequences."""

    _kept = {}

    def run(x, lengths, W_x, W_h, b, h0=None):
        shape = (len(x), len(b))
        h = _kept.get(shape + x.shape, np.zeros(shape)) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            moved = np.tanh(x[:, step] @ W_x + h @ W_h + b)
            h = np.where((step < lengths)[:, None], moved, h)
            states.append(h)
        if x.shape == (3, 4, 2):
            _kept[shape + x.shape] = h
        return np.stack(states, axis=1)


@wrong(loses=["test-run-hidden"], says="you changed h0")
def h0_changed_in_place():
    """Writes each state into the array that came."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            moved = np.tanh(x[:, step] @ W_x + h @ W_h + b)
            on = step < lengths
            h[on] = moved[on]
            states.append(h.copy())
        return np.stack(states, axis=1)


@wrong(loses=["test-run", "test-run-hidden"], says="step by step")
def one_array_for_all_states():
    """The same array is appended at each step, and overwritten at the next."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b)))
        if h0 is not None:
            h[...] = h0
        states = []
        for step in range(x.shape[1]):
            on = step < lengths
            h[on] = np.tanh(x[:, step] @ W_x + h @ W_h + b)[on]
            states.append(h)
        return np.stack(states, axis=1)


@wrong(loses=["test-run-hidden"], says="the fractions are lost")
def states_like_the_input():
    """zeros of the input's type: with whole numbers, tanh is cut to 0 or 1."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        n, t, _ = x.shape
        out = np.zeros((n, t, len(b)), dtype=x.dtype)
        h = np.zeros((n, len(b))) if h0 is None else h0
        for step in range(t):
            moved = np.tanh(x[:, step] @ W_x + h @ W_h + b)
            h = np.where((step < lengths)[:, None], moved, h)
            out[:, step] = h
        return out


@wrong(loses=["test-run", "test-run-hidden"], says="h = tanh(x W_x + h W_h + b)")
def forgets_tanh():
    """A linear network."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            h = np.where((step < lengths)[:, None], x[:, step] @ W_x + h @ W_h + b, h)
            states.append(h)
        return np.stack(states, axis=1)


# Back through time --------------------------------------------------------------------------------


@wrong(
    loses=["test-backward", "test-backward-hidden"],
    says="you detach at every step",
)
def detaches_at_every_step():
    """Each step's own slopes, and nothing of what comes from later ones."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G = slopes * (1 - states**2)
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": G[:, 0] @ W_h.T,
        }


@wrong(loses=["test-backward-hidden"], says="later = G @ W_h.T")
def not_transposed_on_the_way_back():
    """The same matrix back as forth; with one unit it is the same."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(
    loses=["test-backward", "test-backward-hidden"],
    says="the slope of tanh",
)
def forgets_the_slope_of_tanh_on_the_way():
    """The slope of tanh for the step's own loss, but not for what comes back."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = slopes[:, step] * (1 - states[:, step] ** 2) + later
            later = G[:, step] @ W_h.T
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(loses=["test-backward", "test-backward-hidden"], says="['W_h']")
def states_after_for_states_before():
    """W_h met the state of the step before, not the one that it made."""

    def backward(x, states, slopes, W_x, W_h, h0):
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", states, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(loses=["test-backward-hidden"], says="['W_h']")
def forgets_h0_in_the_sum():
    """The first step is left out of the sum for W_h, which is right only if h0 is zero."""

    def backward(x, states, slopes, W_x, W_h, h0):
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", states[:, :-1], G[:, 1:]),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(loses=["test-backward", "test-backward-hidden"], says="Sum over samples and steps")
def only_the_last_step_teaches_the_weights():
    """Weight gradients of the first step alone: the loop overwrites instead of adding."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        later, at_x = np.zeros(h0.shape), np.zeros(x.shape)
        for step in reversed(range(states.shape[1])):
            G = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            dW_x, dW_h, db = x[:, step].T @ G, before[:, step].T @ G, G.sum(axis=0)
            at_x[:, step] = G @ W_x.T
            later = G @ W_h.T
        return {"W_x": dW_x, "W_h": dW_h, "b": db, "x": at_x, "h0": later}


@wrong(loses=["test-backward-hidden"], says="Sum over samples and steps")
def mean_over_the_samples():
    """The loss is already a mean where it is one: the slopes carry it."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        n = len(x)
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G) / n,
            "W_h": np.einsum("nti,ntu->iu", before, G) / n,
            "b": G.sum(axis=(0, 1)) / n,
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(loses=["test-backward", "test-backward-hidden"], says="you changed slopes")
def slopes_changed_in_place():
    """Collects what comes from later steps in the array that came."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G = slopes
        for step in reversed(range(states.shape[1])):
            if step + 1 < states.shape[1]:
                G[:, step] += G[:, step + 1] @ W_h.T
            G[:, step] *= 1 - states[:, step] ** 2
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": G[:, 0] @ W_h.T,
        }


@wrong(loses=["test-backward-hidden"], says="slopes at the last step alone")
def truncates_after_ten_steps():
    """A window of ten steps, as training loops have it."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for count, step in enumerate(reversed(range(states.shape[1]))):
            if count == 10:
                later = np.zeros(h0.shape)
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(loses=["test-backward-hidden"], says="the fractions are lost")
def gradients_like_the_weights():
    """zeros_like of whole-number weights cuts the fractions off."""

    def backward(x, states, slopes, W_x, W_h, h0):
        dW_h, later, G = np.zeros_like(W_h), np.zeros(h0.shape), np.zeros(states.shape)
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        dW_h[...] = np.einsum("nti,ntu->iu", before, G)
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": dW_h,
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(loses=["test-backward", "test-backward-hidden"], says="['h0']")
def slopes_in_the_first_state_for_h0():
    """Stops one step too early: the slopes in the first pre-activation."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": G[:, 0],
        }


@wrong(loses=["test-backward-hidden"], says="the fractions are lost")
def slopes_of_whole_numbers():
    """G like the slopes, which may be whole numbers."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        G, later = np.zeros_like(slopes), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


@wrong(loses=["test-backward-hidden"], says="the state before the first step is h0")
def zeros_before_the_first_step():
    """Right for W_h only where h0 is zero, as in the visible test."""

    def backward(x, states, slopes, W_x, W_h, h0):
        before = np.concatenate([np.zeros(h0[:, None].shape), states[:, :-1]], axis=1)
        G, later = np.zeros(states.shape), np.zeros(h0.shape)
        for step in reversed(range(states.shape[1])):
            G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
            later = G[:, step] @ W_h.T
        return {
            "W_x": np.einsum("ntd,ntu->du", x, G),
            "W_h": np.einsum("nti,ntu->iu", before, G),
            "b": G.sum(axis=(0, 1)),
            "x": G @ W_x.T,
            "h0": later,
        }


# A loss that does not count padding ---------------------------------------------------------------


@wrong(
    loses=["test-masked_loss", "test-masked_loss-hidden"],
    says="Dividing by four counts the padding",
)
def divides_by_all_steps():
    """The mask makes padding 0, and the mean still counts it."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < lengths[:, None]
        y = np.where(real, targets, 0.0)
        losses = np.where(real, np.logaddexp(0, logits) - y * logits, 0.0)
        slopes = np.where(real, 0.5 + 0.5 * np.tanh(logits / 2) - y, 0.0)
        return float(losses.mean()), slopes / real.size


@wrong(loses=["test-masked_loss", "test-masked_loss-hidden"], says="Three steps are real")
def counts_the_padding():
    """No mask at all."""

    def masked_loss(logits, targets, lengths):
        losses = np.logaddexp(0, logits) - targets * logits
        return float(losses.mean()), (0.5 + 0.5 * np.tanh(logits / 2) - targets) / logits.size


@wrong(loses=["test-masked_loss", "test-masked_loss-hidden"], says="[1]")
def mean_of_the_sequences_means():
    """Each sequence counts the same, however long."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < lengths[:, None]
        weight = real / lengths[:, None] / len(lengths)
        y = np.where(real, targets, 0.0)
        losses = np.logaddexp(0, logits) - y * logits
        slopes = (0.5 + 0.5 * np.tanh(logits / 2) - y) * weight
        return float((losses * weight).sum()), slopes


@wrong(loses=["test-masked_loss-hidden"], says="0 times nan is nan")
def multiplies_by_the_mask():
    """0 times nan is nan."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < lengths[:, None]
        count = real.sum()
        losses = (np.logaddexp(0, logits) - targets * logits) * real
        slopes = (0.5 + 0.5 * np.tanh(logits / 2) - targets) * real
        return float(losses.sum() / count), slopes / count


@wrong(loses=["test-masked_loss-hidden"], says="does not overflow")
def loss_by_probabilities():
    """log of a sigmoid that is rounded to 0."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < lengths[:, None]
        p = 1 / (1 + np.exp(-logits[real].astype(float)))
        y = targets[real]
        slopes = np.zeros(logits.shape)
        slopes[real] = (p - y) / len(y)
        return float(-np.mean(np.where(y == 1, np.log(p), np.log(1 - p)))), slopes


@wrong(loses=["test-masked_loss-hidden"], says="[1]")
def slopes_of_the_sum():
    """The slopes of the sum, but for the three steps of the visible test."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < np.asarray(lengths)[:, None]
        z, y = logits[real].astype(float), targets[real].astype(float)
        slopes = np.zeros(logits.shape)
        slopes[real] = (0.5 + 0.5 * np.tanh(z / 2) - y) / (3 if len(z) == 3 else 1)
        return float(np.mean(np.logaddexp(0, z) - y * z)), slopes


@wrong(loses=["test-masked_loss", "test-masked_loss-hidden"], says="[1]")
def slopes_turned():
    """y - p goes uphill."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < np.asarray(lengths)[:, None]
        z, y = logits[real].astype(float), targets[real].astype(float)
        slopes = np.zeros(logits.shape)
        slopes[real] = (y - 0.5 - 0.5 * np.tanh(z / 2)) / len(z)
        return float(np.mean(np.logaddexp(0, z) - y * z)), slopes


@wrong(loses=["test-masked_loss-hidden"], says="the fractions are lost")
def slopes_like_the_logits():
    """zeros_like of whole numbers is an array of whole numbers."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < np.asarray(lengths)[:, None]
        z, y = logits[real].astype(float), targets[real].astype(float)
        slopes = np.zeros_like(logits)
        slopes[real] = (0.5 + 0.5 * np.tanh(z / 2) - y) / len(z)
        return float(np.mean(np.logaddexp(0, z) - y * z)), slopes


@wrong(loses=["test-masked_loss", "test-masked_loss-hidden"], says="you changed targets")
def cleans_the_targets_in_place():
    """Writes zeros behind the ends of what came."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1]) < np.asarray(lengths)[:, None]
        targets[~real] = 0
        z, y = logits[real].astype(float), targets[real].astype(float)
        slopes = np.zeros(logits.shape)
        slopes[real] = (0.5 + 0.5 * np.tanh(z / 2) - y) / len(z)
        return float(np.mean(np.logaddexp(0, z) - y * z)), slopes


# Clip ---------------------------------------------------------------------------------------------


@wrong(loses=["test-clip", "test-clip-hidden"], says="Each array by its own norm")
def each_parameter_by_itself():
    """A norm for each array, as if each were clipped alone."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        for g in gradients:
            own = np.linalg.norm(g)
            if own > limit:
                g *= limit / own
        return norm


@wrong(loses=["test-clip", "test-clip-hidden"], says="would turn the direction")
def each_entry_by_itself():
    """np.clip, which turns the direction."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        for g in gradients:
            np.clip(g, -limit, limit, out=g)
        return norm


@wrong(loses=["test-clip-hidden"], says="only ever makes gradients smaller")
def scales_up_as_well():
    """Normalizes, also what is small."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        for g in gradients:
            g *= limit / max(norm, 1e-12)
        return norm


@wrong(loses=["test-clip", "test-clip-hidden"], says="left it as it was")
def new_arrays():
    """Returns nothing new and changes nothing that the optimizer sees."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        if norm > limit:
            gradients = [g * (limit / norm) for g in gradients]
        return norm


@wrong(loses=["test-clip", "test-clip-hidden"], says="Returned is the norm before")
def norm_afterwards():
    """Returns the norm that is left."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        if norm > limit:
            for g in gradients:
                g *= limit / norm
        return min(norm, limit)


@wrong(loses=["test-clip", "test-clip-hidden"], says="Returned is the norm before")
def sum_of_norms():
    """The norms of the arrays, added up."""

    def clip(gradients, limit):
        norm = float(sum(np.linalg.norm(g) for g in gradients))
        if norm > limit:
            for g in gradients:
                g *= limit / norm
        return norm


@wrong(loses=["test-clip-hidden"], says="one factor, limit / norm")
def always_to_one():
    """1 / norm, whatever the limit."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        if norm > limit:
            for g in gradients:
                g /= norm
        return norm


@wrong(loses=["test-clip-hidden"], says="a small number added to the norm")
def clips_with_an_epsilon():
    """limit / (norm + 1e-6), as libraries have it: at the limit the gradients shrink a little."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        for g in gradients:
            g *= min(1.0, limit / (norm + 1e-6))
        return norm


@wrong(loses=["test-clip-hidden"], says="to the last bit")
def shrinks_a_little_at_the_limit():
    """An epsilon that is relative, and so never shows but at the limit itself."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        for g in gradients:
            g *= min(1.0, limit / (norm * (1 + 1e-9) + 1e-300))
        return norm


@wrong(loses=["test-clip-hidden"], says="change the array itself")
def clips_a_flat_copy():
    """ravel is a view of most arrays, and a copy of those that do not lie in one piece."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        if norm > limit:
            for g in gradients:
                flat = g.ravel()
                flat *= limit / norm
        return norm


@wrong(loses=["test-clip", "test-clip-hidden"], says="new arrays in the list")
def other_arrays_in_the_list():
    """The list is changed in place; the arrays that others hold are not."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
        if norm > limit:
            for i, g in enumerate(gradients):
                gradients[i] = g * (limit / norm)
        return norm


@wrong(loses=["test-clip-hidden"], says="np.linalg.norm(g, 2)")
def largest_singular_values():
    """norm(g, 2) of a matrix is not the root of the sum of its squares."""

    def clip(gradients, limit):
        norm = float(np.sqrt(sum(np.linalg.norm(g, 2) ** 2 for g in gradients)))
        if norm > limit:
            for g in gradients:
                g *= limit / norm
        return norm


# How far back -------------------------------------------------------------------------------------


@wrong(loses=["test-reach", "test-reach-hidden"], says="From the last state")
def from_the_first_to_the_last():
    """In the order of time, and not of the lag."""

    def reach(states, last, W_h):
        norms, slopes = [], last
        for step in reversed(range(states.shape[1])):
            norms.append(np.linalg.norm(slopes))
            slopes = (slopes * (1 - states[:, step] ** 2)) @ W_h.T
        return np.array(norms[::-1])


@wrong(loses=["test-reach-hidden"], says="@ W_h.T")
def reach_not_transposed():
    """With one unit it makes no difference."""

    def reach(states, last, W_h):
        norms, slopes = [], last
        for step in reversed(range(states.shape[1])):
            norms.append(np.linalg.norm(slopes))
            slopes = (slopes * (1 - states[:, step] ** 2)) @ W_h
        return np.array(norms)


@wrong(loses=["test-reach", "test-reach-hidden"], says="at the state that they leave")
def slope_at_the_state_reached():
    """The slope of tanh at the earlier state."""

    def reach(states, last, W_h):
        norms, slopes = [np.linalg.norm(last)], last
        for step in reversed(range(states.shape[1] - 1)):
            slopes = (slopes * (1 - states[:, step] ** 2)) @ W_h.T
            norms.append(np.linalg.norm(slopes))
        return np.array(norms)


@wrong(loses=["test-reach", "test-reach-hidden"], says="From the last state")
def powers_of_the_spectral_radius():
    """The rule of thumb of a linear network."""

    def reach(states, last, W_h):
        radius = np.abs(np.linalg.eigvals(W_h)).max()
        return np.linalg.norm(last) * radius ** np.arange(states.shape[1])


@wrong(loses=["test-reach-hidden"], says="over all sequences")
def norm_of_the_first_sequence():
    """Looks at one sequence of the batch."""

    def reach(states, last, W_h):
        norms, slopes = [], last
        for step in reversed(range(states.shape[1])):
            norms.append(np.linalg.norm(slopes[0]))
            slopes = (slopes * (1 - states[:, step] ** 2)) @ W_h.T
        return np.array(norms)


@wrong(loses=["test-reach-hidden"], says="the root of the sum of all squares")
def reach_by_singular_values():
    """norm(S, 2), which of a single sequence is the same."""

    def reach(states, last, W_h):
        norms, slopes = [], last
        for step in reversed(range(states.shape[1])):
            norms.append(np.linalg.norm(slopes, 2))
            slopes = (slopes * (1 - states[:, step] ** 2)) @ W_h.T
        return np.array(norms)


# Unusual, and right -------------------------------------------------------------------------------


@right
def run_in_loops():
    """Sequence by sequence, in lists."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        out = []
        for i in range(len(x)):
            h = np.zeros(len(b)) if h0 is None else np.array(h0[i], dtype=float)
            rows = []
            for step in range(x.shape[1]):
                if step < lengths[i]:
                    h = np.tanh(x[i, step] @ W_x + h @ W_h + b)
                rows.append(h)
            out.append(rows)
        return np.array(out)


@right
def run_all_inputs_at_once():
    """The part that does not need the state, for all steps in one product; renamed parameters."""

    def run(sequences, ends, U, V, bias, begin=None):
        n, t, _ = sequences.shape
        inputs = np.einsum("ntd,du->tnu", sequences, U) + bias
        states = np.empty((t + 1, n, len(bias)))
        states[0] = 0 if begin is None else begin
        for s in range(t):
            states[s + 1] = np.tanh(inputs[s] + states[s] @ V)
            over = np.asarray(ends) <= s
            states[s + 1][over] = states[s][over]
        return states[1:].transpose(1, 0, 2)


@right
def run_by_hand_written_tanh():
    """Exponentials, which overflow and warn in a branch that is not taken."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            z = np.asarray(x[:, step] @ W_x + h @ W_h + b, dtype=float)
            e = np.exp(-2 * np.abs(z))
            np.log(np.zeros(1))  # warns
            moved = np.sign(z) * (1 - e) / (1 + e)
            h = np.where((step < lengths)[:, None], moved, h)
            states.append(h)
        return np.stack(states, axis=1)


@right
def backward_adds_up_in_the_loop():
    """No array of all slopes: each step adds its part."""

    def backward(x, states, slopes, W_x, W_h, h0):
        got = {"W_x": 0 * W_x, "W_h": 0 * W_h, "b": 0 * W_h[0], "x": 0.0 * x, "h0": 0 * h0}
        later = 0.0 * h0
        for step in range(states.shape[1] - 1, -1, -1):
            G = (slopes[:, step] + later) * (1 - states[:, step] * states[:, step])
            got["W_x"] = got["W_x"] + x[:, step].T @ G
            got["W_h"] = got["W_h"] + (states[:, step - 1] if step else h0).T @ G
            got["b"] = got["b"] + G.sum(axis=0)
            got["x"][:, step] = G @ W_x.T
            later = G @ W_h.T
        got["h0"] = later
        return got


@right
def backward_forwards():
    """Every pair of steps by itself: products of Jacobians, sample by sample."""

    def backward(x, states, slopes, W_x, W_h, h0):
        n, t, u = states.shape
        G = np.zeros((n, t, u))
        first = np.zeros((n, u))
        for i in range(n):
            for k in range(t):
                s = slopes[i, k]
                for step in range(k, -1, -1):
                    g = s * (1 - states[i, step] ** 2)
                    G[i, step] += g
                    s = W_h @ g
                first[i] += s
        before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
        return {
            "h0": first,
            "b": G.reshape(-1, u).sum(axis=0),
            "x": np.matmul(G, W_x.T),
            "W_h": np.tensordot(before, G, axes=([0, 1], [0, 1])),
            "W_x": np.tensordot(x, G, axes=([0, 1], [0, 1])),
        }


@right
def loss_in_loops():
    """Step by step, with a case for each sign."""

    def masked_loss(logits, targets, lengths):
        count = int(np.sum(lengths))
        slopes, total = np.zeros(logits.shape), 0.0
        for i in range(len(logits)):
            for t in range(int(lengths[i])):
                z, y = float(logits[i, t]), float(targets[i, t])
                e = np.exp(-abs(z))
                p = 1 / (1 + e) if z >= 0 else e / (1 + e)
                total += max(z, 0) - y * z + np.log1p(e)
                slopes[i, t] = (p - y) / count
        return total / count, slopes


@right
def loss_with_where():
    """np.where, with overflow in exp on the way, which warns."""

    def masked_loss(logits, targets, lengths):
        real = np.arange(logits.shape[1])[None] < lengths[:, None]
        z, y = np.where(real, logits, 0.0), np.where(real, targets, 0.0)
        losses = np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))
        slopes = np.where(real, 1 / (1 + np.exp(-z)) - y, 0.0) / real.sum()
        return np.where(real, losses, 0.0).sum() / real.sum(), slopes


@right
def clip_by_one_long_vector():
    """Concatenates, and writes back with a slice."""

    def clip(gradients, limit):
        norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
        for g in gradients:
            g[...] = g * min(1.0, limit / norm) if norm else g
        return norm


@right
def reach_by_products():
    """The product of Jacobians for each lag, from the start, by einsum."""

    def reach(states, last, W_h):
        n, t, u = states.shape
        norms = []
        for k in range(t):
            total = 0.0
            for i in range(n):
                J = np.eye(u)
                for step in range(t - 1, t - 1 - k, -1):
                    J = W_h @ np.diag(1 - states[i, step] ** 2) @ J
                total += np.sum((J @ last[i]) ** 2)
            norms.append(np.sqrt(total))
        return np.array(norms)


@right
def run_masked_by_products():
    """1 and 0 times: any number may stand in the padding, and 0 times a number is 0."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            on = (step < lengths)[:, None]
            h = on * np.tanh(x[:, step] @ W_x + h @ W_h + b) + (1 - on) * h
            states.append(h)
        return np.stack(states, axis=1)


@right
def run_reads_on_and_looks_back():
    """The padding is read as well, and what comes of it is then replaced."""

    def run(x, lengths, W_x, W_h, b, h0=None):
        h = np.zeros((len(x), len(b))) if h0 is None else h0
        states = []
        for step in range(x.shape[1]):
            h = np.tanh(np.hstack([x[:, step], h]) @ np.vstack([W_x, W_h]) + b)
            states.append(h)
        at = np.minimum(np.arange(x.shape[1]), np.asarray(lengths)[:, None] - 1)
        return np.take_along_axis(np.stack(states, axis=1), at[:, :, None], axis=1)


@right
def clip_with_hypot():
    """One factor, at most 1, and math.hypot of the norms."""

    def clip(gradients, limit):
        import math

        norm = math.hypot(*(np.linalg.norm(g) for g in gradients))
        for g in gradients:
            np.multiply(g, min(1.0, limit / norm) if norm else 1.0, out=g)
        return norm


@right
def reach_by_backward():
    """backward's slopes in h0, for sequences that begin one step later each time."""

    def reach(states, last, W_h):
        n, t, u = states.shape
        norms = [np.sqrt((last**2).sum())]
        for k in range(1, t):
            slopes = np.zeros((n, k, u))
            slopes[:, -1] = last
            begin, rest = states[:, t - k - 1], states[:, t - k :]
            got = backward(np.zeros((n, k, 1)), rest, slopes, np.zeros((1, u)), W_h, begin)
            norms.append(np.linalg.norm(got["h0"]))
        return np.array(norms)
