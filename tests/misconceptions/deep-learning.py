"""Wrong and unusual answers to the exercise `deep-learning`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
}

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


@wrong(
    loses=["test-split_rows-hidden", "test-split_rows-shuffled-hidden"],
    says="must be shuffled before they are cut",
)
def no_shuffle():
    """The first rows, the next rows, the last rows: in a sorted file three kinds of people."""

    def split_rows(n, seed, people=None):
        people = np.arange(n) if people is None else people
        names = np.unique(people)
        m = len(names) // 5
        parts = (
            names[: len(names) - 2 * m],
            names[len(names) - 2 * m :][:m],
            names[len(names) - m :],
        )
        return tuple(np.flatnonzero(np.isin(people, part)) for part in parts)


@wrong(
    loses=["test-split_rows-hidden", "test-split_rows-shuffled-hidden"],
    says="the seed is not used",
)
def one_shuffle_for_all_seeds():
    """The seed is written into the function."""

    def split_rows(n, seed, people=None):
        people = np.arange(n) if people is None else people
        names = np.random.default_rng(0).permutation(np.unique(people))
        m = len(names) // 5
        parts = names[2 * m :], names[:m], names[m : 2 * m]
        return tuple(np.flatnonzero(np.isin(people, part)) for part in parts)


@wrong(
    loses=["test-split_rows", "test-split_rows-hidden"],
    says="with replacement",
)
def drawn_with_replacement():
    """Three draws, and nobody looks whether somebody was drawn before."""

    def split_rows(n, seed, people=None):
        rng = np.random.default_rng(seed)
        m = n // 5
        return rng.integers(0, n, n - 2 * m), rng.integers(0, n, m), rng.integers(0, n, m)


@wrong(loses=["test-split_rows-hidden"], says="Make the generator inside the function")
def a_new_shuffle_each_time():
    """No seed: what was measured cannot be measured again."""

    def split_rows(n, seed, people=None):
        people = np.arange(n) if people is None else people
        names = np.random.permutation(np.unique(people))
        m = len(names) // 5
        parts = names[2 * m :], names[:m], names[m : 2 * m]
        return tuple(np.flatnonzero(np.isin(people, part)) for part in parts)


@wrong(loses=["test-split_rows-hidden"], says="The people with rows in two parts")
def rows_are_cut_and_people_forgotten():
    """The argument is there, and nothing is done with it."""

    def split_rows(n, seed, people=None):
        order = np.random.default_rng(seed).permutation(n)
        m = n // 5
        return order[2 * m :], order[:m], order[m : 2 * m]


@wrong(loses=["test-split_rows-hidden"], says="people with many rows count once")
def people_are_cut_where_a_fifth_of_the_rows_is_full():
    """People are dealt out until a part has its share of the rows."""

    def split_rows(n, seed, people=None):
        people = np.arange(n) if people is None else people
        parts = [[], [], []]
        for name in np.random.default_rng(seed).permutation(np.unique(people)):
            rows = np.flatnonzero(people == name).tolist()
            place = next((i for i in (1, 2) if len(parts[i]) + len(rows) <= n // 5), 0)
            parts[place] += rows
        return tuple(np.array(part, dtype=int) for part in parts)


@wrong(loses=["test-split_rows-hidden"], says="and not the names of people")
def parts_hold_people():
    """The people are cut, and nobody collects their rows."""

    def split_rows(n, seed, people=None):
        people = np.arange(n) if people is None else np.unique(people, return_inverse=True)[1]
        names = np.random.default_rng(seed).permutation(np.unique(people))
        m = len(names) // 5
        return names[2 * m :], names[:m], names[m : 2 * m]


@wrong(loses=["test-split_rows-hidden"], says="People must be shuffled before they are cut")
def people_in_the_order_of_their_names():
    """Rows are shuffled, and with people the alphabet decides who is tested."""

    def split_rows(n, seed, people=None):
        if people is None:
            people, names = np.arange(n), np.random.default_rng(seed).permutation(n)
        else:
            names = np.unique(people)
        m = len(names) // 5
        parts = names[2 * m :], names[:m], names[m : 2 * m]
        return tuple(np.flatnonzero(np.isin(people, part)) for part in parts)


@wrong(loses=["test-split_rows-hidden"], says="you changed people")
def people_are_sorted():
    """Sorted in place, and cut where a new name begins."""

    def split_rows(n, seed, people=None):
        before = np.arange(n) if people is None else people.copy()
        if people is not None:
            people.sort()
        names = np.random.default_rng(seed).permutation(np.unique(before))
        m = len(names) // 5
        parts = names[2 * m :], names[:m], names[m : 2 * m]
        return tuple(np.flatnonzero(np.isin(before, part)) for part in parts)


@wrong(loses=["test-split_rows-hidden"], says="gets what is left over")
def at_least_one_row_in_each_part():
    """Below five rows, n // 5 is 0, and slices from -0 hold everything."""

    def split_rows(n, seed, people=None):
        people = np.arange(n) if people is None else people
        names = np.random.default_rng(seed).permutation(np.unique(people))
        m = len(names) // 5
        parts = names[: -2 * m], names[-2 * m : -m], names[-m:]
        return tuple(np.flatnonzero(np.isin(people, part)) for part in parts)


@wrong(
    loses=["test-split_rows", "test-split_rows-hidden", "test-split_rows-shuffled-hidden"],
    says="in this order",
)
def parts_in_another_order():
    """The test set comes first."""

    def split_rows(n, seed, people=None):
        people = np.arange(n) if people is None else people
        names = np.random.default_rng(seed).permutation(np.unique(people))
        m = len(names) // 5
        parts = names[:m], names[m : 2 * m], names[2 * m :]
        return tuple(np.flatnonzero(np.isin(people, part)) for part in parts)


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


@wrong(loses=["test-baseline_accuracy-hidden"], says="you changed y_train")
def commonest_of_the_sorted():
    """Sorted in place, to count runs of equal labels."""

    def baseline_accuracy(y_train, y_test):
        y_train.sort()
        starts = np.flatnonzero(np.r_[True, y_train[1:] != y_train[:-1], True])
        commonest = y_train[starts[np.argmax(np.diff(starts))]]
        return np.mean(y_test == commonest)


@wrong(loses=["test-baseline_accuracy-hidden"], says="The commonest label need not be 0")
def commonest_found_by_its_place():
    """argmax of the counts is a place among the different labels, not a label."""

    def baseline_accuracy(y_train, y_test):
        _, counts = np.unique(y_train, return_counts=True)
        return np.mean(y_test == (0 if counts.argmax() == len(counts) - 1 else counts.argmax()))


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


@wrong(
    loses=["test-standardize", "test-standardize-hidden", "test-standardize-constant-hidden"],
    says="you changed X_train",
)
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


@wrong(loses=["test-standardize-hidden"], says="the fractions are lost")
def written_into_arrays_of_the_same_kind():
    """zeros_like of integers holds integers."""

    def standardize(X_train, X_new):
        Z_train, Z_new = np.zeros_like(X_train), np.zeros_like(X_new)
        for j in range(X_train.shape[1]):
            mean, spread = X_train[:, j].mean(), X_train[:, j].std()
            spread = 1 if X_train[:, j].max() == X_train[:, j].min() else spread
            Z_train[:, j] = (X_train[:, j] - mean) / spread
            Z_new[:, j] = (X_new[:, j] - mean) / spread
        return Z_train, Z_new


@wrong(loses=["test-standardize-constant-hidden"], says="however small")
def constant_if_nearly_zero():
    """An absolute threshold: a column in other units may be all below it."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
        spread = np.where(np.isclose(spread, 0), 1, spread)
        return (X_train - mean) / spread, (X_new - mean) / spread


@wrong(loses=["test-standardize-constant-hidden"], says="101325.6")
def constant_if_below_a_tiny_number():
    """1e-13 is above the rounding of 0.1, and below that of large entries."""

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
        spread = np.where(spread < 1e-13, 1, spread)
        return (X_train - mean) / spread, (X_new - mean) / spread


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


@wrong(loses=["test-choose-ties-hidden"], says="the first in the dictionary wins")
def last_of_the_alphabet():
    """max of pairs: among equal scores the larger name wins."""

    def choose(candidates, train, validation):
        X, y = validation
        return max((accuracy(y, candidates[name](*train, X)), name) for name in candidates)[1]


@wrong(
    loses=["test-choose", "test-choose-hidden", "test-choose-ties-hidden"],
    says="you changed candidates",
)
def takes_candidates_out():
    """A tournament: whoever is worse is taken out of the caller's dictionary."""

    def choose(candidates, train, validation):
        X, y = validation
        scores = {name: accuracy(y, c(*train, X)) for name, c in candidates.items()}
        best = max(scores, key=scores.get)
        for name in scores:
            if name != best:
                candidates.pop(name)
        candidates["chosen"] = candidates.pop(best)
        return best


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


@wrong(loses=["test-honest_report-baseline-hidden"], says="is the one for the split")
def report_with_a_seed_of_its_own():
    """0 is written where the seed belongs."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), 0)
        Z_train, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(X[train], X[test])
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        says = candidates[name](Z_train, y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(
    loses=[
        "test-honest_report",
        "test-honest_report-choice-hidden",
        "test-honest_report-leak-hidden",
        "test-honest_report-baseline-hidden",
    ],
    says="you changed X",
)
def report_writes_into_the_table():
    """The standardized rows are written back into X."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z_train, Z_validation = standardize(X[train], X[validation])
        _, Z_test = standardize(X[train], X[test])
        X[train], X[validation], X[test] = Z_train, Z_validation, Z_test
        name = choose(candidates, (Z_train, y[train]), (Z_validation, y[validation]))
        says = candidates[name](Z_train, y[train], Z_test)
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


@wrong(loses=["test-honest_report-leak-hidden"], says="an array of integers cuts them off")
def report_writes_into_a_copy_of_integers():
    """A copy of X has the type of X."""

    def honest_report(candidates, X, y, seed):
        train, validation, test = split_rows(len(y), seed)
        Z = X.copy()
        Z[train], Z[validation] = standardize(X[train], X[validation])
        _, Z[test] = standardize(X[train], X[test])
        name = choose(candidates, (Z[train], y[train]), (Z[validation], y[validation]))
        says = candidates[name](Z[train], y[train], Z[test])
        return name, accuracy(y[test], says), baseline_accuracy(y[train], y[test])


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

    def split_rows(n, seed, people=None):
        rows_of = {}
        for row in range(n):
            rows_of.setdefault(row if people is None else people[row], []).append(row)
        groups = list(rows_of.values())
        random.Random(seed).shuffle(groups)
        m = len(groups) // 5
        return [
            [row for group in part for row in group]
            for part in (groups[2 * m :], groups[:m], groups[m : 2 * m])
        ]

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
    from sklearn.model_selection import GroupShuffleSplit, train_test_split
    from sklearn.preprocessing import StandardScaler

    def accuracy(y, says):
        if np.asarray(y).shape != np.asarray(says).shape:
            raise ValueError("shapes")
        return accuracy_score(y, says)

    def split_rows(n, seed, people=None):
        rows, fifth = np.arange(n), (n if people is None else len(set(people))) // 5
        if fifth == 0:
            return rows, rows[:0], rows[:0]
        if people is None:
            rest, test = train_test_split(rows, test_size=fifth, random_state=seed)
            train, validation = train_test_split(rest, test_size=fifth, random_state=seed)
            return train, validation, test
        cut = GroupShuffleSplit(n_splits=1, test_size=fifth, random_state=seed)
        rest, test = next(cut.split(rows, groups=people))
        train, validation = next(cut.split(rest, groups=people[rest]))
        return rest[train], rest[validation], test

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

    def split_rows(n, seed, people=None):
        who = np.arange(n) if people is None else np.unique(people, return_inverse=True)[1]
        who = torch.tensor(who)
        p = int(who.max()) + 1
        order = torch.randperm(p, generator=torch.Generator().manual_seed(seed))
        parts = order.split([p - 2 * (p // 5), p // 5, p // 5])
        return [torch.nonzero(torch.isin(who, part)).flatten() for part in parts]

    def standardize(X_train, X_new):
        X = torch.tensor(X_train, dtype=torch.float64)
        mean, spread = X.mean(dim=0), X.std(dim=0, unbiased=False)
        spread[X.amax(dim=0) == X.amin(dim=0)] = 1
        return [((torch.tensor(Z) - mean) / spread).numpy() for Z in (X_train, X_new)]


@right
def drawn_one_part_after_the_other():
    """Draws without replacement and keeps what is left; a constant column is set apart."""

    def split_rows(n, seed, people=None):
        everybody = np.arange(n) if people is None else np.asarray(people)
        names = np.array(sorted(set(everybody.tolist())))
        rng = np.random.default_rng(seed)
        test = rng.choice(names, len(names) // 5, replace=False)
        rest = np.setdiff1d(names, test)
        validation = rng.choice(rest, len(names) // 5, replace=False)
        rest = np.setdiff1d(rest, validation)
        return [np.where(np.isin(everybody, part))[0] for part in (rest, validation, test)]

    def standardize(X_train, X_new):
        moves = np.any(X_train != X_train[0], axis=0)
        Z = [
            np.array(X, dtype=float) - np.where(moves, X_train.mean(axis=0), X_train[0])
            for X in (X_train, X_new)
        ]
        for part in Z:
            part[:, moves] /= X_train[:, moves].std(axis=0)
        return tuple(Z)


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

    def split_rows(n, seed, people=None):
        _, who = np.unique(np.arange(n) if people is None else people, return_inverse=True)
        p = who.max() + 1
        rank = np.argsort(np.argsort(np.random.RandomState(seed).rand(p)))[who]
        test, both = rank < p // 5, rank < 2 * (p // 5)
        return np.flatnonzero(~both), np.flatnonzero(both & ~test), np.flatnonzero(test)

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


@right
def warns_on_the_way():
    """0 / 0 in the columns that are not used, a mean of nothing, a progress bar on stderr."""

    def accuracy(y, says):
        if y.shape != says.shape:
            raise ValueError("shapes")
        np.mean(y[:0] == says[:0])  # the mean of nothing, which NumPy warns of
        return np.mean(y == says)

    def standardize(X_train, X_new):
        mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
        same = X_train.min(axis=0) == X_train.max(axis=0)
        return tuple(
            np.where(same, X - mean, (X - mean) / np.where(same, 0.0, spread))
            for X in (X_train, X_new)
        )

    def choose(candidates, train, validation):
        import sys

        scores = []
        for i, (name, candidate) in enumerate(candidates.items()):
            print(f"{i + 1} of {len(candidates)}", end="\r", file=sys.stderr)
            scores.append((np.sum(candidate(*train, validation[0]) == validation[1]), -i, name))
        return max(scores)[2]


@right
def with_other_names():
    """Parameters by the names of another textbook."""

    def accuracy(targets, predictions):
        if targets.shape != predictions.shape:
            raise ValueError("shapes")
        return float(sum(t == p for t, p in zip(targets, predictions)) / len(targets))

    def baseline_accuracy(train_labels, test_labels):
        labels = list(train_labels)
        mode = max(set(labels), key=labels.count)
        return accuracy(test_labels, np.array([mode] * len(test_labels)))

    def standardize(A, B):
        center, scale = np.mean(A, axis=0), np.std(A, axis=0)
        scale[np.ptp(A, axis=0) == 0] = 1.0
        return np.divide(np.subtract(A, center), scale), np.divide(np.subtract(B, center), scale)

    def honest_report(models, data, labels, number):
        a, b, c = split_rows(len(data), number)
        (A, B), (_, C) = standardize(data[a], data[b]), standardize(data[a], data[c])
        winner = choose(models, (A, labels[a]), (B, labels[b]))
        return (
            winner,
            accuracy(labels[c], models[winner](A, labels[a], C)),
            baseline_accuracy(labels[a], labels[c]),
        )
