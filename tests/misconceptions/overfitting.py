"""Wrong and unusual answers to the exercise `overfitting`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {
    ("learning_curve", "float32"): "The text fixes no precision for the errors.",
    ("descent_ends", "float32"): "Six digits are asked for, and float32 has seven.",
    ("group_weights", "float32"): "The text fixes no precision for the weights.",
    ("train", "float32"): "Training itself is in float32.",
}

# Learning curves ----------------------------------------------------------------------------------


@wrong(
    loses=["test-learning_curve", "test-learning_curve-hidden"],
    says="on the samples that were learned from",
)
def measures_all_training_samples():
    """The training error is the error on the training set, one thinks."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        if min(sizes) < 1 or max(sizes) > len(y):
            raise ValueError(f"Sizes must be from 1 to {len(y)}, but are {list(sizes)}.")
        rows = []
        for n in sizes:
            predict = learn(X[:n], y[:n])
            rows.append((error(predict(X), y), error(predict(validation[0]), validation[1])))
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_training, of_validation


@wrong(loses=["test-learning_curve-hidden"], says="on the whole validation set")
def validates_on_as_many():
    """Equal sizes look fair."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        if min(sizes) < 1 or max(sizes) > len(y):
            raise ValueError(f"Sizes must be from 1 to {len(y)}, but are {list(sizes)}.")
        rows = []
        for n in sizes:
            predict = learn(X[:n], y[:n])
            rows.append(
                (error(predict(X[:n]), y[:n]), error(predict(validation[0][:n]), validation[1][:n]))
            )
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_training, of_validation


@wrong(loses=["test-learning_curve", "test-learning_curve-hidden"], says="on all that there are")
def takes_the_last():
    """The newest samples."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        if min(sizes) < 1 or max(sizes) > len(y):
            raise ValueError(f"Sizes must be from 1 to {len(y)}, but are {list(sizes)}.")
        rows = []
        for n in sizes:
            predict = learn(X[-n:], y[-n:])
            rows.append(
                (error(predict(X[-n:]), y[-n:]), error(predict(validation[0]), validation[1]))
            )
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_training, of_validation


@wrong(
    loses=["test-learning_curve", "test-learning_curve-hidden"], says="one sample is its own mean"
)
def the_two_curves_swapped():
    """Returned in the other order."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        if min(sizes) < 1 or max(sizes) > len(y):
            raise ValueError(f"Sizes must be from 1 to {len(y)}, but are {list(sizes)}.")
        rows = []
        for n in sizes:
            predict = learn(X[:n], y[:n])
            rows.append(
                (error(predict(X[:n]), y[:n]), error(predict(validation[0]), validation[1]))
            )
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_validation, of_training


@wrong(loses=["test-learning_curve-hidden"], says="expected ValueError")
def believes_any_size():
    """A slice beyond the end is no error."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        rows = []
        for n in sizes:
            predict = learn(X[:n], y[:n])
            rows.append(
                (error(predict(X[:n]), y[:n]), error(predict(validation[0]), validation[1]))
            )
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_training, of_validation


@wrong(loses=["test-learning_curve-hidden"], says="expected ValueError")
def checks_the_end_only():
    """A size of 0 is forgotten."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        if max(sizes) > len(y):
            raise ValueError(f"Sizes must be from 1 to {len(y)}, but are {list(sizes)}.")
        rows = []
        for n in sizes:
            predict = learn(X[:n], y[:n])
            rows.append(
                (error(predict(X[:n]), y[:n]), error(predict(validation[0]), validation[1]))
            )
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_training, of_validation


@wrong(loses=["test-learning_curve-hidden"], says="in the order of sizes")
def sorts_the_sizes():
    """A curve goes from small to large."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        if min(sizes) < 1 or max(sizes) > len(y):
            raise ValueError(f"Sizes must be from 1 to {len(y)}, but are {list(sizes)}.")
        rows = []
        for n in sorted(sizes):
            predict = learn(X[:n], y[:n])
            rows.append(
                (error(predict(X[:n]), y[:n]), error(predict(validation[0]), validation[1]))
            )
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_training, of_validation


@wrong(
    loses=["test-learning_curve", "test-learning_curve-hidden"], says="one sample is its own mean"
)
def learns_once_from_all():
    """One network, measured on more and more."""

    def learning_curve(learn, error, train, validation, sizes):
        X, y = train
        if min(sizes) < 1 or max(sizes) > len(y):
            raise ValueError(f"Sizes must be from 1 to {len(y)}, but are {list(sizes)}.")
        rows = []
        predict = learn(X, y)
        for n in sizes:
            rows.append(
                (error(predict(X[:n]), y[:n]), error(predict(validation[0]), validation[1]))
            )
        of_training, of_validation = np.array(rows, dtype=float).T
        return of_training, of_validation


# Where descent ends -------------------------------------------------------------------------------


@wrong(loses=["test-descent_ends", "test-descent_ends-hidden"], says="moves both weights alike")
def always_the_shortest():
    """The theorem of the page, without its condition."""

    def descent_ends(A, y, start, ridge=0.0):
        A, y, start = (np.asarray(part, dtype=float) for part in (A, y, start))
        if ridge > 0:
            return np.linalg.solve(A.T @ A + ridge * np.eye(A.shape[1]), A.T @ y)
        return np.linalg.pinv(A) @ y


@wrong(loses=["test-descent_ends", "test-descent_ends-hidden"], says="moves both weights alike")
def adds_the_whole_start():
    """Shortest weights plus the start: no fit any more."""

    def descent_ends(A, y, start, ridge=0.0):
        A, y, start = (np.asarray(part, dtype=float) for part in (A, y, start))
        if ridge > 0:
            return np.linalg.solve(A.T @ A + ridge * np.eye(A.shape[1]), A.T @ y)
        return start + np.linalg.pinv(A) @ y


@wrong(loses=["test-descent_ends-hidden"], says="With a ridge the start is forgotten")
def ridge_remembers_the_start():
    """As if the penalty had no slope where no sample looks."""

    def descent_ends(A, y, start, ridge=0.0):
        A, y, start = (np.asarray(part, dtype=float) for part in (A, y, start))
        if ridge > 0:
            return start + np.linalg.solve(
                A.T @ A + ridge * np.eye(A.shape[1]), A.T @ (y - A @ start)
            )
        return start + np.linalg.pinv(A) @ (y - A @ start)


@wrong(loses=["test-descent_ends-hidden"], says="With a ridge the start is forgotten")
def ignores_the_ridge():
    """Descent as on the page."""

    def descent_ends(A, y, start, ridge=0.0):
        A, y, start = (np.asarray(part, dtype=float) for part in (A, y, start))
        if False:
            return np.linalg.solve(A.T @ A + ridge * np.eye(A.shape[1]), A.T @ y)
        return start + np.linalg.pinv(A) @ (y - A @ start)


@wrong(loses=["test-descent_ends", "test-descent_ends-hidden"], says="raised LinAlgError")
def normal_equations():
    """The inverse that does not exist."""

    def descent_ends(A, y, start, ridge=0.0):
        A, y, start = (np.asarray(part, dtype=float) for part in (A, y, start))
        if ridge > 0:
            return np.linalg.solve(A.T @ A + ridge * np.eye(A.shape[1]), A.T @ y)
        return np.linalg.solve(A.T @ A, A.T @ y)


@wrong(loses=["test-descent_ends-hidden"], says="With a ridge the start is forgotten")
def ridge_times_samples():
    """A mean instead of a sum."""

    def descent_ends(A, y, start, ridge=0.0):
        A, y, start = (np.asarray(part, dtype=float) for part in (A, y, start))
        if ridge > 0:
            return np.linalg.solve(A.T @ A + ridge * len(A) * np.eye(A.shape[1]), A.T @ y)
        return start + np.linalg.pinv(A) @ (y - A @ start)


@wrong(loses=["test-descent_ends", "test-descent_ends-hidden"], says="moves both weights alike")
def tiny_ridge_for_none():
    """Replaces 0 by a small ridge, and forgets the start."""

    def descent_ends(A, y, start, ridge=0.0):
        A, y, start = (np.asarray(part, dtype=float) for part in (A, y, start))
        ridge = max(ridge, 1e-9)
        return np.linalg.solve(A.T @ A + ridge * np.eye(A.shape[1]), A.T @ y)


@wrong(loses=["test-descent_ends", "test-descent_ends-hidden"], says="you changed start")
def writes_into_the_start():
    """Moves the weights that came."""

    def descent_ends(A, y, start, ridge=0.0):
        if ridge > 0:
            return np.linalg.solve(A.T @ A + ridge * np.eye(A.shape[1]), A.T @ y)
        start += np.linalg.pinv(A) @ (y - A @ start)
        return start


@wrong(loses=["test-descent_ends-hidden"], says="Where descent ends")
def a_hundred_steps():
    """Descends, and stops early."""

    def descent_ends(A, y, start, ridge=0.0):
        w = np.array(start, dtype=float)
        rate = 1 / (np.linalg.norm(A, 2) ** 2 + ridge)
        for _ in range(100):
            w = w - rate * (A.T @ (A @ w - y) + ridge * w)
        return w


# Bias and variance --------------------------------------------------------------------------------


@wrong(loses=["test-bias_variance", "test-bias_variance-hidden"], says="expected from chance")
def as_on_the_page():
    """The squared distance of the mean, and the variance over S."""

    def bias_variance(answers, truth):
        answers, truth = np.asarray(answers, dtype=float), np.asarray(truth, dtype=float)
        if len(answers) < 2:
            raise ValueError(f"A variance needs at least two fits, but there are {len(answers)}.")
        variance = answers.var(axis=0)
        bias2 = (answers.mean(axis=0) - truth) ** 2
        return bias2.mean(), variance.mean()


@wrong(loses=["test-bias_variance", "test-bias_variance-hidden"], says="(2 - 1) = 2")
def takes_the_wrong_variance_off():
    """The variance over S, divided by S."""

    def bias_variance(answers, truth):
        answers, truth = np.asarray(answers, dtype=float), np.asarray(truth, dtype=float)
        if len(answers) < 2:
            raise ValueError(f"A variance needs at least two fits, but there are {len(answers)}.")
        variance = answers.var(axis=0)
        bias2 = (answers.mean(axis=0) - truth) ** 2 - variance / len(answers)
        return bias2.mean(), variance.mean()


@wrong(loses=["test-bias_variance-hidden"], says="Nothing is cut off")
def nothing_below_zero():
    """A square cannot be negative."""

    def bias_variance(answers, truth):
        answers, truth = np.asarray(answers, dtype=float), np.asarray(truth, dtype=float)
        if len(answers) < 2:
            raise ValueError(f"A variance needs at least two fits, but there are {len(answers)}.")
        variance = answers.var(axis=0, ddof=1)
        bias2 = (answers.mean(axis=0) - truth) ** 2 - variance / len(answers)
        return np.maximum(bias2, 0).mean(), variance.mean()


@wrong(
    loses=["test-bias_variance", "test-bias_variance-hidden"], says="Bias and variance, measured"
)
def over_the_inputs():
    """The mean over the other axis."""

    def bias_variance(answers, truth):
        answers, truth = np.asarray(answers, dtype=float), np.asarray(truth, dtype=float)
        if len(answers) < 2:
            raise ValueError(f"A variance needs at least two fits, but there are {len(answers)}.")
        variance = answers.var(axis=1, ddof=1)
        bias2 = (answers.mean(axis=1) - truth) ** 2 - variance / len(answers)
        return bias2.mean(), variance.mean()


@wrong(loses=["test-bias_variance-hidden"], says="for each input by itself")
def squares_the_mean_bias():
    """Squares after the mean over the inputs: biases of both signs cancel."""

    def bias_variance(answers, truth):
        answers, truth = np.asarray(answers, dtype=float), np.asarray(truth, dtype=float)
        if len(answers) < 2:
            raise ValueError(f"A variance needs at least two fits, but there are {len(answers)}.")
        variance = answers.var(axis=0, ddof=1)
        bias2 = (answers.mean() - truth.mean()) ** 2 - variance / len(answers)
        return bias2.mean(), variance.mean()


@wrong(loses=["test-bias_variance-hidden"], says="for each input by itself")
def variance_of_all_numbers():
    """One variance of everything."""

    def bias_variance(answers, truth):
        answers, truth = np.asarray(answers, dtype=float), np.asarray(truth, dtype=float)
        if len(answers) < 2:
            raise ValueError(f"A variance needs at least two fits, but there are {len(answers)}.")
        variance = np.array([answers.var(ddof=1)])
        bias2 = (answers.mean(axis=0) - truth) ** 2 - variance / len(answers)
        return bias2.mean(), variance.mean()


@wrong(loses=["test-bias_variance-hidden"], says="expected ValueError")
def one_fit_is_enough():
    """The variance of one fit is nan."""

    def bias_variance(answers, truth):
        answers, truth = np.asarray(answers, dtype=float), np.asarray(truth, dtype=float)
        variance = answers.var(axis=0, ddof=1)
        bias2 = (answers.mean(axis=0) - truth) ** 2 - variance / len(answers)
        return bias2.mean(), variance.mean()


# Groups -------------------------------------------------------------------------------------------


@wrong(loses=["test-worst_group", "test-worst_group-hidden"], says="have mean 1")
def weights_sum_to_one():
    """Weights that are shares."""

    def group_weights(groups):
        _, place, count = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
        return 1 / (len(count) * count[place])


@wrong(loses=["test-worst_group", "test-worst_group-hidden"], says="It looked at the paper")
def counts_by_bincount():
    """Group numbers taken for 0 to k - 1."""

    def group_weights(groups):
        groups = np.asarray(groups)
        count = np.bincount(groups)
        return len(groups) / (len(count) * count[groups])


@wrong(loses=["test-worst_group", "test-worst_group-hidden"], says="three samples share")
def heavier_for_the_frequent():
    """Multiplies by the size."""

    def group_weights(groups):
        _, place, count = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
        w = count[place] / len(place)
        return w / w.mean()


@wrong(loses=["test-worst_group-hidden"], says="its average would hide")
def chooses_by_average():
    """The average hides the group."""

    def choose(validation, test):

        def by_group(answers, targets, groups):
            right = np.asarray(answers) == np.asarray(targets)
            groups = np.asarray(groups)
            return np.array([right[..., groups == g].mean(axis=-1) for g in np.unique(groups)])

        number = int(
            np.argmax(np.mean(np.asarray(validation[0]) == np.asarray(validation[1]), axis=1))
        )
        answers, targets, _ = test
        average = float(np.mean(np.asarray(answers)[number] == np.asarray(targets)))
        return number, average, float(by_group(*test).min(axis=0)[number])


@wrong(loses=["test-worst_group", "test-worst_group-hidden"], says="not to choose")
def chooses_on_the_test():
    """The set that is there to measure."""

    def choose(validation, test):

        def by_group(answers, targets, groups):
            right = np.asarray(answers) == np.asarray(targets)
            groups = np.asarray(groups)
            return np.array([right[..., groups == g].mean(axis=-1) for g in np.unique(groups)])

        number = int(np.argmax(by_group(*test).min(axis=0)))
        answers, targets, _ = test
        average = float(np.mean(np.asarray(answers)[number] == np.asarray(targets)))
        return number, average, float(by_group(*test).min(axis=0)[number])


@wrong(loses=["test-worst_group-hidden"], says="It looked at the paper")
def mean_of_the_groups():
    """Not the worst group: the mean of the groups."""

    def choose(validation, test):

        def by_group(answers, targets, groups):
            right = np.asarray(answers) == np.asarray(targets)
            groups = np.asarray(groups)
            return np.array([right[..., groups == g].mean(axis=-1) for g in np.unique(groups)])

        number = int(np.argmax(by_group(*validation).mean(axis=0)))
        answers, targets, _ = test
        average = float(np.mean(np.asarray(answers)[number] == np.asarray(targets)))
        return number, average, float(by_group(*test).min(axis=0)[number])


@wrong(loses=["test-worst_group", "test-worst_group-hidden"], says="It looked at the paper")
def reports_the_promise():
    """The validation set's own worst group."""

    def choose(validation, test):

        def by_group(answers, targets, groups):
            right = np.asarray(answers) == np.asarray(targets)
            groups = np.asarray(groups)
            return np.array([right[..., groups == g].mean(axis=-1) for g in np.unique(groups)])

        number = int(np.argmax(by_group(*validation).min(axis=0)))
        answers, targets, _ = test
        average = float(np.mean(np.asarray(answers)[number] == np.asarray(targets)))
        return number, average, float(by_group(*validation).min(axis=0)[number])


@wrong(loses=["test-worst_group", "test-worst_group-hidden"], says="It looked at the paper")
def average_over_groups():
    """Reports the mean of the group accuracies as the average."""

    def choose(validation, test):

        def by_group(answers, targets, groups):
            right = np.asarray(answers) == np.asarray(targets)
            groups = np.asarray(groups)
            return np.array([right[..., groups == g].mean(axis=-1) for g in np.unique(groups)])

        number = int(np.argmax(by_group(*validation).min(axis=0)))
        answers, targets, _ = test
        average = float(by_group(answers, targets, test[2]).mean(axis=0)[number])
        return number, average, float(by_group(*test).min(axis=0)[number])


@wrong(loses=["test-worst_group-hidden"], says="of equals the first")
def the_last_of_equals():
    """Takes the last of equal candidates."""

    def choose(validation, test):

        def by_group(answers, targets, groups):
            right = np.asarray(answers) == np.asarray(targets)
            groups = np.asarray(groups)
            return np.array([right[..., groups == g].mean(axis=-1) for g in np.unique(groups)])

        worst = by_group(*validation).min(axis=0)
        number = int(len(worst) - 1 - np.argmax(worst[::-1]))
        answers, targets, _ = test
        average = float(np.mean(np.asarray(answers)[number] == np.asarray(targets)))
        return number, average, float(by_group(*test).min(axis=0)[number])


@wrong(loses=["test-worst_group-hidden"], says="does not occur")
def groups_from_zero():
    """Loops over 0 to the largest group: those that do not occur give nan."""

    def choose(validation, test):

        def by_group(answers, targets, groups):
            right = np.asarray(answers) == np.asarray(targets)
            groups = np.asarray(groups)
            return np.array(
                [right[..., groups == g].mean(axis=-1) for g in range(groups.max() + 1)]
            )

        number = int(np.argmax(by_group(*validation).min(axis=0)))
        answers, targets, _ = test
        average = float(np.mean(np.asarray(answers)[number] == np.asarray(targets)))
        return number, average, float(by_group(*test).min(axis=0)[number])


# Shifts -------------------------------------------------------------------------------------------


@wrong(loses=["test-shift_test", "test-shift_test-hidden"], says="count the real one")
def p_can_be_zero():
    """The share of the random divisions alone."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(seed), np.concatenate([old, new])

        def distance(rows):
            return np.linalg.norm(
                heap[rows[: len(old)]].mean(axis=0) - heap[rows[len(old) :]].mean(axis=0)
            )

        real = distance(np.arange(len(heap)))
        found = [distance(rng.permutation(len(heap))) for _ in range(rounds)]
        return float(np.mean(np.array(found) >= real - 1e-9))


@wrong(loses=["test-shift_test", "test-shift_test-hidden"], says="at least as far apart")
def strictly_further():
    """Ties do not count."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(seed), np.concatenate([old, new])

        def distance(rows):
            return np.linalg.norm(
                heap[rows[: len(old)]].mean(axis=0) - heap[rows[len(old) :]].mean(axis=0)
            )

        real = distance(np.arange(len(heap)))
        found = [distance(rng.permutation(len(heap))) for _ in range(rounds)]
        return float((1 + np.sum(np.array(found) > real + 1e-9)) / (1 + rounds))


@wrong(loses=["test-shift_test", "test-shift_test-hidden"], says="at least as far apart")
def with_replacement():
    """The bootstrap, which draws rows twice."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(seed), np.concatenate([old, new])

        def distance(rows):
            return np.linalg.norm(
                heap[rows[: len(old)]].mean(axis=0) - heap[rows[len(old) :]].mean(axis=0)
            )

        real = distance(np.arange(len(heap)))
        found = [distance(rng.integers(len(heap), size=len(heap))) for _ in range(rounds)]
        return float((1 + np.sum(np.array(found) >= real - 1e-9)) / (1 + rounds))


@wrong(loses=["test-shift_test-hidden"], says="as many rows as old")
def halves_of_the_heap():
    """Cuts in the middle, whatever the sizes were."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(seed), np.concatenate([old, new])

        def distance(rows):
            return np.linalg.norm(
                heap[rows[: len(old)]].mean(axis=0) - heap[rows[len(old) :]].mean(axis=0)
            )

        half = len(heap) // 2
        real = distance(np.arange(len(heap)))
        found = []
        for _ in range(rounds):
            rows = rng.permutation(len(heap))
            found.append(np.linalg.norm(heap[rows[:half]].mean(0) - heap[rows[half:]].mean(0)))
        return float((1 + np.sum(np.array(found) >= real - 1e-9)) / (1 + rounds))


@wrong(loses=["test-shift_test", "test-shift_test-hidden"], says="See")
def signed_difference():
    """The sum of the differences, with its sign."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(seed), np.concatenate([old, new])

        def distance(rows):
            return np.sum(heap[rows[: len(old)]].mean(axis=0) - heap[rows[len(old) :]].mean(axis=0))

        real = distance(np.arange(len(heap)))
        found = [distance(rng.permutation(len(heap))) for _ in range(rounds)]
        return float((1 + np.sum(np.array(found) >= real - 1e-9)) / (1 + rounds))


@wrong(loses=["test-shift_test-hidden"], says="Keep rows whole")
def shuffles_each_feature():
    """Each column by itself, which tears the rows apart."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(seed), np.concatenate([old, new])

        def distance(heap):
            return np.linalg.norm(heap[: len(old)].mean(axis=0) - heap[len(old) :].mean(axis=0))

        found = [distance(rng.permuted(heap, axis=0)) for _ in range(rounds)]
        return float((1 + np.sum(np.array(found) >= distance(heap) - 1e-9)) / (1 + rounds))


@wrong(loses=["test-shift_test", "test-shift_test-hidden"], says="you changed old")
def shuffles_the_heap_in_place():
    """Shuffles old and new themselves."""

    def shift_test(old, new, rounds=199, seed=0):
        rng = np.random.default_rng(seed)
        real, count, n = np.linalg.norm(old.mean(0) - new.mean(0)), 0, len(old)
        for _ in range(rounds):
            heap = rng.permutation(np.concatenate([old, new]))
            old[:], new[:] = heap[:n], heap[n:]
            count += np.linalg.norm(old.mean(0) - new.mean(0)) >= real - 1e-9
        return float((1 + count) / (1 + rounds))


@wrong(loses=["test-shift_test-hidden"], says="each seed the same one twice")
def forgets_the_seed():
    """Another p-value each time."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(), np.concatenate([old, new])

        def distance(rows):
            return np.linalg.norm(
                heap[rows[: len(old)]].mean(axis=0) - heap[rows[len(old) :]].mean(axis=0)
            )

        real = distance(np.arange(len(heap)))
        found = [distance(rng.permutation(len(heap))) for _ in range(rounds)]
        return float((1 + np.sum(np.array(found) >= real - 1e-9)) / (1 + rounds))


@wrong(loses=["test-shift_test", "test-shift_test-hidden"], says="See")
def always_199_rounds():
    """The default, whatever was asked."""

    def shift_test(old, new, rounds=199, seed=0):
        rng, heap = np.random.default_rng(seed), np.concatenate([old, new])

        def distance(rows):
            return np.linalg.norm(
                heap[rows[: len(old)]].mean(axis=0) - heap[rows[len(old) :]].mean(axis=0)
            )

        real = distance(np.arange(len(heap)))
        found = [distance(rng.permutation(len(heap))) for _ in range(199)]
        return float((1 + np.sum(np.array(found) >= real - 1e-9)) / 200)


# The script: each fault left in, alone ------------------------------------------------------------


@wrong(loses=["test-train-rows-hidden"], says="which rows the batches are")
def fault_rows_left():
    """Trains on the rows that it validates on."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(order), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-scale-hidden"], says="from the rows that are not held out")
def fault_scale_left():
    """Standardizes with what all rows say."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X.mean(axis=0), X.std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-mode-hidden"], says="in evaluation mode")
def fault_mode_left():
    """Measures in training mode."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        model.eval()
        return log


@wrong(loses=["test-train-best-hidden"], says="keep copies")
def fault_best_left():
    """Keeps the tensors that training goes on writing into."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = model.state_dict()
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-rate-hidden"], says="One epoch has one rate")
def fault_rate_left():
    """The rate shrinks after each batch."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
                schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(
    loses=[
        "test-train-rows-hidden",
        "test-train-scale-hidden",
        "test-train-mode-hidden",
        "test-train-best-hidden",
        "test-train-rate-hidden",
    ],
    says="keep copies",
)
def nothing_mended():
    """The script as it was."""

    train = train_with_faults


# The script: mended wrongly -----------------------------------------------------------------------


@wrong(loses=["test-train-best-hidden"], says="keep copies")
def shallow_copy_of_the_best():
    """dict(...) copies the dictionary, not the tensors."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = dict(model.state_dict())
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-best-hidden"], says="beside the lowest")
def last_weights():
    """Never goes back."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        return log


@wrong(loses=["test-train-mode-hidden"], says="must switch the other back")
def eval_for_good():
    """Switches evaluation on before the loop is over, and never back."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        model.train()
        for _ in range(epochs):
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-mode-hidden"], says="promises evaluation mode")
def ends_in_training_mode():
    """Back to training after the last measurement."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        model.train()
        return log


@wrong(loses=["test-train-rows-hidden"], says="each with its own gradient")
def gradients_add_up():
    """zero_grad taken out."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-scale-hidden"], says="from the rows that are not held out")
def statistics_of_the_held_out():
    """The other part."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[held].mean(axis=0), X[held].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(
    loses=[
        "test-train-rows-hidden",
        "test-train-scale-hidden",
        "test-train-mode-hidden",
        "test-train-best-hidden",
    ],
    says="that the model sees",
)
def right_log_wrong_inputs():
    """Returns the right mean, and standardizes with another."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor(
            (X - X.mean(axis=0)) / (X.std(axis=0) + 0.1), dtype=torch.float32, device=device
        )
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-rate-hidden"], says="The rates of four epochs")
def a_constant_rate():
    """The schedule taken out."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-rate-hidden"], says="The rates of four epochs")
def rates_noted_late():
    """Notes the rate after it has shrunk."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-rows-hidden"], says="depend on the label of each row")
def half_of_the_rows():
    """Holds out the share, and trains on as many."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows[: len(held)]), device=device).split(
                batch
            ):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


@wrong(loses=["test-train-rows-hidden"], says="How many rows are held out")
def a_fixed_share():
    """A quarter, whatever was asked."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(0.25 * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            schedule.step()
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            with torch.no_grad():
                loss = nn.functional.cross_entropy(model(inputs[held]), targets[held]).item()
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log


# Right --------------------------------------------------------------------------------------------


@right
def means_by_hand():
    """Curves by a comprehension, lists until the end."""

    def learning_curve(learn, error, train, validation, sizes):
        (X, y), (V, t) = train, validation
        if any(n < 1 or n > len(X) for n in sizes):
            raise ValueError("no such size")
        learned = [learn(X[:n], y[:n]) for n in sizes]
        seen = [error(f(X[:n]), y[:n]) for f, n in zip(learned, sizes)]
        return np.array(seen), np.array([error(f(V), t) for f in learned])


@right
def ends_by_singular_vectors():
    """The same place from a singular value decomposition, for both cases."""

    def descent_ends(A, y, start, ridge=0.0):
        U, s, Vt = np.linalg.svd(np.asarray(A, dtype=float), full_matrices=False)
        keep = s > 1e-10 * s[0]
        U, s, Vt = U[:, keep], s[keep], Vt[keep]
        shrunk = (s / (s**2 + ridge)).reshape(-1, *[1] * (np.ndim(y) - 1)) * (U.T @ y)
        outside = start - Vt.T @ (Vt @ start)
        return Vt.T @ shrunk + (outside if ridge == 0 else 0)


@right
def ends_by_lstsq():
    """lstsq and the dual form, with other names."""

    def descent_ends(features, targets, begin, penalty=0.0):
        if penalty:
            K = features @ features.T + penalty * np.eye(len(features))
            return features.T @ np.linalg.solve(K, targets)
        return begin + np.linalg.lstsq(features, targets - features @ begin, rcond=None)[0]


@right
def variance_in_loops():
    """Plain Python numbers, input by input, with a division by 0 on the way that warns."""

    def bias_variance(answers, truth):
        S, m = len(answers), len(truth)
        np.float64(1.0) / np.float64(0.0)
        if S < 2:
            raise ValueError
        total = 0.0
        spread = 0.0
        for j in range(m):
            column = [float(row[j]) for row in answers]
            mean = sum(column) / S
            v = sum((a - mean) ** 2 for a in column) / (S - 1)
            spread += v
            total += (mean - truth[j]) ** 2 - v / S
        return total / m, spread / m


@right
def variance_from_the_sum():
    """Bias as what is left of the mean squared distance."""

    def bias_variance(answers, truth):
        answers = np.array(answers, dtype=np.float64)
        if answers.shape[0] <= 1:
            raise ValueError("two, please")
        variance = np.var(answers, axis=0, ddof=1).mean()
        return ((answers - np.asarray(truth)) ** 2).mean() - variance, variance


@right
def groups_by_dictionary():
    """Counts with a dictionary, chooses with a loop."""

    def group_weights(groups):
        from collections import Counter

        count = Counter(int(g) for g in groups)
        return np.array([len(groups) / len(count) / count[int(g)] for g in groups])

    def choose(validation, test):
        def worst(row, targets, groups):
            return min((row == targets)[groups == g].mean() for g in set(groups.tolist()))

        scores = [worst(row, validation[1], validation[2]) for row in validation[0]]
        number = scores.index(max(scores))
        answers, targets, groups = test
        return number, (answers[number] == targets).mean(), worst(answers[number], targets, groups)


@right
def shift_by_choice_of_old():
    """Draws who plays old, and compares squares; progress on stderr."""

    def shift_test(a, b, rounds=199, seed=0):
        import sys

        generator = np.random.RandomState(seed)
        heap, n = np.vstack((a, b)), len(a)
        total = heap.sum(0)

        def squared(first):
            return np.sum((first / n - (total - first) / (len(heap) - n)) ** 2)

        real, count = squared(a.sum(0)), 1
        for _ in range(rounds):
            rows = generator.choice(len(heap), size=n, replace=False)
            count += squared(heap[rows].sum(0)) >= real - 1e-12
            print(".", end="", file=sys.stderr)
        return count / (rounds + 1)


@right
def shift_all_at_once():
    """Every division in one table of signs."""

    def shift_test(old, new, rounds=199, seed=0):
        rng = np.random.default_rng([seed, 3])
        n, m = len(old), len(new)
        heap = np.concatenate([old, new])
        weights = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
        table = np.vstack([weights] + [rng.permutation(weights) for _ in range(rounds)])
        far = np.linalg.norm(table @ heap, axis=1)
        return np.mean(far >= far[0] - 1e-9)


@right
def another_script():
    """Another split, a rate by hand, deep copies, functional gradients."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        import copy

        generator = torch.Generator().manual_seed(seed)
        where = next(model.parameters()).device
        n, count = len(X), round(share * len(X))
        shuffled = torch.randperm(n, generator=generator)
        held, rest = shuffled[n - count :], shuffled[: n - count]
        mean, scale = X[rest.numpy()].mean(0), X[rest.numpy()].std(0) + 0.1
        Z = torch.as_tensor((X - mean) / scale).float().to(where)
        t = torch.as_tensor(y).to(where)
        losses, rates, norms, states = [], [], [], []
        for epoch in range(epochs):
            eta = rate * decay**epoch
            model.train()
            order = rest[torch.randperm(len(rest), generator=generator)]
            for part in order.split(batch):
                part = part.to(where)
                loss = nn.functional.cross_entropy(model(Z[part]), t[part])
                slopes = torch.autograd.grad(loss, list(model.parameters()))
                with torch.no_grad():
                    for w, slope in zip(model.parameters(), slopes):
                        w -= eta * slope
            norms.append(float(torch.cat([slope.flatten() for slope in slopes]).norm()))
            rates.append(eta)
            model.eval()
            with torch.inference_mode():
                at = held.to(where)
                losses.append(nn.functional.cross_entropy(model(Z[at]), t[at]).item())
            states.append(copy.deepcopy(model.state_dict()))
        model.load_state_dict(states[int(np.argmin(losses))])
        return {
            "held": held.numpy(),
            "mean": mean,
            "scale": scale,
            "losses": losses,
            "rates": rates,
            "norms": norms,
        }


@right
def mended_with_gradients_on():
    """Measures with gradients recorded, which the text does not forbid, and sets lr itself."""

    def train(model, X, y, epochs=20, rate=0.1, share=0.25, decay=0.9, batch=16, seed=0):
        rng, device = np.random.default_rng(seed), next(model.parameters()).device
        order = rng.permutation(len(X))
        held, rows = np.split(order, [round(share * len(X))])
        mean, scale = X[rows].mean(axis=0), X[rows].std(axis=0) + 0.1
        inputs = torch.tensor((X - mean) / scale, dtype=torch.float32, device=device)
        targets = torch.tensor(y, device=device)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        log = {"held": held, "mean": mean, "scale": scale, "losses": [], "rates": [], "norms": []}
        for _ in range(epochs):
            model.train()
            log["rates"].append(optimizer.param_groups[0]["lr"])
            for part in torch.tensor(rng.permutation(rows), device=device).split(batch):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
                optimizer.step()
            for group in optimizer.param_groups:
                group["lr"] *= decay
            log["norms"].append(
                sum(w.grad.square().sum().item() for w in model.parameters()) ** 0.5
            )
            model.eval()
            loss = float(nn.functional.cross_entropy(model(inputs[held]), targets[held]).detach())
            if loss < min(log["losses"], default=float("inf")):
                best = {name: value.clone() for name, value in model.state_dict().items()}
            log["losses"].append(loss)
        model.load_state_dict(best)
        return log
