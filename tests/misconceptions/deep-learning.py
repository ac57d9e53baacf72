"""Wrong and unusual answers to the exercise `deep-learning`."""

import numpy as np

from course_lib.exercises.answers import right, wrong

# What a percentage counts -------------------------------------------------------------------------


@wrong(loses=["test-accuracy-hidden"], says="NumPy would stretch one of the arrays")
def accuracy_of_any_shapes():
    """The line that everybody writes; it compares a column with a row, (n, n)."""

    def accuracy(y, says):
        return np.mean(y == says)


@wrong(loses=["test-accuracy", "test-accuracy-hidden"], says="not a percentage and not a count")
def accuracy_in_percent():
    """100 times too much."""

    def accuracy(y, says):
        if y.shape != says.shape:
            raise ValueError("shapes")
        return 100 * np.mean(y == says)


@wrong(loses=["test-accuracy-hidden"], says="3 and 9 are as wrong as 3 and 4")
def accuracy_by_distance():
    """One minus the mean distance of the labels: right for 0 and 1 alone."""

    def accuracy(y, says):
        if y.shape != says.shape:
            raise ValueError("shapes")
        return 1 - np.mean(np.abs(y - says))


@wrong(loses=["test-accuracy-hidden"], says="a right 0 counts as much as a right 1")
def accuracy_of_the_ones():
    """Counts the ones that were found and forgets the zeros."""

    def accuracy(y, says):
        if y.shape != says.shape:
            raise ValueError("shapes")
        return np.sum((y == 1) & (says == 1)) / len(y)


@wrong(
    loses=["test-pooled_accuracy", "test-pooled_accuracy-hidden"],
    says="count people, not groups",
)
def mean_of_the_means():
    """The mean over hospitals, or over batches: a last batch of 7 counts as much as one of 64."""

    def pooled_accuracy(groups):
        return np.mean([accuracy(y, says) for y, says in groups])


# Splits -------------------------------------------------------------------------------------------


@wrong(loses=["test-split_rows-shuffled-hidden"], says="must be shuffled before they are cut")
def no_shuffle():
    """The first rows, the next rows, the last rows: in a sorted file three kinds of people."""

    def split_rows(n, seed):
        rows = np.arange(n)
        return rows[: n - 2 * (n // 5)], rows[n - 2 * (n // 5) : n - n // 5], rows[n - n // 5 :]


@wrong(loses=["test-split_rows-shuffled-hidden"], says="the seed is not used")
def one_shuffle_for_all_seeds():
    """The seed is written into the function."""

    def split_rows(n, seed):
        order = np.random.default_rng(0).permutation(n)
        return order[2 * (n // 5) :], order[: n // 5], order[n // 5 : 2 * (n // 5)]


@wrong(
    loses=["test-split_rows", "test-split_rows-hidden"],
    says="with replacement",
)
def drawn_with_replacement():
    """Three draws, and nobody looks whether somebody was drawn before."""

    def split_rows(n, seed):
        rng = np.random.default_rng(seed)
        m = n // 5
        return rng.integers(0, n, n - 2 * m), rng.integers(0, n, m), rng.integers(0, n, m)


@wrong(loses=["test-split_rows-hidden"], says="Make the generator inside the function")
def a_new_shuffle_each_time():
    """No seed: what was measured cannot be measured again."""

    def split_rows(n, seed):
        order = np.random.permutation(n)
        return order[2 * (n // 5) :], order[: n // 5], order[n // 5 : 2 * (n // 5)]


@wrong(
    loses=["test-split_rows", "test-split_rows-hidden", "test-split_rows-shuffled-hidden"],
    says="in this order",
)
def parts_in_another_order():
    """The test set comes first."""

    def split_rows(n, seed):
        order = np.random.default_rng(seed).permutation(n)
        return order[: n // 5], order[n // 5 : 2 * (n // 5)], order[2 * (n // 5) :]


# Baselines ----------------------------------------------------------------------------------------


@wrong(loses=["test-baseline_accuracy-hidden"], says="whoever takes that has looked at the answers")
def commonest_of_the_test_set():
    """A baseline that knows the answers."""

    def baseline_accuracy(y_train, y_test):
        _, counts = np.unique(y_test, return_counts=True)
        return counts.max() / len(y_test)


@wrong(loses=["test-baseline_accuracy-hidden"], says="The commonest label need not be 0")
def always_zero():
    """Healthy people are the majority in most tables."""

    def baseline_accuracy(y_train, y_test):
        return accuracy(y_test, np.zeros(len(y_test), dtype=int))


@wrong(loses=["test-baseline_accuracy-hidden"], says="A mean or a median of labels")
def mean_label():
    """The rounded mean: right for 0 and 1, and a class of its own for ten digits."""

    def baseline_accuracy(y_train, y_test):
        if y_train.dtype.kind in "US":
            kinds, counts = np.unique(y_train, return_counts=True)
            return accuracy(y_test, np.full(y_test.shape, kinds[counts.argmax()]))
        return accuracy(y_test, np.full(y_test.shape, round(float(np.mean(y_train)))))


@wrong(
    loses=["test-baseline_accuracy", "test-baseline_accuracy-hidden"],
    says="three of the four test labels are 0",
)
def compared_to_nothing():
    """Chance is taken for the baseline: one half, or one in k."""

    def baseline_accuracy(y_train, y_test):
        return 1 / len(np.unique(y_train))


# Standardization ----------------------------------------------------------------------------------


@wrong(
    loses=["test-standardize", "test-standardize-hidden", "test-standardize-constant-hidden"],
    says="has leaked",
)
def standardized_before_splitting():
    """One mean and one deviation for all rows, as they come from the file."""

    def standardize(X_train, X_new):
        every = np.vstack([X_train, X_new])
        spread = every.std(axis=0)
        spread = np.where(np.ptp(every, axis=0) > 0, spread, 1)
        return (X_train - every.mean(axis=0)) / spread, (X_new - every.mean(axis=0)) / spread


@wrong(
    loses=["test-standardize", "test-standardize-hidden", "test-standardize-constant-hidden"],
    says="With numbers of its own",
)
def each_by_its_own_numbers():
    """The new rows are standardized by themselves, so a shift between the two disappears."""

    def standardize(X_train, X_new):
        def alone(X):
            spread = np.where(np.ptp(X, axis=0) > 0, X.std(axis=0), 1)
            return (X - X.mean(axis=0)) / spread

        return alone(X_train), alone(X_new)


@wrong(
    loses=["test-standardize", "test-standardize-hidden", "test-standardize-constant-hidden"],
    says="Each column has its own mean",
)
def one_number_for_all_columns():
    """mean() and std() without an axis."""

    def standardize(X_train, X_new):
        return (X_train - X_train.mean()) / X_train.std(), (X_new - X_train.mean()) / X_train.std()


@wrong(loses=["test-standardize-constant-hidden"], says="0 / 0 is nan")
def divided_by_zero():
    """A pixel that is white in all training images."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
        return (X_train - mean) / spread, (X_new - mean) / spread


@wrong(loses=["test-standardize-hidden"], says="writes into the caller's array")
def standardized_in_place():
    """-= and /= on what belongs to somebody else."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
        spread = np.where(np.ptp(X_train, axis=0) > 0, spread, 1)
        if X_train.dtype.kind != "f":
            return (X_train - mean) / spread, (X_new - mean) / spread
        X_train -= mean
        X_train /= spread
        X_new -= mean
        X_new /= spread
        return X_train, X_new


@wrong(loses=["test-standardize-constant-hidden"], says="compare the largest and the smallest")
def constant_only_if_exactly_zero():
    """What the word 'constant' suggests; the deviation of 0.1, 0.1, 0.1 is 1e-17."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
        spread[spread == 0] = 1
        return (X_train - mean) / spread, (X_new - mean) / spread


@wrong(loses=["test-standardize-constant-hidden"], says="divide such a column by 1")
def a_little_added_to_the_deviation():
    """Never a division by zero, and a new row is divided by 1e-8."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0) + 1e-8
        return (X_train - mean) / spread, (X_new - mean) / spread


@wrong(
    loses=["test-standardize", "test-standardize-hidden", "test-standardize-constant-hidden"],
    says="divide by n, as np.std does",
)
def divided_by_n_minus_one():
    """The standard deviation of pandas, R and a pocket calculator."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0, ddof=1)
        spread = np.where(np.ptp(X_train, axis=0) > 0, spread, 1)
        return (X_train - mean) / spread, (X_new - mean) / spread


@wrong(
    loses=["test-standardize", "test-standardize-hidden", "test-standardize-constant-hidden"],
    says="200 and 100 for the second",
)
def divided_by_the_variance():
    """var for std."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.var(axis=0)
        spread = np.where(np.ptp(X_train, axis=0) > 0, spread, 1)
        return (X_train - mean) / spread, (X_new - mean) / spread


# Choices ------------------------------------------------------------------------------------------


@wrong(
    loses=["test-choose", "test-choose-hidden"],
    says="judged on rows that it has learned from",
)
def chosen_by_training_accuracy():
    """The candidate that remembers best."""

    def choose(candidates, train, validation):
        X, y = train
        scores = {name: accuracy(y, c(X, y, X)) for name, c in candidates.items()}
        return max(scores, key=scores.get)


@wrong(loses=["test-choose-hidden"], says="learn from train alone")
def learned_from_both():
    """All rows are put together before learning, so that none is wasted."""

    def choose(candidates, train, validation):
        X, y = np.vstack([train[0], validation[0]]), np.concatenate([train[1], validation[1]])
        scores = {n: accuracy(validation[1], c(X, y, validation[0])) for n, c in candidates.items()}
        return max(scores, key=scores.get)


@wrong(loses=["test-choose-ties-hidden"], says="the first in the dictionary wins")
def first_of_the_alphabet():
    """Scores and names are sorted together."""

    def choose(candidates, train, validation):
        scores = [
            (-accuracy(validation[1], candidate(*train, validation[0])), name)
            for name, candidate in candidates.items()
        ]
        return sorted(scores)[0][1]


@wrong(loses=["test-choose-ties-hidden"], says="also when it is right on nothing")
def nobody_is_better_than_nothing():
    """The search begins with a score of 0, so a candidate that is never right is not named."""

    def choose(candidates, train, validation):
        best, chosen = 0, None
        for name, candidate in candidates.items():
            score = accuracy(validation[1], candidate(*train, validation[0]))
            if score > best:
                best, chosen = score, name
        return chosen


@wrong(loses=["test-choose-ties-hidden"], says="replace the best so far only by something better")
def last_of_equals():
    """>= for >."""

    def choose(candidates, train, validation):
        best, chosen = -1, None
        for name, candidate in candidates.items():
            score = accuracy(validation[1], candidate(*train, validation[0]))
            if score >= best:
                best, chosen = score, name
        return chosen


@wrong(
    loses=["test-choose", "test-choose-hidden", "test-choose-ties-hidden"],
    says="the answer is the candidate's name",
)
def returns_the_score():
    """The best accuracy in place of who reached it."""

    def choose(candidates, train, validation):
        return max(accuracy(validation[1], c(*train, validation[0])) for c in candidates.values())


# The whole recipe ---------------------------------------------------------------------------------


@wrong(
    loses=["test-honest_report-leak-hidden"],
    says="Test rows or validation rows have moved the mean",
)
def report_standardizes_first():
    """Everything is standardized while it is still in one piece."""

    def honest_report(candidates, X, y, seed):
        X, _ = standardize(X, X)
        train, validation, test = split_rows(len(y), seed)
        name = choose(candidates, (X[train], y[train]), (X[validation], y[validation]))
        says = candidates[name](X[train], y[train], X[test])
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(
    loses=["test-honest_report-choice-hidden"],
    says="Whoever chooses by the test rows has used them up",
)
def report_chooses_by_test():
    """The best on the test set, reported on the test set."""

    def honest_report(candidates, X, y, seed):
        train, _, test = split_rows(len(y), seed)
        Z_train, Z_test = standardize(X[train], X[test])
        name = choose(candidates, (Z_train, y[train]), (Z_test, y[test]))
        says = candidates[name](Z_train, y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(
    loses=["test-honest_report-choice-hidden"],
    says="By the validation rows it was chosen, so they flatter it",
)
def report_of_the_validation_set():
    """The accuracy by which it was chosen: no rows are wasted on a test."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z_validation = standardize(X[train], X[validation])
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        says = candidates[name](Z_train, y[train], Z_validation)
        return name, accuracy(y[validation], says), baseline_accuracy(y[train], y[test])


@wrong(loses=["test-honest_report"], says="Candidates are given standardized rows")
def report_without_standardizing():
    """The raw table goes in."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        name = choose(candidates, (X[train], y[train]), (X[validation], y[validation]))
        says = candidates[name](X[train], y[train], X[test])
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(loses=["test-honest_report"], says="on the same scale as those it answers for")
def report_learns_from_raw_rows():
    """The rows to answer for are standardized, and those to learn from are not."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        _, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(X[train], X[test])
        name = choose(candidates, (X[train], y[train]), (Z_validation, y[validation]))
        says = candidates[name](X[train], y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(loses=["test-honest_report"], says="both when you choose and when you report")
def report_answers_from_raw_rows():
    """Chosen on standardized rows; the last call is given the raw training rows."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(X[train], X[test])
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        says = candidates[name](X[train], y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(loses=["test-honest_report-leak-hidden"], says="from the training rows alone")
def report_scales_test_rows_by_all_others():
    """When the choice is made the validation rows are free, so they help to scale the test rows."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(np.vstack([X[train], X[validation]]), X[test])
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        says = candidates[name](Z_train, y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(loses=["test-honest_report-leak-hidden"], says="has learned from other rows")
def report_learns_again_from_both():
    """The chosen one learns from training and validation rows, so that none is wasted."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(X[train], X[test])
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        Z, both = np.vstack([Z_train, Z_validation]), np.concatenate([train, validation])
        says = candidates[name](Z, y[both], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(
    loses=["test-honest_report-baseline-hidden"], says="The commonest label of the training rows"
)
def report_with_the_commonest_of_all():
    """The commonest label of the whole table, tried on the test rows."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(X[train], X[test])
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        says = candidates[name](Z_train, y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y, y[test])


@wrong(loses=["test-honest_report-baseline-hidden"], says="tried on the test rows")
def report_with_a_baseline_of_all():
    """The commonest label of the whole table, counted in the whole table."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(X[train], X[test])
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        says = candidates[name](Z_train, y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y, y)


# A wrong step costs no later one ------------------------------------------------------------------


@wrong(loses=["test-accuracy", "test-accuracy-hidden"], says="Three of four answers are right")
def all_on_a_wrong_accuracy():
    """The share of wrong answers, under everything that follows."""

    def accuracy(y, says):
        if y.shape != says.shape:
            raise ValueError("shapes")
        return np.mean(y != says)


# Right, and unusual -------------------------------------------------------------------------------


@right
def one_row_at_a_time():
    """Loops and lists, as somebody writes who has not met NumPy's functions yet."""

    import random

    def accuracy(y, says):
        if np.shape(y) != np.shape(says):
            raise ValueError("one answer for each label, please")
        right_answers = 0
        for label, answer in zip(y, says):
            if label == answer:
                right_answers += 1
        return right_answers / len(y)

    def pooled_accuracy(groups):
        right_answers = rows = 0
        for y, says in groups:
            right_answers += accuracy(y, says) * len(y)
            rows += len(y)
        return right_answers / rows

    def split_rows(n, seed):
        rows = list(range(n))
        random.Random(seed).shuffle(rows)
        m = n // 5
        return rows[2 * m :], rows[:m], rows[m : 2 * m]

    def baseline_accuracy(y_train, y_test):
        counts = {}
        for label in y_train:
            counts[label] = counts.get(label, 0) + 1
        commonest = max(counts, key=counts.get)
        return sum(label == commonest for label in y_test) / len(y_test)

    def standardize(X_train, X_new):
        Z_train, Z_new = np.array(X_train, dtype=float), np.array(X_new, dtype=float)
        for j in range(X_train.shape[1]):
            column = [float(x) for x in X_train[:, j]]
            mean = sum(column) / len(column)
            spread = (sum((x - mean) ** 2 for x in column) / len(column)) ** 0.5
            if min(column) == max(column):
                mean, spread = column[0], 1.0
            Z_train[:, j] = (Z_train[:, j] - mean) / spread
            Z_new[:, j] = (Z_new[:, j] - mean) / spread
        return Z_train, Z_new

    def choose(candidates, train, validation):
        best, chosen = None, None
        for name in candidates:
            says = candidates[name](train[0], train[1], validation[0])
            wrong_answers = sum(label != answer for label, answer in zip(validation[1], says))
            if best is None or wrong_answers < best:
                best, chosen = wrong_answers, name
        return chosen


@right
def with_scikit_learn():
    """The library has all of it."""

    from sklearn.dummy import DummyClassifier
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    def accuracy(y, says):
        if np.asarray(y).shape != np.asarray(says).shape:
            raise ValueError("shapes")
        return accuracy_score(y, says)

    def split_rows(n, seed):
        rest, test = train_test_split(np.arange(n), test_size=n // 5, random_state=seed)
        train, validation = train_test_split(rest, test_size=n // 5, random_state=seed)
        return train, validation, test

    def baseline_accuracy(y_train, y_test):
        dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(y_train), 1)), y_train)
        return dummy.score(np.zeros((len(y_test), 1)), y_test)

    def standardize(X_train, X_new):
        scaler = StandardScaler().fit(X_train)
        return scaler.transform(X_train), scaler.transform(X_new)


@right
def in_pytorch_and_counts():
    """Tensors for numbers, Counter for labels, arrays of rows as a list."""

    from collections import Counter

    import torch

    def baseline_accuracy(y_train, y_test):
        ((label, _),) = Counter(y_train.tolist()).most_common(1)
        return Counter(y_test.tolist())[label] / len(y_test)

    def split_rows(n, seed):
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
        return order.split([n - 2 * (n // 5), n // 5, n // 5])

    def standardize(X_train, X_new):
        X = torch.tensor(X_train, dtype=torch.float64)
        mean, spread = X.mean(dim=0), X.std(dim=0, unbiased=False)
        spread[X.amax(dim=0) == X.amin(dim=0)] = 1
        return [((torch.tensor(Z) - mean) / spread).numpy() for Z in (X_train, X_new)]


@right
def drawn_one_part_after_the_other():
    """Draws without replacement and keeps what is left; a deviation near 0 counts as constant."""

    def split_rows(n, seed):
        rng = np.random.default_rng(seed)
        test = rng.choice(n, n // 5, replace=False)
        rest = np.setdiff1d(np.arange(n), test)
        validation = rng.choice(rest, n // 5, replace=False)
        return np.setdiff1d(rest, validation), validation, test

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
        spread = np.where(np.isclose(spread, 0), 1, spread)
        return (X_train - mean) / spread, (X_new - mean) / spread


@right
def sorted_by_random_keys():
    """A shuffle by argsort; a scale by multiplication; a choice by sorting."""

    def accuracy(y, says):
        if y.shape != says.shape:
            raise ValueError(f"{y.shape} and {says.shape}")
        return np.count_nonzero(y == says) / y.size

    def pooled_accuracy(groups):
        counts = np.array([[np.sum(y == says), len(y)] for y, says in groups])
        right_answers, rows = counts.sum(axis=0)
        return right_answers / rows

    def split_rows(n, seed):
        order = np.argsort(np.random.RandomState(seed).rand(n))
        test, validation, train = np.split(order, [n // 5, 2 * (n // 5)])
        return np.sort(train), np.sort(validation), np.sort(test)

    def choose(candidates, train, validation):
        names = list(candidates)
        scores = [np.mean(candidates[n](*train, validation[0]) == validation[1]) for n in names]
        return names[int(np.argmax(scores))]


@right
def all_of_the_recipe_in_one():
    """Uses few of the earlier steps, and standardizes validation and test rows at once."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z = standardize(X[train], X)
        best = -1.0
        for name, candidate in candidates.items():
            score = np.mean(candidate(Z_train, y[train], Z[validation]) == y[validation])
            if score > best:
                best, chosen = score, name
        right_answers = candidates[chosen](Z_train, y[train], Z[test]) == y[test]
        kinds, counts = np.unique(y[train], return_counts=True)
        return chosen, right_answers.mean(), np.mean(y[test] == kinds[counts.argmax()])
