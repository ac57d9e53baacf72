"""Wrong and unusual answers to the exercise `security`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

accepted = {
    ("lately", "float32 [1]"): "The text fixes no precision for the means.",
    ("pr_curve", "float32 [0]"): "The text fixes no precision for the curve.",
    ("pr_curve", "float32 [1]"): "The text fixes no precision for the curve.",
    ("pr_curve", "float32 [2]"): "The text fixes no precision for the curve.",
    ("normal_error", "float32"): "The text fixes no precision for the errors.",
}

# Lately -------------------------------------------------------------------------------------------


@wrong(loses=["test-lately", "test-lately-hidden"], says="not its own amount")
def counts_itself():
    """Earlier or equal: each payment sees itself, and its twins of the same minute."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for c, t in zip(card, time, strict=True):
            past = (card == c) & (time <= t) & (time >= t - hours)
            counts.append(past.sum())
            means.append(amount[past].mean())
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately-hidden"], says="the minute itself is not earlier")
def sees_its_twins():
    """Takes itself out, and leaves other payments of the same minute in."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for i in range(len(card)):
            past = (card == card[i]) & (time <= time[i]) & (time >= time[i] - hours)
            past[i] = False
            counts.append(past.sum())
            means.append(amount[past].mean() if past.any() else np.nan)
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately", "test-lately-hidden"], says="Only earlier payments of the same card")
def all_cards_together():
    """Forgets whose payments they are."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for t in time:
            past = (time < t) & (time >= t - hours)
            counts.append(past.sum())
            means.append(amount[past].mean() if past.any() else np.nan)
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately", "test-lately-hidden"], says="Only earlier payments")
def the_whole_table():
    """The mean of the card over the whole table, as a group-by gives it: the future is in it."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for i in range(len(card)):
            other = (card == card[i]) & (np.arange(len(card)) != i)
            counts.append(other.sum())
            means.append(amount[other].mean() if other.any() else np.nan)
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately-hidden"], says="wherever it stands among the rows")
def trusts_the_order_of_rows():
    """Takes the rows above for the past."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for i in range(len(card)):
            past = np.zeros(len(card), bool)
            past[:i] = (card[:i] == card[i]) & (time[:i] >= time[i] - hours)
            counts.append(past.sum())
            means.append(amount[past].mean() if past.any() else np.nan)
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately-hidden"], says="time - hours <= earlier")
def window_without_its_edge():
    """Exactly `hours` old should count."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for c, t in zip(card, time, strict=True):
            past = (card == c) & (time < t) & (time > t - hours)
            counts.append(past.sum())
            means.append(amount[past].mean() if past.any() else np.nan)
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately-hidden"], says="time - hours <= earlier")
def never_forgets():
    """Ignores the window."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for c, t in zip(card, time, strict=True):
            past = (card == c) & (time < t)
            counts.append(past.sum())
            means.append(amount[past].mean() if past.any() else np.nan)
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately", "test-lately-hidden"], says="nan")
def zero_for_nothing():
    """A mean of nothing is no zero."""

    def lately(card, time, amount, hours):
        counts, means = [], []
        for c, t in zip(card, time, strict=True):
            past = (card == c) & (time < t) & (time >= t - hours)
            counts.append(past.sum())
            means.append(amount[past].mean() if past.any() else 0.0)
        return np.array(counts), np.array(means)


@wrong(loses=["test-lately-hidden"], says="for integers")
def means_in_whole_euros():
    """Writes means into an array like the amounts."""

    def lately(card, time, amount, hours):
        count = np.zeros(len(card), dtype=int)
        mean = np.zeros_like(amount)
        empty = np.zeros(len(card), dtype=bool)
        for i, (c, t) in enumerate(zip(card, time, strict=True)):
            past = (card == c) & (time < t) & (time >= t - hours)
            count[i] = past.sum()
            empty[i] = not past.any()
            if past.any():
                mean[i] = amount[past].mean()
        return count, np.where(empty, np.nan, mean)


@wrong(loses=["test-lately", "test-lately-hidden"], says="you changed")
def sorts_the_bank_s_table():
    """Sorts in place, since the past is easier that way."""

    def lately(card, time, amount, hours):
        order = np.lexsort((time, card))[::-1]
        card[:], time[:], amount[:] = card[order], time[order], amount[order]
        counts, means = np.zeros(len(card), int), np.full(len(card), np.nan)
        for i in range(len(card)):
            past = (card == card[i]) & (time < time[i]) & (time >= time[i] - hours)
            counts[order[i]] = past.sum()
            if past.any():
                means[order[i]] = amount[past].mean()
        return counts, means


@right
def lately_by_a_matrix():
    """All pairs at once."""

    def lately(card, time, amount, hours):
        before = (time < time[:, None]) & (time >= time[:, None] - hours)
        past = before & (card == card[:, None])
        count = past.sum(axis=1)
        return count, (past @ np.asarray(amount, dtype=float)) / count


@right
def lately_with_dictionaries():
    """A history for each card, walked through in the order of time."""

    def lately(owner, when, euros, window):
        history = {}
        count, mean = [0] * len(owner), [float("nan")] * len(owner)
        for i in sorted(range(len(owner)), key=lambda i: when[i]):
            past = [
                e for t, e in history.get(owner[i], []) if t < when[i] and t >= when[i] - window
            ]
            history.setdefault(owner[i], []).append((when[i], float(euros[i])))
            count[i] = len(past)
            if past:
                mean[i] = sum(past) / len(past)
        return np.array(count), np.array(mean)


# Precision and recall -----------------------------------------------------------------------------


@wrong(loses=["test-pr_curve-hidden"], says="pass the threshold together")
def an_entry_for_each_payment():
    """Walks through the sorted rows, and splits what is equal."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores), np.asarray(fraud)
        order = np.argsort(-scores, kind="stable")
        hits = np.cumsum(fraud[order])
        return scores[order], hits / np.arange(1, len(hits) + 1), hits / fraud.sum()


@wrong(loses=["test-pr_curve", "test-pr_curve-hidden"], says="Precision divides by the alarms")
def precision_of_all_frauds():
    """Divides both by the frauds."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores), np.asarray(fraud)
        levels = np.unique(scores)[::-1]
        hits = np.array([fraud[scores >= level].sum() for level in levels])
        return levels, hits / fraud.sum(), hits / fraud.sum()


@wrong(loses=["test-pr_curve", "test-pr_curve-hidden"], says="From the highest score down")
def from_the_lowest_up():
    """np.unique sorts upwards."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores), np.asarray(fraud)
        levels = np.unique(scores)
        hits = np.array([fraud[scores >= level].sum() for level in levels])
        alarms = np.array([(scores >= level).sum() for level in levels])
        return levels, hits / alarms, hits / fraud.sum()


@wrong(loses=["test-pr_curve", "test-pr_curve-hidden"], says="From the highest score down")
def above_the_threshold():
    """Strictly above: the highest score alarms nobody."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores), np.asarray(fraud)
        levels = np.unique(scores)[::-1]
        hits = np.array([fraud[scores > level].sum() for level in levels])
        alarms = np.array([max((scores > level).sum(), 1) for level in levels])
        return levels, hits / alarms, hits / fraud.sum()


@wrong(loses=["test-pr_curve", "test-pr_curve-hidden"], says="Precision divides by the alarms")
def roc_in_disguise():
    """True and false positive rates, as on the curve one knows."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores), np.asarray(fraud)
        levels = np.unique(scores)[::-1]
        hits = np.array([fraud[scores >= level].sum() for level in levels])
        false = np.array([(1 - fraud)[scores >= level].sum() for level in levels])
        return levels, 1 - false / max((1 - fraud).sum(), 1), hits / fraud.sum()


@wrong(loses=["test-pr_curve", "test-pr_curve-hidden"], says="shape")
def starts_at_a_point_of_its_own():
    """Adds the point (0, 1) in front, as libraries do for their plots."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores), np.asarray(fraud)
        levels = np.unique(scores)[::-1]
        hits = np.array([fraud[scores >= level].sum() for level in levels])
        alarms = np.array([(scores >= level).sum() for level in levels])
        return (
            np.append(np.inf, levels),
            np.append(1.0, hits / alarms),
            np.append(0.0, hits / fraud.sum()),
        )


@wrong(loses=["test-pr_curve", "test-pr_curve-hidden"], says="precision")
def balances_the_set_first():
    """Resamples the test set until both classes are as large: recall stays, precision flatters."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores), np.asarray(fraud)
        levels = np.unique(scores)[::-1]
        hits = np.array([fraud[scores >= level].sum() for level in levels])
        false = np.array([(1 - fraud)[scores >= level].sum() for level in levels])
        false = false * fraud.sum() / max((1 - fraud).sum(), 1) * 0.5
        return levels, hits / np.maximum(hits + false, 1e-9), hits / fraud.sum()


@right
def pr_curve_by_scikit_learn_s_way():
    """Sort, cumulative sums, and the last of equals."""

    def pr_curve(scores, fraud):
        scores, fraud = np.asarray(scores, dtype=float), np.asarray(fraud)
        order = np.argsort(scores)[::-1]
        s, y = scores[order], fraud[order]
        last = np.append(np.flatnonzero(np.diff(s)), len(s) - 1)
        hits = np.cumsum(y)[last]
        return s[last], hits / (last + 1), hits / hits[-1]


@right
def pr_curve_in_lists():
    """Loops, and arrays only at the end."""

    def pr_curve(marks, truth):
        pairs = sorted(zip(list(marks), list(truth), strict=True), reverse=True)
        total = sum(truth)
        out = []
        for n, (mark, _) in enumerate(pairs, start=1):
            hits = sum(t for m, t in pairs if m >= mark)
            count = sum(m >= mark for m, _ in pairs)
            if n == len(pairs) or pairs[n][0] != mark:
                out.append((mark, hits / count, hits / total))
        return tuple(np.array(column, dtype=float) for column in zip(*out, strict=True))


# Average precision --------------------------------------------------------------------------------


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="quarter")
def trapezoids():
    """The area under straight lines."""

    def average_precision(precision, recall):
        return float(np.trapezoid(precision, recall))


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="quarter")
def forgets_the_first_step():
    """np.diff is one shorter, so the first entry falls out."""

    def average_precision(precision, recall):
        return float(np.sum(np.diff(recall) * precision[1:]))


@wrong(loses=["test-average_precision", "test-average_precision-hidden"], says="quarter")
def mean_of_the_precisions():
    """An unweighted mean over the entries."""

    def average_precision(precision, recall):
        return float(np.mean(precision))


@wrong(loses=["test-average_precision-hidden"], says="what no threshold reaches")
def interpolated():
    """The best precision at this recall or any higher one, as some benchmarks have it."""

    def average_precision(precision, recall):
        best = np.maximum.accumulate(precision[::-1])[::-1]
        return float(np.sum(np.diff(recall, prepend=0.0) * best))


@wrong(loses=["test-average_precision-hidden"], says="ends at it")
def precision_before_the_step():
    """Each step with the precision before it; the first with its own."""

    def average_precision(precision, recall):
        before = precision if len(precision) < 3 else np.append(precision[0], precision[:-1])
        return float(np.sum(np.diff(recall, prepend=0.0) * before))


@right
def average_precision_by_a_loop():
    """One entry after the other."""

    def average_precision(precision, recall):
        total, last = 0.0, 0.0
        for p, r in zip(precision, recall, strict=True):
            total += (r - last) * p
            last = r
        return total


# What an alarm costs ------------------------------------------------------------------------------


@wrong(loses=["test-cheapest_threshold", "test-cheapest_threshold-hidden"], says="4 euros each")
def one_half():
    """What is more likely fraud than not."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        alarm = p >= 0.5
        return 0.5, float(look * alarm.sum() + (fraud * (amount + fee))[~alarm].sum())


@wrong(loses=["test-cheapest_threshold-hidden"], says="never alarm, with a threshold of inf")
def always_some_alarm():
    """Forgets the threshold that never alarms."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.unique(p)[::-1]
        costs = [look * (p >= t).sum() + (fraud * (amount + fee))[p < t].sum() for t in tried]
        best = int(np.argmin(costs))
        return tried[best], costs[best]


@wrong(loses=["test-cheapest_threshold-hidden"], says="take the highest")
def lowest_of_equals():
    """np.argmin over rising thresholds gives the first, which is the lowest."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.append(np.unique(p), np.inf)
        costs = [look * (p >= t).sum() + (fraud * (amount + fee))[p < t].sum() for t in tried]
        best = int(np.argmin(costs))
        return tried[best], costs[best]


@wrong(loses=["test-cheapest_threshold-hidden"], says="amount + fee for each fraud")
def amounts_do_not_matter():
    """The same cost for each fraud, the mean."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.append(np.unique(p), np.inf)[::-1]
        each = amount[fraud == 1].mean() + fee
        costs = [look * (p >= t).sum() + each * fraud[p < t].sum() for t in tried]
        best = int(np.argmin(costs))
        return tried[best], costs[best]


@wrong(loses=["test-cheapest_threshold", "test-cheapest_threshold-hidden"], says="4 euros each")
def right_alarms_are_free():
    """Counts false alarms alone."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.append(np.unique(p), np.inf)[::-1]
        costs = [
            look * ((p >= t) & (fraud == 0)).sum() + (fraud * (amount + fee))[p < t].sum()
            for t in tried
        ]
        best = int(np.argmin(costs))
        return tried[best], costs[best]


@wrong(loses=["test-cheapest_threshold-hidden"], says="amount + fee for each fraud")
def forgets_the_fee():
    """The amount alone."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.append(np.unique(p), np.inf)[::-1]
        costs = [look * (p >= t).sum() + (fraud * (amount + 20.0))[p < t].sum() for t in tried]
        best = int(np.argmin(costs))
        return tried[best], costs[best]


@wrong(loses=["test-cheapest_threshold", "test-cheapest_threshold-hidden"], says="4 euros each")
def cost_per_payment():
    """Returns the mean."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.append(np.unique(p), np.inf)[::-1]
        costs = [look * (p >= t).sum() + (fraud * (amount + fee))[p < t].sum() for t in tried]
        best = int(np.argmin(costs))
        return tried[best], costs[best] / len(p)


@wrong(loses=["test-cheapest_threshold", "test-cheapest_threshold-hidden"], says="two alarms")
def alarms_only_above():
    """What is equal to the threshold passes."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.append(np.unique(p), np.inf)[::-1]
        costs = [look * (p > t).sum() + (fraud * (amount + fee))[p <= t].sum() for t in tried]
        best = int(np.argmin(costs))
        return tried[best], costs[best]


@wrong(loses=["test-cheapest_threshold", "test-cheapest_threshold-hidden"], says="threshold")
def from_the_formula():
    """The threshold of theory, for the mean amount; p need not be a chance that can be trusted."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        threshold = look / (amount.mean() + fee)
        alarm = p >= threshold
        return threshold, look * alarm.sum() + (fraud * (amount + fee))[~alarm].sum()


@right
def cheapest_by_cumulative_sums():
    """Sorted once, and the last of equal chances."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        order = np.argsort(-p, kind="stable")
        loss = (np.asarray(amount, dtype=float) + fee) * (np.asarray(fraud) == 1)
        costs = loss.sum() + np.cumsum(look - loss[order])
        last = np.append(np.diff(p[order]) != 0, True)
        tried = np.append(np.inf, p[order][last])
        costs = np.append(loss.sum(), costs[last])
        best = int(np.argmin(costs))
        return float(tried[best]), float(costs[best])


@right
def cheapest_in_a_matrix():
    """All thresholds against all payments."""

    def cheapest_threshold(p, fraud, amount, fee, look):
        tried = np.concatenate([[np.inf], np.unique(p)[::-1].astype(float)])
        alarm = p[None, :] >= tried[:, None]
        costs = np.where(alarm, look, fraud * (amount + fee)).sum(axis=1)
        return tried[costs.argmin()], costs.min()


# What is normal -----------------------------------------------------------------------------------


@wrong(loses=["test-normal_error-hidden"], says="would make fraud look normal")
def learns_from_the_fraud_too():
    """PCA of everything there is."""

    def normal_error(X, fraud, new, k):
        X = np.asarray(X, dtype=float)
        mean, spread = X.mean(axis=0), X.std(axis=0)
        spread = np.where(np.ptp(X, axis=0) > 0, spread, 1)
        V = np.linalg.svd((X - mean) / spread)[2][:k].T
        Z = (new - mean) / spread
        return np.mean((Z - Z @ V @ V.T) ** 2, axis=1)


@wrong(loses=["test-normal_error-hidden"], says="fraud == 0 alone")
def scales_by_everything():
    """Directions from the honest, mean and spread from all rows."""

    def normal_error(X, fraud, new, k):
        X = np.asarray(X, dtype=float)
        mean, spread = X.mean(axis=0), X.std(axis=0)
        spread = np.where(np.ptp(X, axis=0) > 0, spread, 1)
        Z, new = (X - mean) / spread, (new - mean) / spread
        honest = Z[np.asarray(fraud) == 0]
        middle = honest.mean(axis=0)
        V = np.linalg.svd(honest - middle)[2][:k].T
        return np.mean((new - middle - (new - middle) @ V @ V.T) ** 2, axis=1)


@wrong(loses=["test-normal_error", "test-normal_error-hidden"], says="Standardized")
def no_standardization():
    """Only centers: the column with the largest numbers decides."""

    def normal_error(X, fraud, new, k):
        honest = np.asarray(X, dtype=float)[np.asarray(fraud) == 0]
        mean = honest.mean(axis=0)
        V = np.linalg.svd(honest - mean)[2][:k].T
        Z = new - mean
        return np.mean((Z - Z @ V @ V.T) ** 2, axis=1)


@wrong(loses=["test-normal_error", "test-normal_error-hidden"], says="lies on it, too")
def standardizes_the_new_by_themselves():
    """Their own mean and spread: an unusual batch becomes usual."""

    def normal_error(X, fraud, new, k):
        honest = np.asarray(X, dtype=float)[np.asarray(fraud) == 0]
        mean, spread = honest.mean(axis=0), honest.std(axis=0)
        spread = np.where(np.ptp(honest, axis=0) > 0, spread, 1)
        V = np.linalg.svd((honest - mean) / spread)[2][:k].T
        own = np.where(np.std(new, axis=0) > 0, np.std(new, axis=0), 1)
        Z = (new - np.mean(new, axis=0)) / own
        return np.mean((Z - Z @ V @ V.T) ** 2, axis=1)


@wrong(loses=["test-normal_error-hidden"], says="is unusual, not nan")
def divides_by_no_spread():
    """A constant column has a spread of 0."""

    def normal_error(X, fraud, new, k):
        honest = np.asarray(X, dtype=float)[np.asarray(fraud) == 0]
        mean, spread = honest.mean(axis=0), honest.std(axis=0) + 1e-12
        V = np.linalg.svd((honest - mean) / spread)[2][:k].T
        Z = (new - mean) / spread
        return np.mean((Z - Z @ V @ V.T) ** 2, axis=1)


@wrong(loses=["test-normal_error-hidden"], says="direction")
def smallest_directions():
    """eigh sorts upwards, so the first k vary least."""

    def normal_error(X, fraud, new, k):
        honest = np.asarray(X, dtype=float)[np.asarray(fraud) == 0]
        mean, spread = honest.mean(axis=0), honest.std(axis=0)
        spread = np.where(np.ptp(honest, axis=0) > 0, spread, 1)
        Z = (honest - mean) / spread
        V = np.linalg.eigh(Z.T @ Z)[1][:, :k]
        if len(mean) == 2:
            V = np.linalg.eigh(Z.T @ Z)[1][:, -k:]
        Z = (new - mean) / spread
        return np.mean((Z - Z @ V @ V.T) ** 2, axis=1)


@wrong(loses=["test-normal_error", "test-normal_error-hidden"], says="without")
def sum_of_squares():
    """A sum where the mean is asked for."""

    def normal_error(X, fraud, new, k):
        honest = np.asarray(X, dtype=float)[np.asarray(fraud) == 0]
        mean, spread = honest.mean(axis=0), honest.std(axis=0)
        spread = np.where(np.ptp(honest, axis=0) > 0, spread, 1)
        V = np.linalg.svd((honest - mean) / spread)[2][:k].T
        Z = (new - mean) / spread
        return np.sum((Z - Z @ V @ V.T) ** 2, axis=1)


@wrong(loses=["test-normal_error-hidden"], says="fraud == 0 alone")
def rebuilt_from_rows_of_v():
    """Takes the transposed directions."""

    def normal_error(X, fraud, new, k):
        honest = np.asarray(X, dtype=float)[np.asarray(fraud) == 0]
        mean, spread = honest.mean(axis=0), honest.std(axis=0)
        spread = np.where(np.ptp(honest, axis=0) > 0, spread, 1)
        V = np.linalg.svd((honest - mean) / spread)[2][:, :k]
        Z = (new - mean) / spread
        return np.mean((Z - Z @ V @ V.T) ** 2, axis=1)


@right
def normal_error_by_eigh():
    """The covariance's eigenvectors, and the error by Pythagoras."""

    def normal_error(table, labels, rows, kept):
        honest = np.array(
            [row for row, y in zip(table, labels, strict=True) if y == 0], dtype=float
        )
        mean, spread = honest.mean(axis=0), honest.std(axis=0)
        spread[np.ptp(honest, axis=0) == 0] = 1.0
        Z = (honest - mean) / spread
        V = np.linalg.eigh(np.cov(Z.T, bias=True))[1][:, ::-1][:, :kept]
        new = (rows - mean) / spread
        return (new**2).mean(axis=1) - ((new @ V) ** 2).sum(axis=1) / new.shape[1]


@right
def normal_error_with_scikit_learn():
    """The library's PCA and scaler, which leave constant columns alone."""

    def normal_error(X, fraud, new, k):
        from sklearn.decomposition import PCA
        from sklearn.preprocessing import StandardScaler

        honest = np.asarray(X, dtype=float)[np.asarray(fraud) == 0]
        scaler = StandardScaler().fit(honest)
        pca = PCA(k, svd_solver="full").fit(scaler.transform(honest))
        Z = scaler.transform(np.asarray(new, dtype=float))
        return ((Z - pca.inverse_transform(pca.transform(Z))) ** 2).mean(axis=1)


# Has something moved? -----------------------------------------------------------------------------


@wrong(loses=["test-stability_index", "test-stability_index-hidden"], says="in each of three bins")
def bins_of_both():
    """Edges from everything: they move with what they should notice."""

    def stability_index(reference, current, bins=10):
        both = np.concatenate([reference, current])
        edges = np.unique(np.quantile(both, np.arange(1, bins) / bins))
        shares = []
        for values in (reference, current):
            place = np.searchsorted(edges, values, side="right")
            counts = np.maximum(np.bincount(place, minlength=len(edges) + 1), 0.5)
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum((q - p) * np.log(q / p))


@wrong(loses=["test-stability_index-hidden"], says="outer bins reach to infinity")
def loses_what_is_outside():
    """np.histogram drops values beyond its edges."""

    def stability_index(reference, current, bins=10):
        edges = np.unique(np.quantile(reference, np.arange(bins + 1) / bins))
        shares = []
        for values in (reference, current):
            counts = np.maximum(np.histogram(values, edges)[0], 0.5)
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum((q - p) * np.log(q / p))


@wrong(loses=["test-stability_index", "test-stability_index-hidden"], says="counts as 0.5")
def leaves_empty_bins_out():
    """Where nothing is, nothing is added."""

    def stability_index(reference, current, bins=10):
        edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
        p, q = (
            np.bincount(np.searchsorted(edges, v, side="right"), minlength=len(edges) + 1) / len(v)
            for v in (reference, current)
        )
        some = (p > 0) & (q > 0)
        return np.sum((q - p)[some] * np.log(q[some] / p[some]))


@wrong(loses=["test-stability_index", "test-stability_index-hidden"], says="counts as 0.5")
def half_for_everyone():
    """Adds half a value to every bin."""

    def stability_index(reference, current, bins=10):
        edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
        shares = []
        for values in (reference, current):
            place = np.searchsorted(edges, values, side="right")
            counts = np.bincount(place, minlength=len(edges) + 1) + 0.5
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum((q - p) * np.log(q / p))


@wrong(loses=["test-stability_index", "test-stability_index-hidden"], says="in each of three bins")
def bins_of_equal_width():
    """Equal widths instead of equal counts."""

    def stability_index(reference, current, bins=10):
        edges = np.linspace(np.min(reference), np.max(reference), bins + 1)[1:-1]
        edges = edges + 0.4 * (edges[0] - np.min(reference))
        shares = []
        for values in (reference, current):
            place = np.searchsorted(edges, values, side="right")
            counts = np.maximum(np.bincount(place, minlength=len(edges) + 1), 0.5)
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum((q - p) * np.log(q / p))


@wrong(loses=["test-stability_index", "test-stability_index-hidden"], says="the 0 counts as 0.5")
def one_direction():
    """The Kullback–Leibler divergence, which is another number."""

    def stability_index(reference, current, bins=10):
        edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
        shares = []
        for values in (reference, current):
            place = np.searchsorted(edges, values, side="right")
            counts = np.maximum(np.bincount(place, minlength=len(edges) + 1), 0.5)
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum(q * np.log(q / p))


@wrong(loses=["test-stability_index-hidden"], says="Equal edges count once")
def keeps_equal_edges():
    """Bins without room between equal quantiles."""

    def stability_index(reference, current, bins=10):
        edges = np.quantile(reference, np.arange(1, bins) / bins)
        shares = []
        for values in (reference, current):
            place = np.searchsorted(edges, values, side="right")
            counts = np.maximum(np.bincount(place, minlength=len(edges) + 1), 0.5)
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum((q - p) * np.log(q / p))


@wrong(loses=["test-stability_index-hidden"], says="belongs to the bin above it")
def edges_to_the_bin_below():
    """searchsorted's default side."""

    def stability_index(reference, current, bins=10):
        edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
        shares = []
        for values in (reference, current):
            place = np.searchsorted(edges, values)
            counts = np.maximum(np.bincount(place, minlength=len(edges) + 1), 0.5)
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum((q - p) * np.log(q / p))


@wrong(loses=["test-stability_index-hidden"], says="The default are 10 bins")
def another_default():
    """20 bins, as some libraries have it."""

    def stability_index(reference, current, bins=20):
        edges = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
        shares = []
        for values in (reference, current):
            place = np.searchsorted(edges, values, side="right")
            counts = np.maximum(np.bincount(place, minlength=len(edges) + 1), 0.5)
            shares.append(counts / counts.sum())
        p, q = shares
        return np.sum((q - p) * np.log(q / p))


@right
def index_by_digitize():
    """np.digitize puts edges above by default; a dictionary counts."""

    def stability_index(old, new, parts=10):
        edges = sorted({float(np.quantile(old, i / parts)) for i in range(1, parts)})

        def shares(values):
            counts = [0] * (len(edges) + 1)
            for place in np.digitize(values, edges):
                counts[place] += 1
            counts = [count if count else 0.5 for count in counts]
            return [count / sum(counts) for count in counts]

        pairs = zip(shares(old), shares(new), strict=True)
        return sum((q - p) * (np.log(q) - np.log(p)) for p, q in pairs)


@right
def index_with_infinite_ends():
    """np.histogram with outer edges at infinity, and a log of 0 on the way."""

    def stability_index(reference, current, bins=10):
        inner = np.unique(np.quantile(reference, np.arange(1, bins) / bins))
        edges = np.concatenate([[-np.inf], inner, [np.inf]])
        p, q = (
            np.histogram(np.asarray(v, dtype=float), edges)[0].astype(float)
            for v in (reference, current)
        )
        np.log(q / p)  # warns where a bin is empty; not used
        p[p == 0], q[q == 0] = 0.5, 0.5
        p, q = p / p.sum(), q / q.sum()
        return float((q - p) @ np.log(q / p))


# Forward in time ----------------------------------------------------------------------------------


@wrong(loses=["test-forward", "test-forward-hidden"], says="to the bank of hour 4")
def labels_of_the_end():
    """Learns from what will be known one day."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            past = (time >= start - wait - length) & (time < start - wait)
            coming = (time >= start) & (time < start + test)
            detector = learn(X[past], np.isfinite(known[past]).astype(int))
            results.append(measure(detector(X[coming]), np.isfinite(known[coming]).astype(int)))
        return results


@wrong(loses=["test-forward", "test-forward-hidden"], says="with the final labels")
def judged_by_what_is_known():
    """Judges by the labels of the start, when nothing of the test is reported."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            past = (time >= start - wait - length) & (time < start - wait)
            coming = (time >= start) & (time < start + test)
            detector = learn(X[past], (known[past] <= start).astype(int))
            truth = (known[coming] <= start + test).astype(int)
            results.append(measure(detector(X[coming]), truth))
        return results


@wrong(loses=["test-forward", "test-forward-hidden"], says="from hours 0 and 1")
def does_not_wait():
    """Learns up to the start."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            past = (time >= start - length) & (time < start)
            coming = (time >= start) & (time < start + test)
            detector = learn(X[past], (known[past] <= start).astype(int))
            results.append(measure(detector(X[coming]), np.isfinite(known[coming]).astype(int)))
        return results


@wrong(loses=["test-forward-hidden"], says="and not their last")
def takes_both_ends():
    """Closed intervals: the hour at the end is in two parts."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            past = (time >= start - wait - length) & (time <= start - wait - 1e-9)
            coming = (time >= start) & (time <= start + test)
            detector = learn(X[past], (known[past] <= start).astype(int))
            results.append(measure(detector(X[coming]), np.isfinite(known[coming]).astype(int)))
        return results


@wrong(loses=["test-forward-hidden"], says="and not their last")
def learns_from_all_the_past():
    """Ignores the length."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            past = time < start - wait
            coming = (time >= start) & (time < start + test)
            detector = learn(X[past], (known[past] <= start).astype(int))
            results.append(measure(detector(X[coming]), np.isfinite(known[coming]).astype(int)))
        return results


@wrong(loses=["test-forward-hidden"], says="payments were learned from")
def tests_on_all_the_future():
    """Ignores the length of the test."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            past = (time >= start - wait - length) & (time < start - wait)
            coming = time >= start
            detector = learn(X[past], (known[past] <= start).astype(int))
            results.append(measure(detector(X[coming]), np.isfinite(known[coming]).astype(int)))
        return results


@wrong(loses=["test-forward-hidden"], says="payments were learned from")
def one_detector_for_all():
    """Learns at the first start, and never again."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        first = starts[0]
        past = (time >= first - wait - length) & (time < first - wait)
        detector = learn(X[past], (known[past] <= first).astype(int))
        results = []
        for start in starts:
            coming = (time >= start) & (time < start + test)
            results.append(measure(detector(X[coming]), np.isfinite(known[coming]).astype(int)))
        return results


@wrong(loses=["test-forward-hidden"], says="1 where known <= start")
def reported_just_now_is_not_known():
    """What is reported at the very start counts as known."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            past = (time >= start - wait - length) & (time < start - wait)
            coming = (time >= start) & (time < start + test)
            detector = learn(X[past], (known[past] < start).astype(int))
            results.append(measure(detector(X[coming]), np.isfinite(known[coming]).astype(int)))
        return results


@wrong(loses=["test-forward-hidden"], says="payments were learned from")
def slices_of_rows():
    """Takes the rows for sorted by time."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        results = []
        for start in starts:
            a, b, c, d = np.searchsorted(
                time, [start - wait - length, start - wait, start, start + test]
            )
            detector = learn(X[a:b], (known[a:b] <= start).astype(int))
            results.append(measure(detector(X[c:d]), np.isfinite(known[c:d]).astype(int)))
        return results


@right
def forward_with_loops():
    """Rows one by one, and a comprehension around a helper."""

    def forward(X, time, known, learn, measure, starts, length, wait, test):
        def judge(now):
            past = [i for i in range(len(time)) if now - wait - length <= time[i] < now - wait]
            coming = [i for i in range(len(time)) if now <= time[i] < now + test]
            detector = learn(X[past], np.array([int(known[i] <= now) for i in past]))
            return measure(detector(X[coming]), np.array([int(known[i] < np.inf) for i in coming]))

        return [judge(now) for now in starts]
