"""Wrong and unusual answers to the exercise `evaluation`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

# Standard error -----------------------------------------------------------------------------------


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="The mean is 0.5")
def deviation_for_error():
    """The standard deviation says how much answers vary, and not how much their mean does."""

    def standard_error(values, groups):
        if len(np.unique(groups)) < 2:
            raise ValueError("two units are needed")
        return np.asarray(values, dtype=float).std(ddof=1)


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="treats the four rows")
def rows_for_units():
    """The usual formula, as if each row told something new."""

    def standard_error(values, groups):
        if len(np.unique(groups)) < 2:
            raise ValueError("two units are needed")
        values = np.asarray(values, dtype=float)
        return values.std(ddof=1) / np.sqrt(len(values))


@wrong(loses=["test-standard_error-hidden"], says="not that of the units' means")
def error_of_unit_means():
    """The standard error of the units' means: a small unit weighs as much as a large one."""

    def standard_error(values, groups):
        values, groups = np.asarray(values, dtype=float), np.asarray(groups)
        means = np.array([values[groups == g].mean() for g in np.unique(groups)])
        if len(means) < 2:
            raise ValueError("two units are needed")
        return means.std(ddof=1) / np.sqrt(len(means))


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="The mean is 0.5")
def without_the_correction():
    """Leaves out G / (G - 1)."""

    def standard_error(values, groups):
        values = np.asarray(values, dtype=float)
        kinds, unit = np.unique(groups, return_inverse=True)
        if len(kinds) < 2:
            raise ValueError("two units are needed")
        return np.sqrt(np.sum(np.bincount(unit, values - values.mean()) ** 2)) / len(values)


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="The mean is 0.5")
def corrects_by_rows():
    """n / (n - 1) in place of G / (G - 1)."""

    def standard_error(values, groups):
        values = np.asarray(values, dtype=float)
        kinds, unit = np.unique(groups, return_inverse=True)
        if len(kinds) < 2:
            raise ValueError("two units are needed")
        n, pulls = len(values), np.bincount(unit, values - values.mean())
        return np.sqrt(n / (n - 1) * np.sum(pulls**2)) / n


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="The mean is 0.5")
def divides_by_units():
    """Divides by the number of units, as for a mean of G numbers."""

    def standard_error(values, groups):
        values = np.asarray(values, dtype=float)
        kinds, unit = np.unique(groups, return_inverse=True)
        if len(kinds) < 2:
            raise ValueError("two units are needed")
        G, pulls = len(kinds), np.bincount(unit, values - values.mean())
        return np.sqrt(G / (G - 1) * np.sum(pulls**2)) / G


@wrong(loses=["test-standard_error-hidden"], says="Subtract the mean of all rows")
def mean_of_the_unit_means():
    """Subtracts the mean of the units' means, another number where units differ in size."""

    def standard_error(values, groups):
        values, groups = np.asarray(values, dtype=float), np.asarray(groups)
        kinds, unit = np.unique(groups, return_inverse=True)
        if len(kinds) < 2:
            raise ValueError("two units are needed")
        center = np.mean([values[groups == g].mean() for g in kinds])
        pulls = np.bincount(unit, values - center)
        return np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(values)


@wrong(loses=["test-standard_error-hidden"], says="ValueError")
def one_unit_is_infinite():
    """Divides by zero for a single unit, and returns nan."""

    def standard_error(values, groups):
        values = np.asarray(values, dtype=float)
        kinds, unit = np.unique(groups, return_inverse=True)
        pulls = np.bincount(unit, values - values.mean())
        factor = np.float64(len(kinds)) / (len(kinds) - 1)
        return np.sqrt(factor * np.sum(pulls**2)) / len(values)


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="raised")
def groups_must_be_numbers():
    """Uses the names of the groups as positions."""

    def standard_error(values, groups):
        values = np.asarray(values, dtype=float)
        if len(set(np.asarray(groups).tolist())) < 2:
            raise ValueError("two units are needed")
        pulls = np.bincount(groups, values - values.mean())
        G = len(pulls)
        return np.sqrt(G / (G - 1) * np.sum(pulls**2)) / len(values)


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="The mean is 0.5")
def groups_must_be_sorted():
    """Counts runs of equal names, which works while the rows of a unit stand together."""

    def standard_error(values, groups):
        values, groups = np.asarray(values, dtype=float), np.asarray(groups)
        starts = np.r_[0, np.flatnonzero(groups[1:] != groups[:-1])]
        pulls = np.add.reduceat(values - values.mean(), starts)
        G = len(pulls)
        if G < 2:
            raise ValueError("two units are needed")
        return np.sqrt(G / (G - 1) * np.sum(pulls**2)) / len(values)


@wrong(loses=["test-standard_error-hidden"], says="for a list")
def only_for_arrays():
    """Relies on methods of arrays, though the text says array_like."""

    def standard_error(values, groups):
        kinds, unit = np.unique(groups, return_inverse=True)
        if len(kinds) < 2:
            raise ValueError("two units are needed")
        pulls = np.bincount(unit, values - values.mean())
        return np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(values)


@wrong(loses=["test-standard_error", "test-standard_error-hidden"], says="you changed values")
def centers_in_place():
    """Subtracts the mean from the caller's array."""

    def standard_error(values, groups):
        values = np.asarray(values)
        kinds, unit = np.unique(groups, return_inverse=True)
        if len(kinds) < 2:
            raise ValueError("two units are needed")
        if values.dtype.kind == "f":
            values -= values.mean()
        else:
            values = values - values.mean()
        pulls = np.bincount(unit, values)
        return np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(values)


# The interval -------------------------------------------------------------------------------------


@wrong(loses=["test-paired_interval-hidden"], says="A mean of the units' means")
def mean_of_drawn_unit_means():
    """A mean of means, which is right as long as all units are of one size."""

    def paired_interval(old, new, groups, draws, level=0.95):
        difference = np.asarray(new, dtype=float) - old
        means = np.array([difference[groups == g].mean() for g in np.unique(groups)])
        low, high = np.quantile(means[draws].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        return low, high


@wrong(
    loses=["test-paired_interval", "test-paired_interval-hidden"],
    says="The differences are 1, 1 in unit a",
)
def draws_are_rows():
    """Takes what was drawn for positions of rows."""

    def paired_interval(old, new, groups, draws, level=0.95):
        difference = np.asarray(new, dtype=float) - old
        low, high = np.quantile(difference[draws].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        return low, high


@wrong(loses=["test-paired_interval-hidden"], says="A mean of the units' means")
def unpaired_ends():
    """Two intervals, one for each model, and the worst case between them."""

    def paired_interval(old, new, groups, draws, level=0.95):
        _, unit, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        ends = []
        for x in (old, new):
            totals = np.bincount(unit, np.asarray(x, dtype=float))
            means = totals[draws].sum(axis=1) / sizes[draws].sum(axis=1)
            ends.append(np.quantile(means, [(1 - level) / 2, (1 + level) / 2]))
        return ends[1][0] - ends[0][1], ends[1][1] - ends[0][0]


@wrong(
    loses=["test-paired_interval", "test-paired_interval-hidden"],
    says="The differences are 1, 1 in unit a",
)
def unpaired_draws():
    """Draws the two models' units separately: the second with the draws upside down."""

    def paired_interval(old, new, groups, draws, level=0.95):
        _, unit, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        means = []
        for x, drawn in ((old, draws), (new, draws[::-1])):
            totals = np.bincount(unit, np.asarray(x, dtype=float))
            means.append(totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
        low, high = np.quantile(means[1] - means[0], [(1 - level) / 2, (1 + level) / 2])
        return low, high


@wrong(
    loses=["test-paired_interval", "test-paired_interval-hidden"],
    says="The differences are 1, 1 in unit a",
)
def old_minus_new():
    """The difference the other way around."""

    def paired_interval(old, new, groups, draws, level=0.95):
        _, unit, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        totals = np.bincount(unit, np.asarray(old, dtype=float) - new)
        means = totals[draws].sum(axis=1) / sizes[draws].sum(axis=1)
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
        return low, high


@wrong(
    loses=["test-paired_interval", "test-paired_interval-hidden"],
    says="The differences are 1, 1 in unit a",
)
def all_outside_on_each_side():
    """Five percent at each end, which leaves ninety."""

    def paired_interval(old, new, groups, draws, level=0.95):
        _, unit, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        means = totals[draws].sum(axis=1) / sizes[draws].sum(axis=1)
        tail = min(1 - level, 0.49)
        low, high = np.quantile(means, [tail, 1 - tail])
        return low, high


@wrong(
    loses=["test-paired_interval", "test-paired_interval-hidden"],
    says="The differences are 1, 1 in unit a",
)
def two_deviations():
    """Plus and minus two standard deviations, whatever the level."""

    def paired_interval(old, new, groups, draws, level=0.95):
        _, unit, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        means = totals[draws].sum(axis=1) / sizes[draws].sum(axis=1)
        return means.mean() - 2 * means.std(), means.mean() + 2 * means.std()


@wrong(
    loses=["test-paired_interval", "test-paired_interval-hidden"],
    says="The differences are 1, 1 in unit a",
)
def level_ignored():
    """Always 95 %."""

    def paired_interval(old, new, groups, draws, level=0.95):
        _, unit, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        means = totals[draws].sum(axis=1) / sizes[draws].sum(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        return low, high


@wrong(loses=["test-paired_interval-hidden"], says="counts twice")
def each_unit_once():
    """Asks which units were drawn, and not how often."""

    def paired_interval(old, new, groups, draws, level=0.95):
        units = np.unique(groups)
        difference = np.asarray(new, dtype=float) - old
        means = [difference[np.isin(groups, units[row])].mean() for row in draws]
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
        return low, high


@wrong(loses=["test-paired_interval-hidden"], says="A mean of the units' means")
def divides_by_all_rows():
    """Divides by the number of rows in the data, and not in the drawn sample."""

    def paired_interval(old, new, groups, draws, level=0.95):
        _, unit = np.unique(groups, return_inverse=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        means = totals[draws].sum(axis=1) / len(old)
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
        return low, high


@wrong(loses=["test-paired_interval-hidden"], says="A mean of the units' means")
def units_in_order_of_appearance():
    """Numbers the units as they come, and not as np.unique sorts them."""

    def paired_interval(old, new, groups, draws, level=0.95):
        names = list(dict.fromkeys(np.asarray(groups).tolist()))
        unit = np.array([names.index(g) for g in np.asarray(groups).tolist()])
        sizes = np.bincount(unit)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        means = totals[draws].sum(axis=1) / sizes[draws].sum(axis=1)
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
        return low, high


# The test -----------------------------------------------------------------------------------------


@wrong(loses=["test-sign_flip_p", "test-sign_flip_p-hidden"], says="counts as one of the results")
def never_counts_itself():
    """The plain share, which can be 0."""

    def sign_flip_p(old, new, groups, signs):
        _, unit = np.unique(groups, return_inverse=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        return np.mean(np.abs(signs @ totals) >= abs(totals.sum()))


@wrong(loses=["test-sign_flip_p", "test-sign_flip_p-hidden"], says="absolute values")
def one_sided():
    """Counts only results that are at least as large."""

    def sign_flip_p(old, new, groups, signs):
        _, unit = np.unique(groups, return_inverse=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        return (1 + np.sum(signs @ totals >= totals.sum())) / (1 + len(signs))


@wrong(loses=["test-sign_flip_p", "test-sign_flip_p-hidden"], says="The four exchanges give sums")
def doubles_one_side():
    """Twice the one-sided share, which is another number where chance drew unevenly."""

    def sign_flip_p(old, new, groups, signs):
        _, unit = np.unique(groups, return_inverse=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        return min(1.0, 2 * (1 + np.sum(signs @ totals >= abs(totals.sum()))) / (1 + len(signs)))


@wrong(loses=["test-sign_flip_p", "test-sign_flip_p-hidden"], says="The four exchanges give sums")
def equal_does_not_count():
    """More extreme in place of at least as extreme."""

    def sign_flip_p(old, new, groups, signs):
        _, unit = np.unique(groups, return_inverse=True)
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        return (1 + np.sum(np.abs(signs @ totals) > abs(totals.sum()))) / (1 + len(signs))


@wrong(loses=["test-sign_flip_p-hidden"], says="exchanged together")
def flips_unit_means():
    """Flips the means of the units, so that a small unit counts as much as a large one."""

    def sign_flip_p(old, new, groups, signs):
        difference = np.asarray(new, dtype=float) - old
        means = np.array([difference[groups == g].mean() for g in np.unique(groups)])
        reached = np.abs(signs @ means) >= abs(means.sum()) - 1e-12
        return (1 + np.sum(reached)) / (1 + len(signs))


@wrong(loses=["test-sign_flip_p-hidden"], says="exchanged together")
def flips_in_order_of_appearance():
    """Gives the signs to units as they come."""

    def sign_flip_p(old, new, groups, signs):
        names = list(dict.fromkeys(np.asarray(groups).tolist()))
        unit = np.array([names.index(g) for g in np.asarray(groups).tolist()])
        totals = np.bincount(unit, np.asarray(new, dtype=float) - old)
        reached = np.abs(signs @ totals) >= abs(totals.sum())
        return (1 + np.sum(reached)) / (1 + len(signs))


@wrong(
    loses=["test-sign_flip_p", "test-sign_flip_p-hidden"],
    says="sum of its differences gets one sign",
)
def compares_with_the_mean():
    """Compares sums with a mean."""

    def sign_flip_p(old, new, groups, signs):
        _, unit = np.unique(groups, return_inverse=True)
        difference = np.asarray(new, dtype=float) - old
        totals = np.bincount(unit, difference)
        reached = np.abs(signs @ totals) >= abs(difference.mean())
        return (1 + np.sum(reached)) / (1 + len(signs))


# Near duplicates ----------------------------------------------------------------------------------


@wrong(
    loses=["test-near_duplicates", "test-near_duplicates-hidden"],
    says="Standardized by its own mean",
)
def only_exact_copies():
    """Looks for the same bits."""

    def near_duplicates(test, training, tolerance=0.25):
        return np.array([bool((training == picture).all(axis=1).any()) for picture in test])


@wrong(
    loses=["test-near_duplicates", "test-near_duplicates-hidden"],
    says="Standardized by its own mean",
)
def never_standardizes():
    """Compares raw pixels, so that a paler copy is another picture."""

    def near_duplicates(test, training, tolerance=0.25):
        apart = np.sqrt(((test[:, None] - np.asarray(training)[None]) ** 2).mean(axis=2))
        return apart.min(axis=1) <= tolerance


@wrong(
    loses=["test-near_duplicates", "test-near_duplicates-hidden"],
    says="Standardized by its own mean",
)
def standardizes_pixels():
    """Standardizes each pixel over the training set, as one does for a network."""

    def near_duplicates(test, training, tolerance=0.25):
        mean, spread = training.mean(axis=0), training.std(axis=0) + 1e-12
        a, b = (test - mean) / spread, (training - mean) / spread
        return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2)).min(axis=1) <= tolerance


@wrong(loses=["test-near_duplicates-hidden"], says="mean squared difference")
def sum_for_mean():
    """The Euclidean distance grows with the number of pixels."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            spread = x.std(axis=1, keepdims=True)
            spread[np.ptp(x, axis=1) == 0] = np.inf
            return (x - x.mean(axis=1, keepdims=True)) / spread

        a, b = standardized(test), standardized(training)
        return np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=2)).min(axis=1) <= tolerance


@wrong(loses=["test-near_duplicates-hidden"], says="standardize each picture by its own pixels")
def without_the_root():
    """Compares the mean square with the tolerance."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            spread = x.std(axis=1, keepdims=True)
            spread[np.ptp(x, axis=1) == 0] = np.inf
            return (x - x.mean(axis=1, keepdims=True)) / spread

        a, b = standardized(test), standardized(training)
        return ((a[:, None] - b[None]) ** 2).mean(axis=2).min(axis=1) <= tolerance


@wrong(loses=["test-near_duplicates-hidden"], says="A negative is no copy")
def negatives_are_copies():
    """Takes the size of the correlation, in which a negative is as alike as a copy."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            spread = x.std(axis=1, keepdims=True)
            spread[np.ptp(x, axis=1) == 0] = np.inf
            return (x - x.mean(axis=1, keepdims=True)) / spread

        a, b = standardized(test), standardized(training)
        alike = np.abs(a @ b.T) / a.shape[1]
        flat = (a == 0).all(axis=1)[:, None] & (b == 0).all(axis=1)[None]
        apart = np.where(flat, 0, np.sqrt(np.maximum(2 - 2 * alike, 0)))
        return apart.min(axis=1) <= tolerance


@wrong(
    loses=["test-near_duplicates", "test-near_duplicates-hidden"],
    says="Standardized by its own mean",
)
def subtracts_the_mean_only():
    """Takes away the brightness and leaves the contrast."""

    def near_duplicates(test, training, tolerance=0.25):
        a, b = (np.asarray(x) - np.mean(x, axis=1, keepdims=True) for x in (test, training))
        return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2)).min(axis=1) <= tolerance


@wrong(loses=["test-near_duplicates-hidden"], says="all zeros")
def flat_pictures_are_nan():
    """0 / 0 for a picture of a single gray."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)

        a, b = standardized(test), standardized(training)
        return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2)).min(axis=1) <= tolerance


@wrong(loses=["test-near_duplicates-hidden"], says="1e-17")
def flat_within_rounding():
    """Asks whether the computed deviation is 0, which rounding decides."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            centered, spread = x - x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
            return centered / np.where(spread == 0, 1, spread)

        a, b = standardized(test), standardized(training)
        return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2)).min(axis=1) <= tolerance


@wrong(loses=["test-near_duplicates-hidden"], says="not n - 1")
def sample_deviation():
    """Divides by n - 1, and says 0.7 of the pixels where the text says np.std."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            spread = x.std(axis=1, keepdims=True, ddof=1)
            spread[np.ptp(x, axis=1) == 0] = np.inf
            return (x - x.mean(axis=1, keepdims=True)) / spread

        a, b = standardized(test), standardized(training)
        return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2)).min(axis=1) <= tolerance


@wrong(
    loses=["test-near_duplicates", "test-near_duplicates-hidden"],
    says="Standardized by its own mean",
)
def asks_for_the_training_pictures():
    """Says which training pictures have a copy in the test."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            spread = x.std(axis=1, keepdims=True)
            spread[np.ptp(x, axis=1) == 0] = np.inf
            return (x - x.mean(axis=1, keepdims=True)) / spread

        a, b = standardized(test), standardized(training)
        return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2)).min(axis=0) <= tolerance


@wrong(loses=["test-near_duplicates-hidden"], says="is at most `tolerance`")
def tolerance_ignored():
    """Always a quarter."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            spread = x.std(axis=1, keepdims=True)
            spread[np.ptp(x, axis=1) == 0] = np.inf
            return (x - x.mean(axis=1, keepdims=True)) / spread

        a, b = standardized(test), standardized(training)
        return np.sqrt(((a[:, None] - b[None]) ** 2).mean(axis=2)).min(axis=1) <= 0.25


# Calibration by group -----------------------------------------------------------------------------


@wrong(loses=["test-calibration_by_group-hidden"], says="Each group by itself")
def one_number_for_all():
    """The error of all patients, handed to every group."""

    def calibration_by_group(chances, ill, groups, bins=10):
        p = np.asarray(chances, dtype=float)
        place = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
        error = np.abs(np.bincount(place, p - ill, minlength=bins)).sum() / len(p)
        return {name: error for name in np.unique(groups).tolist()}


@wrong(loses=["test-calibration_by_group-hidden"], says="absolute gap")
def gaps_cancel():
    """Adds signed gaps: the difference of two means, and no calibration error."""

    def calibration_by_group(chances, ill, groups, bins=10):
        return {
            name: abs(np.mean(chances[groups == name]) - np.mean(ill[groups == name]))
            for name in np.unique(groups).tolist()
        }


@wrong(loses=["test-calibration_by_group-hidden"], says="Each group by itself")
def bins_weigh_the_same():
    """A plain mean over the bins that hold somebody."""

    def calibration_by_group(chances, ill, groups, bins=10):
        errors = {}
        for name in np.unique(groups).tolist():
            p, y = chances[groups == name], ill[groups == name]
            place = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
            gaps = [abs(p[place == k].mean() - y[place == k].mean()) for k in np.unique(place)]
            errors[name] = np.mean(gaps)
        return errors


@wrong(loses=["test-calibration_by_group-hidden"], says="parts below")
def edges_go_up():
    """floor in place of ceil: an edge belongs to the part above."""

    def calibration_by_group(chances, ill, groups, bins=10):
        errors = {}
        for name in np.unique(groups).tolist():
            p, y = np.asarray(chances, dtype=float)[groups == name], ill[groups == name]
            place = np.clip((p * bins).astype(int), 0, bins - 1)
            errors[name] = np.abs(np.bincount(place, p - y, minlength=bins)).sum() / len(p)
        return errors


@wrong(loses=["test-calibration_by_group-hidden"], says="0 and 1")
def zero_falls_out():
    """Tests for greater than the lower edge, and a chance of 0 is in no part."""

    def calibration_by_group(chances, ill, groups, bins=10):
        errors = {}
        for name in np.unique(groups).tolist():
            p, y = chances[groups == name], ill[groups == name]
            total = 0.0
            for k in range(bins):
                inside = (p > k / bins) & (p <= (k + 1) / bins)
                if inside.any():
                    total += inside.sum() * abs(p[inside].mean() - y[inside].mean())
            errors[name] = total / len(p)
        return errors


@wrong(
    loses=["test-calibration_by_group", "test-calibration_by_group-hidden"],
    says="In clinic n two patients",
)
def confidence_in_the_answer():
    """The calibration of the answer (the larger of p and 1 - p), as for several classes."""

    def calibration_by_group(chances, ill, groups, bins=10):
        errors = {}
        for name in np.unique(groups).tolist():
            p, y = np.asarray(chances, dtype=float)[groups == name], ill[groups == name]
            sure, right_ = np.maximum(p, 1 - p), (p >= 0.5) == y
            place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
            errors[name] = np.abs(np.bincount(place, sure - right_, minlength=bins)).sum() / len(p)
        return errors


@wrong(
    loses=["test-calibration_by_group", "test-calibration_by_group-hidden"],
    says="In clinic n two patients",
)
def middle_of_the_bin():
    """Compares the share with the middle of the part, and not with the mean chance in it."""

    def calibration_by_group(chances, ill, groups, bins=10):
        errors = {}
        for name in np.unique(groups).tolist():
            p, y = np.asarray(chances, dtype=float)[groups == name], ill[groups == name]
            place = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
            middle = (place + 0.5) / bins
            errors[name] = np.abs(np.bincount(place, middle - y, minlength=bins)).sum() / len(p)
        return errors


@wrong(
    loses=["test-calibration_by_group", "test-calibration_by_group-hidden"],
    says="In clinic n two patients",
)
def divides_by_everyone():
    """Weighs by the patients of all groups."""

    def calibration_by_group(chances, ill, groups, bins=10):
        errors = {}
        for name in np.unique(groups).tolist():
            p, y = np.asarray(chances, dtype=float)[groups == name], ill[groups == name]
            place = np.clip(np.ceil(p * bins).astype(int) - 1, 0, bins - 1)
            total = np.abs(np.bincount(place, p - y, minlength=bins)).sum()
            errors[name] = total / len(chances)
        return errors


# Thresholds ---------------------------------------------------------------------------------------


@wrong(
    loses=["test-choose_thresholds", "test-choose_thresholds-hidden"],
    says="In validation a threshold of 0.6",
)
def chosen_on_the_test():
    """The cheapest on the test set: it looks better, and is luck."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(test, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(test, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="chosen by the test")
def priced_on_the_test():
    """Keeps the condition in validation, and then takes the cheapest of the test."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(test, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="is at most")
def condition_ignored():
    """The cheapest of all, whatever the gap."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= 1]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="Try all pairs")
def one_threshold_for_both():
    """The same threshold in both clinics."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, a) for a in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="Try all pairs")
def above_the_threshold():
    """Treats above the threshold, and not at it."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances > np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(
    loses=["test-choose_thresholds", "test-choose_thresholds-hidden"],
    says="In validation a threshold of 0.6",
)
def equal_shares_treated():
    """Makes the shares of treated patients equal (demographic parity)."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[clinic == name].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="distance of the two false positive rates")
def equal_recall():
    """Makes the true positive rates equal, which is another condition."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 1)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="distance of the two false positive rates")
def equal_accuracy():
    """Equal accuracy taken for equal treatment."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [(treated == ill)[clinic == name].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(
    loses=["test-choose_thresholds", "test-choose_thresholds-hidden"],
    says="In validation a threshold of 0.6",
)
def alarms_among_all():
    """The share of false alarms among all patients of a clinic."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [(treated & (ill == 0))[clinic == name].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="distance of the two false positive rates")
def alarms_among_treated():
    """The share of the treated that is healthy: 1 - precision."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [
                np.sum(treated & (ill == 0) & (clinic == name))
                / max(1, np.sum(treated & (clinic == name)))
                for name in names
            ]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="Try all pairs")
def prices_swapped():
    """A miss at the price of an alarm, and the other way around."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, alarm * ~treated, miss * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="Try all pairs")
def miss_ignored():
    """Counts mistakes, whatever a miss costs."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, 1.0 * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="Try all pairs")
def alarm_ignored():
    """Counts mistakes, whatever an alarm costs."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, 1.0 * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(
    loses=["test-choose_thresholds", "test-choose_thresholds-hidden"],
    says="In validation a threshold of 0.6",
)
def reports_the_validation():
    """Reports cost and gap of the set that chose."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(validation, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="mean cost per test patient")
def mean_of_the_clinics():
    """The mean of the two mean costs, though one clinic is larger."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            paid = np.where(ill == 1, miss * ~treated, alarm * treated)
            price = np.mean([paid[clinic == name].mean() for name in names])
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="Try all pairs")
def smallest_gap():
    """The fairest pair in place of the cheapest allowed."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[::-1])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(loses=["test-choose_thresholds-hidden"], says="Try all pairs")
def names_swapped():
    """Mixes up the clinics in what it returns."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names[::-1], best, strict=True)}
        return (thresholds, *measured(test, best))


@wrong(
    loses=["test-choose_thresholds", "test-choose_thresholds-hidden"],
    says="In validation a threshold of 0.6",
)
def signed_gap():
    """Leaves the absolute value away: one clinic may have any number of alarms."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, rates[0] - rates[1]

        pairs = [(a, b) for a in candidates for b in candidates]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))


# Right, if unusual --------------------------------------------------------------------------------


@right
def error_in_lists():
    """Dictionaries and loops."""

    def standard_error(values, groups):
        values = [float(x) for x in values]
        mean, pulls = sum(values) / len(values), {}
        for x, g in zip(values, list(groups), strict=True):
            pulls[str(g)] = pulls.get(str(g), 0.0) + x - mean
        G = len(pulls)
        if G == 1:
            raise ValueError("one unit")
        return (G / (G - 1) * sum(e * e for e in pulls.values())) ** 0.5 / len(values)


@right
def error_by_a_matrix():
    """A matrix of ones and zeros in place of a loop over units, and a warning on the way."""

    def standard_error(x, units):
        x = np.array(x, dtype=np.longdouble)
        member = (np.asarray(units)[:, None] == np.unique(units)).astype(float)
        factor = np.divide(member.shape[1], np.float64(member.shape[1] - 1))
        if not np.isfinite(factor):
            raise ValueError("one unit")
        return float(np.sqrt(factor * np.sum(((x - x.mean()) @ member) ** 2)) / x.size)


@right
def interval_row_by_row():
    """Collects the rows of each draw, and sorts by hand."""

    def paired_interval(old, new, groups, draws, level=0.95):
        units = sorted(set(np.asarray(groups).tolist()))
        rows_of = [[i for i, g in enumerate(groups) if g == u] for u in units]
        means = []
        for draw in draws:
            rows = [i for u in draw for i in rows_of[u]]
            means.append(sum(float(new[i]) - float(old[i]) for i in rows) / len(rows))
        means.sort()

        def quantile(q):
            place = q * (len(means) - 1)
            k = min(int(place), len(means) - 2)
            return means[k] + (place - k) * (means[k + 1] - means[k])

        return [quantile((1 - level) / 2), quantile(1 - (1 - level) / 2)]


@right
def interval_by_counts():
    """Counts how often each unit was drawn, and weighs the rows."""

    def paired_interval(a, b, unit, drawn, share=0.95):
        kinds, place = np.unique(unit, return_inverse=True)
        counts = np.stack([np.bincount(row, minlength=len(kinds)) for row in drawn])[:, place]
        means = counts @ (np.float64(1) * b - a) / counts.sum(axis=1)
        return np.percentile(means, 50 - 50 * share), np.percentile(means, 50 + 50 * share)


@right
def p_by_exchanging_scores():
    """Really exchanges the scores of the two models."""

    def sign_flip_p(old, new, groups, signs):
        _, unit = np.unique(groups, return_inverse=True)
        measured, count = abs(float(np.sum(new)) - float(np.sum(old))), 1
        for row in signs:
            swapped = row[unit] < 0
            first, second = np.where(swapped, new, old), np.where(swapped, old, new)
            count += abs(float(np.sum(second)) - float(np.sum(first))) >= measured
        return count / (len(signs) + 1)


@right
def p_with_means():
    """Means in place of sums, all divided by the same n, and an einsum."""

    def sign_flip_p(old, new, groups, signs):
        kinds = np.unique(groups)
        d = np.array(new, dtype=np.float64) - np.array(old, dtype=np.float64)
        totals = np.array([d[groups == g].sum() for g in kinds])
        results = np.einsum("tg,g->t", signs, totals) / len(d)
        together = np.append(np.abs(results), abs(totals.sum() / len(d)))
        return np.mean(together >= together[-1])


@right
def duplicates_by_correlation():
    """The distance from the correlation: 2 - 2 r is the mean squared difference."""

    def near_duplicates(test, training, tolerance=0.25):
        def standardized(x):
            x = np.asarray(x, dtype=float)
            flat = x.max(axis=1) == x.min(axis=1)
            z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
            z[flat] = 0
            return z

        a, b = standardized(test), standardized(training)
        squares = (a**2).mean(axis=1)[:, None] + (b**2).mean(axis=1) - 2 * a @ b.T / a.shape[1]
        return (squares <= tolerance**2).any(axis=1)


@right
def duplicates_in_loops():
    """Picture by picture, with an early end."""

    def near_duplicates(pictures, known, limit=0.25):
        def standardized(picture):
            picture = [float(v) for v in picture]
            if min(picture) == max(picture):
                return np.zeros(len(picture))
            return (np.array(picture) - np.mean(picture)) / np.std(picture)

        known = [standardized(k) for k in known]
        found = []
        for p in map(standardized, pictures):
            found.append(any(np.linalg.norm(p - k) / len(p) ** 0.5 <= limit for k in known))
        return np.array(found)


@right
def calibration_with_digitize():
    """np.digitize with closed right edges, and keys as they come out of NumPy."""

    def calibration_by_group(chances, ill, groups, bins=10):
        edges = np.linspace(0, 1, bins + 1)[1:-1]
        errors = {}
        for name in np.unique(groups):
            p, y = chances[groups == name] * 1.0, ill[groups == name] * 1.0
            place = np.digitize(p, edges, right=True)
            errors[name] = sum(
                np.mean(place == k) * abs(p[place == k].mean() - y[place == k].mean())
                for k in range(bins)
                if (place == k).any()
            )
        return errors


@right
def calibration_with_nan_on_the_way():
    """Means of empty parts warn, and are left out afterwards."""

    def calibration_by_group(chances, ill, groups, bins=10):
        result = {}
        for name in set(np.asarray(groups).tolist()):
            inside = groups == name
            p, y = np.asarray(chances[inside], dtype=float), ill[inside]
            gaps = []
            for k in range(bins):
                here = (p > k / bins) & (p <= (k + 1) / bins)
                if k == 0:
                    here |= p == 0
                gaps.append(here.sum() / len(p) * np.abs(np.mean(p[here]) - np.mean(y[here])))
            result[name] = float(np.nansum(gaps))
        return result


@right
def thresholds_by_tables():
    """Arrays of rates and costs for all pairs at once."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        def table(people, name):
            chances, ill, _ = (column[people[2] == name] for column in people)
            treated = chances[:, None] >= candidates
            alarms = (treated & (ill == 0)[:, None]).sum(axis=0)
            missed = (~treated & (ill == 1)[:, None]).sum(axis=0)
            return alarms / np.sum(ill == 0), miss * missed + alarm * alarms

        one, other = sorted(set(validation[2].tolist()), reverse=True)
        (r, c), (q, d) = table(validation, one), table(validation, other)
        total = np.where(np.abs(r[:, None] - q) <= allowed + 1e-9, c[:, None] + d, np.inf)
        i, j = np.unravel_index(total.argmin(), total.shape)
        (r, c), (q, d) = table(test, one), table(test, other)
        thresholds = {one: candidates[i], other: candidates[j]}
        return thresholds, (c[i] + d[j]) / len(test[0]), abs(r[i] - q[j])


@right
def last_of_equals():
    """Of pairs that cost the same, the last."""

    def choose_thresholds(validation, test, candidates, allowed, miss=1.0, alarm=1.0):
        names = np.unique(validation[2])

        def measured(people, pair):
            chances, ill, clinic = people
            treated = chances >= np.where(clinic == names[0], *pair)
            rates = [treated[(clinic == name) & (ill == 0)].mean() for name in names]
            price = np.where(ill == 1, miss * ~treated, alarm * treated).mean()
            return price, abs(rates[0] - rates[1])

        pairs = [(a, b) for a in sorted(candidates)[::-1] for b in candidates[::-1]]
        allowed_pairs = [pair for pair in pairs if measured(validation, pair)[1] <= allowed + 1e-12]
        best = min(allowed_pairs, key=lambda pair: measured(validation, pair)[0])
        thresholds = {name.item(): float(t) for name, t in zip(names, best, strict=True)}
        return (thresholds, *measured(test, best))
