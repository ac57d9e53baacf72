"""Two projects handed in for `capstone`: a good one, and one with three typical faults."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.sample import submission

#: Seconds that a cell may take: each test trains the project's model several times.
TIMEOUT = 60

QUESTION = """\
1. A phone reads the digits on paper forms into a table, which a clerk looks through. In: a
   photograph of 10 by 10 pixels. Out: a digit.
2. A clerk can correct one digit in ten without losing time. A wrong digit that nobody sees
   costs a letter to a wrong address, one that is questioned for nothing costs two seconds.
3. On May 3, before training: if the interval of the gain over a linear classifier begins below
   10 points, I shall say no."""

ERRORS = """\
I looked at all 46 mistakes: 20 are 8s, 13 of them read as a 1; half of all are on 5 of the 40
sheets. The linear classifier reads one of them, and misses 146 that the network reads. More 8s
in training can gain 4 points at most; without the light a lookup would gain more."""

HARM = """\
A second of training, 14 runs before this one, three evenings. Whoever gets no letter does not
know why and cannot complain. Left-handed writers are the shift to expect; I would watch the
share of corrections by branch and week."""

ABSTRACT = """\
On new sheets a small network is 37 to 54 points better than a linear classifier, a weak
opponent. New writers were not tested. Measure a lookup without the light first, for one branch
and a month."""

SHORT = {
    "question": "Reading digits from photographs. It should be as good as possible.",
    "errors": "Mostly 8s and 9s are wrong.",
    "harm": "It trains in a second. Wrong digits would be bad for the people concerned.",
    "abstract": "Our network has over 90 % and beats the baseline. It can be used.",
}


@submission(
    student="grace-hopper",
    score=40,
    writes={"question": QUESTION, "errors": ERRORS, "harm": HARM, "abstract": ABSTRACT},
    marks={"question": 3, "errors": 3, "harm": 3, "abstract": 2},
)
def good():
    """A whole project: groups kept apart, seeded, an interval over groups, a baseline beaten."""


@submission(
    student="john-napier",
    score=18,
    loses=["test-split", "test-split-hidden", "test-fit", "test-interval-hidden", "test-report"],
    writes=SHORT,
    marks={"question": 1, "errors": 1, "harm": 0.5, "abstract": 0.5},
)
def three_faults():
    """Rows are split, so sheets are on both sides; weights are not seeded; rows are the unit."""

    def split(groups, seed):
        rows = np.random.default_rng(seed).permutation(len(groups))
        return np.split(rows, [len(rows) * 6 // 10, len(rows) * 8 // 10])

    def fit(X_train, y_train, X_validation, y_validation, seed):
        model = nn.Sequential(nn.Linear(X_train.shape[1], 128), nn.ReLU(), nn.Linear(128, 10))
        X, y = torch.as_tensor(X_train).float(), torch.as_tensor(y_train).long()
        optimizer = torch.optim.Adam(model.parameters(), 2e-2)
        for _ in range(15):
            for rows in torch.randperm(len(X)).split(128):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
                optimizer.step()
        return model

    def interval(ours, theirs, groups, seed):
        gain = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
        half = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
        return gain.mean() - half, gain.mean() + half
