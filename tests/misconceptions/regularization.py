"""Wrong and unusual answers to the exercise `regularization`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

_PIXELS = "Moving pixels computes nothing: integers stay integers, and there are no fractions."
accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
    ("shifted", "whole numbers images"): _PIXELS,
    ("augmented", "whole numbers images"): _PIXELS,
}

# Penalties ----------------------------------------------------------------------------------------


@wrong(
    loses=["test-l2", "test-l1", "test-penalties-hidden", "test-slopes-hidden"],
    says="the bias was counted",
)
def penalizing_the_bias():
    """All parameters are treated alike."""

    def l2_penalty(parameters, strength):
        return strength * sum((w**2).sum() / 2 for w in parameters)

    def l2_slopes(parameters, strength):
        return [strength * w for w in parameters]

    def l1_penalty(parameters, strength):
        return strength * sum(np.abs(w).sum() for w in parameters)

    def l1_slopes(parameters, strength):
        return [strength * np.sign(w) for w in parameters]


@wrong(loses=["test-l2", "test-slopes-hidden"], says="the 2 of the square cancels the half")
def slope_with_a_factor_of_two():
    """The slope of w**2 is 2 w, but the penalty has a half."""

    def l2_slopes(parameters, strength):
        return [2 * strength * w if w.ndim == 2 else np.zeros(w.shape) for w in parameters]


@wrong(loses=["test-l2", "test-penalties-hidden"], says="the half is missing")
def penalty_without_the_half():
    """The penalty of many textbooks, with the slope of this one."""

    def l2_penalty(parameters, strength):
        return strength * sum((w**2).sum() for w in parameters if w.ndim == 2)


@wrong(loses=["test-l2", "test-l1", "test-penalties-hidden"], says="A sum, not a mean")
def mean_in_place_of_the_sum():
    """A mean over the weights: each of them pays less in a larger network."""

    def l2_penalty(parameters, strength):
        return strength * sum(np.mean(w**2) / 2 for w in parameters if w.ndim == 2)

    def l1_penalty(parameters, strength):
        return strength * sum(np.mean(np.abs(w)) for w in parameters if w.ndim == 2)


@wrong(loses=["test-l1", "test-slopes-hidden"], says="w / |w| would be nan there")
def sign_by_division():
    """w / |w| is the sign of everything but 0."""

    def l1_slopes(parameters, strength):
        with np.errstate(all="ignore"):
            return [
                strength * w / np.abs(w) if w.ndim == 2 else np.zeros(w.shape) for w in parameters
            ]


@wrong(loses=["test-l2", "test-slopes-hidden"], says="you changed parameters")
def slopes_in_place():
    """The network's weights shrink each time somebody asks for slopes."""

    def l2_slopes(parameters, strength):
        slopes = []
        for w in parameters:
            if w.ndim == 2:
                w[...] = strength * w
                slopes.append(1.0 * w)
            else:
                slopes.append(np.zeros(w.shape))
        return slopes


@wrong(loses=["test-l1", "test-penalties-hidden"], says="the largest sum of a column")
def norm_of_a_matrix():
    """np.linalg.norm(w, 1) adds up sizes for a row of numbers, and not for a matrix."""

    def l1_penalty(parameters, strength):
        return strength * sum(np.linalg.norm(w, 1) for w in parameters if w.ndim == 2)


@wrong(
    loses=["test-penalties-hidden", "test-slopes-hidden"],
    says="Add up over all arrays with two axes, whatever their shape, and over no others",
)
def weights_by_their_place():
    """Every second array is a weight, as long as each layer has a bias behind it."""

    def l2_penalty(parameters, strength):
        return strength * sum((w**2).sum() / 2 for w in parameters[::2])

    def l2_slopes(parameters, strength):
        return [strength * w * (i % 2 == 0) for i, w in enumerate(parameters)]


@wrong(loses=["test-slopes-hidden"], says="the fractions are lost")
def slopes_like_the_weights():
    """zeros_like of integer weights, filled with fractions."""

    def l2_slopes(parameters, strength):
        slopes = [np.zeros_like(w) for w in parameters]
        for slope, w in zip(slopes, parameters, strict=True):
            if w.ndim == 2:
                slope[...] = strength * w
        return slopes


@wrong(loses=["test-l1", "test-penalties-hidden"], says="you changed parameters")
def sizes_written_over_the_weights():
    """np.abs with out=: the network has lost the signs of its weights."""

    def l1_penalty(parameters, strength):
        return strength * sum(np.sum(np.abs(w, out=w)) for w in parameters if w.ndim == 2)


# The soft threshold -------------------------------------------------------------------------------


@wrong(
    loses=["test-soft_threshold", "test-soft_threshold-hidden"],
    says="0.5 becomes 0, not -0.5",
)
def threshold_past_zero():
    """A step along the slope: what is near 0 comes out on the other side."""

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        return w - amount * np.sign(w)


@wrong(
    loses=["test-soft_threshold", "test-soft_threshold-hidden"],
    says="small numbers were cut off and the large ones not moved",
)
def hard_threshold():
    """Small numbers become 0, and the others stay."""

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        return np.where(np.abs(w) <= amount, 0.0, w)


@wrong(loses=["test-soft_threshold", "test-soft_threshold-hidden"], says="lost its sign")
def threshold_without_a_sign():
    """max(|w| - amount, 0) is a size."""

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        return np.maximum(np.abs(w) - amount, 0)


@wrong(loses=["test-soft_threshold-hidden"], says="the fractions are lost")
def threshold_into_whole_numbers():
    """A copy of whole numbers has no room for fractions."""

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        answer = w.copy()
        answer[w > amount] = w[w > amount] - amount
        answer[w < -amount] = w[w < -amount] + amount
        answer[np.abs(w) <= amount] = 0
        return answer


@wrong(loses=["test-soft_threshold", "test-soft_threshold-hidden"], says="you changed w")
def threshold_in_place():
    """Masks are found first, and then everything is written into w."""

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        if w.dtype.kind == "i":
            return np.sign(w) * np.maximum(np.abs(w) - amount, 0)
        above, below = w > amount, w < -amount
        w[~above & ~below] = 0
        w[above] -= amount
        w[below] += amount
        return w


# Dropout ------------------------------------------------------------------------------------------


@wrong(loses=["test-dropout_factors-use-hidden"], says="In use nobody is silenced")
def dropout_at_test_time():
    """The argument training is never looked at."""

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        return (rng.random(shape) >= p) / (1 - p)


@wrong(
    loses=["test-dropout_factors", "test-dropout_factors-hidden"],
    says="The others make up for it",
)
def dropout_without_rescaling():
    """The sums of the next layer are larger in use than they ever were in training."""

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        return 1.0 * (rng.random(shape) >= p) if training else np.ones(shape)


@wrong(
    loses=[
        "test-dropout_factors",
        "test-dropout_factors-hidden",
        "test-dropout_factors-use-hidden",
    ],
    says="belong to the other kind of dropout",
)
def dropout_that_is_not_inverted():
    """Dropout as it was first described: the rescaling is left to whoever uses the network."""

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        return 1.0 * (rng.random(shape) >= p) if training else np.full(shape, 1 - p)


@wrong(
    loses=["test-dropout_factors", "test-dropout_factors-hidden"],
    says="p was taken for the probability of surviving",
)
def dropout_that_keeps_p():
    """p taken for the probability to survive: at 0.5 nobody would notice."""

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        if not training or p == 0:
            return np.ones(shape)
        return (rng.random(shape) < p) / p


@wrong(
    loses=["test-dropout_factors", "test-dropout_factors-hidden"],
    says="lets the whole batch lose the same units",
)
def dropout_the_same_for_all_samples():
    """One row of choices, broadcast over the batch."""

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        if not training:
            return np.ones(shape)
        return np.broadcast_to((rng.random(shape[-1]) >= p) / (1 - p), shape)


@wrong(
    loses=["test-dropout_factors-hidden"],
    says="A generator made inside the function",
)
def dropout_with_its_own_generator():
    """Seeded inside, for the sake of repeatable results: the same units are silenced for ever."""

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        rng = np.random.default_rng(0)
        return (rng.random(shape) >= p) / (1 - p) if training else np.ones(shape)


@wrong(loses=["test-dropout_factors-hidden"], says="A fixed number of zeros that is shuffled")
def dropout_of_an_exact_share():
    """A share p of all entries, dealt out at random: no entry is on its own."""

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        factors = np.ones(shape)
        if training:
            flat = np.full(factors.size, 1 / (1 - p))
            flat[: round(p * flat.size)] = 0
            factors = rng.permutation(flat).reshape(shape)
        return factors


@wrong(loses=["test-dropout_factors-hidden"], says="in training and in use")
def dropout_looks_at_p_in_training_alone():
    """In use p plays no part, so nobody looks at it."""

    def dropout_factors(shape, p, training, rng):
        if not training:
            return np.ones(shape)
        if not 0 <= p < 1:
            raise ValueError("p")
        return (rng.random(shape) >= p) / (1 - p)


# Early stopping -----------------------------------------------------------------------------------


@wrong(
    loses=["test-EarlyStopping", "test-EarlyStopping-when-hidden"],
    says="(>=, not >)",
)
def patience_one_too_many():
    """More than patience epochs have to pass."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.waited = loss, self.epoch, 0
                self.kept = [w.copy() for w in weights]
            else:
                self.waited += 1
            return self.waited > self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping", "test-EarlyStopping-when-hidden"],
    says="the best epoch itself is not one of them",
)
def patience_one_too_few():
    """The count starts at 1 with the best epoch."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.waited = loss, self.epoch, 0
                self.kept = [w.copy() for w in weights]
            self.waited += 1
            return self.waited >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping", "test-EarlyStopping-when-hidden"],
    says="does not start the count again",
)
def patience_with_any_fall():
    """Compares with the epoch before: a loss that falls back starts the count again."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.before, self.kept = np.inf, np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            self.waited = 0 if loss < self.before else self.waited + 1
            self.before = loss
            if loss < self.best_loss:
                self.best_loss, self.best_epoch = loss, self.epoch
                self.kept = [w.copy() for w in weights]
            return self.waited >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(loses=["test-EarlyStopping-when-hidden"], says="start again whenever there is one")
def patience_that_never_recovers():
    """Counts all epochs without a new lowest loss, not those in a row."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch = loss, self.epoch
                self.kept = [w.copy() for w in weights]
            else:
                self.waited += 1
            return self.waited >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping-when-hidden", "test-EarlyStopping-best-hidden"],
    says="neither do an equal one, nan and infinity",
)
def equal_or_nan_is_better():
    """Asks whether the loss is worse, and takes everything else for better."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss > self.best_loss:
                self.waited += 1
            else:
                self.best_loss, self.best_epoch, self.waited = loss, self.epoch, 0
                self.kept = [w.copy() for w in weights]
            return self.waited >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping", "test-EarlyStopping-best-hidden"],
    says="the last weights were kept",
)
def keeping_the_last():
    """The weights of every epoch are kept, and those of the last one win."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            self.kept = [w.copy() for w in weights]
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.waited = loss, self.epoch, 0
            else:
                self.waited += 1
            return self.waited >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping", "test-EarlyStopping-best-hidden"],
    says="the best ones were kept without a copy",
)
def keeping_a_reference():
    """A copy of the list holds the same arrays, and training goes on in them."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.waited = loss, self.epoch, 0
                self.kept = list(weights)
            else:
                self.waited += 1
            return self.waited >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping-best-hidden"],
    says="another array in the list is one that the network does not know",
)
def restoring_into_the_list():
    """Puts other arrays into the list; the network goes on with its own."""

    import copy

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.waited, self.epoch, self.best_epoch = patience, 0, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.waited = loss, self.epoch, 0
                self.kept = copy.deepcopy(weights)
            else:
                self.waited += 1
            return self.waited >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            weights[:] = self.kept


@wrong(
    loses=["test-EarlyStopping-when-hidden", "test-EarlyStopping-best-hidden"],
    says="nothing is below nan",
)
def nan_as_the_first_lowest():
    """Whatever comes first is the lowest so far, and no loss is lower than nan."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.epoch, self.best_loss = patience, 0, None

        def see(self, loss, weights):
            self.epoch += 1
            if self.best_loss is None or loss < self.best_loss:
                self.best_loss, self.best_epoch = loss, self.epoch
                self.kept = [w.copy() for w in weights]
            return self.epoch - self.best_epoch >= self.patience

        def restore(self, weights):
            if self.best_loss is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(loses=["test-EarlyStopping-best-hidden"], says="(nan is none)")
def restoring_what_was_never_kept():
    """Asks whether there was an epoch, and not whether there was a lowest loss."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.epoch, self.best_epoch = patience, 0, 0
            self.best_loss, self.kept = np.inf, []

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch = loss, self.epoch
                self.kept = [w.copy() for w in weights]
            return self.epoch - self.best_epoch >= self.patience

        def restore(self, weights):
            if self.epoch == 0:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=False):
                w[...] = best


@wrong(loses=["test-EarlyStopping-best-hidden"], says="belongs to it")
def one_memory_for_all_observers():
    """A dictionary in the class body: two trainings at the same time share their best weights."""

    class EarlyStopping:
        kept = {}

        def __init__(self, patience):
            self.patience, self.epoch, self.best_epoch, self.best_loss = patience, 0, 0, np.inf

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch = loss, self.epoch
                self.kept["best"] = [w.copy() for w in weights]
            return self.epoch - self.best_epoch >= self.patience

        def restore(self, weights):
            if self.best_epoch == 0:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept["best"], strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping-when-hidden", "test-EarlyStopping-best-hidden"],
    says="nan and infinity",
)
def infinity_as_the_first_lowest():
    """Whatever is a number and comes first is the lowest so far."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.epoch, self.best_epoch = patience, 0, 0
            self.best_loss, self.kept = None, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss == loss and (self.best_loss is None or loss < self.best_loss):
                self.best_loss, self.best_epoch = loss, self.epoch
                self.kept = [w.copy() for w in weights]
            return self.epoch - self.best_epoch >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best


@wrong(
    loses=["test-EarlyStopping", "test-EarlyStopping-best-hidden"],
    says="the best ones were kept without a copy",
)
def restoring_makes_the_copies_the_networks():
    """The copy is made when it is too late: at restore."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.epoch, self.best_epoch = patience, 0, 0
            self.best_loss, self.kept = np.inf, None

        def see(self, loss, weights):
            self.epoch += 1
            if loss < self.best_loss:
                self.best_loss, self.best_epoch, self.kept = loss, self.epoch, tuple(weights)
            return self.epoch - self.best_epoch >= self.patience

        def restore(self, weights):
            if self.kept is None:
                raise ValueError("nothing")
            for w, best in zip(weights, self.kept, strict=True):
                w[...] = best.copy()


# Shifts -------------------------------------------------------------------------------------------


@wrong(loses=["test-shifted", "test-shifted-hidden"], says="np.roll lets what leaves come in again")
def shift_that_wraps_around():
    """np.roll is one line, and moves the left edge to the right."""

    def shifted(images, down, right):
        return np.roll(images, (down, right), axis=(1, 2))


@wrong(loses=["test-shifted", "test-shifted-hidden"], says="right are columns (axis 2)")
def shift_with_x_and_y_exchanged():
    """down moves columns, right moves rows."""

    def shifted(images, down, right):
        answer = np.zeros_like(images)
        _, height, width = images.shape
        for row in range(height):
            for column in range(width):
                if 0 <= row - right < height and 0 <= column - down < width:
                    answer[:, row, column] = images[:, row - right, column - down]
        return answer


@wrong(loses=["test-shifted-hidden"], says="could not broadcast")
def shift_by_slices():
    """Right within the picture; beyond it, a negative stop counts from the end."""

    def shifted(images, down, right):
        _, height, width = images.shape
        answer = np.zeros_like(images)
        answer[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = (
            images[:, max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
        )
        return answer


@wrong(
    loses=["test-augmented-use-hidden"],
    says="What a network is measured on stands for what it will meet",
)
def augmenting_the_test_set():
    """Every batch is moved, whatever it is for."""

    def augmented(images, labels, pixels, training, rng):
        moves = rng.integers(-pixels, pixels + 1, size=(len(images), 2))
        moved = [shifted(x[None], *move)[0] for x, move in zip(images, moves, strict=True)]
        return np.array(moved), labels


@wrong(loses=["test-augmented-hidden"], says="its end is not included")
def augmenting_up_and_left_only():
    """rng.integers(-1, 1) draws -1 and 0."""

    def augmented(images, labels, pixels, training, rng):
        if not training or pixels == 0:
            return images, labels
        moves = rng.integers(-pixels, pixels, size=(len(images), 2))
        moved = [shifted(x[None], *move)[0] for x, move in zip(images, moves, strict=True)]
        return np.array(moved), labels


@wrong(loses=["test-augmented-hidden"], says="One shift for the whole batch")
def augmenting_all_alike():
    """One draw moves the whole batch."""

    def augmented(images, labels, pixels, training, rng):
        if not training:
            return images, labels
        down, right = rng.integers(-pixels, pixels + 1, size=2)
        return shifted(images, down, right), labels


@wrong(
    loses=["test-augmented", "test-augmented-hidden"],
    says="The labels of augmented",
)
def augmenting_loses_the_labels():
    """Shuffles the images on the way, and not their labels."""

    def augmented(images, labels, pixels, training, rng):
        if not training:
            return images, labels
        order = rng.permutation(len(images))
        moves = rng.integers(-pixels, pixels + 1, size=(len(images), 2))
        moved = [shifted(images[i][None], *move)[0] for i, move in zip(order, moves, strict=True)]
        return np.array(moved), labels[rng.permutation(len(labels))]


@wrong(loses=["test-augmented", "test-augmented-hidden"], says="you changed images")
def augmenting_in_place():
    """The training set itself moves, a little farther in each epoch."""

    def augmented(images, labels, pixels, training, rng):
        if training:
            for i in range(len(images)):
                down, right = rng.integers(-pixels, pixels + 1, size=2)
                images[i] = shifted(images[i : i + 1], down, right)[0]
        return images, labels


# Ensembles ----------------------------------------------------------------------------------------


@wrong(loses=["test-decide", "test-ensemble-hidden"], says="nobody has seen a 6")
def averaging_labels():
    """The mean of the answers, rounded."""

    def decide(all_logits):
        answers = [logits.argmax(axis=1) for logits in all_logits]
        return np.round(np.mean(answers, axis=0)).astype(int)


@wrong(loses=["test-ensemble-hidden"], says="Counting votes forgets how sure each network is")
def counting_votes():
    """The class that most networks answer."""

    def decide(all_logits):
        answers = np.array([logits.argmax(axis=1) for logits in all_logits])
        k = all_logits[0].shape[1]
        return np.array([np.bincount(votes, minlength=k).argmax() for votes in answers.T])


@wrong(
    loses=["test-average_probabilities", "test-ensemble-hidden"],
    says="The softmax of the mean logits is something else",
)
def averaging_logits():
    """One network with large logits decides for all."""

    def average_probabilities(all_logits):
        return softmax(np.mean(all_logits, axis=0), axis=1)


@wrong(loses=["test-ensemble-hidden"], says="you changed all_logits")
def logits_are_shifted_in_place():
    """The largest of each row is subtracted from the logits themselves."""

    def average_probabilities(all_logits):
        total = 0
        for z in all_logits:
            if z.shape[0] == 2:
                total = total + softmax(z, axis=1)
                continue
            z -= z.max(axis=1, keepdims=True)
            total = total + np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return total / len(all_logits)


@wrong(loses=["test-ensemble-hidden"], says="the fractions are lost")
def probabilities_like_the_logits():
    """Added up in an array of the first network's kind."""

    def average_probabilities(all_logits):
        mean = np.zeros_like(all_logits[0])
        mean[...] = np.mean([softmax(z, axis=1) for z in all_logits], axis=0)
        return mean


# The loop -----------------------------------------------------------------------------------------


@wrong(loses=["test-train", "test-train-hidden"], says="the training loss was watched")
def stopping_on_the_training_loss():
    """The loss that is at hand is the one that always falls."""

    def train(epoch, measure, weights, patience, most):
        stopping, history = EarlyStopping(patience), []
        for _ in range(most):
            loss = epoch()
            history.append((loss, measure()))
            if stopping.see(loss, weights):
                break
        stopping.restore(weights)
        return history


@wrong(loses=["test-train", "test-train-hidden"], says="restore them")
def going_home_with_the_last_weights():
    """Stops in time, and forgets why."""

    def train(epoch, measure, weights, patience, most):
        stopping, history = EarlyStopping(patience), []
        for _ in range(most):
            history.append((epoch(), measure()))
            if stopping.see(history[-1][1], weights):
                break
        return history


@wrong(loses=["test-train-hidden"], says="when all epochs were done and patience was not used up")
def restoring_only_when_stopped():
    """The way out through the end of the loop is forgotten."""

    def train(epoch, measure, weights, patience, most):
        stopping, history = EarlyStopping(patience), []
        for _ in range(most):
            history.append((epoch(), measure()))
            if stopping.see(history[-1][1], weights):
                stopping.restore(weights)
                break
        return history


@wrong(loses=["test-train-hidden"], says="no epoch beyond most")
def one_epoch_too_many():
    """Counts what is done with <=, and does one more."""

    def train(epoch, measure, weights, patience, most):
        stopping, history = EarlyStopping(patience), []
        while len(history) <= most:
            history.append((epoch(), measure()))
            if stopping.see(history[-1][1], weights):
                break
        stopping.restore(weights)
        return history


@wrong(loses=["test-train-hidden"], says="should not be taken for a trained one")
def nan_is_passed_over_in_silence():
    """Where there is nothing to restore, nothing is restored, and nobody hears of it."""

    def train(epoch, measure, weights, patience, most):
        stopping, history = EarlyStopping(patience), []
        for _ in range(most):
            history.append((epoch(), measure()))
            if stopping.see(history[-1][1], weights):
                break
        if any(validation == validation for _, validation in history):
            stopping.restore(weights)
        return history


# A wrong step costs no later one ------------------------------------------------------------------


@wrong(
    loses=[
        "test-EarlyStopping",
        "test-EarlyStopping-when-hidden",
        "test-EarlyStopping-best-hidden",
        "test-shifted",
        "test-shifted-hidden",
        "test-average_probabilities",
        "test-ensemble-hidden",
    ],
    says="np.roll lets what leaves come in again",
)
def all_on_wrong_pieces():
    """An observer that never stops, a shift that wraps around, one network for all."""

    class EarlyStopping:
        best_loss, best_epoch = 0.0, 0

        def __init__(self, patience):
            pass

        def see(self, loss, weights):
            return False

        def restore(self, weights):
            pass

    def shifted(images, down, right):
        return np.roll(images, (down, right), axis=(1, 2))

    def average_probabilities(all_logits):
        return softmax(all_logits[0], axis=1)


# Right, and unusual -------------------------------------------------------------------------------


@right
def one_number_at_a_time():
    """Loops and Python's own numbers, as somebody writes who has not met NumPy's functions yet."""

    import math

    def l2_penalty(parameters, strength):
        cost = 0.0
        for w in parameters:
            if len(w.shape) == 2:
                for row in w:
                    for number in row:
                        cost += number * number / 2
        return strength * cost

    def l1_slopes(parameters, strength):
        slopes = []
        for w in parameters:
            slope = [0.0] * w.size
            for i, number in enumerate(w.ravel()):
                if w.ndim == 2 and number != 0:
                    slope[i] = strength if number > 0 else -strength
            slopes.append(np.array(slope).reshape(w.shape))
        return slopes

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        answer = np.empty(w.shape)
        for place in np.ndindex(w.shape):
            size = max(abs(w[place]) - amount, 0)
            answer[place] = size if w[place] > 0 else -size
        return answer

    def dropout_factors(shape, p, training, rng):
        if p < 0 or p >= 1:
            raise ValueError("p")
        answer = np.ones(shape)
        if training:
            for place in np.ndindex(answer.shape):
                answer[place] = 0 if rng.random() < p else 1 / (1 - p)
        return answer

    def shifted(images, down, right):
        answer = np.zeros(images.shape)
        n, height, width = images.shape
        for i in range(n):
            for row in range(height):
                for column in range(width):
                    if 0 <= row + down < height and 0 <= column + right < width:
                        answer[i, row + down, column + right] = images[i, row, column]
        return answer

    def augmented(images, labels, pixels, training, rng):
        if not training:
            return images, labels
        moved = []
        for i in range(len(images)):
            down = rng.integers(-pixels, pixels + 1)
            right = rng.integers(-pixels, pixels + 1)
            moved.append(shifted(images[i : i + 1], down, right)[0])
        return np.array(moved), labels

    def average_probabilities(all_logits):
        total = 0
        for logits in all_logits:
            rows = []
            for row in logits:
                e = [math.exp(x - max(row)) for x in row]
                rows.append([x / sum(e) for x in e])
            total = total + np.array(rows)
        return total / len(all_logits)


@right
def with_pytorch():
    """PyTorch inside and NumPy outside; slopes from autograd."""

    import torch

    def slopes_of(penalty, parameters, strength):
        tensors = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in parameters]
        total = sum((penalty(t) for t in tensors if t.ndim == 2), torch.zeros(()))
        if total.requires_grad:
            (strength * total).backward()
        return [np.zeros(t.shape) if t.grad is None else t.grad.numpy() for t in tensors]

    def l2_slopes(parameters, strength):
        return slopes_of(lambda t: t.square().sum() / 2, parameters, strength)

    def l1_slopes(parameters, strength):
        return slopes_of(lambda t: t.abs().sum(), parameters, strength)

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        return torch.nn.functional.softshrink(torch.tensor(w).double(), amount).numpy()

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        kept = torch.empty(shape, dtype=torch.float64).bernoulli_(1 - p, generator=generator)
        return (kept / (1 - p)).numpy() if training else torch.ones(shape).numpy()

    def average_probabilities(all_logits):
        tensors = [torch.tensor(z, dtype=torch.float64) for z in all_logits]
        return torch.stack(tensors).softmax(dim=-1).mean(dim=0)


@right
def by_other_formulas():
    """Norms, clipping, choice, frames of zeros, medians of three, einsum."""

    def l2_penalty(parameters, strength):
        flat = np.concatenate([np.zeros(1), *(w.ravel() for w in parameters if w.ndim > 1)])
        return strength / 2 * (flat @ flat)

    def l1_penalty(parameters, strength):
        flat = np.concatenate([np.zeros(1), *(w.ravel() for w in parameters if w.ndim > 1)])
        return strength * np.linalg.norm(flat, 1)

    def l1_slopes(parameters, strength):
        return [strength * (1.0 * (w > 0) - (w < 0)) * (w.ndim == 2) for w in parameters]

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        return w - np.clip(w, -amount, amount)

    def dropout_factors(shape, p, training, rng):
        if not 0 <= p < 1:
            raise ValueError("p")
        if not training:
            return np.ones(shape, dtype=np.float32)
        return rng.choice([0, 1 / (1 - p)], size=shape, p=[p, 1 - p])

    def shifted(images, down, right):
        _, height, width = images.shape
        y, x = min(abs(down), height), min(abs(right), width)
        framed = np.pad(images, ((0, 0), (y, y), (x, x)))
        top = y - int(np.clip(down, -height, height))
        left = x - int(np.clip(right, -width, width))
        return framed[:, top : top + height, left : left + width]

    def augmented(images, labels, pixels, training, rng):
        if not training:
            return images.copy(), labels.copy()
        n, height, width = images.shape
        framed = np.pad(images, ((0, 0), (pixels, pixels), (pixels, pixels)))
        top, left = rng.integers(0, 2 * pixels, endpoint=True, size=(2, n))
        rows = top[:, None, None] + np.arange(height)[:, None]
        columns = left[:, None, None] + np.arange(width)
        return framed[np.arange(n)[:, None, None], rows, columns], labels

    def average_probabilities(all_logits):
        z = np.stack(all_logits)
        p = np.exp(z - np.logaddexp.reduce(z, axis=2, keepdims=True))
        return np.einsum("mnk->nk", p) / len(z)

    def decide(all_logits):
        return np.argsort(-average_probabilities(all_logits), axis=1, kind="stable")[:, 0]


@right
def an_observer_with_a_memory():
    """Keeps every loss, and the weights as one long row; the loop keeps no list of pairs itself."""

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.losses, self.row = patience, [], None

        @property
        def best_loss(self):
            return min((loss for loss in self.losses if loss == loss), default=np.inf)

        @property
        def best_epoch(self):
            return self.losses.index(self.best_loss) + 1 if self.best_loss < np.inf else 0

        def see(self, loss, weights):
            if loss < self.best_loss:
                self.row = np.concatenate([w.ravel() for w in weights])
            self.losses.append(loss)
            return np.int64(len(self.losses) - self.best_epoch >= self.patience)

        def restore(self, weights):
            if self.row is None:
                raise ValueError("no epoch yet")
            start = 0
            for w in weights:
                w.flat = self.row[start : start + w.size]
                start += w.size

    def train(epoch, measure, weights, patience, most):
        stopping, training, validation = EarlyStopping(patience), [], []
        stop = False
        while not stop and len(training) < most:
            training.append(epoch())
            validation.append(measure())
            stop = stopping.see(validation[-1], weights)
        stopping.restore(weights)
        return list(zip(training, validation, strict=True))


@right
def without_the_earlier_steps():
    """Each step stands on its own: none of them calls what was written before."""

    import copy

    def augmented(images, labels, pixels, training, rng):
        if not training:
            return images, labels
        moved = np.zeros_like(images)
        _, height, width = images.shape
        for i, (down, right) in enumerate(rng.integers(-pixels, pixels + 1, (len(images), 2))):
            for row in range(max(down, 0), min(height + down, height)):
                for column in range(max(right, 0), min(width + right, width)):
                    moved[i, row, column] = images[i, row - down, column - right]
        return moved, labels

    def decide(all_logits):
        return sum(softmax(z, axis=-1) for z in all_logits).argmax(axis=-1)

    def train(epoch, measure, weights, patience, most):
        history, best, kept = [], 0, None
        for t in range(most):
            history.append([epoch(), measure()])
            lowest = np.inf if kept is None else history[best][1]
            if history[t][1] < lowest:
                best, kept = t, copy.deepcopy(weights)
            if t - best >= patience if kept else t + 1 >= patience:
                break
        if kept is None:
            raise ValueError("no epoch was any good")
        for w, numbers in zip(weights, kept, strict=True):
            np.copyto(w, numbers)
        return history


@right
def in_containers_of_other_kinds():
    """Lists, tuples and tensors for arrays; a library's shift, for all that move alike."""

    import torch
    from scipy import ndimage

    def l2_penalty(parameters, strength):
        total = torch.zeros((), dtype=torch.float64)
        for w in parameters:
            if len(w.shape) == 2:
                total += (torch.as_tensor(w) ** 2).sum() / 2
        return strength * total

    def l1_slopes(parameters, strength):
        return tuple(
            strength * np.sign(w) if w.ndim == 2 else np.zeros(len(w), int) for w in parameters
        )

    def dropout_factors(shape, p, training, rng):
        if p < 0 or p >= 1:
            raise ValueError(p)
        if not training:
            return np.ones(shape, dtype=int)
        return rng.binomial(1, 1 - p, size=shape) / (1 - p)

    def shifted(images, down, right):
        return ndimage.shift(images, (0, down, right), order=0)

    def augmented(images, labels, pixels, training, rng):
        if not training:
            return [images, labels]
        moved, steps = images.copy(), range(-pixels, pixels + 1)
        ways = [(down, right) for down in steps for right in steps]
        which = rng.choice(len(ways), size=len(images))
        for k, (down, right) in enumerate(ways):
            if (which == k).any():
                moved[which == k] = shifted(images[which == k], down, right)
        return [moved, labels]

    def average_probabilities(all_logits):
        return sum(torch.softmax(torch.as_tensor(z).double(), dim=1) for z in all_logits) / len(
            all_logits
        )

    def decide(all_logits):
        rows = np.asarray(average_probabilities(all_logits)).tolist()
        return torch.tensor([row.index(max(row)) for row in rows])

    def train(epoch, measure, weights, patience, most):
        stopping, history = EarlyStopping(patience), np.empty((0, 2))
        while len(history) < most:
            history = np.vstack([history, [epoch(), measure()]])
            if stopping.see(history[-1, 1], weights):
                break
        stopping.restore(weights)
        return history


@right
def warns_on_the_way():
    """w / |w| with the 0 put right afterwards, overflows that are not used, a progress bar."""

    def l1_slopes(parameters, strength):
        return [
            strength * np.where(w == 0, 0, w / np.abs(w)) if w.ndim == 2 else 0.0 * w
            for w in parameters
        ]

    def soft_threshold(w, amount):
        if amount < 0:
            raise ValueError("amount")
        return np.where(w == 0, 0, w * np.maximum(1 - amount / np.abs(w), 0))

    def average_probabilities(all_logits):
        import sys

        total = 0
        for i, z in enumerate(all_logits):
            print(f"network {i + 1}", end="\r", file=sys.stderr)
            z = np.asarray(z, dtype=float)
            direct = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            z = z - z.max(axis=1, keepdims=True)
            safe = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            total = total + np.where(np.isfinite(direct), direct, safe)
        return total / len(all_logits)

    class EarlyStopping:
        def __init__(self, patience):
            self.patience, self.losses, self.states = patience, [], []

        def see(self, loss, weights):
            finite = np.isfinite(loss)
            self.losses.append(loss if finite else np.nan)
            self.states.append([np.array(w) for w in weights])
            best = np.nanmin(self.losses)  # warns while all are nan
            self.best_loss = best if best == best else np.inf
            self.best_epoch = self.losses.index(best) + 1 if best == best else 0
            return len(self.losses) - self.best_epoch >= self.patience

        def restore(self, weights):
            if not self.losses or not self.best_epoch:
                raise ValueError("no epoch with a loss")
            for w, numbers in zip(weights, self.states[self.best_epoch - 1]):
                np.copyto(w, numbers)


@right
def with_other_names():
    """Parameters by other names; any of several classes that are equally probable."""

    def l2_penalty(arrays, weight):
        return weight * 0.5 * sum((np.vdot(a, a) for a in arrays if a.ndim == 2), 0.0)

    def dropout_factors(size, rate, is_training, generator):
        if rate < 0 or rate >= 1:
            raise ValueError("a rate from 0 to below 1")
        if not is_training:
            return np.full(size, 1.0)
        return np.where(generator.uniform(size=size) < rate, 0, 1 / (1 - rate))

    def shifted(pictures, dy, dx):
        _, h, w = pictures.shape
        rows, columns = np.arange(h) - dy, np.arange(w) - dx
        inside = ((rows >= 0) & (rows < h))[:, None] & ((columns >= 0) & (columns < w))
        return np.where(inside, pictures[:, rows.clip(0, h - 1)][:, :, columns.clip(0, w - 1)], 0)

    def decide(logits):
        p = average_probabilities(logits)
        k = p.shape[1]
        return k - 1 - np.argmax(np.asarray(p)[:, ::-1].round(9), axis=1)

    def train(step, validate, arrays, wait, limit):
        watcher, pairs = EarlyStopping(wait), []
        for _ in range(limit):
            pairs.append([step(), validate()])
            if watcher.see(pairs[-1][1], arrays):
                break
        watcher.restore(arrays)
        return pairs
