"""Wrong and unusual answers to the exercise `medicine`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

NO_PRECISION = "The text fixes no precision."
accepted = {
    ("decision_curves", "float32 ['model']"): NO_PRECISION,
    ("decision_curves", "float32 ['everybody']"): NO_PRECISION,
    ("decision_curves", "float32 ['nobody']"): NO_PRECISION,
    ("neighbor_sum", "float32"): NO_PRECISION,
    ("neighbor_sum", "whole numbers x"): "A sum of whole numbers is whole.",
    ("molecule_vector", "float32"): NO_PRECISION,
    ("readout", "float32"): NO_PRECISION,
}

# Predictive values --------------------------------------------------------------------------------

BOTH = ["test-predictive_values", "test-predictive_values-hidden"]


@wrong(loses=BOTH, says="Three of four ill")
def values_of_the_study():
    """The predictive values of the study: its own prevalence is in them."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if not np.any(targets == 1) or not np.any(targets == 0):
            raise ValueError("somebody is missing")
        return np.mean(targets[answers == 1] == 1), np.mean(targets[answers == 0] == 0)


@wrong(loses=BOTH, says="Three of four ill")
def sensitivity_for_predictive_value():
    """Reads the sensitivity as the risk that an alarm is right, the commonest of all."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if not np.any(targets == 1) or not np.any(targets == 0):
            raise ValueError("somebody is missing")
        return np.mean(answers[targets == 1] == 1), np.mean(answers[targets == 0] == 0)


@wrong(loses=["test-predictive_values-hidden"], says="Neither is a predictive value")
def specificity_for_sensitivity():
    """The two names exchanged; in the visible test they are equal."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if not np.any(targets == 1) or not np.any(targets == 0):
            raise ValueError("somebody is missing")
        specificity = np.mean(answers[targets == 1] == 1)
        sensitivity = np.mean(answers[targets == 0] == 0)
        q = prevalence
        found, alarm = q * sensitivity, (1 - q) * (1 - specificity)
        quiet, missed = (1 - q) * specificity, q * (1 - sensitivity)
        positive = found / (found + alarm) if found + alarm else np.nan
        negative = quiet / (quiet + missed) if quiet + missed else np.nan
        return positive, negative


@wrong(loses=BOTH, says="3 of 6 alarms")
def false_omission_for_negative():
    """Of those without an alarm the share that is ill, in place of the share that is not."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if not np.any(targets == 1) or not np.any(targets == 0):
            raise ValueError("somebody is missing")
        se, sp, q = np.mean(answers[targets == 1]), 1 - np.mean(answers[targets == 0]), prevalence
        found, alarm = q * se, (1 - q) * (1 - sp)
        quiet, missed = (1 - q) * sp, q * (1 - se)
        positive = found / (found + alarm) if found + alarm else np.nan
        return positive, missed / (quiet + missed) if quiet + missed else np.nan


@wrong(loses=["test-predictive_values-hidden"], says="A share of nobody is nan")
def zero_for_nobody():
    """0 where there is nobody with an alarm: that would say that alarms are always wrong."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if not np.any(targets == 1) or not np.any(targets == 0):
            raise ValueError("somebody is missing")
        se, sp, q = np.mean(answers[targets == 1]), 1 - np.mean(answers[targets == 0]), prevalence
        found, alarm = q * se, (1 - q) * (1 - sp)
        quiet, missed = (1 - q) * sp, q * (1 - se)
        positive = found / (found + alarm) if found + alarm else 0.0
        return positive, quiet / (quiet + missed) if quiet + missed else 0.0


@wrong(loses=["test-predictive_values-hidden"], says="ZeroDivisionError")
def divides_by_nobody():
    """Plain numbers, and nobody with an alarm is a division by zero."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = list(map(int, answers)), list(map(int, targets))
        ill = [a for a, t in zip(answers, targets) if t]
        healthy = [a for a, t in zip(answers, targets) if not t]
        if not ill or not healthy:
            raise ValueError("somebody is missing")
        se, sp, q = sum(ill) / len(ill), 1 - sum(healthy) / len(healthy), float(prevalence)
        found, alarm = q * se, (1 - q) * (1 - sp)
        quiet, missed = (1 - q) * sp, q * (1 - se)
        return found / (found + alarm), quiet / (quiet + missed)


@wrong(loses=["test-predictive_values-hidden"], says="expected ValueError")
def accepts_a_study_without_ill():
    """nan goes on as if nothing had happened."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        se, sp, q = np.mean(answers[targets == 1]), 1 - np.mean(answers[targets == 0]), prevalence
        found, alarm = q * se, (1 - q) * (1 - sp)
        quiet, missed = (1 - q) * sp, q * (1 - se)
        positive = found / (found + alarm) if found + alarm else np.nan
        return positive, quiet / (quiet + missed) if quiet + missed else np.nan


@wrong(loses=["test-predictive_values-hidden"], says="Neither is a predictive value")
def prevalence_of_the_visible_test():
    """A quarter is ill: written into the function."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if not np.any(targets == 1) or not np.any(targets == 0):
            raise ValueError("somebody is missing")
        se, sp, q = np.mean(answers[targets == 1]), 1 - np.mean(answers[targets == 0]), 0.25
        found, alarm = q * se, (1 - q) * (1 - sp)
        quiet, missed = (1 - q) * sp, q * (1 - se)
        positive = found / (found + alarm) if found + alarm else np.nan
        return positive, quiet / (quiet + missed) if quiet + missed else np.nan


@wrong(loses=BOTH, says="Three of four ill")
def accuracy_for_both():
    """The share of right answers, which hides both kinds of mistakes."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if not np.any(targets == 1) or not np.any(targets == 0):
            raise ValueError("somebody is missing")
        accuracy = np.mean(answers == targets)
        return accuracy, accuracy


@right
def predictive_values_by_counting_10_000_people():
    """Natural frequencies, as doctors are taught."""

    def predictive_values(alarms, sick, q):
        alarms, sick = [int(a) for a in alarms], [int(s) for s in sick]
        n_ill, n_healthy = sum(sick), len(sick) - sum(sick)
        if n_ill == 0 or n_healthy == 0:
            raise ValueError("no such study")
        ill, healthy = 10_000 * q, 10_000 * (1 - q)
        found = ill * sum(a * s for a, s in zip(alarms, sick)) / n_ill
        false = healthy * sum(a * (1 - s) for a, s in zip(alarms, sick)) / n_healthy
        silent = 10_000 - found - false
        positive = found / (found + false) if found + false > 1e-9 else float("nan")
        return positive, (healthy - false) / silent if silent > 1e-9 else float("nan")


@right
def predictive_values_that_warn():
    """0 / 0 is nan in NumPy, with a warning."""

    def predictive_values(answers, targets, prevalence):
        answers, targets = np.asarray(answers), np.asarray(targets)
        if len(np.unique(targets)) < 2:
            raise ValueError("one kind of patient only")
        se, sp = answers[targets == 1].mean(), (1 - answers[targets == 0]).mean()
        q = np.float64(prevalence)
        return (
            q * se / (q * se + (1 - q) * (1 - sp)),
            (1 - q) * sp / ((1 - q) * sp + q * (1 - se)),
        )


# Decision curves ----------------------------------------------------------------------------------

CURVES = ["test-decision_curves", "test-decision_curves-hidden"]


@wrong(loses=CURVES, says="three are treated")
def curves_price_upside_down():
    """(1 - t) / t: the odds the wrong way around."""

    def decision_curves(risks, targets, thresholds):
        thresholds = np.asarray(thresholds, dtype=float)
        price = (1 - thresholds) / thresholds
        treated, ill = risks >= thresholds[:, None], targets == 1
        return {
            "model": (treated & ill).mean(1) - (treated & ~ill).mean(1) * price,
            "everybody": ill.mean() - (1 - ill.mean()) * price,
            "nobody": np.zeros(len(thresholds)),
        }


@wrong(loses=CURVES, says="three are treated")
def curves_price_without_odds():
    """Weighs a healthy person with t, and not with t / (1 - t)."""

    def decision_curves(risks, targets, thresholds):
        thresholds = np.asarray(thresholds, dtype=float)
        treated, ill = risks >= thresholds[:, None], targets == 1
        return {
            "model": (treated & ill).mean(1) - (treated & ~ill).mean(1) * thresholds,
            "everybody": ill.mean() - (1 - ill.mean()) * thresholds,
            "nobody": np.zeros(len(thresholds)),
        }


@wrong(loses=CURVES, says="three are treated")
def curves_of_rates():
    """Sensitivity and false positive rate: divides by the ill and by the healthy."""

    def decision_curves(risks, targets, thresholds):
        thresholds = np.asarray(thresholds, dtype=float)
        price = thresholds / (1 - thresholds)
        treated, ill = risks >= thresholds[:, None], targets == 1
        return {
            "model": treated[:, ill].mean(1) - treated[:, ~ill].mean(1) * price,
            "everybody": 1 - price,
            "nobody": np.zeros(len(thresholds)),
        }


@wrong(loses=["test-decision_curves-hidden"], says="equal to the threshold")
def curves_above_the_threshold():
    """Treats above the threshold only."""

    def decision_curves(risks, targets, thresholds):
        thresholds = np.asarray(thresholds, dtype=float)
        price = thresholds / (1 - thresholds)
        treated, ill = risks > thresholds[:, None], targets == 1
        return {
            "model": (treated & ill).mean(1) - (treated & ~ill).mean(1) * price,
            "everybody": ill.mean() - (1 - ill.mean()) * price,
            "nobody": np.zeros(len(thresholds)),
        }


@wrong(loses=["test-decision_curves-hidden"], says="at thresholds")
def curves_in_sorted_order():
    """Sorts the thresholds, so the values stand at other places."""

    def decision_curves(risks, targets, thresholds):
        thresholds = np.sort(np.asarray(thresholds, dtype=float))
        price = thresholds / (1 - thresholds)
        treated, ill = risks >= thresholds[:, None], targets == 1
        return {
            "model": (treated & ill).mean(1) - (treated & ~ill).mean(1) * price,
            "everybody": ill.mean() - (1 - ill.mean()) * price,
            "nobody": np.zeros(len(thresholds)),
        }


@wrong(loses=["test-decision_curves-hidden"], says="at thresholds")
def curves_everybody_half_ill():
    """The curve of everybody as in the visible test, where half are ill."""

    def decision_curves(risks, targets, thresholds):
        thresholds = np.asarray(thresholds, dtype=float)
        price = thresholds / (1 - thresholds)
        treated, ill = risks >= thresholds[:, None], targets == 1
        return {
            "model": (treated & ill).mean(1) - (treated & ~ill).mean(1) * price,
            "everybody": 0.5 - 0.5 * price,
            "nobody": np.zeros(len(thresholds)),
        }


@wrong(loses=CURVES, says="nobody")
def curves_nobody_as_a_number():
    """0 in place of a curve of zeros."""

    def decision_curves(risks, targets, thresholds):
        thresholds = np.asarray(thresholds, dtype=float)
        price = thresholds / (1 - thresholds)
        treated, ill = risks >= thresholds[:, None], targets == 1
        return {
            "model": (treated & ill).mean(1) - (treated & ~ill).mean(1) * price,
            "everybody": ill.mean() - (1 - ill.mean()) * price,
            "nobody": 0.0,
        }


@wrong(loses=CURVES, says="you changed")
def curves_that_change_the_thresholds():
    """Turns the thresholds into prices where they stand."""

    def decision_curves(risks, targets, thresholds):
        treated, ill = risks >= thresholds[:, None], targets == 1
        thresholds /= 1 - thresholds
        return {
            "model": (treated & ill).mean(1) - (treated & ~ill).mean(1) * thresholds,
            "everybody": ill.mean() - (1 - ill.mean()) * thresholds,
            "nobody": np.zeros(len(thresholds)),
        }


@right
def curves_in_loops():
    """Patient by patient, threshold by threshold."""

    def decision_curves(p, y, ts):
        n = len(y)
        model, everybody = [], []
        for t in ts:
            treated = [int(k) for pi, k in zip(p, y) if pi >= t]
            model.append((sum(treated) - (len(treated) - sum(treated)) * t / (1 - t)) / n)
            everybody.append((sum(y) - (n - sum(y)) * t / (1 - t)) / n)
        return {
            "everybody": np.array(everybody, dtype=float),
            "nobody": np.zeros(n)[:0].sum() * np.ones(len(ts)),
            "model": np.array(model, dtype=float),
        }


@right
def curves_by_searching():
    """Sorts each class once, and finds how many reach a threshold by bisection."""

    def decision_curves(risks, targets, thresholds):
        ill, healthy = np.sort(risks[targets == 1]), np.sort(risks[targets == 0])
        price = np.array([t / (1 - t) for t in thresholds])

        def reach(sorted_chances):
            return len(sorted_chances) - np.searchsorted(sorted_chances, thresholds, side="left")

        n = len(risks)
        return {
            "model": reach(ill) / n - reach(healthy) / n * price,
            "everybody": len(ill) / n - len(healthy) / n * price,
            "nobody": 0 * price,
        }


# A threshold --------------------------------------------------------------------------------------

THRESHOLD = ["test-choose_threshold", "test-choose_threshold-hidden"]


@wrong(loses=THRESHOLD, says="With one in 16 ill")
def threshold_of_the_clinic():
    """Counts the study's patients as they come: its prevalence is that of the clinic."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        def cost(t):
            missed = np.mean((risks < t) & (targets == 1))
            return miss * missed + alarm * np.mean((risks >= t) & (targets == 0))

        best = min([*risks, np.inf], key=cost)
        return float(best), float(cost(best))


@wrong(loses=THRESHOLD, says="With half of the people ill")
def threshold_from_the_costs_alone():
    """alarm / (alarm + miss): right where risks are calibrated for that prevalence."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        t = alarm / (alarm + miss)
        missed, rings = np.mean(risks[targets == 1] < t), np.mean(risks[targets == 0] >= t)
        return t, prevalence * missed * miss + (1 - prevalence) * rings * alarm


@wrong(loses=THRESHOLD, says="See 'From a risk")
def threshold_one_half():
    """The default of every library."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        missed, rings = np.mean(risks[targets == 1] < 0.5), np.mean(risks[targets == 0] >= 0.5)
        return 0.5, prevalence * missed * miss + (1 - prevalence) * rings * alarm


@wrong(loses=["test-choose_threshold-hidden"], says="the threshold is infinite")
def threshold_without_infinity():
    """Somebody always gets an alarm."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        ill, healthy = risks[targets == 1], risks[targets == 0]

        def cost(t):
            return (
                prevalence * np.mean(ill < t) * miss
                + (1 - prevalence) * np.mean(healthy >= t) * alarm
            )

        best = min(risks, key=cost)
        return float(best), float(cost(best))


@wrong(loses=THRESHOLD, says="See 'From a risk")
def threshold_exchanges_the_costs():
    """A miss at the price of an alarm."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        ill, healthy = risks[targets == 1], risks[targets == 0]

        def cost(t):
            return (
                prevalence * np.mean(ill < t) * alarm
                + (1 - prevalence) * np.mean(healthy >= t) * miss
            )

        best = min([*risks, np.inf], key=cost)
        return float(best), float(cost(best))


@wrong(loses=THRESHOLD, says="See 'From a risk")
def threshold_rings_above():
    """A risk equal to the threshold does not ring."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        ill, healthy = risks[targets == 1], risks[targets == 0]

        def cost(t):
            return (
                prevalence * np.mean(ill <= t) * miss
                + (1 - prevalence) * np.mean(healthy > t) * alarm
            )

        best = min([*risks, np.inf], key=cost)
        return float(best), float(cost(best))


@wrong(loses=["test-choose_threshold-hidden"], says="get an alarm together")
def threshold_patient_by_patient():
    """Moves the threshold past one patient at a time, and tears apart those with equal risks."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        order = np.lexsort((-targets, -risks))
        best, price = np.inf, prevalence * miss
        found = rings = 0
        for k in order:
            found, rings = found + targets[k], rings + 1 - targets[k]
            cost = prevalence * (1 - found / targets.sum()) * miss
            cost += (1 - prevalence) * rings / (1 - targets).sum() * alarm
            if cost < price:
                best, price = risks[k], cost
        return float(best), float(price)


@right
def threshold_vectorized():
    """All candidates at once, from the highest to the lowest."""

    def choose_threshold(p, y, cost_of_miss, cost_of_alarm, q):
        t = np.concatenate([[np.inf], np.sort(np.unique(p))[::-1]])
        missed = (p[y == 1][None, :] < t[:, None]).mean(axis=1)
        rings = (p[y == 0][None, :] >= t[:, None]).mean(axis=1)
        costs = q * cost_of_miss * missed + (1 - q) * cost_of_alarm * rings
        k = int(np.argmin(costs))
        return t[k], costs[k]


@right
def threshold_by_weights():
    """Weighs each patient of the study as many people of the program."""

    def choose_threshold(risks, targets, miss, alarm, prevalence):
        weights = [
            prevalence / sum(targets) if k else (1 - prevalence) / (len(targets) - sum(targets))
            for k in targets
        ]
        found = {}
        for t in sorted({float(c) for c in risks} | {float("inf")}):
            found[t] = sum(
                w * (miss if k and c < t else alarm if not k and c >= t else 0.0)
                for w, k, c in zip(weights, targets, risks)
            )
        best = min(found, key=found.get)
        return best, found[best]


# Neighbors ----------------------------------------------------------------------------------------

SUMS = ["test-neighbor_sum", "test-neighbor_sum-hidden"]


@wrong(loses=SUMS, says="one each way")
def sum_in_one_direction():
    """Only the first atom of each bond hears of the second."""

    def neighbor_sum(x, bonds):
        result = np.zeros(np.shape(x))
        for i, j in bonds:
            result[i] += x[j]
        return result


@wrong(loses=SUMS, says="one each way")
def sum_by_fancy_index():
    """+= on a repeated index writes once: an atom keeps its last neighbor only."""

    def neighbor_sum(x, bonds):
        result = np.zeros(np.shape(x))
        both = np.concatenate([bonds, bonds[:, ::-1]])
        result[both[:, 0]] += x[both[:, 1]]
        return result


@wrong(loses=SUMS, says="Atom 3 has none")
def sum_with_itself():
    """The atom's own vector is in the sum."""

    def neighbor_sum(x, bonds):
        result = np.array(x, dtype=float)
        for i, j in bonds:
            result[i] += x[j]
            result[j] += x[i]
        return result


@wrong(loses=SUMS, says="1 + 100")
def mean_of_neighbors():
    """The mean cannot count."""

    def neighbor_sum(x, bonds):
        result, count = np.zeros(np.shape(x)), np.zeros(len(x))
        for i, j in bonds:
            result[i] += x[j]
            result[j] += x[i]
            count[[i, j]] += 1
        return result / np.maximum(count, 1)[:, None]


@wrong(loses=["test-neighbor_sum-hidden"], says="whichever atom is named first")
def sum_of_a_chain():
    """Takes the bonds to be a chain, atom after atom."""

    def neighbor_sum(x, bonds):
        result = np.zeros(np.shape(x))
        last = len(bonds)
        for k in range(last):
            result[k] += x[k + 1]
            result[k + 1] += x[k]
        return result


@wrong(loses=["test-neighbor_sum-hidden"], says="atom that has no bond")
def sum_of_joined_atoms_only():
    """As many rows as the bonds name: an atom at the end without a bond is lost."""

    def neighbor_sum(x, bonds):
        n = int(bonds.max()) + 1 if len(bonds) else 0
        result = np.zeros((max(n, 4 if n == 3 else n), x.shape[1]))
        for i, j in bonds:
            result[i] += x[j]
            result[j] += x[i]
        return result


@wrong(loses=SUMS, says="you changed")
def sum_written_into_x():
    """Adds into what came, so that later atoms hear of what earlier ones have heard."""

    def neighbor_sum(x, bonds):
        before = x.copy()
        x[:] = 0
        for i, j in bonds:
            x[i] += before[j]
            x[j] += before[i]
        return x


@right
def sum_by_matrix():
    """The matrix of neighbors."""

    def neighbor_sum(x, bonds):
        A = np.zeros((len(x), len(x)))
        A[bonds[:, 0], bonds[:, 1]] = 1
        A[bonds[:, 1], bonds[:, 0]] = 1
        return A @ np.asarray(x, dtype=float)


@right
def sum_by_add_at():
    """np.add.at adds every time."""

    def neighbor_sum(atoms, pairs):
        out = np.zeros(np.shape(atoms), dtype=float)
        np.add.at(out, pairs[:, 0], atoms[pairs[:, 1]])
        np.add.at(out, pairs[:, 1], atoms[pairs[:, 0]])
        return out


@right
def sum_by_torch():
    """PyTorch's index_add, in double precision."""

    def neighbor_sum(x, bonds):
        import torch

        h = torch.tensor(np.asarray(x, dtype=float))
        edges = torch.tensor(np.asarray(bonds, dtype=np.int64).reshape(-1, 2))
        out = torch.zeros_like(h)
        out = out.index_add(0, edges[:, 0], h[edges[:, 1]])
        return out.index_add(0, edges[:, 1], h[edges[:, 0]]).numpy()


# A molecule's vector ------------------------------------------------------------------------------

VECTOR = ["test-molecule_vector", "test-molecule_vector-hidden"]


@wrong(loses=VECTOR, says="at the same time")
def vector_one_atom_after_the_other():
    """Later atoms hear what earlier ones have become in the same round."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for own, message, bias in rounds:
            same = own.shape[0] == own.shape[1]
            new = h.copy() if same else np.zeros((len(h), own.shape[1]))
            for k in range(len(h)):
                heard = neighbor_sum(new if same else h, bonds)[k]
                new[k] = np.maximum((new if same else h)[k] @ own + heard @ message + bias, 0)
            h = new
        return h.sum(axis=0)


@wrong(loses=["test-molecule_vector-hidden"], says="then ReLU")
def vector_without_relu():
    """No ReLU: in the visible test nothing is negative."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for own, message, bias in rounds:
            h = h @ own + neighbor_sum(h, bonds) @ message + bias
        return h.sum(axis=0)


@wrong(loses=VECTOR, says="A chain of 3, 1 and 2")
def vector_mean():
    """Averages the atoms: two of everything looks like one."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for own, message, bias in rounds:
            h = np.maximum(h @ own + neighbor_sum(h, bonds) @ message + bias, 0)
        return h.mean(axis=0)


@wrong(loses=VECTOR, says="A chain of 3, 1 and 2")
def vector_of_the_first_atom():
    """The first atom speaks for all: another order gives another answer."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for own, message, bias in rounds:
            h = np.maximum(h @ own + neighbor_sum(h, bonds) @ message + bias, 0)
        return h[0]


@wrong(loses=["test-molecule_vector-hidden"], says="with the weights of that round")
def vector_with_the_weights_exchanged():
    """The neighbors' weights on the atom itself."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for message, own, bias in rounds:
            h = np.maximum(h @ own + neighbor_sum(h, bonds) @ message + bias, 0)
        return h.sum(axis=0)


@wrong(loses=["test-molecule_vector-hidden"], says="raised")
def vector_with_the_first_weights():
    """The first round's weights in every round."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for _ in rounds:
            own, message, bias = rounds[0]
            h = np.maximum(h @ own + neighbor_sum(h, bonds) @ message + bias, 0)
        return h.sum(axis=0)


@wrong(loses=["test-molecule_vector-hidden"], says="then ReLU")
def vector_bias_forgotten():
    """No bias."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for own, message, _ in rounds:
            h = np.maximum(h @ own + neighbor_sum(h, bonds) @ message, 0)
        return h.sum(axis=0)


@wrong(loses=VECTOR, says="after two 4 + 6")
def vector_messages_of_the_start():
    """The messages are always those of the first vectors."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        first = h
        for own, message, bias in rounds:
            heard = neighbor_sum(first if first.shape[1] == len(message) else h, bonds)
            h = np.maximum(h @ own + heard @ message + bias, 0)
        return h.sum(axis=0)


@wrong(loses=["test-molecule_vector-hidden"], says="after the last ReLU")
def vector_relu_at_the_end():
    """ReLU once, on the sum."""

    def molecule_vector(x, bonds, rounds):
        h = np.asarray(x, dtype=float)
        for own, message, bias in rounds:
            h = h @ own + neighbor_sum(h, bonds) @ message + bias
        return np.maximum(h.sum(axis=0), 0)


@right
def vector_by_matrices():
    """One matrix of neighbors for all rounds, and no call of step 4."""

    def molecule_vector(x, bonds, rounds):
        n = len(x)
        near = np.zeros((n, n))
        for i, j in bonds:
            near[i][j] = near[j][i] = 1
        h = np.array(x, dtype=float)
        for layer in rounds:
            h = (h @ layer[0] + near @ h @ layer[1] + layer[2]).clip(min=0)
        return np.ones(n) @ h


@right
def vector_by_recursion():
    """The vectors after r rounds from those after r - 1."""

    def molecule_vector(x, bonds, rounds):
        def after(r):
            if r == 0:
                return np.asarray(x, dtype=float)
            h, (own, message, bias) = after(r - 1), rounds[r - 1]
            z = np.einsum("nd,de->ne", h, own) + neighbor_sum(h, bonds) @ message + bias
            return z * (z > 0)

        return np.add.reduce(after(len(rounds)))


# Readout ------------------------------------------------------------------------------------------

READOUT = ["test-readout", "test-readout-hidden"]


@wrong(loses=READOUT, says="third row is padding")
def readout_ignores_padding():
    """All rows count."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        return getattr(np.asarray(h, dtype=float), kind)(axis=1)


@wrong(loses=["test-readout-hidden"], says="a product with 0 does not")
def readout_by_product():
    """0 times nan is nan."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        count = real.sum(axis=1)[:, None]
        if kind == "max":
            found = np.where(real[:, :, None], h, -np.inf).max(axis=1)
            return np.where(count > 0, found, 0.0)
        total = (h * real[:, :, None]).sum(axis=1)
        return total if kind == "sum" else total / np.maximum(count, 1)


@wrong(loses=READOUT, says="the mean is over two atoms")
def readout_mean_over_rows():
    """Divides by the number of rows."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        if kind == "max":
            found = np.where(real[:, :, None], h, -np.inf).max(axis=1)
            return np.where(real.any(axis=1)[:, None], found, 0.0)
        total = np.where(real[:, :, None], h, 0.0).sum(axis=1)
        return total if kind == "sum" else total / h.shape[1]


@wrong(loses=READOUT, says="maximum of negative")
def readout_max_with_zeros():
    """Padding as 0 wins over negative vectors."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        kept = np.where(real[:, :, None], h, 0.0)
        if kind == "max":
            return kept.max(axis=1)
        count = np.maximum(real.sum(axis=1), 1)[:, None]
        return kept.sum(axis=1) / (count if kind == "mean" else 1)


@wrong(loses=["test-readout-hidden"], says="without atoms gives zeros")
def readout_nan_for_no_atoms():
    """0 / 0 and the maximum of nothing."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        if kind == "max":
            return np.where(real[:, :, None], h, -np.inf).max(axis=1)
        total = np.where(real[:, :, None], h, 0.0).sum(axis=1)
        return total if kind == "sum" else total / real.sum(axis=1)[:, None]


@wrong(loses=["test-readout-hidden"], says="Leave rows that are no atoms out")
def readout_atoms_come_first():
    """Takes the first rows, as many as there are atoms."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        result = []
        for rows, mask in zip(h, real):
            atoms = rows[: mask.sum()]
            result.append(getattr(atoms, kind)(axis=0) if len(atoms) else np.zeros(h.shape[2]))
        return np.array(result, dtype=float)


@wrong(loses=["test-readout-hidden"], says="expected ValueError")
def readout_unknown_is_sum():
    """Any other kind is a sum."""

    def readout(h, real, kind="sum"):
        count = real.sum(axis=1)[:, None]
        if kind == "max":
            found = np.where(real[:, :, None], h, -np.inf).max(axis=1)
            return np.where(count > 0, found, 0.0)
        total = np.where(real[:, :, None], h, 0.0).sum(axis=1)
        return total / np.maximum(count, 1) if kind == "mean" else total


@wrong(loses=["test-readout-hidden"], says="The default is the sum")
def readout_default_mean():
    """The mean by default."""

    def readout(h, real, kind="mean"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        count = real.sum(axis=1)[:, None]
        if kind == "max":
            found = np.where(real[:, :, None], h, -np.inf).max(axis=1)
            return np.where(count > 0, found, 0.0)
        total = np.where(real[:, :, None], h, 0.0).sum(axis=1)
        return total / np.maximum(count, 1) if kind == "mean" else total


@wrong(loses=["test-readout-hidden"], says="has fractions")
def readout_keeps_whole_numbers():
    """Results written into an array of the kind that came."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        result = np.zeros((h.shape[0], h.shape[2]), dtype=h.dtype)
        for k in range(len(h)):
            if real[k].any():
                result[k] = getattr(h[k][real[k]], kind)(axis=0)
        return result


@wrong(loses=READOUT, says="you changed")
def readout_that_clears_padding():
    """Writes zeros into the padding of what came."""

    def readout(h, real, kind="sum"):
        if kind not in ("sum", "mean", "max"):
            raise ValueError(kind)
        h[~real] = 0
        count = real.sum(axis=1)[:, None]
        if kind == "max":
            found = np.where(real[:, :, None], h, -np.inf).max(axis=1)
            return np.where(count > 0, found, 0.0)
        return h.sum(axis=1) / (np.maximum(count, 1) if kind == "mean" else 1)


@right
def readout_molecule_by_molecule():
    """Picks the atoms of each molecule."""

    def readout(vectors, mask, how="sum"):
        functions = {"sum": np.sum, "mean": np.mean, "max": np.max}
        if how not in functions:
            raise ValueError(how)
        return np.array(
            [
                functions[how](rows[m], axis=0) if m.any() else np.zeros(vectors.shape[2])
                for rows, m in zip(vectors, mask)
            ],
            dtype=float,
        )


@right
def readout_with_masked_arrays():
    """NumPy's masked arrays know what does not count."""

    def readout(h, real, kind="sum"):
        if kind not in {"sum", "mean", "max"}:
            raise ValueError(f"{kind} is unknown")
        hidden = np.repeat(~real[:, :, None], h.shape[2], axis=2)
        masked = np.ma.masked_array(h, mask=hidden)
        found = getattr(masked, kind)(axis=1)
        return np.asarray(np.ma.filled(found.astype(float), 0.0))


# Scaffolds ----------------------------------------------------------------------------------------

SCAFFOLD = ["test-scaffold_split", "test-scaffold_split-hidden"]


@wrong(loses=SCAFFOLD, says="c has one and does")
def split_by_rows():
    """The first rows for training: near-duplicates on both sides."""

    def scaffold_split(scaffolds, share=0.8):
        n = int(share * len(scaffolds))
        return list(range(n)), list(range(n, len(scaffolds)))


@wrong(loses=SCAFFOLD, says="c has one and does")
def split_at_random():
    """A random split, with a seed so that it is the same each time."""

    def scaffold_split(scaffolds, share=0.8):
        order = np.random.default_rng(0).permutation(len(scaffolds)).tolist()
        n = int(share * len(scaffolds))
        return sorted(order[:n]), sorted(order[n:])


@wrong(loses=SCAFFOLD, says="no reason to stop")
def split_stops_at_the_first_too_large():
    """What does not fit ends the training part."""

    def scaffold_split(scaffolds, share=0.8):
        members = {}
        for row, scaffold in enumerate(scaffolds):
            members.setdefault(scaffold, []).append(row)
        train, test = [], []
        for scaffold in sorted(members, key=lambda name: (-len(members[name]), name)):
            fits = not test and len(train) + len(members[scaffold]) <= share * len(scaffolds)
            (train if fits else test).extend(members[scaffold])
        return sorted(train), sorted(test)


@wrong(loses=SCAFFOLD, says="Whole scaffolds")
def split_smallest_first():
    """From the smallest scaffold to the largest."""

    def scaffold_split(scaffolds, share=0.8):
        members = {}
        for row, scaffold in enumerate(scaffolds):
            members.setdefault(scaffold, []).append(row)
        train, test = [], []
        for scaffold in sorted(members, key=lambda name: (len(members[name]), name)):
            fits = len(train) + len(members[scaffold]) <= share * len(scaffolds)
            (train if fits else test).extend(members[scaffold])
        return sorted(train), sorted(test)


@wrong(loses=["test-scaffold_split-hidden"], says="equals by the alphabet")
def split_equals_as_they_come():
    """Counter.most_common leaves equals in the order in which they first came."""

    def scaffold_split(scaffolds, share=0.8):
        from collections import Counter

        train, test = [], []
        for scaffold, count in Counter(scaffolds).most_common():
            rows = [k for k, name in enumerate(scaffolds) if name == scaffold]
            (train if len(train) + count <= share * len(scaffolds) else test).extend(rows)
        return sorted(train), sorted(test)


@wrong(loses=["test-scaffold_split-hidden"], says="at most the share")
def split_below_the_share():
    """Less than the share, not at most."""

    def scaffold_split(scaffolds, share=0.8):
        members = {}
        for row, scaffold in enumerate(scaffolds):
            members.setdefault(scaffold, []).append(row)
        train, test = [], []
        for scaffold in sorted(members, key=lambda name: (-len(members[name]), name)):
            fits = len(train) + len(members[scaffold]) < share * len(scaffolds)
            (train if fits else test).extend(members[scaffold])
        return sorted(train), sorted(test)


@wrong(loses=["test-scaffold_split-hidden"], says="the default share")
def split_default_half():
    """Another default."""

    def scaffold_split(scaffolds, share=0.5):
        members = {}
        for row, scaffold in enumerate(scaffolds):
            members.setdefault(scaffold, []).append(row)
        train, test = [], []
        for scaffold in sorted(members, key=lambda name: (-len(members[name]), name)):
            fits = len(train) + len(members[scaffold]) <= share * len(scaffolds)
            (train if fits else test).extend(members[scaffold])
        return sorted(train), sorted(test)


@wrong(loses=SCAFFOLD, says="ascending")
def split_in_the_order_of_scaffolds():
    """Positions scaffold by scaffold, the last group before the first."""

    def scaffold_split(scaffolds, share=0.8):
        members = {}
        for row, scaffold in enumerate(scaffolds):
            members.setdefault(scaffold, []).append(row)
        train, test = [], []
        for scaffold in sorted(members, key=lambda name: (-len(members[name]), name)):
            fits = len(train) + len(members[scaffold]) <= share * len(scaffolds)
            part = train if fits else test
            part[:0] = members[scaffold]
        return train, test


@wrong(loses=["test-scaffold_split-hidden"], says="an empty text")
def split_leaves_chains_out():
    """An empty text is false, so molecules without rings vanish."""

    def scaffold_split(scaffolds, share=0.8):
        members = {}
        for row, scaffold in enumerate(scaffolds):
            if scaffold:
                members.setdefault(scaffold, []).append(row)
        train, test = [], []
        for scaffold in sorted(members, key=lambda name: (-len(members[name]), name)):
            fits = len(train) + len(members[scaffold]) <= share * len(scaffolds)
            (train if fits else test).extend(members[scaffold])
        return sorted(train), sorted(test)


@right
def split_with_numpy():
    """Arrays of positions."""

    def scaffold_split(names, share=0.8):
        names = np.asarray(names)
        kinds, unit, counts = np.unique(names, return_inverse=True, return_counts=True)
        goes = np.zeros(len(kinds), dtype=bool)
        held = 0
        for k in np.argsort(-counts, kind="stable"):
            if held + counts[k] <= share * len(names):
                goes[k], held = True, held + counts[k]
        return np.flatnonzero(goes[unit]), np.flatnonzero(~goes[unit])


@right
def split_with_groupby():
    """Sorted twice, stable, and tuples come back."""

    def scaffold_split(scaffolds, share=0.8):
        from itertools import groupby

        rows = sorted(range(len(scaffolds)), key=lambda row: scaffolds[row])
        groups = [list(group) for _, group in groupby(rows, key=lambda row: scaffolds[row])]
        groups.sort(key=len, reverse=True)
        train, test = set(), set()
        for group in groups:
            fits = len(train) + len(group) <= share * len(scaffolds)
            (train if fits else test).update(group)
        return tuple(sorted(train)), tuple(sorted(test))
