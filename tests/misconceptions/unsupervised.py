"""Wrong and unusual answers to the exercise `unsupervised`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

_DIGITS = "Six digits are asked for, and float32 has seven."
accepted = {
    ("draw_centers", "float32"): _DIGITS,
    ("move", "float32 [0]"): _DIGITS,
    ("fit_pca", "float32 [0]"): _DIGITS,
    ("fit_pca", "float32 [1]"): _DIGITS,
    ("errors", "float32"): _DIGITS,
}

# A careful start ----------------------------------------------------------------------------------


@wrong(loses=["test-draw_centers-hidden"], says="distances were not squared")
def distances_not_squared():
    """Proportional to the distance sounds the same."""

    def draw_centers(X, k, rng):
        samples = np.asarray(X, dtype=float)
        chosen = [rng.integers(len(samples))]
        while len(chosen) < k:
            far = np.linalg.norm(samples[:, None] - samples[chosen], axis=2).min(axis=1)
            total = far.sum()
            chosen.append(rng.choice(len(samples), p=far / total if total > 0 else None))
        return samples[chosen]


@wrong(loses=["test-draw_centers", "test-draw_centers-hidden"], says="never drawn again")
def uniform_start():
    """Random samples, as k-means had it before."""

    def draw_centers(X, k, rng):
        return np.asarray(X, dtype=float)[rng.choice(len(X), k, replace=False)]


@wrong(loses=["test-draw_centers-hidden"], says="the farthest sample is always taken")
def farthest_first():
    """The most probable sample, where one should be drawn."""

    def draw_centers(X, k, rng):
        samples = np.asarray(X, dtype=float)
        chosen = [int(rng.integers(len(samples)))]
        while len(chosen) < k:
            squared = ((samples[:, None] - samples[chosen]) ** 2).sum(axis=2).min(axis=1)
            chosen.append(int(squared.argmax()))
        return samples[chosen]


@wrong(loses=["test-draw_centers", "test-draw_centers-hidden"], says="not from the last one")
def distance_from_the_last_center():
    """Forgets the centers before the last."""

    def draw_centers(X, k, rng):
        samples = np.asarray(X, dtype=float)
        chosen = [rng.integers(len(samples))]
        while len(chosen) < k:
            squared = ((samples - samples[chosen[-1]]) ** 2).sum(axis=1)
            total = squared.sum()
            chosen.append(rng.choice(len(samples), p=squared / total if total > 0 else None))
        return samples[chosen]


@wrong(loses=["test-draw_centers", "test-draw_centers-hidden"], says="never drawn again")
def distance_from_all_centers():
    """The sum over the centers in place of the least."""

    def draw_centers(X, k, rng):
        samples = np.asarray(X, dtype=float)
        chosen = [rng.integers(len(samples))]
        while len(chosen) < k:
            squared = ((samples[:, None] - samples[chosen]) ** 2).sum(axis=2).sum(axis=1)
            total = squared.sum()
            chosen.append(rng.choice(len(samples), p=squared / total if total > 0 else None))
        return samples[chosen]


@wrong(loses=["test-draw_centers-hidden"], says="equal probability")
def first_center_is_the_first_sample():
    """X[0] is as good as any."""

    def draw_centers(X, k, rng):
        samples = np.asarray(X, dtype=float)
        chosen = [0]
        while len(chosen) < k:
            squared = ((samples[:, None] - samples[chosen]) ** 2).sum(axis=2).min(axis=1)
            total = squared.sum()
            chosen.append(rng.choice(len(samples), p=squared / total if total > 0 else None))
        return samples[chosen]


@wrong(loses=["test-draw_centers-hidden"], says="raised ValueError")
def divides_by_nothing():
    """Equal samples make all distances 0, and the probabilities nan."""

    def draw_centers(X, k, rng):
        samples = np.asarray(X, dtype=float)
        chosen = [rng.integers(len(samples))]
        while len(chosen) < k:
            squared = ((samples[:, None] - samples[chosen]) ** 2).sum(axis=2).min(axis=1)
            chosen.append(rng.choice(len(samples), p=squared / squared.sum()))
        return samples[chosen]


@wrong(loses=["test-draw_centers-hidden"], says="Every draw comes from `rng`")
def draws_from_elsewhere():
    """np.random has a choice of its own."""

    def draw_centers(X, k, rng):
        samples = np.asarray(X, dtype=float)
        chosen = [np.random.randint(len(samples))]
        while len(chosen) < k:
            squared = ((samples[:, None] - samples[chosen]) ** 2).sum(axis=2).min(axis=1)
            p = squared / squared.sum() if squared.sum() > 0 else None
            chosen.append(np.random.choice(len(samples), p=p))
        return samples[chosen]


@wrong(loses=["test-draw_centers-hidden"], says="That 0, 1 and 5 are first equally often")
def seeds_by_itself():
    """Reproducible, and always the same start."""

    def draw_centers(X, k, rng):
        rng = np.random.default_rng(abs(hash(np.asarray(X).shape)) % 1000)
        samples = np.asarray(X, dtype=float)
        chosen = [rng.integers(len(samples))]
        while len(chosen) < k:
            squared = ((samples[:, None] - samples[chosen]) ** 2).sum(axis=2).min(axis=1)
            total = squared.sum()
            chosen.append(rng.choice(len(samples), p=squared / total if total > 0 else None))
        return samples[chosen]


# One round ----------------------------------------------------------------------------------------


@wrong(loses=["test-move-hidden"], says="move")
def empty_cluster_is_nan():
    """The mean of nothing."""

    def move(X, centers):
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels = squared.argmin(axis=1)
        moved = [X[labels == j].mean(axis=0) for j in range(len(centers))]
        return np.stack(moved), labels, float(squared.min(axis=1).mean())


@wrong(loses=["test-move-hidden"], says="Three centers have no samples")
def empty_cluster_stays():
    """As the chapter has it."""

    def move(X, centers):
        X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels = squared.argmin(axis=1)
        moved = [
            X[labels == j].mean(axis=0) if np.any(labels == j) else centers[j]
            for j in range(len(centers))
        ]
        return np.stack(moved), labels, float(squared.min(axis=1).mean())


@wrong(loses=["test-move-hidden"], says="Three centers have no samples")
def empty_clusters_share_a_sample():
    """All of them move to the one farthest sample."""

    def move(X, centers):
        X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), squared.min(axis=1)
        moved = [
            X[labels == j].mean(axis=0) if np.any(labels == j) else X[least.argmax()]
            for j in range(len(centers))
        ]
        return np.stack(moved), labels, float(least.mean())


@wrong(loses=["test-move-hidden"], says="the first of them comes first")
def last_of_equally_far():
    """Sorts upwards and walks from the end, so that of equals the last comes first."""

    def move(X, centers):
        X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), squared.min(axis=1)
        far = iter(np.argsort(least, kind="stable")[::-1])
        moved = [
            X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(far)]
            for j in range(len(centers))
        ]
        return np.stack(moved), labels, float(least.mean())


@wrong(loses=["test-move-hidden"], says="move")
def relabels_the_farthest():
    """The sample that a center moves to is counted to it at once."""

    def move(X, centers):
        X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), squared.min(axis=1)
        far = iter(np.argsort(-least, kind="stable"))
        for j in range(len(centers)):
            if not np.any(labels == j):
                labels[next(far)] = j
        moved = [X[labels == j].mean(axis=0) for j in range(len(centers))]
        return np.stack(moved), labels, float(least.mean())


@wrong(loses=["test-move", "test-move-hidden"], says="measured from where the centers were")
def error_after_the_move():
    """Measures from where the centers are now."""

    def move(X, centers):
        X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), squared.min(axis=1)
        far = iter(np.argsort(-least, kind="stable"))
        moved = np.stack(
            [
                X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(far)]
                for j in range(len(centers))
            ]
        )
        return moved, labels, float(((X - moved[labels]) ** 2).sum(axis=1).mean())


@wrong(loses=["test-move", "test-move-hidden"], says="[2]")
def sum_for_mean():
    """The inertia of scikit-learn is a sum."""

    def move(X, centers):
        X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), squared.min(axis=1)
        far = iter(np.argsort(-least, kind="stable"))
        moved = [
            X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(far)]
            for j in range(len(centers))
        ]
        return np.stack(moved), labels, float(least.sum())


@wrong(loses=["test-move", "test-move-hidden"], says="you changed centers")
def moves_in_place():
    """Writes the means into the centers that came."""

    def move(X, centers):
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), squared.min(axis=1)
        far = iter(np.argsort(-least, kind="stable"))
        for j in range(len(centers)):
            centers[j] = X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(far)]
        return centers, labels, float(least.mean())


@wrong(loses=["test-move-hidden"], says="the fractions are lost")
def means_in_whole_numbers():
    """zeros_like of whole numbers holds whole numbers."""

    def move(X, centers):
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), squared.min(axis=1)
        far = iter(np.argsort(-least, kind="stable"))
        moved = np.zeros_like(centers)
        for j in range(len(centers)):
            moved[j] = X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(far)]
        return moved, labels, float(least.mean())


@wrong(loses=["test-move-hidden"], says="join the one with the smaller number")
def ties_go_to_the_last():
    """<= in a loop over the centers."""

    def move(X, centers):
        X, centers = np.asarray(X, dtype=float), np.asarray(centers, dtype=float)
        squared = ((X[:, None] - centers) ** 2).sum(axis=2)
        labels, least = squared.argmin(axis=1), np.full(len(X), np.inf)
        for j in range(len(centers)):
            closer = squared[:, j] <= least
            labels[closer], least[closer] = j, squared[closer, j]
        far = iter(np.argsort(-least, kind="stable"))
        moved = [
            X[labels == j].mean(axis=0) if np.any(labels == j) else X[next(far)]
            for j in range(len(centers))
        ]
        return np.stack(moved), labels, float(least.mean())


# Several runs -------------------------------------------------------------------------------------


@wrong(loses=["test-k_means-hidden"], says="the run with the smallest error")
def keeps_the_last_run():
    """Overwrites the result in each run."""

    def k_means(X, k, runs, rng):
        for _ in range(runs):
            centers, before = draw_centers(X, k, rng), None
            for _ in range(200):
                centers, labels, error = move(X, centers)
                if before is not None and np.array_equal(labels, before):
                    break
                before = labels
        return centers, labels, error


@wrong(loses=["test-k_means-hidden"], says="One call of draw_centers in each run")
def one_run_only():
    """The argument is ignored."""

    def k_means(X, k, runs, rng):
        centers, before = draw_centers(X, k, rng), None
        for _ in range(200):
            centers, labels, error = move(X, centers)
            if before is not None and np.array_equal(labels, before):
                break
            before = labels
        return centers, labels, error


@wrong(loses=["test-k_means-hidden"], says="wherever it came")
def keeps_the_worst_run():
    """> for <."""

    def k_means(X, k, runs, rng):
        best = None
        for _ in range(runs):
            centers, before = draw_centers(X, k, rng), None
            for _ in range(200):
                centers, labels, error = move(X, centers)
                if before is not None and np.array_equal(labels, before):
                    break
                before = labels
            if best is None or error > best[2]:
                best = centers, labels, error
        return best


@wrong(loses=["test-k_means-hidden"], says="Of runs with equal errors")
def last_of_equal_runs():
    """<= for <."""

    def k_means(X, k, runs, rng):
        best = None
        for _ in range(runs):
            centers, before = draw_centers(X, k, rng), None
            for _ in range(200):
                centers, labels, error = move(X, centers)
                if before is not None and np.array_equal(labels, before):
                    break
                before = labels
            if best is None or error <= best[2] + 1e-9:
                best = centers, labels, error
        return best


@wrong(loses=["test-k_means", "test-k_means-hidden"], says="k_means(")
def one_round_only():
    """One round, as if it were enough."""

    def k_means(X, k, runs, rng):
        best = None
        for _ in range(runs):
            centers, labels, error = move(X, draw_centers(X, k, rng))
            if best is None or error < best[2]:
                best = centers, labels, error
        return best


@wrong(loses=["test-k_means-hidden"], says="Go on until no label changes")
def ten_rounds_are_enough():
    """A fixed number of rounds."""

    def k_means(X, k, runs, rng):
        best = None
        for _ in range(runs):
            centers = draw_centers(X, k, rng)
            for _ in range(6):
                centers, labels, error = move(X, centers)
            if best is None or error < best[2]:
                best = centers, labels, error
        return best


# PCA ----------------------------------------------------------------------------------------------


@wrong(loses=["test-fit_pca", "test-fit_pca-hidden"], says="did not subtract the mean")
def no_centering():
    """The SVD of the samples as they are."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        _, s, Vt = np.linalg.svd(X, full_matrices=False)
        total = np.sum((X - mean) ** 2)
        if total == 0:
            return mean, np.zeros((X.shape[1], 0))
        k = int(np.searchsorted(np.cumsum(s**2) / np.sum(s**2), share)) + 1
        return mean, Vt[:k].T


@wrong(loses=["test-fit_pca-hidden"], says="the square of")
def singular_values_for_variances():
    """Adds up s where s ** 2 is meant."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        _, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
        if s.sum() == 0:
            return mean, np.zeros((X.shape[1], 0))
        k = int(np.searchsorted(np.cumsum(s) / s.sum(), share)) + 1
        return mean, Vt[:k].T


@wrong(loses=["test-fit_pca-hidden"], says="at least the share")
def one_direction_too_few():
    """Stops before the share is reached."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        _, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
        if s.sum() == 0:
            return mean, np.zeros((X.shape[1], 0))
        k = max(1, int(np.searchsorted(np.cumsum(s**2) / np.sum(s**2), share)))
        return mean, Vt[:k].T


@wrong(loses=["test-fit_pca-hidden"], says="The fewest directions")
def one_direction_too_many():
    """Counts from one where searchsorted counts from zero, and then adds one more."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        _, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
        if s.sum() == 0:
            return mean, np.zeros((X.shape[1], 0))
        k = int(np.searchsorted(np.cumsum(s**2) / np.sum(s**2), share)) + 2
        return mean, Vt[: min(k, len(s) if len(s) > 2 else 1)].T


@wrong(loses=["test-fit_pca-hidden"], says="the directions")
def columns_of_vt():
    """Vt[:, :k], which has the right shape when all are square."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        _, s, Vt = np.linalg.svd(X - mean)
        total = np.sum(s**2)
        if total == 0:
            return mean, np.zeros((X.shape[1], 0))
        k = int(np.searchsorted(np.cumsum(s**2) / total, share)) + 1
        return mean, Vt[:, :k] if X.shape[1] > 2 else Vt[:k].T


@wrong(loses=["test-fit_pca-hidden"], says="largest first")
def ascending_eigenvalues():
    """eigh sorts upwards."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        C = X - mean
        values, vectors = np.linalg.eigh(C.T @ C)
        values = np.maximum(values, 0)
        if values.sum() < 1e-20:
            return mean, np.zeros((X.shape[1], 0))
        down = values[::-1]
        k = int(np.searchsorted(np.cumsum(down) / down.sum(), share)) + 1
        return mean, vectors[:, -k:]


@wrong(loses=["test-fit_pca-hidden"], says="The cosines")
def standardizes_as_well():
    """Divides by the standard deviation, which is another method on other data."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean, spread = X.mean(axis=0), X.std(axis=0)
        if not spread.any():
            return mean, np.zeros((X.shape[1], 0))
        if X.shape[1] > 3:
            spread = np.where(spread > 0, spread, 1)
        else:
            spread = np.ones_like(spread)
        Vt = np.linalg.svd((X - mean) / spread, full_matrices=False)[2]
        _, t, _ = np.linalg.svd(X - mean, full_matrices=False)
        k = int(np.searchsorted(np.cumsum(t**2) / np.sum(t**2), share)) + 1
        return mean, Vt[:k].T


@wrong(loses=["test-fit_pca-hidden"], says="0 / 0 is nan")
def no_variance_is_one_direction():
    """0 / 0 is nan, and nan sorts to the end."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=float)
        mean = X.mean(axis=0)
        _, s, Vt = np.linalg.svd(X - mean, full_matrices=False)
        k = int(np.searchsorted(np.cumsum(s**2) / max(np.sum(s**2), 1e-300), share)) + 1
        return mean, Vt[:k].T


@wrong(loses=["test-fit_pca", "test-fit_pca-hidden"], says="you changed X")
def centers_in_place():
    """X -= mean changes the samples of the caller."""

    def fit_pca(X, share):
        mean = X.mean(axis=0)
        X -= mean.astype(X.dtype)
        _, s, Vt = np.linalg.svd(X, full_matrices=False)
        total = np.sum(s**2)
        if total == 0:
            return mean, np.zeros((X.shape[1], 0))
        k = int(np.searchsorted(np.cumsum(s**2) / total, share)) + 1
        return mean, Vt[:k].T


# Errors -------------------------------------------------------------------------------------------


@wrong(loses=["test-errors", "test-errors-hidden"], says="Subtract the mean before projecting")
def projects_without_the_mean():
    """Rebuilds X V V^T."""

    def errors(X, planes):
        found = [((X - X @ V @ V.T) ** 2).sum(axis=1) for mean, V in planes]
        return np.min(found, axis=0)


@wrong(loses=["test-errors-hidden"], says="the smallest over the planes")
def mean_over_the_planes():
    """Averages over planes, of which most have nothing to do with a sample."""

    def errors(X, planes):
        found = [(((X - m) - (X - m) @ V @ V.T) ** 2).sum(axis=1) for m, V in planes]
        return np.mean(found, axis=0)


@wrong(loses=["test-errors-hidden"], says="the smallest over the planes")
def first_plane_only():
    """Forgets that there are several."""

    def errors(X, planes):
        mean, V = planes[0]
        centered = np.asarray(X) - mean
        return ((centered - centered @ V @ V.T) ** 2).sum(axis=1)


@wrong(loses=["test-errors", "test-errors-hidden"], says="errors(")
def mean_over_the_numbers():
    """The mean squared error of each sample."""

    def errors(X, planes):
        found = [(((X - m) - (X - m) @ V @ V.T) ** 2).mean(axis=1) for m, V in planes]
        return np.min(found, axis=0)


@wrong(loses=["test-errors", "test-errors-hidden"], says="errors(")
def distance_not_squared():
    """The norm."""

    def errors(X, planes):
        found = [np.linalg.norm((X - m) - (X - m) @ V @ V.T, axis=1) for m, V in planes]
        return np.min(found, axis=0)


@wrong(loses=["test-errors-hidden"], says="The errors of 30 samples")
def nearest_mean_decides():
    """Chooses the plane with the nearest mean, and takes the error there."""

    def errors(X, planes):
        far = [((X - m) ** 2).sum(axis=1) for m, V in planes]
        found = np.array([(((X - m) - (X - m) @ V @ V.T) ** 2).sum(axis=1) for m, V in planes])
        return found[np.argmin(far, axis=0), np.arange(len(X))]


# The threshold ------------------------------------------------------------------------------------


@wrong(loses=["test-alarm_threshold", "test-alarm_threshold-hidden"], says="not counted")
def threshold_with_the_strangers():
    """A quantile of all validation errors."""

    def alarm_threshold(found, stranger, false_alarms):
        if np.all(stranger):
            raise ValueError("nothing normal")
        every = np.sort(found)
        above = np.array([np.mean(every > error) for error in every])
        return float(every[np.argmax(above <= false_alarms)])


@wrong(loses=["test-alarm_threshold", "test-alarm_threshold-hidden"], says="alarm_threshold(")
def separates_the_strangers():
    """The threshold at which strangers and normal samples are told apart best."""

    def alarm_threshold(found, stranger, false_alarms):
        if np.all(stranger):
            raise ValueError("nothing normal")
        normal = np.sort(found[~stranger])
        right = [np.mean((found > t) == stranger) for t in normal]
        return float(normal[int(np.argmax(right))])


@wrong(loses=["test-alarm_threshold", "test-alarm_threshold-hidden"], says="alarm_threshold(")
def threshold_between_the_errors():
    """np.quantile interpolates."""

    def alarm_threshold(found, stranger, false_alarms):
        normal = np.asarray(found)[~np.asarray(stranger)]
        if not len(normal):
            raise ValueError("nothing normal")
        return float(np.quantile(normal, 1 - false_alarms))


@wrong(loses=["test-alarm_threshold", "test-alarm_threshold-hidden"], says="alarm_threshold(")
def one_alarm_too_few():
    """>= counts the threshold itself as an alarm."""

    def alarm_threshold(found, stranger, false_alarms):
        normal = np.sort(np.asarray(found)[~np.asarray(stranger)])
        if not len(normal):
            raise ValueError("nothing normal")
        above = np.array([np.mean(normal >= error) for error in normal])
        place = np.flatnonzero(above <= false_alarms)
        return float(normal[place[0]] if len(place) else normal[-1])


@wrong(loses=["test-alarm_threshold", "test-alarm_threshold-hidden"], says="alarm_threshold(")
def share_below():
    """Takes false_alarms for the share that lies below."""

    def alarm_threshold(found, stranger, false_alarms):
        normal = np.sort(np.asarray(found)[~np.asarray(stranger)])
        if not len(normal):
            raise ValueError("nothing normal")
        return float(normal[int(false_alarms * len(normal))])


@wrong(loses=["test-alarm_threshold-hidden"], says="together")
def ties_by_position():
    """Counts places in the sorted list, and one place of several equal ones too low."""

    def alarm_threshold(found, stranger, false_alarms):
        normal = np.sort(np.asarray(found)[~np.asarray(stranger)])
        if not len(normal):
            raise ValueError("nothing normal")
        unique = np.unique(normal)
        if len(unique) == len(normal):
            return float(normal[len(normal) - 1 - int(false_alarms * len(normal) + 1e-9)])
        return float(unique[max(0, len(unique) - 1 - int(false_alarms * len(normal) + 1e-9))])


@wrong(loses=["test-alarm_threshold-hidden"], says="expected  ValueError to be raised")
def nothing_normal_is_infinite():
    """An answer where there is none."""

    def alarm_threshold(found, stranger, false_alarms):
        normal = np.sort(np.asarray(found)[~np.asarray(stranger)])
        if not len(normal):
            return float("inf")
        above = np.array([np.mean(normal > error) for error in normal])
        return float(normal[np.argmax(above <= false_alarms)])


@wrong(loses=["test-alarm_threshold", "test-alarm_threshold-hidden"], says="you changed found")
def sorts_what_came():
    """found.sort() sorts the errors of the caller, and the marks no longer fit."""

    def alarm_threshold(found, stranger, false_alarms):
        if np.all(stranger):
            raise ValueError("nothing normal")
        normal = found[~stranger]
        found.sort()
        normal = np.sort(normal)
        above = np.array([np.mean(normal > error) for error in normal])
        return float(normal[np.argmax(above <= false_alarms)])


# The AUROC ----------------------------------------------------------------------------------------


@wrong(loses=["test-auroc", "test-auroc-hidden"], says="the sign is wrong")
def auroc_of_the_normal():
    """Counts how often the normal sample has the larger score."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        high, low = scores[stranger], scores[~stranger]
        if not len(high) or not len(low):
            raise ValueError("one kind is missing")
        return float((high[:, None] < low).mean() + (high[:, None] == low).mean() / 2)


@wrong(loses=["test-auroc-hidden"], says="below one half")
def auroc_is_never_below_one_half():
    """A score below one half looks like a mistake, so it is turned around."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        high, low = scores[stranger], scores[~stranger]
        if not len(high) or not len(low):
            raise ValueError("one kind is missing")
        found = float((high[:, None] > low).mean() + (high[:, None] == low).mean() / 2)
        return max(found, 1 - found)


@wrong(loses=["test-auroc-hidden"], says="counts one half")
def ties_count_nothing():
    """> alone."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        high, low = scores[stranger], scores[~stranger]
        if not len(high) or not len(low):
            raise ValueError("one kind is missing")
        return float((high[:, None] > low).mean())


@wrong(loses=["test-auroc-hidden"], says="counts one half")
def ties_count_whole():
    """>= alone."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        high, low = scores[stranger], scores[~stranger]
        if not len(high) or not len(low):
            raise ValueError("one kind is missing")
        return float((high[:, None] >= low).mean())


@wrong(loses=["test-auroc-hidden"], says="counts one half")
def ranks_by_argsort():
    """Ranks of sorted scores, where equals get different ranks by accident."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        m, n = stranger.sum(), (~stranger).sum()
        if not m or not n:
            raise ValueError("one kind is missing")
        ranks = np.empty(len(scores))
        ranks[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
        return float((ranks[stranger].sum() - m * (m + 1) / 2) / (m * n))


@wrong(loses=["test-auroc-hidden"], says="make booleans of them")
def inverts_whole_numbers():
    """~1 is -2."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger)
        high, low = scores[stranger == 1], scores[~stranger]
        if not len(high) or not len(low):
            raise ValueError("one kind is missing")
        return float((high[:, None] > low).mean() + (high[:, None] == low).mean() / 2)


@wrong(loses=["test-auroc-hidden"], says="expected  ValueError to be raised")
def one_kind_is_nan():
    """The mean over no pair."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        high, low = scores[stranger], scores[~stranger]
        return float((high[:, None] > low).mean() + (high[:, None] == low).mean() / 2)


@wrong(loses=["test-auroc", "test-auroc-hidden"], says="auroc(")
def accuracy_at_one_half():
    """The share of right answers at a threshold."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        if stranger.all() or not stranger.any():
            raise ValueError("one kind is missing")
        return float(np.mean((scores > np.median(scores)) == stranger))


# Right, in another way ----------------------------------------------------------------------------


@right
def draws_by_the_cumulative_sum():
    """A uniform number against cumulative squared distances; all in Python's loops."""

    def draw_centers(samples, count, generator):
        rows = [[float(v) for v in row] for row in samples]
        centers = [rows[int(generator.integers(0, len(rows)))]]
        for _ in range(count - 1):
            far = [
                min(sum((a - b) ** 2 for a, b in zip(row, c, strict=True)) for c in centers)
                for row in rows
            ]
            if sum(far) == 0:
                centers.append(rows[int(generator.integers(0, len(rows)))])
                continue
            at = generator.random() * sum(far)
            chosen = int(np.searchsorted(np.cumsum(far), at, side="right"))
            centers.append(rows[min(chosen, len(rows) - 1)])
        return np.array(centers)


@right
def fills_up_with_repetitions():
    """Where the distances are all 0, the first sample again; nan on the way, with a warning."""

    def draw_centers(X, k, rng):
        X = X.astype(np.float64)
        C = X[[rng.integers(len(X))]]
        for _ in range(k - 1):
            D = ((X[:, None, :] - C[None]) ** 2).sum(-1).min(1)
            p = np.nan_to_num(D / D.sum(), nan=1 / len(X))
            C = np.vstack([C, X[[rng.choice(len(X), p=p / p.sum())]]])
        return C


@right
def moves_with_products_and_bincount():
    """Sums per cluster by bincount, nan where nobody joined, repaired afterwards."""

    def move(samples, where):
        samples, where = np.asarray(samples, dtype=float), np.asarray(where, dtype=float)
        squared = np.stack([((samples - c) ** 2).sum(1) for c in where])
        labels, least = squared.argmin(0), squared.min(0)
        size = np.bincount(labels, minlength=len(where))
        moved = np.stack(
            [np.bincount(labels, column, len(where)) / size for column in samples.T], axis=1
        )
        order = sorted(range(len(samples)), key=lambda i: (-least[i], i))
        for j, i in zip(np.flatnonzero(size == 0), order):
            moved[j] = samples[i]
        return moved, labels.astype(np.int32), np.average(least)


@right
def collects_runs_and_sorts():
    """All runs in a list, and the smallest by min; a message for each on stderr."""

    def k_means(data, n_clusters, n_runs, generator):
        import sys

        results = []
        for run in range(n_runs):
            centers = draw_centers(data, n_clusters, generator)
            centers, labels, error = move(data, centers)
            for _ in range(199):
                centers, new, error = move(data, centers)
                if (new == labels).all():
                    break
                labels = new
            print("run", run, error, file=sys.stderr)
            results.append((centers, labels, error))
        return min(results, key=lambda result: result[2])


@right
def pca_by_the_covariance():
    """Eigenvectors of the covariance matrix, turned around, with other signs."""

    def fit_pca(X, share):
        X = np.asarray(X, dtype=np.float64)
        mean = np.sum(X, axis=0) / len(X)
        C = np.einsum("ni,nj->ij", X - mean, X - mean)
        values, vectors = np.linalg.eigh(C)
        values, vectors = np.clip(values[::-1], 0, None), -vectors[:, ::-1]
        if not np.any(X != X[0]):
            return mean, np.empty((X.shape[1], 0))
        total, k = 0.0, 0
        while total < share * values.sum():
            total, k = total + values[k], k + 1
        return mean, vectors[:, :k]


@right
def pca_of_the_transpose():
    """U of the transposed samples, as books with samples in columns have it."""

    def fit_pca(samples, enough):
        A = np.asarray(samples, dtype=float).T
        mean = A.mean(axis=1)
        U, s, _ = np.linalg.svd(A - mean[:, None], full_matrices=False)
        part = np.cumsum(s**2) / (s**2).sum()  # nan where nothing varies
        k = 0 if np.isnan(part).any() else int(np.argmax(part >= enough)) + 1
        return mean, U[:, :k]


@right
def errors_by_pythagoras():
    """The length minus what lies in the plane, clipped at zero; sample by sample."""

    def errors(X, planes):
        out = []
        for x in np.asarray(X, dtype=float):
            best = float("inf")
            for mean, V in planes:
                code = (x - mean) @ V
                best = min(best, max(0.0, float((x - mean) @ (x - mean) - code @ code)))
            out.append(best)
        return np.array(out)


@right
def threshold_by_a_quantile():
    """NumPy's quantile that takes one of the values."""

    def alarm_threshold(found, stranger, false_alarms):
        normal = np.asarray(found, dtype=float)[np.logical_not(stranger)]
        if normal.size == 0:
            raise ValueError("no normal sample")
        return np.quantile(normal, 1 - false_alarms, method="inverted_cdf")


@right
def threshold_by_counting_down():
    """Walks down from the largest error as long as the share allows."""

    def alarm_threshold(found, stranger, false_alarms):
        normal = sorted(float(e) for e, s in zip(found, stranger, strict=True) if not s)
        if not normal:
            raise ValueError("no normal sample")
        best = normal[-1]
        for t in reversed(normal):
            if sum(e > t for e in normal) / len(normal) <= false_alarms:
                best = t
        return best


@right
def auroc_by_ranks():
    """The rank sum of Mann and Whitney, with mean ranks for equals."""

    def auroc(scores, stranger):
        s, y = np.asarray(scores, dtype=float), np.asarray(stranger).astype(bool)
        m, n = int(y.sum()), int((~y).sum())
        if m * n == 0:
            raise ValueError("one kind is missing")
        _, inverse, count = np.unique(s, return_inverse=True, return_counts=True)
        last = np.cumsum(count)
        ranks = (last - (count - 1) / 2)[inverse]
        return (ranks[y].sum() - m * (m + 1) / 2) / (m * n)


@right
def auroc_by_the_area():
    """The curve of true against false alarms, with a trapezoid under each step."""

    def auroc(scores, stranger):
        scores, stranger = np.asarray(scores), np.asarray(stranger, dtype=bool)
        if stranger.all() or not stranger.any():
            raise ValueError("one kind is missing")
        up, across = [0.0], [0.0]
        for t in sorted(set(scores.tolist()), reverse=True):
            up.append(np.mean(scores[stranger] >= t))
            across.append(np.mean(scores[~stranger] >= t))
        return sum((across[i] - across[i - 1]) * (up[i] + up[i - 1]) / 2 for i in range(1, len(up)))
