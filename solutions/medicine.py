# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.diagnosis
#     - course_lib.models.message_passing
#     - course_lib.data.molecules
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Medicine: advice for a screening program, and a network for molecules
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 37, of which a person gives 4.
# - **Needs:** the chapter *Medicine*, NumPy arrays. No PyTorch.
#
# A screening program owns a model that was measured in a clinic, and asks three questions: what does an alarm
# mean among our women, is the model worth having, and from what risk upward should we examine? You write the
# functions that answer them from counts. Then a chemist brings molecules. You pass messages along their bonds
# by hand, read the atoms out in a way that knows neither their order nor any padding, and split the molecules
# so that the test is fair. In the end both get their answer, with your code.
#
# **What is special here**
#
# - The ill are class 1 and an alarm is an answer of 1. A patient is treated, or an alarm rings, if her risk
#   is *at least* the threshold.
# - A bond is a pair of atom numbers. It is listed once and joins the atoms in both directions.
# - Arrays come as NumPy arrays, unless a docstring says otherwise.
#
# `course_lib.diagnosis`, `course_lib.models.message_passing` and `course_lib.data.molecules` hold answers
# to this exercise: leave them closed. What holds in every exercise (how to check, what the tests look at,
# what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

# %% [markdown]
# ## Step 1. What an alarm means there
#
# A study tested some patients: `answers` are the alarms (1) and silences (0), `targets` who is ill. Take
# sensitivity and specificity from the study, and assume that they are the same in another place, where the
# share `prevalence` is ill. Return the two *predictive values* there: of those with an alarm, the share who
# are ill; of those without, the share who are *not*. If nobody would have an alarm, the first is nan; if
# everybody would, the second is.


# %% nbgrader={"grade": false, "grade_id": "predictive_values", "locked": false, "schema_version": 3, "solution": true, "task": false}
def predictive_values(answers, targets, prevalence):
    """Carry a study's result over to a place with another prevalence.

    Parameters
    ----------
    answers, targets : array_like of int, shape (n,)
        0 and 1.
    prevalence : float
        The share of the ill in the other place, from 0 to 1.

    Returns
    -------
    positive, negative : float
        The predictive values there, not those of the study.

    Raises
    ------
    ValueError
        If the study has nobody who is ill, or nobody who is healthy.

    Example
    -------
    >>> answers, targets = [1, 1, 1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 0, 0, 0, 0]
    >>> [float(value) for value in predictive_values(answers, targets, prevalence=0.25)]
    [0.5, 0.9]
    """
    ### BEGIN SOLUTION
    answers, targets = np.asarray(answers), np.asarray(targets)
    if not np.any(targets == 1) or not np.any(targets == 0):
        raise ValueError("The study needs somebody who is ill and somebody who is healthy.")
    sensitivity = np.mean(answers[targets == 1] == 1)
    specificity = np.mean(answers[targets == 0] == 0)
    found, missed = prevalence * sensitivity, prevalence * (1 - sensitivity)
    quiet, alarm = (1 - prevalence) * specificity, (1 - prevalence) * (1 - specificity)
    positive = found / (found + alarm) if found + alarm > 0 else np.nan
    negative = quiet / (quiet + missed) if quiet + missed > 0 else np.nan
    return positive, negative
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-predictive_values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    predictive_values,
    {
        "answers": np.array([1, 1, 1, 0, 0, 0, 0, 1]),
        "targets": np.array([1, 1, 1, 1, 0, 0, 0, 0]),
        "prevalence": 0.25,
    },
    (0.5, 0.9),
    hint="Three of four ill have an alarm, and one of four healthy. Of 16 people 4 are ill: 3 alarms, and "
    "3 more among the 12 healthy, so 3 of 6 alarms are right. (0.75, 0.75) is what the study itself had: "
    "there half were ill. See 'A good test and a rare illness'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-predictive_values-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: sensitivity and specificity that differ, rare illnesses, no alarms, kinds of input, bad studies.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds, check_raises


def study(found, missed, alarm, quiet, seed):
    rows = [(1, 1)] * found + [(0, 1)] * missed + [(1, 0)] * alarm + [(0, 0)] * quiet
    rows = np.random.default_rng(seed).permutation(np.array(rows))
    return {"answers": rows[:, 0], "targets": rows[:, 1]}


def wanted(found, missed, alarm, quiet, prevalence):
    # Weigh the people of the study until the share of the ill is right.
    ill, healthy = prevalence / (found + missed), (1 - prevalence) / (alarm + quiet)
    rings, silent = found * ill + alarm * healthy, missed * ill + quiet * healthy
    return (
        found * ill / rings if rings else np.nan,
        quiet * healthy / silent if silent else np.nan,
    )


hint = (
    "Sensitivity is counted among the ill, specificity among the healthy. Neither is a predictive value: "
    "from the ill, q * sensitivity have an alarm, and from the healthy (1 - q) * (1 - specificity). "
    "See 'A good test and a rare illness'."
)
for people in ((19, 1, 30, 70), (45, 55, 1, 19), (7, 3, 0, 13)):
    args = study(*people, seed=sum(people))
    check_keyword(
        predictive_values,
        {**args, "prevalence": 0.5},
        "prevalence",
        [(q, wanted(*people, q)) for q in (0.002, 0.1, 0.7)],
        hint=hint,
    )
for people, q, name in (
    ((0, 4, 0, 6), 0.3, "no alarm at all, so there is nothing that an alarm could mean"),
    ((5, 0, 3, 0), 0.3, "nothing but alarms"),
    ((5, 1, 0, 4), 0.0, "nobody is ill, and no healthy person has an alarm"),
):
    check(
        predictive_values,
        {**study(*people, seed=1), "prevalence": q},
        wanted(*people, q),
        what=f"The predictive values where there is {name}"
        if q
        else "The predictive values where nobody is ill, and no healthy person has an alarm",
        hint="A share of nobody is nan, and the other value stays what it is.",
    )
check_kinds(
    predictive_values,
    {
        "answers": np.array([1, 1, 0, 0, 1, 0, 0, 0]),
        "targets": np.array([1, 1, 1, 0, 0, 0, 0, 0]),
        "prevalence": 0.1,
    },
    wanted(2, 1, 1, 4, 0.1),
    kinds=["integers", "lists", "strided"],
    hint=hint,
)
for targets in (np.zeros(4, dtype=int), np.ones(4, dtype=int)):
    check_raises(
        ValueError,
        predictive_values,
        {"answers": np.array([0, 1, 1, 0]), "targets": targets, "prevalence": 0.2},
        hint="Without an ill person there is no sensitivity, without a healthy one no specificity: raise "
        "ValueError.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Is the model worth having?
#
# The *net benefit* at a threshold $t$ counts the ill who are treated, minus the healthy who are treated
# times $t/(1-t)$, all divided by the number of patients $n$. Draw three decision curves: that of the
# model, that of treating everybody, and that of treating nobody.


# %% nbgrader={"grade": false, "grade_id": "decision_curves", "locked": false, "schema_version": 3, "solution": true, "task": false}
def decision_curves(risks, targets, thresholds):
    """Compute the net benefit of a model, and of doing without one.

    Parameters
    ----------
    risks : ndarray, shape (n,)
        Each patient's risk of being ill. She is treated where it is at least the threshold.
    targets : ndarray of int, shape (n,)
        Who is ill: 0 and 1.
    thresholds : ndarray, shape (m,)
        From 0 to below 1, in any order.

    Returns
    -------
    dict of str to ndarray, shape (m,)
        "model", "everybody" and "nobody": net benefit per patient, whoever is treated.

    Example
    -------
    >>> risks, targets = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0, 1, 0, 1])
    >>> curves = decision_curves(risks, targets, np.array([0.2, 0.5]))
    >>> {name: curve.tolist() for name, curve in curves.items()}
    {'model': [0.4375, 0.0], 'everybody': [0.375, 0.0], 'nobody': [0.0, 0.0]}
    """
    ### BEGIN SOLUTION
    thresholds = np.asarray(thresholds, dtype=float)
    price = thresholds / (1 - thresholds)
    treated = np.asarray(risks) >= thresholds[:, np.newaxis]  # (m, n)
    ill = np.asarray(targets) == 1
    return {
        "model": (treated & ill).mean(axis=1) - (treated & ~ill).mean(axis=1) * price,
        "everybody": ill.mean() - (1 - ill.mean()) * price,
        "nobody": np.zeros(len(thresholds)),
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-decision_curves", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    decision_curves,
    {
        "risks": np.array([0.1, 0.4, 0.6, 0.9]),
        "targets": np.array([0, 1, 0, 1]),
        "thresholds": np.array([0.2, 0.5]),
    },
    {
        "model": np.array([0.4375, 0.0]),
        "everybody": np.array([0.375, 0.0]),
        "nobody": np.array([0.0, 0.0]),
    },
    hint="From 0.2 on three are treated, two of them ill: 2/4 - 1/4 * 0.2/0.8. From 0.5 on two are, one of "
    "them ill: 1/4 - 1/4 * 1. See 'From a risk to a decision'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-decision_curves-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many patients, thresholds in any order, risks equal to a threshold, rare illnesses.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds


def curves(risks, targets, thresholds):
    result = {"model": [], "everybody": [], "nobody": []}
    for t in thresholds:
        gain = loss = 0
        for risk, target in zip(risks, targets, strict=True):
            if risk >= t:
                gain, loss = gain + target, loss + 1 - target
        ill = sum(targets)
        result["model"].append((gain - loss * t / (1 - t)) / len(targets))
        result["everybody"].append((ill - (len(targets) - ill) * t / (1 - t)) / len(targets))
        result["nobody"].append(0.0)
    return {name: np.array(curve) for name, curve in result.items()}


rng = np.random.default_rng(21)
for n, share, thresholds in (
    (60, 0.4, np.array([0.5, 0.0, 0.875, 0.25, 0.0625])),
    (200, 0.06, np.array([0.03125, 0.125, 0.75])),
    (5, 0.5, np.array([0.96875])),
):
    targets = (rng.random(n) < share).astype(int)
    targets[:2] = 0, 1
    risks = np.clip(rng.integers(0, 24, size=n) + 8 * targets, 0, 32) / 32
    check(
        decision_curves,
        {"risks": risks, "targets": targets, "thresholds": thresholds},
        curves(risks, targets, thresholds),
        what=f"The decision curves of {n} patients, {targets.sum()} of them ill, at thresholds {thresholds}",
        hint="Both counts are divided by the number of all patients, not by the ill and the healthy. A "
        "healthy person who is treated costs t / (1 - t), and a risk equal to the threshold is treated. "
        "See 'From a risk to a decision'.",
    )
check_kinds(
    decision_curves,
    {
        "risks": np.array([1.0, 0.0, 1.0, 1.0, 0.0]),
        "targets": np.array([1, 0, 0, 1, 1]),
        "thresholds": np.array([0.25, 0.75]),
    },
    {
        "model": np.array([2 / 5 - 1 / 15, 2 / 5 - 3 / 5]),
        "everybody": np.array([3 / 5 - 2 / 15, 3 / 5 - 6 / 5]),
        "nobody": np.zeros(2),
    },
    kinds=["float64", "float32", "strided"],
    hint="The results have fractions, whatever numbers came.",
)
check(
    decision_curves,
    {
        "risks": np.array([0.25, 0.5, 0.75]),
        "targets": np.array([0, 1, 0]),
        "thresholds": np.array([0, 0]),
    },
    {"model": np.full(2, 1 / 3), "everybody": np.full(2, 1 / 3), "nobody": np.zeros(2)},
    hint="At a threshold of 0, even as a whole number, everybody is treated, and a false alarm costs "
    "nothing.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. From which risk on?
#
# Now with costs. A missed ill person costs `miss`, a healthy one with an alarm costs `alarm`, and the rest
# costs nothing. The patients of the study are from the clinic, and the program has a different `prevalence`.
# So count the *share* of the ill who are missed and the *share* of the healthy who get an alarm, and weight
# them by the shares of ill and healthy people in the program. Choose the threshold with the lowest mean cost
# per person, among the risks of the study and infinity (nobody gets an alarm). If several cost the same, any
# of them is right.


# %% nbgrader={"grade": false, "grade_id": "choose_threshold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_threshold(risks, targets, miss, alarm, prevalence):
    """Choose the threshold that costs a program the least.

    Parameters
    ----------
    risks : ndarray, shape (n,)
        Of the patients in the study.
    targets : ndarray of int, shape (n,)
        Who of them is ill: 0 and 1, both occur.
    miss : float
        The cost of an ill person without an alarm.
    alarm : float
        The cost of a healthy person with one.
    prevalence : float
        The share of the ill in the program.

    Returns
    -------
    threshold, cost : float
        An alarm rings from the threshold on, and the mean cost per person of the program.

    Example
    -------
    >>> risks, targets = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0, 1, 0, 1])
    >>> [float(v) for v in choose_threshold(risks, targets, miss=10.0, alarm=1.0, prevalence=0.5)]
    [0.4, 0.25]
    >>> [float(v) for v in choose_threshold(risks, targets, miss=10.0, alarm=1.0, prevalence=0.0625)]
    [0.8, 0.3125]
    """
    ### BEGIN SOLUTION
    ill, healthy = risks[targets == 1], risks[targets == 0]

    def cost(threshold):
        missed, alarmed = np.mean(ill < threshold), np.mean(healthy >= threshold)
        return prevalence * missed * miss + (1 - prevalence) * alarmed * alarm

    best = min([*risks, np.inf], key=cost)
    return float(best), float(cost(best))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-choose_threshold", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

study = {"risks": np.array([0.2, 0.4, 0.6, 0.8]), "targets": np.array([0, 1, 0, 1])}
for prevalence, wanted in ((0.5, (0.4, 0.25)), (0.0625, (0.8, 0.3125))):
    check(
        choose_threshold,
        {**study, "miss": 10.0, "alarm": 1.0, "prevalence": prevalence},
        wanted,
        hint="With half of the people ill, 0.4 misses nobody and alarms half of the healthy: 0.5 * 0.5 * 1. "
        "With one in 16 ill, 0.8 misses half of them, 0.0625 * 0.5 * 10, and alarms nobody. "
        "See 'From a risk to a decision'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-choose_threshold-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many patients, costs and prevalences that each change the choice, both ends.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check


def cheapest(risks, targets, miss, alarm, prevalence):
    # Each person of the study stands for a share of the program.
    weight = np.where(
        targets == 1, prevalence / targets.sum(), (1 - prevalence) / (1 - targets).sum()
    )
    candidates = [*np.unique(risks), np.inf]
    costs = []
    for t in candidates:
        rings = risks >= t
        each = np.where(targets == 1, np.where(rings, 0.0, miss), np.where(rings, alarm, 0.0))
        costs.append(np.sum(weight * each))
    order = np.argsort(costs)
    # One answer only: nothing may hang on a tie.
    assert costs[order[1]] - costs[order[0]] > 1e-6
    return candidates[order[0]], costs[order[0]]


hint = (
    "The cost is prevalence * share of the ill below the threshold * miss, plus (1 - prevalence) * share of "
    "the healthy at or above it * alarm. The study's own mix of ill and healthy does not matter. "
    "See 'From a risk to a decision'."
)
rng = np.random.default_rng(31)
targets = (rng.random(70) < 0.37).astype(int)
risks = rng.permutation(np.arange(1, 71)) / 71
risks = 0.1 + 0.45 * risks + 0.3 * targets
chosen = set()
for miss, alarm, prevalence in (
    (9.0, 1.0, 0.37),
    (9.0, 1.0, 0.011),
    (1.0, 1.0, 0.5),
    (30.0, 1.0, 0.02),
    (2.0, 3.7, 0.3),
):
    wanted = cheapest(risks, targets, miss, alarm, prevalence)
    chosen.add(wanted[0])
    check(
        choose_threshold,
        {
            "risks": risks,
            "targets": targets,
            "miss": miss,
            "alarm": alarm,
            "prevalence": prevalence,
        },
        wanted,
        hint=hint,
    )
assert len(chosen) >= 3
reverse = np.array([0.75, 0.5, 0.5, 0.25]), np.array([0, 1, 0, 1])
check(
    choose_threshold,
    {"risks": reverse[0], "targets": reverse[1], "miss": 1.0, "alarm": 4.0, "prevalence": 0.25},
    (np.inf, 0.25),
    hint="Here no alarm is worth its price: the threshold is infinite, and each ill person is missed.",
)
check(
    choose_threshold,
    {"risks": reverse[0], "targets": reverse[1], "miss": 40.0, "alarm": 1.0, "prevalence": 0.25},
    (0.25, 0.75),
    hint="Where a miss costs very much, everybody gets an alarm: the threshold is the smallest risk.",
)
shared = np.array([0.5, 0.5, 0.5, 0.25, 0.125]), np.array([1, 1, 0, 0, 0])
check(
    choose_threshold,
    {"risks": shared[0], "targets": shared[1], "miss": 5.0, "alarm": 1.0, "prevalence": 0.5},
    (0.5, 1 / 6),
    hint="Patients with the same risk get an alarm together, the healthy one, too. A risk equal to the "
    "threshold rings.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Messages along bonds
#
# Now the chemist. Each atom has a vector, and each bond joins two atoms. For every atom, add up the vectors
# of its neighbors: the vector at each end of a bond goes to the other end. An atom without bonds gets zeros.
# Its own vector is not part of the sum.


# %% nbgrader={"grade": false, "grade_id": "neighbor_sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def neighbor_sum(x, bonds):
    """Add up the vectors of each atom's neighbors.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        A vector for each atom.
    bonds : ndarray of int, shape (m, 2)
        The two atoms of each bond, in any order. Each bond stands once; there may be none.

    Returns
    -------
    ndarray of float, shape (n, d)

    Example
    -------
    >>> x = np.array([[1.0], [10.0], [100.0], [1000.0]])
    >>> neighbor_sum(x, np.array([[0, 1], [2, 1]])).ravel().tolist()
    [10.0, 101.0, 10.0, 0.0]
    """
    ### BEGIN SOLUTION
    result = np.zeros(np.shape(x))
    for i, j in bonds:
        result[i] += x[j]
        result[j] += x[i]
    return result
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-neighbor_sum", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    neighbor_sum,
    {
        "x": np.array([[1.0], [10.0], [100.0], [1000.0]]),
        "bonds": np.array([[0, 1], [2, 1]]),
    },
    np.array([[10.0], [101.0], [10.0], [0.0]]),
    hint="Atom 1 has two neighbors, 0 and 2: 1 + 100. Atom 3 has none. Each bond carries two messages, one "
    "each way. See 'A molecule is a graph'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-neighbor_sum-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: rings and stars, bonds in any order, no bonds, one atom, whole numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(41)


def by_matrix(x, bonds):
    near = np.zeros((len(x), len(x)))
    for i, j in bonds:
        near[i, j] = near[j, i] = 1
    return near @ x


star = np.array([[0, k] for k in range(1, 6)])
ring = np.array([[k, (k + 1) % 6] for k in range(6)])
tree = np.array([[0, 3], [4, 3], [3, 1], [5, 1], [1, 7], [6, 7]])
for name, bonds, n in (
    ("a star", star, 6),
    ("a star, named from outside", star[:, ::-1], 6),
    ("a ring", ring, 6),
    ("a tree with an atom that has no bond", tree, 9),
    ("three atoms without bonds", np.zeros((0, 2), dtype=int), 3),
    ("one atom", np.zeros((0, 2), dtype=int), 1),
):
    x = rng.normal(size=(n, 3))
    check(
        neighbor_sum,
        {"x": x, "bonds": bonds},
        by_matrix(x, bonds),
        what=f"The neighbors' sums in {name}",
        hint="Each bond goes both ways, whichever atom is named first. With an array of numbers, "
        "`result[bonds[:, 0]] += ...` writes an atom that occurs twice only once: np.add.at or a loop "
        "adds every time. See 'A molecule is a graph'.",
    )
check_kinds(
    neighbor_sum,
    {"x": np.array([[1.0, 2.0], [3.0, 5.0], [4.0, -1.0]]), "bonds": np.array([[0, 1], [1, 2]])},
    np.array([[3.0, 5.0], [5.0, 1.0], [3.0, 5.0]]),
    kinds=["float64", "float32", "integers", "strided"],
    hint="A sum of neighbors for each atom. See 'A molecule is a graph'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A network by hand
#
# In each round, every atom computes its new vector from its own and from the sum of its neighbors', all at
# the same time: $h_i' = \operatorname{ReLU}(h_i W_s + s_i W_m + b)$, with $s_i$ the sum of step 4. Each round
# has its own weights. At the end, add up all atoms' vectors: the sum is the molecule's vector.


# %% nbgrader={"grade": false, "grade_id": "molecule_vector", "locked": false, "schema_version": 3, "solution": true, "task": false}
def molecule_vector(x, bonds, rounds):
    """Compute a molecule's vector by rounds of message passing and a sum.

    Parameters
    ----------
    x : ndarray, shape (n, d_in)
        What is known of each atom.
    bonds : ndarray of int, shape (m, 2)
        As in step 4.
    rounds : list of (W_s, W_m, b)
        For each round the weights of the atom itself and of its neighbors' sum, shape (d_in, d_out) of
        that round, and the bias, shape (d_out,). There may be no rounds.

    Returns
    -------
    ndarray, shape (d_out,)
        With d_out of the last round; d_in where there is none.

    Example
    -------
    >>> x, bonds = np.array([[3.0], [1.0], [2.0]]), np.array([[0, 1], [1, 2]])
    >>> add = np.eye(1), np.eye(1), np.zeros(1)  # own number + sum of the neighbors
    >>> molecule_vector(x, bonds, [add]).tolist()  # 4 + 6 + 3
    [13.0]
    >>> molecule_vector(x, bonds, [add, add]).tolist()  # 10 + 13 + 9
    [32.0]
    """
    ### BEGIN SOLUTION
    h = np.asarray(x, dtype=float)
    for own, message, bias in rounds:
        h = np.maximum(h @ own + neighbor_sum(h, bonds) @ message + bias, 0)
    return h.sum(axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-molecule_vector", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def neighbor_sum_given(x, bonds):
    near = np.zeros((len(x), len(x)))
    for i, j in bonds:
        near[i, j] = near[j, i] = 1
    return near @ x


add = (np.eye(1), np.eye(1), np.zeros(1))
with given(neighbor_sum=neighbor_sum_given):
    for rounds, wanted in (([add], 13.0), ([add, add], 32.0)):
        check(
            molecule_vector,
            {
                "x": np.array([[3.0], [1.0], [2.0]]),
                "bonds": np.array([[0, 1], [1, 2]]),
                "rounds": rounds,
            },
            np.array([wanted]),
            hint="A chain of 3, 1 and 2. After one round 3 + 1, 1 + 5 and 2 + 1; after two 4 + 6, 6 + 7 and "
            "3 + 6. All atoms change at the same time, so no message of a round sees what the same round "
            "has made. See 'A molecule is a graph'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-molecule_vector-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: several numbers per atom, weights that differ, negative sums, no rounds, another order of atoms.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np

from course_lib.exercises import assert_close, call, check, given

rng = np.random.default_rng(51)


def neighbor_sum_given(x, bonds):
    near = np.zeros((len(x), len(x)))
    for i, j in bonds:
        near[i, j] = near[j, i] = 1
    return near @ x


def vector(x, bonds, rounds):
    h = [list(row) for row in x]
    near = [[j if i == k else i for i, j in bonds if k in (i, j)] for k in range(len(x))]
    for own, message, bias in rounds:
        new = []
        for k in range(len(h)):
            total = sum((np.array(h[j]) for j in near[k]), np.zeros(len(own)))
            z = np.array(h[k]) @ own + total @ message + bias
            new.append([max(value, 0.0) for value in z])
        h = new
    return np.sum(h, axis=0)


tree = np.array([[0, 3], [4, 3], [3, 1], [5, 1], [1, 7], [6, 7]])
sizes = {0: [4], 1: [4, 3], 2: [4, 3, 5], 3: [4, 4, 4, 4]}
with given(neighbor_sum=neighbor_sum_given):
    for number, widths in sizes.items():
        rounds = [
            (rng.normal(size=(a, b)), rng.normal(size=(a, b)), rng.normal(size=b))
            for a, b in pairwise(widths)
        ]
        for bonds, n in ((tree, 9), (np.zeros((0, 2), dtype=int), 2)):
            x = rng.normal(size=(n, 4))
            check(
                molecule_vector,
                {"x": x, "bonds": bonds, "rounds": rounds},
                vector(x, bonds, rounds),
                what=f"The vector of a molecule with {n} atoms and {len(bonds)} bonds after {number} rounds",
                hint="In each round h W_s + (sum of the neighbors) W_m + b, then ReLU, with the weights of "
                "that round. Sum the atoms only at the end, after the last ReLU. Without rounds it is the "
                "sum of what came. See 'A molecule is a graph'.",
            )
    x, order = rng.normal(size=(9, 4)), rng.permutation(9)
    moved = np.argsort(order)[tree][:, ::-1]
    first, second = (
        call(molecule_vector, {"x": a, "bonds": b, "rounds": rounds})
        for a, b in ((x, tree), (x[order], moved))
    )
    assert_close(
        second,
        first,
        what="The vector of the same molecule with its atoms numbered in another order",
        hint="A sum over atoms does not depend on their order; what takes the first atom, or writes atoms "
        "in a row, does. See 'A molecule is a graph'.",
    )
check_whole = np.array([[1, 0], [2, 1]])
with given(neighbor_sum=neighbor_sum_given):
    check(
        molecule_vector,
        {
            "x": check_whole,
            "bonds": np.array([[0, 1]]),
            "rounds": [(0.5 * np.eye(2), 0.25 * np.eye(2), np.array([0.125, -0.5]))],
        },
        np.array([1.0 + 1.25 + 0.25, 0.0 + 0.0]),
        what="The vector of two atoms described by whole numbers",
        hint="Vectors become fractions: do not write them into an array of whole numbers.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. A readout that knows no padding
#
# For speed, molecules are put into one array: each has its atoms in rows, padded with rows that belong to no
# atom. What those rows contain is arbitrary (it may be nan). `real` says which rows are atoms. Read each
# molecule out by the sum, the mean or the maximum of its atoms' vectors. A molecule without atoms gives zeros
# for all three.


# %% nbgrader={"grade": false, "grade_id": "readout", "locked": false, "schema_version": 3, "solution": true, "task": false}
def readout(h, real, kind="sum"):
    """Turn the atoms' vectors of each molecule into one.

    Parameters
    ----------
    h : ndarray, shape (molecules, rows, d)
        A vector in each row. Rows that are no atoms hold anything.
    real : ndarray of bool, shape (molecules, rows)
        Which rows are atoms. They may stand anywhere.
    kind : {"sum", "mean", "max"}

    Returns
    -------
    ndarray, shape (molecules, d)

    Raises
    ------
    ValueError
        If `kind` is none of the three.

    Example
    -------
    >>> h = np.array([[[1.0, -2.0], [3.0, -4.0], [99.0, 99.0]]])  # two atoms and a row of padding
    >>> real = np.array([[True, True, False]])
    >>> for kind in ("sum", "mean", "max"):
    ...     print(readout(h, real, kind).tolist())
    [[4.0, -6.0]]
    [[2.0, -3.0]]
    [[3.0, -2.0]]
    """
    ### BEGIN SOLUTION
    if kind not in ("sum", "mean", "max"):
        raise ValueError(f'kind must be "sum", "mean" or "max", but is {kind!r}.')
    count = real.sum(axis=1)[:, np.newaxis]
    if kind == "max":
        largest = np.where(real[:, :, np.newaxis], h, -np.inf).max(axis=1, initial=-np.inf)
        return np.where(count > 0, largest, 0.0)
    total = np.where(real[:, :, np.newaxis], h, 0.0).sum(axis=1)
    return total / np.maximum(count, 1) if kind == "mean" else total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-readout", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

h = np.array([[[1.0, -2.0], [3.0, -4.0], [99.0, 99.0]]])
for kind, wanted in (("sum", [[4.0, -6.0]]), ("mean", [[2.0, -3.0]]), ("max", [[3.0, -2.0]])):
    check(
        readout,
        {"h": h, "real": np.array([[True, True, False]]), "kind": kind},
        np.array(wanted),
        hint="The third row is padding, so 99 counts nowhere, and the mean is over two atoms. "
        "See 'A molecule is a graph'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-readout-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: padding that is nan or large, atoms anywhere, negative vectors, molecules without atoms.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_raises

rng = np.random.default_rng(61)


def each(h, real, kind):
    result = []
    for rows, mask in zip(h, real, strict=True):
        atoms = [row for row, is_atom in zip(rows, mask, strict=True) if is_atom]
        if not atoms:
            result.append(np.zeros(h.shape[2]))
        elif kind == "max":
            result.append(np.array([max(column) for column in zip(*atoms, strict=True)]))
        else:
            total = np.array([sum(column) for column in zip(*atoms, strict=True)])
            result.append(total / len(atoms) if kind == "mean" else total)
    return np.array(result)


real = rng.random((6, 5)) < 0.6
real[0], real[1], real[2] = True, False, [False, False, True, False, True]
values = rng.normal(-3, 1, size=(6, 5, 4))
values[3] = np.abs(values[3])
for padding, name in ((0.0, "zeros"), (1e6, "large"), (np.nan, "nan"), (-np.inf, "-inf")):
    h = np.where(real[:, :, np.newaxis], values, padding)
    for kind in ("sum", "mean", "max"):
        check(
            readout,
            {"h": h, "real": real, "kind": kind},
            each(h, real, kind),
            what=f"The {kind} of 6 molecules of unequal size, with rows of padding that are {name}",
            hint="Leave rows that are no atoms out: np.where keeps a nan away, a product with 0 does not. A "
            "mean divides by the number of atoms. A maximum of negative vectors is negative, though "
            "padding may be 0. A molecule without atoms gives zeros. See 'A molecule is a graph'.",
        )
whole = np.array([[[1, 2], [4, -1], [7, 7]], [[3, 3], [1, 0], [2, 2]]])
mask = np.array([[True, True, False], [True, True, True]])
check(
    readout,
    {"h": whole, "real": mask, "kind": "mean"},
    np.array([[2.5, 0.5], [2.0, 5 / 3]]),
    what="The mean of molecules with whole numbers",
    hint="A mean of whole numbers has fractions.",
)
check(
    readout,
    {"h": whole, "real": mask},
    np.array([[5.0, 1.0], [6.0, 5.0]]),
    what="readout(h, real) without a kind",
    hint="The default is the sum.",
)
check_raises(
    ValueError,
    readout,
    {"h": values, "real": real, "kind": "median"},
    hint="Only sum, mean and max are known: raise ValueError for another kind.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. A fair test for molecules
#
# Molecules that share a scaffold are near-duplicates: they go to the same side. Take the scaffolds from the
# one with the most molecules to the one with the fewest, and those with equally many in alphabetical order.
# Go through them once. A scaffold goes to training, with all of its molecules, if training then holds at most
# `share` of all molecules; otherwise it goes to the test. (Smaller ones that come later may still fit.)


# %% nbgrader={"grade": false, "grade_id": "scaffold_split", "locked": false, "schema_version": 3, "solution": true, "task": false}
def scaffold_split(scaffolds, share=0.8):
    """Split molecules so that no scaffold stands on both sides.

    Parameters
    ----------
    scaffolds : list of str
        The scaffold of each molecule, in any order.
    share : float
        The largest share of the molecules for training.

    Returns
    -------
    train, test : list of int
        Positions in `scaffolds`, each in ascending order. (An array of whole numbers will do as well.)

    Example
    -------
    >>> scaffold_split(["b", "a", "a", "c", "b", "a"], share=0.75)
    ([1, 2, 3, 5], [0, 4])
    """
    ### BEGIN SOLUTION
    members = {}
    for row, scaffold in enumerate(scaffolds):
        members.setdefault(scaffold, []).append(row)
    train, test = [], []
    for scaffold in sorted(members, key=lambda name: (-len(members[name]), name)):
        fits = len(train) + len(members[scaffold]) <= share * len(scaffolds)
        (train if fits else test).extend(members[scaffold])
    return sorted(train), sorted(test)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-scaffold_split", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_equal, call, probe


def as_lists(scaffold_split, args):
    return [[int(row) for row in part] for part in call(scaffold_split, args)]


got = probe(as_lists, scaffold_split, {"scaffolds": ["b", "a", "a", "c", "b", "a"], "share": 0.75})
assert_equal(
    got,
    [[1, 2, 3, 5], [0, 4]],
    what="scaffold_split(['b', 'a', 'a', 'c', 'b', 'a'], share=0.75)",
    hint="a has three molecules and goes to training, which holds at most 4.5. b has two and does not fit, "
    "c has one and does. See 'Does it read chemistry?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-scaffold_split-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many scaffolds, equally large ones, shares that are met exactly, the default, nothing that fits.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, call, probe


def as_lists(scaffold_split, args):
    return [[int(row) for row in part] for part in call(scaffold_split, args)]


def wanted(scaffolds, share):
    names, counts = np.unique(scaffolds, return_counts=True)
    train = np.zeros(len(scaffolds), dtype=bool)
    for k in np.lexsort((np.arange(len(names)), -counts)):
        here = np.array(scaffolds) == names[k]
        if train.sum() + here.sum() <= share * len(scaffolds):
            train |= here
    return [np.flatnonzero(train).tolist(), np.flatnonzero(~train).tolist()]


rng = np.random.default_rng(71)
many = [f"ring {k}" for k in rng.permutation(np.repeat(np.arange(9), [9, 7, 7, 5, 4, 4, 2, 1, 1]))]
for scaffolds, args, name in (
    (many, {"share": 0.7}, "40 molecules of 9 scaffolds, share 0.7"),
    (many, {"share": 0.35}, "40 molecules of 9 scaffolds, share 0.35"),
    (many, {}, "40 molecules of 9 scaffolds and the default share"),
    (
        list("dbcabdca"),
        {"share": 0.5},
        "four scaffolds of two molecules, share 0.5, which two meet exactly",
    ),
    (list("zzzzy"), {"share": 0.5}, "a scaffold too large for training, and a small one behind it"),
    (["", "q", "", "q", ""], {"share": 0.6}, "a chain, whose scaffold is an empty text"),
    (list("aaaa"), {"share": 0.8}, "one scaffold that does not fit"),
):
    got = probe(as_lists, scaffold_split, {"scaffolds": scaffolds, **args})
    assert_equal(
        got,
        wanted(scaffolds, args.get("share", 0.8)),
        what=f"The two parts of {name}",
        hint="Whole scaffolds, the largest first and equals by the alphabet, and each goes to training if "
        "training then holds at most the share of all molecules. One that does not fit is no reason to "
        "stop. Positions in ascending order. See 'Does it read chemistry?'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Both get their answer
#
# First the screening program: a model from the clinic, and what your functions say about it where one woman
# in 100 is ill. Then the chemist: your rounds with fixed random weights make a vector for each of 840
# molecules, and a linear model on top predicts how they dissolve, tested on a random split and on yours. It
# takes a few seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from sklearn.linear_model import LogisticRegression, RidgeCV

from course_lib.data import molecules, patients, splits
from course_lib.data.habits import standardize
from course_lib.plotting import medicine as figures

X, ill = patients.load()
parts = np.array_split(np.random.default_rng(0).permutation(len(X)), 5)
risks = np.zeros(len(X))
for k in range(5):
    others = np.concatenate([part for i, part in enumerate(parts) if i != k])
    learn, judge = (standardize(X[others], X[rows])[1] for rows in (others, parts[k]))
    model = LogisticRegression(C=0.2, max_iter=1000).fit(learn, ill[others])
    risks[parts[k]] = model.predict_proba(judge)[:, 1]

for place, prevalence in (("clinic", ill.mean()), ("screening", 0.01)):
    threshold, cost = choose_threshold(risks, ill, miss=9.0, alarm=1.0, prevalence=prevalence)
    positive, negative = predictive_values((risks >= threshold).astype(int), ill, prevalence)
    print(
        f"{place:9}: alarm from {threshold:.2f} on, cost {cost:.3f}; {positive:.0%} of the alarms are right"
    )
t = np.linspace(0, 0.95, 96)
curves = decision_curves(risks, ill, t)
figures.decisions(t, {name: 100 * curve for name, curve in curves.items()}, low=-10, high=40)

# %% nbgrader={"grade": false, "grade_id": "finale-molecules", "locked": true, "schema_version": 3, "solution": false, "task": false}
everything = molecules.load()
logp = np.array([one.logp for one in everything])
rng = np.random.default_rng(0)
widths = {0: [], 1: [(7, 96)], 2: [(7, 96), (96, 96)]}


def vectors(number):
    rounds = [
        (rng.normal(size=s) / s[0] ** 0.5, rng.normal(size=s) / s[0] ** 0.5, rng.normal(size=s[1]))
        for s in widths[number]
    ]
    return np.stack(
        [molecule_vector(molecules.features(one), one.bonds, rounds) for one in everything]
    )


train, test = (np.array(part) for part in scaffold_split([one.scaffold for one in everything]))
mixed = splits.split_rows(840, seed=0, validation=0.05)
errors = {}
for number in widths:
    V, found = vectors(number), []
    for learn, judge in ((mixed.train, mixed.test), (train, test)):
        a, b = standardize(V[learn], V[judge])
        answer = RidgeCV(np.geomspace(1e-3, 100, 6)).fit(a, logp[learn]).predict(b)
        found.append([np.sqrt(np.mean((answer - logp[judge]) ** 2))])
    errors[f"{number} round{'' if number == 1 else 's'}"] = tuple(found)
    print(f"{number} rounds: random {found[0][0]:.2f}, scaffold {found[1][0]:.2f}")
figures.splits(errors)

# %% [markdown]
# **What you see.** In screening the alarm has to ring at a much higher risk than in the clinic, for the same
# costs. That all of its alarms are right is partly luck: the threshold was chosen on the very patients who
# are counted here. On a random split, one round of messages with weights that nobody trained reads far more
# than counting atoms does. On new scaffolds most of that is gone, and a second round does not help either:
# what is predicted here is a sum of small neighborhoods, and the test has rings that training never saw.
#
# ## Step 9. A letter from the vendor
#
# *4 points, read by a person. About 120 words.*
#
# A vendor writes to the screening program: "Our network detects pneumonia in chest X-rays with an accuracy
# of 97 % and an AUROC of 0.93, measured on 20,000 images of the two hospitals that trained it, 3 % of them
# with pneumonia. A radiologist can therefore trust an alarm in 97 of 100 cases."
#
# 1. What does an accuracy of 97 % mean on these images? Name something that would reach it without looking.
# 2. Which number would a radiologist need in place of the last sentence, and what does it depend on besides
#    the network?
# 3. The AUROC may come from the hospitals. Name two checks that would show this, and what you would expect
#    from each.

# %% [markdown] nbgrader={"grade": true, "grade_id": "the-letter", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. Nothing: 97 % of the images are healthy, so an answer that is always "no pneumonia" has an accuracy of
#    97 % and finds nobody.
# 2. The positive predictive value: of those with an alarm, how many are ill. It depends on the prevalence
#    where the network is used (and on the threshold), and with 3 % ill it is far below 97 % unless almost
#    no healthy image has an alarm.
# 3. The AUROC inside each hospital by itself: close to 0.5 if the network knows only the hospital. A third
#    hospital, or a test in which hospital and illness are unrelated: it would fall to about 0.5 there. (Or:
#    how well its score guesses the hospital: nearly perfectly.)
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for the answer that is always "healthy" (or the share of the healthy).
# 2. **One point** for the positive predictive value, in name or in words; half if only "precision" without
#    what it means here. **One half** more for the prevalence (up to 1.5).
# 3. **1.5 points**: one for two different checks, a half for what is to be expected of them. Checks that
#    look at pictures (attribution that lights up at a marker) count as one.
# === END MARK SCHEME ===
