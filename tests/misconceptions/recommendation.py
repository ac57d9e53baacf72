"""Wrong and unusual answers to the exercise `recommendation`."""

import numpy as np
import torch

from course_lib.assignments.answers import right, wrong

FREE = "The text fixes no precision of what is returned."

accepted = {
    ("popularity", "float32"): FREE,
    ("solve_users", "float32 [0]"): FREE,
    ("solve_users", "float32 [1]"): FREE,
    ("factorize", "float32"): FREE,
    ("judge", "float32 [0]"): FREE,
    ("judge", "float32 [1]"): FREE,
}

# Before and after ---------------------------------------------------------------------------------


@wrong(loses=["test-split_by_time-hidden"], says="all of them")
def ties_are_torn_apart():
    """The first rows in order of time, as one slices an array."""

    def split_by_time(users, times, first):
        order = np.argsort(times, kind="stable")
        train, rest = np.sort(order[:first]), np.sort(order[first:])
        familiar = np.isin(users[rest], users[train])
        return train, rest[familiar], np.unique(users[rest][~familiar])


@wrong(loses=["test-split_by_time", "test-split_by_time-hidden"], says="Rows before 4")
def the_cut_is_learned_from():
    """<= in place of <."""

    def split_by_time(users, times, first):
        before = times <= np.sort(times)[first]
        familiar = np.isin(users, users[before])
        test = np.flatnonzero(~before & familiar)
        return np.flatnonzero(before), test, np.unique(users[~familiar])


@wrong(loses=["test-split_by_time", "test-split_by_time-hidden"], says="Rows before 4")
def a_random_split():
    """Shuffled rows, as for any other data set."""

    def split_by_time(users, times, first):
        order = np.random.default_rng(0).permutation(len(users))
        train, rest = np.sort(order[:first]), np.sort(order[first:])
        familiar = np.isin(users[rest], users[train])
        return train, rest[familiar], np.unique(users[rest][~familiar])


@wrong(loses=["test-split_by_time", "test-split_by_time-hidden"], says="Rows before 4")
def rows_taken_to_be_in_order():
    """Logs usually are."""

    def split_by_time(users, times, first):
        before = np.arange(len(times)) < first
        familiar = np.isin(users, users[before])
        test = np.flatnonzero(~before & familiar)
        return np.flatnonzero(before), test, np.unique(users[~familiar])


@wrong(loses=["test-split_by_time", "test-split_by_time-hidden"], says="is named, not judged")
def latecomers_are_judged():
    """All rows at the cut or later."""

    def split_by_time(users, times, first):
        before = times < np.sort(times)[first]
        familiar = np.isin(users, users[before])
        return np.flatnonzero(before), np.flatnonzero(~before), np.unique(users[~familiar])


@wrong(loses=["test-split_by_time-hidden"], says="came      shape (6,)")
def latecomers_by_their_rows():
    """A user with three rows is named three times."""

    def split_by_time(users, times, first):
        before = times < np.sort(times)[first]
        familiar = np.isin(users, users[before])
        late = np.sort(users[~familiar])
        return np.flatnonzero(before), np.flatnonzero(~before & familiar), late


@wrong(loses=["test-split_by_time", "test-split_by_time-hidden"], says="you changed times")
def sorts_the_callers_times():
    """times.sort() in place."""

    def split_by_time(users, times, first):
        was = times.copy()
        times.sort()
        before = was < times[first]
        familiar = np.isin(users, users[before])
        test = np.flatnonzero(~before & familiar)
        return np.flatnonzero(before), test, np.unique(users[~familiar])


@wrong(loses=["test-split_by_time", "test-split_by_time-hidden"], says="is named, not judged")
def whoever_is_in_the_test_is_late():
    """Users of the test, in place of those without a row in training."""

    def split_by_time(users, times, first):
        before = times < np.sort(times)[first]
        familiar = np.isin(users, users[before])
        test = np.flatnonzero(~before & familiar)
        return np.flatnonzero(before), test, np.unique(users[~before])


# What is borrowed lately --------------------------------------------------------------------------


@wrong(loses=["test-popularity", "test-popularity-hidden"], says="is not known on day 10")
def counts_the_future():
    """The whole log is at hand, so why not."""

    def popularity(items, times, m, now, half_life):
        return np.bincount(items, weights=0.5 ** ((now - times) / half_life), minlength=m)


@wrong(loses=["test-popularity", "test-popularity-hidden"], says="There are five items")
def forgets_the_last_items():
    """bincount without minlength."""

    def popularity(items, times, m, now, half_life):
        known = times <= now
        return np.bincount(items[known], weights=0.5 ** ((now - times[known]) / half_life))


@wrong(loses=["test-popularity", "test-popularity-hidden"], says="count 1, 1/2 and 1/4")
def decays_by_e():
    """exp(-a / h) is a decay, with another half-life."""

    def popularity(items, times, m, now, half_life):
        known = times <= now
        weights = np.exp(-(now - times[known]) / half_life)
        return np.bincount(items[known], weights=weights, minlength=m)


@wrong(loses=["test-popularity", "test-popularity-hidden"], says="count 1, 1/2 and 1/4")
def now_is_not_over_yet():
    """< in place of <=."""

    def popularity(items, times, m, now, half_life):
        known = times < now
        weights = 0.5 ** ((now - times[known]) / half_life)
        return np.bincount(items[known], weights=weights, minlength=m)


@wrong(loses=["test-popularity", "test-popularity-hidden"], says="count 1, 1/2 and 1/4")
def repeated_items_once():
    """+= with an array of numbers writes once for each."""

    def popularity(items, times, m, now, half_life):
        known, counts = times <= now, np.zeros(m)
        counts[items[known]] += 0.5 ** ((now - times[known]) / half_life)
        return counts


@wrong(loses=["test-popularity", "test-popularity-hidden"], says="count 1, 1/2 and 1/4")
def counts_without_ages():
    """The popularity of all times."""

    def popularity(items, times, m, now, half_life):
        return np.bincount(items[times <= now], minlength=m).astype(float)


@wrong(loses=["test-popularity", "test-popularity-hidden"], says="count 1, 1/2 and 1/4")
def the_latest_take_is_now():
    """Ages from the last known take, not from `now`."""

    def popularity(items, times, m, now, half_life):
        age = times.max() - times
        known = times <= now
        return np.bincount(items[known], weights=0.5 ** (age[known] / half_life), minlength=m)


# Half a step --------------------------------------------------------------------------------------


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="was used")
def missing_as_dislike():
    """Missing stars are 0, and 0 is a bad rating."""

    def solve_users(stars, rated, V, c, mean, penalty):
        k = V.shape[1]
        X = np.column_stack([V, np.ones(len(V))])
        target = np.where(rated, stars, 0) - mean - c
        found = np.linalg.solve(X.T @ X + penalty * np.eye(k + 1), X.T @ target.T).T
        return found[:, :k], found[:, k]


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="was used")
def missing_as_the_mean():
    """Missing residuals are 0, and pull all factors toward 0."""

    def solve_users(stars, rated, V, c, mean, penalty):
        k = V.shape[1]
        X = np.column_stack([V, np.ones(len(V))])
        target = np.where(rated, stars - mean - c, 0)
        found = np.linalg.solve(X.T @ X + penalty * np.eye(k + 1), X.T @ target.T).T
        return found[:, :k], found[:, k]


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="was used")
def nan_times_zero():
    """Weights of 0 do not silence nan."""

    def solve_users(stars, rated, V, c, mean, penalty):
        n, k = len(stars), V.shape[1]
        found = np.zeros((n, k + 1))
        X = np.column_stack([V, np.ones(len(V))])
        for i in range(n):
            w = rated[i].astype(float)
            left = (X.T * w) @ X + penalty * np.eye(k + 1)
            found[i] = np.linalg.solve(left, X.T @ (w * (stars[i] - mean - c)))
        return found[:, :k], found[:, k]


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="(1.5 - 1) / (2 + 1)")
def bias_without_penalty():
    """Intercepts are usually free."""

    def solve_users(stars, rated, V, c, mean, penalty):
        n, k = len(stars), V.shape[1]
        found = np.zeros((n, k + 1))
        for i in range(n):
            X = np.column_stack([V[rated[i]], np.ones(rated[i].sum())])
            target = stars[i, rated[i]] - mean - c[rated[i]]
            left = X.T @ X + np.diag([penalty] * k + [1e-9])
            found[i] = np.linalg.solve(left, X.T @ target)
        return found[:, :k], found[:, k]


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="after the mean and the biases")
def forgets_the_items_biases():
    """Only the mean is subtracted."""

    def solve_users(stars, rated, V, c, mean, penalty):
        n, k = len(stars), V.shape[1]
        found = np.zeros((n, k + 1))
        for i in range(n):
            X = np.column_stack([V[rated[i]], np.ones(rated[i].sum())])
            left = X.T @ X + penalty * np.eye(k + 1)
            found[i] = np.linalg.solve(left, X.T @ (stars[i, rated[i]] - mean))
        return found[:, :k], found[:, k]


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="(1.5 + 1) / (2 + 1)")
def penalty_times_ratings():
    """The weighted-lambda variant of ALS-WR, which is another objective."""

    def solve_users(stars, rated, V, c, mean, penalty):
        n, k = len(stars), V.shape[1]
        found = np.zeros((n, k + 1))
        for i in range(n):
            count = max(int(rated[i].sum()), 1)
            X = np.column_stack([V[rated[i]], np.ones(rated[i].sum())])
            left = X.T @ X + penalty * count * np.eye(k + 1)
            found[i] = np.linalg.solve(left, X.T @ (stars[i, rated[i]] - mean - c[rated[i]]))
        return found[:, :k], found[:, k]


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="(1.5 - 1) / (2 + 1)")
def bias_first_factors_after():
    """Biases alone, then factors of what is left: not the same minimum."""

    def solve_users(stars, rated, V, c, mean, penalty):
        n, k = len(stars), V.shape[1]
        U, b = np.zeros((n, k)), np.zeros(n)
        for i in range(n):
            rest = stars[i, rated[i]] - mean - c[rated[i]]
            b[i] = rest.mean() if len(rest) else 0.0
            X = V[rated[i]]
            U[i] = np.linalg.solve(X.T @ X + penalty * np.eye(k), X.T @ (rest - b[i]))
        return U, b


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="fractions")
def results_in_the_type_of_V():
    """zeros_like(V, ...) keeps integers."""

    def solve_users(stars, rated, V, c, mean, penalty):
        n, k = len(stars), V.shape[1]
        found = np.zeros((n, k + 1), dtype=int)
        for i in range(n):
            X = np.column_stack([V[rated[i]], np.ones(rated[i].sum())])
            target = stars[i, rated[i]] - mean - c[rated[i]]
            left = X.T @ X + penalty * np.eye(k + 1)
            found[i] = np.linalg.solve(left, X.T @ target)
        return found[:, :k], found[:, k]


@wrong(loses=["test-solve_users", "test-solve_users-hidden"], says="you changed stars")
def fills_the_callers_gaps():
    """nan is replaced in the table that came."""

    def solve_users(stars, rated, V, c, mean, penalty):
        stars[~rated] = 0
        n, k = len(stars), V.shape[1]
        X, found = np.column_stack([V, np.ones(len(V))]), np.zeros((len(stars), k + 1))
        for i in range(n):
            w = rated[i].astype(float)
            left = (X.T * w) @ X + penalty * np.eye(k + 1)
            found[i] = np.linalg.solve(left, X.T @ (w * (stars[i] - mean - c)))
        return found[:, :k], found[:, k]


# Back and forth -----------------------------------------------------------------------------------


@wrong(loses=["test-factorize", "test-factorize-hidden"], says="solved for with")
def items_from_the_old_users():
    """Both sides from the numbers of the step before."""

    def factorize(stars, rated, V, penalty, steps):
        mean, c = stars[rated].mean(), np.zeros(len(V))
        U, b = np.zeros((len(stars), V.shape[1])), np.zeros(len(stars))
        for _ in range(steps):
            new_U, new_b = solve_users(stars, rated, V, c, mean, penalty)
            V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
            U, b = new_U, new_b
        return mean + b[:, None] + c + U @ V.T


@wrong(loses=["test-factorize", "test-factorize-hidden"], says="The mean of the three ratings")
def mean_of_the_whole_table():
    """Gaps count as 0."""

    def factorize(stars, rated, V, penalty, steps):
        mean, c = np.where(rated, stars, 0).mean(), np.zeros(len(V))
        for _ in range(steps):
            U, b = solve_users(stars, rated, V, c, mean, penalty)
            V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
        return mean + b[:, None] + c + U @ V.T


@wrong(loses=["test-factorize", "test-factorize-hidden"], says="solved for with")
def the_users_biases_get_lost():
    """The items are solved for without b."""

    def factorize(stars, rated, V, penalty, steps):
        mean, c = stars[rated].mean(), np.zeros(len(V))
        for _ in range(steps):
            U, b = solve_users(stars, rated, V, c, mean, penalty)
            V, c = solve_users(stars.T, rated.T, U, np.ones(len(stars)), mean, penalty)
        return mean + b[:, None] + c + U @ V.T


@wrong(loses=["test-factorize", "test-factorize-hidden"], says="The mean of the three ratings")
def guess_without_the_mean():
    """The factors and biases alone."""

    def factorize(stars, rated, V, penalty, steps):
        mean, c = stars[rated].mean(), np.zeros(len(V))
        for _ in range(steps):
            U, b = solve_users(stars, rated, V, c, mean, penalty)
            V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
        return b[:, None] + c + U @ V.T


@wrong(loses=["test-factorize-hidden"], says="in the next step")
def always_one_step():
    """steps is ignored."""

    def factorize(stars, rated, V, penalty, steps):
        mean = stars[rated].mean()
        U, b = solve_users(stars, rated, V, np.zeros(len(V)), mean, penalty)
        V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
        return mean + b[:, None] + c + U @ V.T


@wrong(loses=["test-factorize-hidden"], says="biases too")
def item_biases_begin_anew():
    """c is 0 again in each step."""

    def factorize(stars, rated, V, penalty, steps):
        mean = stars[rated].mean()
        for _ in range(steps):
            U, b = solve_users(stars, rated, V, np.zeros(len(V)), mean, penalty)
            V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
        return mean + b[:, None] + c + U @ V.T


@wrong(loses=["test-factorize", "test-factorize-hidden"], says="solved for with")
def items_before_users():
    """The other side first, with users of zeros."""

    def factorize(stars, rated, V, penalty, steps):
        mean, c = stars[rated].mean(), np.zeros(len(V))
        U, b = solve_users(stars, rated, V, c, mean, penalty)
        for _ in range(steps):
            V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
            U, b = solve_users(stars, rated, V, c, mean, penalty)
        return mean + b[:, None] + c + U @ V.T


@wrong(loses=["test-factorize-hidden"], says="you changed V")
def writes_into_the_start():
    """V[:] = ... belongs to whoever called."""

    def factorize(stars, rated, V, penalty, steps):
        mean, c = stars[rated].mean(), np.zeros(len(V))
        for step in range(steps):
            U, b = solve_users(stars, rated, V, c, mean, penalty)
            new, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
            if step + 1 == steps:
                return mean + b[:, None] + c + U @ new.T
            V[:] = new


@wrong(loses=["test-factorize-hidden"], says="new ones")
def clipped_to_stars():
    """Nobody gives seven stars, but the text says: not clipped."""

    def factorize(stars, rated, V, penalty, steps):
        mean, c = stars[rated].mean(), np.zeros(len(V))
        for _ in range(steps):
            U, b = solve_users(stars, rated, V, c, mean, penalty)
            V, c = solve_users(stars.T, rated.T, U, b, mean, penalty)
        return np.clip(mean + b[:, None] + c + U @ V.T, 1, 5)


# Whom to push away --------------------------------------------------------------------------------


@wrong(loses=["test-batch_loss-hidden"], says="Subtract log q")
def no_correction():
    """In-batch negatives as they come."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = scores.masked_fill(liked & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss-hidden"], says="Subtract log q")
def correction_added():
    """The wrong sign favors the popular twice."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = (scores + q[items].log()).masked_fill(liked & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss-hidden"], says="Subtract log q")
def q_without_its_logarithm():
    """Shares in place of their logarithms."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = (scores - q[items]).masked_fill(liked & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss-hidden"], says="item in each column")
def correction_by_row():
    """The whole row moves, and a softmax does not notice."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = (scores - q[items].log()[:, None]).masked_fill(liked & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss", "test-batch_loss-hidden"], says="also on the diagonal")
def negatives_alone_corrected():
    """The right answers keep their popularity."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = torch.where(own, scores, scores - q[items].log())
        z = z.masked_fill(liked & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss-hidden"], says="Leave out repeated items")
def repeated_items_are_negatives():
    """Only what is in `taken` is left out."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        z = (scores - q[items].log()).masked_fill(taken[:, items] & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss", "test-batch_loss-hidden"], says="is no negative")
def history_is_pushed_away():
    """taken is ignored."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        same = items[:, None] == items
        z = (scores - q[items].log()).masked_fill(same & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss", "test-batch_loss-hidden"], says="The loss of")
def the_right_answer_left_out():
    """The diagonal is masked with the rest."""

    def batch_loss(scores, items, q, taken):
        liked = taken[:, items] | (items[:, None] == items)
        z = (scores - q[items].log()).masked_fill(liked, -1e9)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss", "test-batch_loss-hidden"], says="Rows are users")
def columns_are_users():
    """The softmax runs over the users."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = (scores - q[items].log()).masked_fill(liked & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z.T, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss", "test-batch_loss-hidden"], says="The loss of two users")
def sum_over_the_batch():
    """The losses of the users are added up."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = (scores - q[items].log()).masked_fill(liked & ~own, -torch.inf)
        targets = torch.arange(len(items), device=z.device)
        return torch.nn.functional.cross_entropy(z, targets, reduction="sum")


@wrong(loses=["test-batch_loss-hidden"], says="no detach")
def the_gradient_is_cut():
    """detach() makes a number of it."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = taken[:, items] | (items[:, None] == items)
        z = (scores.detach() - q[items].log()).masked_fill(liked & ~own, -torch.inf)
        return torch.nn.functional.cross_entropy(z, torch.arange(len(items), device=z.device))


@wrong(loses=["test-batch_loss-hidden"], says="The loss of")
def softmax_by_hand_overflows():
    """exp of scores in the hundreds is infinite."""

    def batch_loss(scores, items, q, taken):
        own = torch.eye(len(items), dtype=torch.bool, device=scores.device)
        liked = (taken[:, items] | (items[:, None] == items)) & ~own
        e = torch.exp(scores - q[items].log()) * (~liked)
        return -(e.diagonal() / e.sum(dim=1)).log().mean()


# What a shelf is worth ----------------------------------------------------------------------------


@wrong(loses=["test-judge", "test-judge-hidden"], says="item 2 is known")
def known_items_ranked_too():
    """Nothing is left out of the list."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                hits = later[i, np.argsort(-scores[i])[:k]]
                gains = 1 / np.log2(np.arange(2, k + 2))
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[:wanted].sum()
        return recall, ndcg


@wrong(loses=["test-judge", "test-judge-hidden"], says="1 + 1/log2(3)")
def natural_logarithm_from_place_two():
    """The discount 1 / log2(max(r, 2)): the second place counts as much as the first."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                s = np.where(known[i], -np.inf, scores[i])
                hits = later[i, np.argsort(-s, kind="stable")[:k]]
                r = np.arange(1, k + 1)
                gains = 1 / np.log2(np.maximum(r, 2))
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[: min(wanted, k)].sum()
        return recall, ndcg


@wrong(loses=["test-judge", "test-judge-hidden"], says="1 + 1/log2(3)")
def reciprocal_rank():
    """1 / r in place of 1 / log2(r + 1)."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                s = np.where(known[i], -np.inf, scores[i])
                hits = later[i, np.argsort(-s, kind="stable")[:k]]
                r = np.arange(1, k + 1)
                gains = 1 / r
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[: min(wanted, k)].sum()
        return recall, ndcg


@wrong(loses=["test-judge", "test-judge-hidden"], says="1 + 1/log2(3)")
def places_counted_from_zero():
    """1 / log2(r + 2) with r from 1."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                s = np.where(known[i], -np.inf, scores[i])
                hits = later[i, np.argsort(-s, kind="stable")[:k]]
                r = np.arange(1, k + 1)
                gains = 1 / np.log2(r + 2)
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[: min(wanted, k)].sum()
        return recall, ndcg


@wrong(loses=["test-judge", "test-judge-hidden"], says="The second user took nothing later")
def nothing_later_is_zero():
    """Users who took nothing count as failures."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), 0.0)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                s = np.where(known[i], -np.inf, scores[i])
                hits = later[i, np.argsort(-s, kind="stable")[:k]]
                r = np.arange(1, k + 1)
                gains = 1 / np.log2(r + 1)
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[: min(wanted, k)].sum()
        return recall, ndcg


@wrong(loses=["test-judge-hidden"], says="all later items")
def recall_by_k():
    """That is precision."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                s = np.where(known[i], -np.inf, scores[i])
                hits = later[i, np.argsort(-s, kind="stable")[:k]]
                r = np.arange(1, k + 1)
                gains = 1 / np.log2(r + 1)
                recall[i] = hits.sum() / min(wanted, k)
                ndcg[i] = hits @ gains[: len(hits)] / gains[: min(wanted, k)].sum()
        return recall, ndcg


@wrong(loses=["test-judge", "test-judge-hidden"], says="that was possible")
def ideal_of_k_hits():
    """Every list is compared with one full of hits."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                s = np.where(known[i], -np.inf, scores[i])
                hits = later[i, np.argsort(-s, kind="stable")[:k]]
                r = np.arange(1, k + 1)
                gains = 1 / np.log2(r + 1)
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[:k].sum()
        return recall, ndcg


@wrong(loses=["test-judge-hidden"], says="whatever the signs")
def known_items_get_a_zero():
    """0 is the lowest score only if all others are positive."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                s = np.where(known[i], 0.0, scores[i])
                hits = later[i, np.argsort(-s, kind="stable")[:k]]
                r = np.arange(1, k + 1)
                gains = 1 / np.log2(r + 1)
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[: min(wanted, k)].sum()
        return recall, ndcg


@wrong(loses=["test-judge-hidden"], says="raised")
def k_larger_than_the_list():
    """Gains for k places do not fit a shorter list."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                left = np.flatnonzero(~known[i])
                hits = later[i, left[np.argsort(-scores[i, left])][:k]]
                gains = 1 / np.log2(np.arange(2, k + 2))
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains / gains[:wanted].sum()
        return recall, ndcg


@wrong(loses=["test-judge-hidden"], says="min(later items, k)")
def ideal_of_all_later_items():
    """The ideal list has more places than k."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                left = np.flatnonzero(~known[i])
                hits = later[i, left[np.argsort(-scores[i, left])][:k]]
                gains = 1 / np.log2(np.arange(2, len(scores[i]) + k + 2))
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[:wanted].sum()
        return recall, ndcg


@wrong(loses=["test-judge", "test-judge-hidden"], says="you changed scores")
def known_written_into_the_scores():
    """-inf in the caller's table."""

    def judge(scores, known, later, k):
        recall, ndcg = np.full((2, len(scores)), np.nan)
        scores[known] = -1e9
        for i in range(len(scores)):
            wanted = later[i].sum()
            if wanted:
                hits = later[i, np.argsort(-scores[i])[:k]]
                gains = 1 / np.log2(np.arange(2, k + 2))
                recall[i] = hits.sum() / wanted
                ndcg[i] = hits @ gains[: len(hits)] / gains[:wanted].sum()
        return recall, ndcg


# A shelf with surprises ---------------------------------------------------------------------------


@wrong(loses=["test-shelf", "test-shelf-hidden"], says="Item 1 is known")
def shelf_of_known_items():
    """Known items by score."""

    def shelf(scores, known, chances, k, places):
        rows = []
        for s, lucky in zip(scores, chances, strict=True):
            best = np.argsort(-s)[: k - places]
            rest = np.setdiff1d(np.arange(len(s)), best)
            rows.append(np.concatenate([best, rest[np.argsort(-lucky[rest])][:places]]))
        return np.array(rows)


@wrong(loses=["test-shelf", "test-shelf-hidden"], says="of 0, 2 and 5, which are left")
def twice_on_the_shelf():
    """Chance may pick what is there by score."""

    def shelf(scores, known, chances, k, places):
        rows = []
        for s, old, lucky in zip(scores, known, chances, strict=True):
            left = np.flatnonzero(~old)
            best = left[np.argsort(-s[left])][: k - places]
            rows.append(np.concatenate([best, left[np.argsort(-lucky[left])][:places]]))
        return np.array(rows)


@wrong(loses=["test-shelf", "test-shelf-hidden"], says="3 and 4 have the highest scores")
def surprises_first():
    """The first places are for chance."""

    def shelf(scores, known, chances, k, places):
        rows = []
        for s, old, lucky in zip(scores, known, chances, strict=True):
            left = np.flatnonzero(~old)
            luck = left[np.argsort(-lucky[left])][:places]
            rest = np.setdiff1d(left, luck)
            rows.append(np.concatenate([luck, rest[np.argsort(-s[rest])][: k - places]]))
        return np.array(rows)


@wrong(loses=["test-shelf-hidden"], says="With no places for chance")
def minus_zero_is_everything():
    """order[-0:] is the whole order, and order[:-0] nothing."""

    def shelf(scores, known, chances, k, places):
        rows = []
        for s, old, lucky in zip(scores, known, chances, strict=True):
            left = np.flatnonzero(~old)
            best = left[np.argsort(-s[left])][:k][:-places]
            rest = np.setdiff1d(left, best)
            rows.append(np.concatenate([best, rest[np.argsort(-lucky[rest])][: k - len(best)]]))
        return np.array(rows)


@wrong(loses=["test-shelf", "test-shelf-hidden"], says="highest chances")
def surprises_by_score():
    """chances is ignored."""

    def shelf(scores, known, chances, k, places):
        rows = []
        for s, old in zip(scores, known, strict=True):
            left = np.flatnonzero(~old)
            rows.append(left[np.argsort(-s[left])][:k])
        return np.array(rows)


@wrong(loses=["test-shelf-hidden"], says="0 is no mark")
def zero_marks_what_is_gone():
    """Scores times (not known): a 0 beats negative scores."""

    def shelf(scores, known, chances, k, places):
        best = np.argsort(-(scores * ~known), axis=1)[:, : k - places]
        lucky = chances * ~known
        np.put_along_axis(lucky, best, 0, axis=1)
        return np.concatenate([best, np.argsort(-lucky, axis=1)[:, :places]], axis=1)


@wrong(loses=["test-shelf", "test-shelf-hidden"], says="you changed chances")
def marks_in_the_callers_chances():
    """-inf where an item is on the shelf, in the table that came."""

    def shelf(scores, known, chances, k, places):
        best = np.argsort(-np.where(known, -np.inf, scores), axis=1)[:, : k - places]
        chances[known] = -np.inf
        np.put_along_axis(chances, best, -np.inf, axis=1)
        return np.concatenate([best, np.argsort(-chances, axis=1)[:, :places]], axis=1)


# Right, and unusual -------------------------------------------------------------------------------


@right
def split_by_sets_and_loops():
    """Python's own sets, and lists that become arrays."""

    def split_by_time(users, times, first):
        cut = sorted(times.tolist())[first]
        there = {u for u, t in zip(users.tolist(), times.tolist(), strict=True) if t < cut}
        train = [r for r in range(len(times)) if times[r] < cut]
        test = [r for r in range(len(times)) if times[r] >= cut and users[r] in there]
        late = sorted({u for u in users.tolist() if u not in there})
        return np.array(train, dtype=int), np.array(test, dtype=int), np.array(late, dtype=int)


@right
def split_with_other_names():
    """Parameters by other names, and numbers on the way to stderr."""

    def split_by_time(who, when, place):
        import sys

        print("splitting", len(who), file=sys.stderr)
        cut = np.partition(when, place)[place]
        train = np.where(when < cut)[0]
        late = np.setdiff1d(who, who[train])
        test = np.where((when >= cut) & ~np.isin(who, late))[0]
        return train, test, late


@right
def popularity_by_add_at():
    """np.add.at, and a warning on the way: powers of the future overflow and are thrown away."""

    def popularity(items, times, m, now, half_life):
        counts = np.zeros(m)
        with np.errstate(over="warn"):
            weights = np.exp2(-(now - times) * 1.0 / half_life)
        np.add.at(counts, items, np.where(times <= now, weights, 0.0))
        return counts


@right
def popularity_in_loops():
    """One take after another."""

    def popularity(items, times, m, now, half_life):
        counts = [0.0] * m
        for item, time in zip(items, times, strict=True):
            if time <= now:
                counts[item] += 2 ** (-(now - time) / half_life)
        return np.array(counts)


@right
def users_all_at_once():
    """einsum over all users, with junk set to 0 in a copy."""

    def solve_users(stars, rated, V, c, mean, penalty):
        k = V.shape[1]
        X = np.column_stack([V, np.ones(len(V))])
        w = rated.astype(float)
        rest = np.where(rated, stars - mean - c, 0.0)
        left = np.einsum("ij,jk,jl->ikl", w, X, X) + penalty * np.eye(k + 1)
        found = np.linalg.solve(left, (rest @ X)[..., None])[..., 0]
        return found[:, :k], found[:, k]


@right
def users_by_stacked_least_squares():
    """Rows for the penalty below the rows of the ratings."""

    def solve_users(stars, rated, V, c, mean, penalty):
        k, answers = V.shape[1], []
        for r, m in zip(stars, rated, strict=True):
            X = np.r_[np.c_[V[m], np.ones(m.sum())], np.sqrt(penalty) * np.eye(k + 1)]
            y = np.r_[(r - mean - c)[m], np.zeros(k + 1)]
            answers.append(np.linalg.lstsq(X, y, rcond=None)[0])
        answers = np.array(answers)
        return answers[:, :k], answers[:, k]


@right
def factorize_with_a_column_of_ones():
    """The biases are a factor whose partner is 1, inside one function of its own."""

    def factorize(stars, rated, V, penalty, steps):
        mean = np.mean(stars[rated])
        rest = np.where(rated, stars - mean, 0.0)

        def solve(rest, rated, other, bias):
            X = np.column_stack([other, np.ones(len(other))])
            out = []
            for r, m in zip(rest, rated, strict=True):
                A = X[m].T @ X[m] + penalty * np.eye(X.shape[1])
                out.append(np.linalg.inv(A) @ X[m].T @ (r[m] - bias[m]))
            out = np.array(out)
            return out[:, :-1], out[:, -1]

        c = np.zeros(len(V))
        for _ in range(steps):
            U, b = solve(rest, rated, V, c)
            V, c = solve(rest.T, rated.T, U, b)
        return U @ V.T + (mean + b)[:, None] + c[None]


@right
def loss_by_logsumexp_and_loops():
    """One user after another."""

    def batch_loss(scores, items, q, taken):
        losses = []
        for i in range(len(items)):
            z = scores[i] - torch.log(q[items])
            stays = [
                j
                for j in range(len(items))
                if j == i or (items[j] != items[i] and not taken[i, items[j]])
            ]
            losses.append(torch.logsumexp(z[stays], dim=0) - z[i])
        return torch.stack(losses).mean()


@right
def loss_with_a_very_low_number():
    """-1e30 in place of minus infinity, and log_softmax."""

    def batch_loss(scores, items, q, taken):
        liked = torch.gather(taken, 1, items.expand(len(items), -1)) | items.eq(items[:, None])
        liked.fill_diagonal_(False)
        z = torch.where(liked, torch.full_like(scores, -1e30), scores - q.log()[items])
        return -z.log_softmax(dim=-1).diagonal().mean()


@right
def judge_by_whole_arrays():
    """Masks and put_along_axis; divisions by 0 warn on the way."""

    def judge(scores, known, later, k):
        masked = np.where(known, -np.inf, scores)
        order = np.argsort(-masked, axis=1)[:, :k]
        hits = np.take_along_axis(later & ~known, order, axis=1)
        k = min(k, scores.shape[1])
        discount = 1 / np.log2(np.arange(k) + 2.0)
        count = later.sum(axis=1)
        ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(count, k)]
        return hits.sum(axis=1) / count, hits @ discount / ideal


@right
def judge_by_sorting_in_python():
    """Lists, math and None until the end."""

    def judge(scores, known, later, k):
        import math

        recall, ndcg = [], []
        for s, old, new in zip(scores.tolist(), known, later, strict=True):
            ten = [j for j in sorted(range(len(s)), key=lambda j: s[j], reverse=True) if not old[j]]
            places = [r for r, j in enumerate(ten[:k]) if new[j]]
            n = int(new.sum())
            best = math.fsum(1 / math.log2(r + 2) for r in range(min(n, k)))
            recall.append(len(places) / n if n else float("nan"))
            gain = math.fsum(1 / math.log2(r + 2) for r in places)
            ndcg.append(gain / best if n else float("nan"))
        return np.array(recall), np.array(ndcg)


@right
def shelf_by_whole_arrays():
    """argsort of masked copies."""

    def shelf(scores, known, chances, k, places):
        best = np.argsort(-np.where(known, -np.inf, scores), axis=1)[:, : k - places]
        lucky = np.where(known, -np.inf, chances)
        np.put_along_axis(lucky, best, -np.inf, axis=1)
        return np.hstack([best, np.argsort(-lucky, axis=1)[:, :places]])
