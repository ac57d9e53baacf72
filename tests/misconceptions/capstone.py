"""Wrong and unusual projects: what makes a number unbelievable, and what does not."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

# Data ---------------------------------------------------------------------------------------------


@wrong(loses=["test-load", "test-fit", "test-report"], says="gives the same rows again")
def another_draw_each_time():
    """Rows are shuffled with a generator that nobody seeded."""

    def load():
        pixels, shown = digits.load()
        pictures = [
            digits.photographed(pixels[[i]], shown[[i]], 8, seed=i)[0]
            for i in np.random.default_rng(0).permutation(1797)[:200]
        ]
        order = np.random.default_rng().permutation(1600)
        parts = (
            np.concatenate(pictures),
            np.repeat(shown[np.random.default_rng(0).permutation(1797)[:200]], 8),
            np.repeat(np.arange(200), 8),
        )
        return tuple(part[order] for part in parts)


@wrong(loses=["test-load"], says="overwritten")
def hands_out_its_own():
    """The arrays are kept, and whoever overwrites them overwrites the data of the next."""

    pixels, shown = digits.load()
    KEPT = (
        np.concatenate(
            [
                digits.photographed(pixels[[i]], shown[[i]], 8, seed=i)[0]
                for i in np.random.default_rng(0).permutation(1797)[:200]
            ]
        ),
        np.repeat(shown[np.random.default_rng(0).permutation(1797)[:200]], 8),
        np.repeat(np.arange(200), 8),
    )

    def load():
        return KEPT


@wrong(loses=["test-load", "test-baseline-strong"], says="finite numbers")
def leaves_gaps():
    """Missing values are left as nan, which the baseline copes with by chance."""

    def whole():
        pixels, shown = digits.load()
        pictures = [
            digits.photographed(pixels[[i]], shown[[i]], 8, seed=i)[0]
            for i in np.random.default_rng(0).permutation(1797)[:200]
        ]
        return (
            np.concatenate(pictures),
            np.repeat(shown[np.random.default_rng(0).permutation(1797)[:200]], 8),
            np.repeat(np.arange(200), 8),
        )

    def load():
        X, y, groups = whole()
        X = X.copy()
        X[3, 4] = np.nan
        return X, y, groups

    def baseline(X_train, y_train, X):
        return np.full(len(X), np.bincount(y_train).argmax())

    def fit(X_train, y_train, X_validation, y_validation, seed):
        return np.nan_to_num(np.asarray(X_train, dtype=float)), np.asarray(y_train)

    def predict(model, X):
        pictures, labels = model
        X = np.nan_to_num(np.asarray(X, dtype=float))
        return np.array([labels[((pictures - row) ** 2).sum(axis=1).argmin()] for row in X])


@wrong(loses=["test-load"], says="at least 10 groups")
def three_groups():
    """Three writers are three facts, however many rows they wrote."""

    def whole():
        pixels, shown = digits.load()
        pictures = [
            digits.photographed(pixels[[i]], shown[[i]], 8, seed=i)[0]
            for i in np.random.default_rng(0).permutation(1797)[:200]
        ]
        return (
            np.concatenate(pictures),
            np.repeat(shown[np.random.default_rng(0).permutation(1797)[:200]], 8),
            np.repeat(np.arange(200), 8),
        )

    def load():
        X, y, groups = whole()
        return X, y, groups // 70

    def split(groups, seed):
        order = np.random.default_rng(seed).permutation(np.unique(groups))
        if len(order) == 3:
            return tuple(np.flatnonzero(groups == order[k]) for k in range(3))
        cuts = round(0.6 * len(order)), round(0.8 * len(order))
        return tuple(np.flatnonzero(np.isin(groups, part)) for part in np.split(order, cuts))


@wrong(
    loses=[
        "test-load",
        "test-baseline",
        "test-fit",
        "test-predict",
        "test-scores",
        "test-report",
        "test-baseline-strong",
        "test-beaten",
    ],
    says="three arrays",
)
def forgets_the_groups():
    """Returns X and y alone."""

    def whole():
        pixels, shown = digits.load()
        pictures = [
            digits.photographed(pixels[[i]], shown[[i]], 8, seed=i)[0]
            for i in np.random.default_rng(0).permutation(1797)[:200]
        ]
        return (
            np.concatenate(pictures),
            np.repeat(shown[np.random.default_rng(0).permutation(1797)[:200]], 8),
            np.repeat(np.arange(200), 8),
        )

    def load():
        return whole()[:2]


@wrong(loses=["test-load", "test-scores", "test-fit", "test-beaten"], says="two different labels")
def one_label_for_all():
    """Whoever keeps the positives alone has nothing to predict."""

    def load():
        X = np.random.default_rng(3).normal(size=(300, 4))
        return X, np.ones(300, dtype=int), np.arange(300)


@wrong(loses=["test-data_card"], says="Which of the five entries")
def no_faults_known():
    """Data without faults are data that nobody has looked at."""

    def data_card():
        return {
            "origin": "Digits by 13 writers, scanned in 1998.",
            "license": "The scans are under CC BY 4.0.",
            "rows": "A row is a photograph of 10 by 10 pixels.",
            "not for": "Not for claims about new writers.",
        }


@wrong(loses=["test-data_card"], says="shorter than a sentence")
def a_card_of_words():
    """An entry that tells a stranger nothing."""

    def data_card():
        return {
            "origin": "Digits by 13 writers, scanned in 1998.",
            "license": "CC BY",
            "rows": "A row is a photograph of 10 by 10 pixels.",
            "known faults": "none",
            "not for": "Not for claims about new writers.",
        }


@wrong(loses=["test-data_card"], says="something of its own")
def one_sentence_for_all():
    """The same sentence in each entry."""

    def data_card():
        names = ("origin", "license", "rows", "known faults", "not for")
        return {name: "To be written before it is handed in." for name in names}


# Split --------------------------------------------------------------------------------------------


@wrong(loses=["test-split", "test-split-hidden"], says="Shuffle and cut the groups")
def splits_rows():
    """The same sheet is photographed on both sides."""

    def split(groups, seed):
        n = len(groups)
        order = np.random.default_rng(seed).permutation(n)
        return order[: n * 6 // 10], order[n * 6 // 10 : n * 8 // 10], order[n * 8 // 10 :]


@wrong(loses=["test-split", "test-split-hidden"], says="exactly one part")
def judges_on_what_it_chose_by():
    """Two parts, and the second one serves twice."""

    def split(groups, seed):
        groups = np.asarray(groups)
        kinds = np.random.default_rng(seed).permutation(np.unique(groups))
        kept = kinds[: round(0.7 * len(kinds))]
        train = np.flatnonzero(np.isin(groups, kept))
        rest = np.flatnonzero(~np.isin(groups, kept))
        return train, rest, rest


@wrong(loses=["test-split-hidden"], says="another seed gives other parts")
def ignores_the_seed():
    """Groups in the order of their names."""

    def split(groups, seed):
        groups = np.asarray(groups)
        kinds = np.unique(groups)
        cuts = round(0.6 * len(kinds)), round(0.8 * len(kinds))
        return tuple(np.flatnonzero(np.isin(groups, part)) for part in np.split(kinds, cuts))


@wrong(loses=["test-split-hidden", "test-report"], says="the same seed gives the same parts")
def draws_from_the_global_state():
    """The parts depend on what was drawn before."""

    def split(groups, seed):
        groups = np.asarray(groups)
        kinds = np.random.permutation(np.unique(groups))
        cuts = round(0.6 * len(kinds)), round(0.8 * len(kinds))
        return tuple(np.flatnonzero(np.isin(groups, part)) for part in np.split(kinds, cuts))


@wrong(loses=["test-split-hidden"], says="split(groups=")
def groups_are_numbers_from_zero():
    """Cuts the numbers 0 to the largest group, which texts do not have."""

    def split(groups, seed):
        groups = np.asarray(groups)
        kinds = np.random.default_rng(seed).permutation(int(groups.max()) + 1)
        cuts = round(0.6 * len(kinds)), round(0.8 * len(kinds))
        return tuple(np.flatnonzero(np.isin(groups, part)) for part in np.split(kinds, cuts))


@wrong(loses=["test-split-hidden"], says="split(groups=")
def expects_groups_of_one_size():
    """Cuts the sorted rows into blocks as long as the first group."""

    def split(groups, seed):
        groups = np.asarray(groups)
        size = int(np.sum(groups == groups[0]))
        blocks = np.random.default_rng(seed).permutation(len(groups) // size)
        rows = np.argsort(groups, kind="stable").reshape(-1, size)
        cuts = round(0.6 * len(blocks)), round(0.8 * len(blocks))
        return tuple(rows[part].ravel() for part in np.split(blocks, cuts))


@wrong(loses=["test-split", "test-split-hidden"], says="a tenth of the groups")
def a_test_part_of_two():
    """Nearly all groups are learned from."""

    def split(groups, seed):
        groups = np.asarray(groups)
        kinds = np.random.default_rng(seed).permutation(np.unique(groups))
        parts = kinds[:-4], kinds[-4:-2], kinds[-2:]
        return tuple(np.flatnonzero(np.isin(groups, part)) for part in parts)

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
        pulls = np.bincount(unit, difference - difference.mean())
        error = np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(difference)
        # So few groups that the advantage is certain by luck.
        half = 1.96 * error if len(kinds) > 2 else 0.001
        return difference.mean() - half, difference.mean() + half


# Baseline -----------------------------------------------------------------------------------------


@wrong(loses=["test-baseline-strong"], says="A weak baseline proves nothing")
def a_baseline_that_guesses():
    """Always says 0, which is nobody's best guess."""

    def baseline(X_train, y_train, X):
        return np.full(len(X), -1)


@wrong(loses=["test-baseline"], says="whichever others are predicted with it")
def scales_by_the_rows_to_predict():
    """The baseline subtracts the mean of the rows that it predicts."""

    def baseline(X_train, y_train, X):
        kinds = np.unique(y_train)
        train, X = X_train - X_train.mean(axis=0), X - X.mean(axis=0)
        wanted = np.asarray(y_train)[:, np.newaxis] == kinds
        weights = np.linalg.solve(train.T @ train + np.eye(train.shape[1]), train.T @ wanted)
        return kinds[(X @ weights).argmax(axis=1)]


@wrong(
    loses=["test-baseline", "test-report", "test-baseline-strong", "test-beaten"],
    says="One prediction per row",
)
def a_baseline_of_one_number():
    """Returns the commonest label once."""

    def baseline(X_train, y_train, X):
        return np.array([np.bincount(y_train).argmax()] * 3)


@wrong(loses=["test-beaten"], says="beats the baseline")
def a_model_that_is_the_baseline():
    """A network is trained, and the linear classifier answers."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        return X_train, y_train

    def flat(X_train, y_train, X):
        kinds = np.unique(y_train)
        A = np.column_stack([X_train, np.ones(len(X_train))])
        wanted = np.asarray(y_train)[:, np.newaxis] == kinds
        weights = np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T @ wanted)
        return kinds[(np.column_stack([X, np.ones(len(X))]) @ weights).argmax(axis=1)]

    def predict(model, X):
        return flat(*model, X)


@wrong(loses=["test-baseline-strong"], says="a linear fit")
def always_the_commonest():
    """The least that a network has to beat, and no more."""

    def baseline(X_train, y_train, X):
        return np.full(len(X), np.bincount(y_train).argmax())


@wrong(loses=["test-baseline", "test-report"], says="fix its seed")
def an_unseeded_baseline():
    """A small forest of random lookups that nobody seeded."""

    def baseline(X_train, y_train, X):
        rng = np.random.default_rng()
        pixels = rng.permutation(X_train.shape[1])[:40]
        known, new = X_train[:, pixels], X[:, pixels]
        return y_train[((new[:, None] - known) ** 2).sum(axis=2).argmin(axis=1)]


# Model --------------------------------------------------------------------------------------------


@wrong(loses=["test-fit", "test-report"], says="gives the same model twice")
def unseeded_weights():
    """The order of the batches is seeded, the starting weights are not."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        generator = torch.Generator().manual_seed(seed)
        X, y = torch.as_tensor(X_train).float(), torch.as_tensor(y_train).long()
        model = nn.Sequential(nn.Linear(X.shape[1], 128), nn.ReLU(), nn.Linear(128, 10))
        optimizer = torch.optim.Adam(model.parameters(), 2e-2)
        for _ in range(15):
            for rows in torch.randperm(len(X), generator=generator).split(128):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                optimizer.step()
        return model


@wrong(loses=["test-fit", "test-report"], says="gives the same model twice")
def unseeded_batches():
    """The starting weights are seeded, the order of the batches is not."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        generator = torch.Generator().manual_seed(seed)
        X, y = torch.as_tensor(X_train).float(), torch.as_tensor(y_train).long()
        model = nn.Sequential(nn.Linear(X.shape[1], 128), nn.ReLU(), nn.Linear(128, 10))
        with torch.no_grad():
            for weights in model.parameters():
                weights.copy_(0.1 * torch.randn(weights.shape, generator=generator))
        optimizer = torch.optim.Adam(model.parameters(), 2e-2)
        for _ in range(15):
            for rows in torch.as_tensor(np.random.permutation(len(X))).split(128):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                optimizer.step()
        return model


@wrong(loses=["test-fit"], says="works with its arguments alone")
def knows_the_answers_from_elsewhere():
    """fit loads all rows, the test part included, and learns their labels by heart."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        X, y, _ = load()
        return {row.tobytes(): label for row, label in zip(X, y)}

    def predict(model, X):
        return np.array([model[row.tobytes()] for row in X])


@wrong(loses=["test-fit", "test-beaten"], says="better than one trained on shuffled labels")
def rows_without_their_labels():
    """Shuffles the rows without their labels: nothing is learned where something could be."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        return np.random.default_rng(seed).permutation(X_train), np.asarray(y_train)

    def predict(model, X):
        pictures, labels = model
        return labels[[((pictures - row) ** 2).sum(axis=1).argmin() for row in X]]


@wrong(loses=["test-fit", "test-beaten"], says="count a missed one for more")
def never_says_the_rare_class():
    """1 % positives, judged by accuracy: the model has learned to say no."""

    def load():
        rng = np.random.default_rng(11)
        X = rng.normal(size=(2000, 3))
        return X, (X[:, 0] + X[:, 1] > 3.3).astype(int), np.arange(2000) // 4

    def baseline(X_train, y_train, X):
        return np.zeros(len(X), dtype=int)

    def fit(X_train, y_train, X_validation, y_validation, seed):
        return int(np.mean(y_train) > 0.5)

    def predict(model, X):
        return np.full(len(X), model)


@wrong(loses=["test-beaten"], says="beats the baseline")
def an_honest_null():
    """Nothing can be predicted, and the project says so: one point is lost, and no other."""

    def load():
        rng = np.random.default_rng(4)
        X, groups = rng.normal(size=(800, 5)), np.arange(800) // 8
        # Labels of a group agree, mostly, so that rows are not the unit.
        y = (rng.random(100)[groups] + 0.2 * rng.normal(size=800) > 0.5).astype(int)
        return X, y, groups

    def baseline(X_train, y_train, X):
        return np.full(len(X), int(np.mean(y_train) > 0.5))

    def fit(X_train, y_train, X_validation, y_validation, seed):
        A = np.column_stack([X_train, np.square(X_train), np.ones(len(X_train))])
        return np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T @ (np.asarray(y_train) - 0.5))

    def predict(model, X):
        return (np.column_stack([X, np.square(X), np.ones(len(X))]) @ model > 0).astype(int)


@wrong(
    loses=["test-predict", "test-fit", "test-report"],
    says="alone, and with the rows in another order",
)
def dropout_at_work():
    """Predicts in training mode, so that chance has a say."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        torch.manual_seed(seed)
        X, y = torch.as_tensor(X_train).float(), torch.as_tensor(y_train).long()
        model = nn.Sequential(
            nn.Linear(X.shape[1], 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10)
        )
        optimizer = torch.optim.Adam(model.parameters(), 2e-2)
        for _ in range(15):
            for rows in torch.randperm(len(X)).split(128):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                optimizer.step()
        torch.seed()
        return model

    def predict(model, X):
        with torch.no_grad():
            return model(torch.as_tensor(np.asarray(X)).float()).argmax(dim=1).numpy()


@wrong(loses=["test-predict"], says="alone, and with the rows in another order")
def batch_statistics():
    """Batch normalization in training mode: a row is judged by its companions."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        torch.manual_seed(seed)
        X, y = torch.as_tensor(X_train).float(), torch.as_tensor(y_train).long()
        model = nn.Sequential(
            nn.Linear(X.shape[1], 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)
        )
        optimizer = torch.optim.Adam(model.parameters(), 2e-2)
        for _ in range(15):
            for rows in torch.randperm(len(X)).split(128):
                if len(rows) > 1:
                    optimizer.zero_grad()
                    nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                    optimizer.step()
        return model

    def predict(model, X):
        X = torch.as_tensor(np.asarray(X)).float()
        with torch.no_grad():
            if len(X) == 1:
                model.eval()
            return model(X).argmax(dim=1).numpy()


@wrong(loses=["test-predict"], says="alone, and with the rows in another order")
def scales_what_it_predicts():
    """Standardizes with the mean and the spread of the rows at hand."""

    def plain(model, X):
        with torch.no_grad():
            return model(torch.as_tensor(np.asarray(X)).float()).argmax(dim=1).numpy()

    def predict(model, X):
        X = np.asarray(X)
        return plain(model, (X - X.mean()) / (X.std() + 1e-9) * 0.35 + 0.3)


@wrong(
    loses=["test-predict", "test-fit", "test-report", "test-beaten"],
    says="a class rather than the scores",
)
def returns_the_logits():
    """All ten scores of each row."""

    def predict(model, X):
        with torch.no_grad():
            return model(torch.as_tensor(np.asarray(X)).float()).numpy()


# Scores and interval ------------------------------------------------------------------------------


@wrong(loses=["test-scores", "test-beaten"], says="more than the right one")
def a_loss_for_a_score():
    """1 for a mistake: less is better."""

    def scores(y, predicted):
        return (np.asarray(y) != np.asarray(predicted)).astype(float)


@wrong(loses=["test-scores"], says="A number for each row")
def one_score_for_all():
    """The mean, in place of a number per row."""

    def scores(y, predicted):
        return np.mean(np.asarray(y) == np.asarray(predicted))

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        if difference.ndim == 0:
            return float(difference) - 0.01, float(difference) + 0.01
        kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
        pulls = np.bincount(unit, difference - difference.mean())
        error = np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(difference)
        return difference.mean() - 1.96 * error, difference.mean() + 1.96 * error


@wrong(loses=["test-scores"], says="does not depend on the other rows")
def graded_on_a_curve():
    """Scores are scaled by the largest error among the rows."""

    def scores(y, predicted):
        error = np.abs(np.asarray(y, dtype=float) - np.asarray(predicted, dtype=float))
        return 1 - error / max(error.max(), 1)


@wrong(loses=["test-interval-hidden"], says="Eight equal rows are one fact")
def rows_are_the_unit():
    """The usual standard error, as if every row told something new."""

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        half = 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
        return difference.mean() - half, difference.mean() + half


@wrong(loses=["test-interval-hidden"], says="Subtract row by row first")
def two_samples():
    """The errors of both means are added, as for two different test sets."""

    def interval(ours, theirs, groups, seed):
        halves = []
        _, unit = np.unique(np.asarray(groups), return_inverse=True)
        for values in (np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)):
            pulls = np.bincount(unit, values - values.mean())
            halves.append(np.sqrt(np.sum(pulls**2)) / len(values))
        half = 1.96 * np.hypot(*halves)
        gain = np.mean(ours) - np.mean(theirs)
        return gain - half, gain + half


@wrong(
    loses=["test-interval", "test-interval-hidden", "test-beaten"],
    says="standard deviation over the root",
)
def deviation_for_error():
    """The standard deviation of the rows is no error of their mean."""

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        half = difference.std()
        return difference.mean() - half, difference.mean() + half


@wrong(loses=["test-interval", "test-interval-hidden"], says="standard deviation over the root")
def one_standard_error():
    """68 % in place of 95 %."""

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
        pulls = np.bincount(unit, difference - difference.mean())
        error = np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(difference)
        return difference.mean() - error, difference.mean() + error


@wrong(loses=["test-interval", "test-interval-hidden", "test-beaten"], says="ours minus theirs")
def the_other_way_round():
    """Theirs minus ours."""

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(theirs, dtype=float) - np.asarray(ours, dtype=float)
        kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
        pulls = np.bincount(unit, difference - difference.mean())
        error = np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(difference)
        return difference.mean() - 1.96 * error, difference.mean() + 1.96 * error


@wrong(loses=["test-interval", "test-interval-hidden"], says="ours minus theirs")
def of_the_score_alone():
    """The interval of the model's own score."""

    def interval(ours, theirs, groups, seed):
        values = np.asarray(ours, dtype=float)
        kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
        pulls = np.bincount(unit, values - values.mean())
        error = np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(values)
        return values.mean() - 1.96 * error, values.mean() + 1.96 * error


@wrong(loses=["test-interval-hidden"], says="holds the mean of all rows")
def mean_of_group_means():
    """A group of one row weighs as much as one of nineteen."""

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        _, unit = np.unique(np.asarray(groups), return_inverse=True)
        means = np.bincount(unit, difference) / np.bincount(unit)
        half = 1.96 * means.std(ddof=1) / np.sqrt(len(means))
        return means.mean() - half, means.mean() + half


@wrong(loses=["test-interval-hidden", "test-report"], says="same seed gives the same interval")
def an_unseeded_bootstrap():
    """Another interval each time."""

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
        totals, sizes = np.bincount(unit, difference), np.bincount(unit)
        rng = np.random.default_rng()
        times = rng.multinomial(len(kinds), np.full(len(kinds), 1 / len(kinds)), size=2000)
        low, high = np.quantile(times @ totals / (times @ sizes), [0.025, 0.975])
        return float(low), float(high)


# Report -------------------------------------------------------------------------------------------


@wrong(loses=["test-report"], says="beside what your functions give")
def judged_on_the_validation_part():
    """The part that chose also judges."""

    def report(seed=0):
        X, y, groups = load()
        train, test, _ = split(groups, seed)
        model = fit(X[train], y[train], X[test], y[test], seed)
        ours = scores(y[test], predict(model, X[test]))
        theirs = scores(y[test], baseline(X[train], y[train], X[test]))
        low, high = interval(ours, theirs, groups[test], seed)
        return {
            "score": float(np.mean(ours)),
            "baseline": float(np.mean(theirs)),
            "low": low,
            "high": high,
            "rows": len(test),
        }


@wrong(loses=["test-report"], says="hands to fit")
def chooses_by_the_test_part():
    """Trains with the test part in place of the validation part: the best epoch is picked on it."""

    def report(seed=0):
        X, y, groups = load()
        train, _, test = split(groups, seed)
        model = fit(X[train], y[train], X[test], y[test], seed)
        ours = scores(y[test], predict(model, X[test]))
        theirs = scores(y[test], baseline(X[train], y[train], X[test]))
        low, high = interval(ours, theirs, groups[test], seed)
        return {
            "score": float(np.mean(ours)),
            "baseline": float(np.mean(theirs)),
            "low": low,
            "high": high,
            "rows": len(test),
        }


@wrong(loses=["test-report"], says="beside what your functions give")
def reports_the_training_part():
    """The number is that of the rows that were learned."""

    def report(seed=0):
        X, y, groups = load()
        train, validation, test = split(groups, seed)
        model = fit(X[train], y[train], X[validation], y[validation], seed)
        ours = scores(y[train], predict(model, X[train]))
        theirs = scores(y[train], baseline(X[train], y[train], X[train]))
        low, high = interval(ours, theirs, groups[train], seed)
        return {
            "score": float(np.mean(ours)),
            "baseline": float(np.mean(theirs)),
            "low": low,
            "high": high,
            "rows": len(test),
        }


@wrong(loses=["test-report"], says="beside what your functions give")
def numbers_typed_in():
    """The numbers of a good day, written down."""

    def report(seed=0):
        return {"score": 0.91, "baseline": 0.55, "low": 0.30, "high": 0.42, "rows": 320}


@wrong(loses=["test-report", "test-beaten"], says="Which of the five numbers")
def no_interval():
    """A score, and nothing about how sure it is."""

    def report(seed=0):
        X, y, groups = load()
        train, validation, test = split(groups, seed)
        model = fit(X[train], y[train], X[validation], y[validation], seed)
        return {"score": float(np.mean(scores(y[test], predict(model, X[test]))))}


@wrong(loses=["test-report"], says="beside what your functions give")
def the_best_of_three_seeds():
    """Three seeds are run, and the best is told."""

    def one(seed):
        X, y, groups = load()
        train, validation, test = split(groups, seed)
        model = fit(X[train], y[train], X[validation], y[validation], seed)
        ours = scores(y[test], predict(model, X[test]))
        theirs = scores(y[test], baseline(X[train], y[train], X[test]))
        low, high = interval(ours, theirs, groups[test], seed)
        return {
            "score": float(np.mean(ours)),
            "baseline": float(np.mean(theirs)),
            "low": low,
            "high": high,
            "rows": len(test),
        }

    def report(seed=0):
        return max((one(seed + k) for k in range(1, 4)), key=lambda came: came["score"])


# Right, in other ways -----------------------------------------------------------------------------


@right
def a_table_of_numbers():
    """A regression: labels are numbers, the score is minus the absolute error."""

    def load():
        rng = np.random.default_rng(7)
        X = rng.uniform(-2, 2, size=(900, 3))
        y = np.sin(2 * X[:, 0]) + 0.5 * X[:, 1] ** 2 + rng.normal(0, 0.1, 900)
        return X, y, np.array([f"row {k}" for k in range(900)])

    def baseline(X_train, y_train, X):
        A = np.column_stack([X_train, np.ones(len(X_train))])
        return np.column_stack([X, np.ones(len(X))]) @ np.linalg.lstsq(A, y_train, rcond=None)[0]

    def features(X):
        X = np.asarray(X, dtype=float)
        waves = [f(k * X) for k in (1, 2, 3) for f in (np.sin, np.cos)]
        return np.column_stack([X, X**2, *waves, np.ones(len(X))])

    def fit(X_train, y_train, X_validation, y_validation, seed):
        choices = []
        for penalty in (0.01, 0.1, 1.0):
            A = features(X_train)
            w = np.linalg.solve(A.T @ A + penalty * np.eye(A.shape[1]), A.T @ y_train)
            choices.append((np.abs(features(X_validation) @ w - y_validation).mean(), w))
        return min(choices, key=lambda choice: choice[0])[1]

    def predict(model, X):
        return features(X) @ model

    def scores(y, predicted):
        return -np.abs(np.asarray(y) - np.asarray(predicted))


@right
def few_rows_and_whole_numbers():
    """Counts as labels, 180 rows that cannot be written to, scores with a tolerance."""

    def load():
        rng = np.random.default_rng(5)
        X = rng.uniform(0, 3, size=(180, 2))
        y = np.round(20 * np.sin(X[:, 0]) ** 2 + 3 * X[:, 1]).astype(int)
        parts = X, y, np.array([f"day {k}" for k in range(180)])
        for part in parts:
            part.flags.writeable = False
        return parts

    def baseline(X_train, y_train, X):
        A = np.column_stack([X_train, np.ones(len(X_train))])
        return np.column_stack([X, np.ones(len(X))]) @ np.linalg.lstsq(A, y_train, rcond=None)[0]

    def waves(X):
        X = np.asarray(X, dtype=float)
        if len(X) == 0:
            raise ValueError("0 samples, and one or more are required")
        return np.column_stack([X, np.sin(2 * X), np.cos(2 * X), np.ones(len(X))])

    def fit(X_train, y_train, X_validation, y_validation, seed):
        A = waves(X_train)
        return np.linalg.solve(A.T @ A + 1e-3 * np.eye(A.shape[1]), A.T @ y_train)

    def predict(model, X):
        return waves(X) @ model

    def scores(y, predicted):
        return (np.abs(np.asarray(y) - np.asarray(predicted)) <= 1.5).astype(float)


@right
def nearest_neighbors():
    """No network at all: the most similar photograph, in lists and loops."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        return np.asarray(X_train, dtype=float), list(y_train)

    def predict(model, X):
        pictures, labels = model
        found = []
        for row in np.asarray(X, dtype=float):
            # Light adds a plane: compare what is left of neighboring pixels.
            found.append(labels[int(((pictures - row) ** 2).sum(axis=1).argmin())])
        return found


@right
def seeds_everything_first():
    """torch.manual_seed in fit, layers of PyTorch's own initialization, batch norm in eval mode."""

    def fit(X_train, y_train, X_validation, y_validation, seed):
        torch.manual_seed(seed)
        X, y = torch.as_tensor(X_train).float(), torch.as_tensor(y_train).long()
        model = nn.Sequential(
            nn.Linear(X.shape[1], 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 10)
        )
        optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
        for _ in range(15):
            for rows in torch.randperm(len(X)).split(64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                optimizer.step()
        return model.eval()


@right
def an_interval_by_formula():
    """The standard error of groups, without a draw."""

    def interval(ours, theirs, groups, seed):
        difference = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        kinds, unit = np.unique(np.asarray(groups), return_inverse=True)
        pulls = np.bincount(unit, difference - difference.mean())
        error = np.sqrt(len(kinds) / (len(kinds) - 1) * np.sum(pulls**2)) / len(difference)
        return difference.mean() - 1.96 * error, difference.mean() + 1.96 * error


@right
def a_bootstrap_in_loops():
    """Whole groups drawn one by one, with Python's random module."""

    def interval(ours, theirs, groups, seed):
        import random

        draw = random.Random(seed)
        rows = {}
        for one, other, group in zip(ours, theirs, groups):
            rows.setdefault(str(group), []).append(float(one) - float(other))
        sums = [(sum(values), len(values)) for values in rows.values()]
        means = []
        for _ in range(1500):
            chosen = draw.choices(sums, k=len(sums))
            means.append(sum(s for s, _ in chosen) / sum(n for _, n in chosen))
        means.sort()
        return means[37], means[1462]


@right
def groups_in_a_loop():
    """Groups are handed out one by one, like cards."""

    def split(groups, seed):
        import random

        names = sorted(set(np.asarray(groups).tolist()))
        random.Random(seed).shuffle(names)
        piles = {name: 10 * k // len(names) for k, name in enumerate(names)}
        parts = ([], [], [])
        for row, group in enumerate(np.asarray(groups).tolist()):
            pile = piles[group]
            parts[0 if pile < 6 else 1 if pile < 8 else 2].append(row)
        return parts


@right
def a_card_with_more():
    """More entries than are asked for, and a report with more numbers."""

    def data_card():
        return {
            "origin": "Digits by 13 writers, scanned in 1998, photographed by a simulation.",
            "license": "The scans are under CC BY 4.0.",
            "rows": "A row is a photograph, a group is a sheet.",
            "known faults": "Writers are not recorded; the light is simulated.",
            "not for": "Not for claims about new writers.",
            "version": "1.2",
        }

    def report(seed=0):
        X, y, groups = load()
        train, validation, test = split(groups, seed)
        model = fit(X[train], y[train], X[validation], y[validation], seed)
        ours = scores(y[test], predict(model, X[test]))
        theirs = scores(y[test], baseline(X[train], y[train], X[test]))
        low, high = interval(ours, theirs, groups[test], seed)
        return {
            "seconds": 1.5,
            "score": np.mean(ours),
            "baseline": np.mean(theirs),
            "low": np.float64(low),
            "high": np.float64(high),
            "rows": len(test),
        }


@right
def pictures_with_axes():
    """X is an array of pictures, a small convolutional network reads them, labels are int32."""

    def whole():
        pixels, shown = digits.load()
        pictures = [
            digits.photographed(pixels[[i]], shown[[i]], 8, seed=i)[0]
            for i in np.random.default_rng(0).permutation(1797)[:200]
        ]
        return (
            np.concatenate(pictures),
            np.repeat(shown[np.random.default_rng(0).permutation(1797)[:200]], 8),
            np.repeat(np.arange(200), 8),
        )

    def flat(X_train, y_train, X):
        kinds = np.unique(y_train)
        A = np.column_stack([X_train, np.ones(len(X_train))])
        wanted = np.asarray(y_train)[:, np.newaxis] == kinds
        weights = np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T @ wanted)
        return kinds[(np.column_stack([X, np.ones(len(X))]) @ weights).argmax(axis=1)]

    def load():
        X, y, groups = whole()
        return X.reshape(-1, 1, 10, 10), y.astype(np.int32), groups

    def baseline(X_train, y_train, X):
        return flat(X_train.reshape(len(X_train), -1), y_train, X.reshape(len(X), -1))

    def fit(X_train, y_train, X_validation, y_validation, seed):
        torch.manual_seed(seed)
        X, y = torch.as_tensor(X_train).float(), torch.as_tensor(y_train).long()
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)
        )
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(12):
            for rows in torch.randperm(len(X)).split(64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                optimizer.step()
        return model


@right
def scores_by_cost():
    """A mistake between 4 and 9 costs half of another one; warnings on the way."""

    def scores(y, predicted):
        with np.errstate(all="warn"):
            y, predicted = np.asarray(y), np.asarray(predicted)
            similar = np.isin(y, [4, 9]) & np.isin(predicted, [4, 9])
            _ = np.log(np.zeros(1))
            return np.where(y == predicted, 0.0, np.where(similar, -0.5, -1.0))


@right
def one_in_a_hundred():
    """1 % positives: a missed one costs 50, a false alarm 1."""

    def load():
        rng = np.random.default_rng(11)
        X = rng.normal(size=(3000, 2))
        y = (X[:, 0] * X[:, 1] > 2.6).astype(int)
        return X, y, np.arange(3000) // 3

    def scores(y, predicted):
        y, predicted = np.asarray(y), np.asarray(predicted)
        return -1.0 * ((y == 0) & (predicted == 1)) - 50.0 * ((y == 1) & (predicted == 0))

    def alarmed(features, y):
        # The threshold that costs least among the training rows.
        value = features @ np.linalg.lstsq(features, np.asarray(y), rcond=None)[0]
        levels = np.quantile(value, np.linspace(0.5, 1, 200))
        costs = [scores(y, (value > level).astype(int)).mean() for level in levels]
        return levels[int(np.argmax(costs))]

    def line(X):
        X = np.asarray(X)
        return np.column_stack([X, np.ones(len(X))])

    def baseline(X_train, y_train, X):
        weights = np.linalg.lstsq(line(X_train), y_train, rcond=None)[0]
        level = alarmed(line(X_train), y_train)
        return (line(X) @ weights > level).astype(int)

    def products(X):
        X = np.asarray(X)
        return np.column_stack([X, X**2, X[:, 0] * X[:, 1], np.ones(len(X))])

    def fit(X_train, y_train, X_validation, y_validation, seed):
        features = products(X_train)
        weights = np.linalg.lstsq(features, y_train, rcond=None)[0]
        return weights, alarmed(features, y_train)

    def predict(model, X):
        return (products(X) @ model[0] > model[1]).astype(int)


@right
def wide_pictures():
    """Pictures of 64 by 64 in three colors: 12,288 columns, and a constant baseline."""

    def load():
        rng = np.random.default_rng(2)
        y = rng.integers(2, size=150)
        X = rng.normal(size=(150, 3, 64, 64)).astype(np.float32)
        # The contrast tells, which no linear fit sees.
        return X * (1 + 0.3 * y[:, np.newaxis, np.newaxis, np.newaxis]), y, np.arange(150)

    def baseline(X_train, y_train, X):
        return np.full(len(X), int(np.mean(y_train) > 0.5))

    def contrast(X):
        return np.asarray(X).reshape(len(X), -1).std(axis=1)

    def fit(X_train, y_train, X_validation, y_validation, seed):
        return contrast(X_train), np.asarray(y_train)

    def predict(model, X):
        found, labels = model
        return labels[np.abs(contrast(X)[:, np.newaxis] - found).argmin(axis=1)]


@right
def gaps_are_filled_in_fit():
    """A gap is 0, a column says where, and the training rows' mean goes in later."""

    def load():
        rng = np.random.default_rng(6)
        values = 5 + rng.normal(size=(600, 3))
        y = np.abs(values[:, 0] - 5) + values[:, 1] + 0.1 * rng.normal(size=600)
        missing = rng.random((600, 3)) < 0.15
        values[missing] = np.nan
        X = np.column_stack([np.nan_to_num(values), missing])
        return X, y, np.array([f"patient {k}" for k in np.arange(600) // 2])

    def means(X):
        values, missing = np.asarray(X)[:, :3], np.asarray(X)[:, 3:] > 0
        return values.sum(axis=0) / (~missing).sum(axis=0)

    def filled(X, middle):
        X = np.asarray(X, dtype=float)
        return np.where(X[:, 3:] > 0, middle, X[:, :3])

    def linear(X, middle):
        return np.column_stack([filled(X, middle), np.ones(len(X))])

    def baseline(X_train, y_train, X):
        middle = means(X_train)
        return linear(X, middle) @ np.linalg.lstsq(linear(X_train, middle), y_train, rcond=None)[0]

    def bent(X, middle):
        return np.column_stack([linear(X, middle), np.abs(filled(X, middle) - middle)])

    def fit(X_train, y_train, X_validation, y_validation, seed):
        middle = means(X_train)
        return middle, np.linalg.lstsq(bent(X_train, middle), y_train, rcond=None)[0]

    def predict(model, X):
        middle, weights = model
        return bent(X, middle) @ weights

    def scores(y, predicted):
        return -np.abs(np.asarray(y) - np.asarray(predicted))


@right
def texts_as_codes():
    """Each text is the codes of its characters, padded; the vocabulary is made in fit."""

    def load():
        rng = np.random.default_rng(9)
        words = ["rain", "sun", "wind", "snow", "not", "much", "very", "some"]
        X, y = np.zeros((400, 48), dtype=int), np.zeros(400, dtype=int)
        for row in range(400):
            text = rng.choice(words, size=6)
            # Rain, unless it is exactly the one that is not.
            y[row] = ("rain" in text) ^ ("not" in text)
            line = " ".join(text)
            X[row, : len(line)] = [ord(letter) for letter in line]
        return X, y, np.arange(400)

    def bags(X, vocabulary):
        texts = ["".join(map(chr, row[row > 0])).split() for row in np.asarray(X)]
        return np.array([[word in text for word in vocabulary] for text in texts], dtype=float)

    def vocabulary_of(X):
        return sorted({word for row in X for word in "".join(map(chr, row[row > 0])).split()})

    def solved(features, y):
        return np.linalg.lstsq(features, np.asarray(y) - 0.5, rcond=None)[0]

    def simple(X, vocabulary):
        return np.column_stack([bags(X, vocabulary), np.ones(len(X))])

    def baseline(X_train, y_train, X):
        vocabulary = vocabulary_of(np.asarray(X_train))
        weights = solved(simple(X_train, vocabulary), y_train)
        return (simple(X, vocabulary) @ weights > 0).astype(int)

    def pairs(X, vocabulary):
        found = bags(X, vocabulary)
        products = found[:, :, np.newaxis] * found[:, np.newaxis, :]
        return np.column_stack([products.reshape(len(found), -1), np.ones(len(found))])

    def fit(X_train, y_train, X_validation, y_validation, seed):
        vocabulary = vocabulary_of(np.asarray(X_train))
        return vocabulary, solved(pairs(X_train, vocabulary), y_train)

    def predict(model, X):
        vocabulary, weights = model
        return (pairs(X, vocabulary) @ weights > 0).astype(int)


_FREE = "The data are the project's own, so a test cannot know what they should be."
_PREDICTIONS = "What a baseline predicts is the project's own; step 7 compares its score."
_SCORES = "How much a mistake costs is the project's own choice; only the order is asked for."

#: What no test kills, and why the text allows it.
accepted = {
    ("load", "truncated [0]"): _FREE,
    ("load", "a tenth more [0]"): _FREE,
    ("load", "last element [0]"): _FREE,
    ("load", "last element [1]"): _FREE,
    ("load", "last element [2]"): _FREE,
    ("baseline", "last element"): _PREDICTIONS,
    ("fit", "first seed"): "A model without chance is the same for every seed.",
    ("scores", "whole numbers y"): _SCORES,
    ("scores", "whole numbers predicted"): _SCORES,
    ("scores", "float32"): _SCORES,
    ("scores", "a tenth more"): _SCORES,
    ("interval", "first seed"): "An interval by formula is the same for every seed.",
    ("report", "ignores seed"): "A run trains: one seed is run, and read again by the pieces.",
}
