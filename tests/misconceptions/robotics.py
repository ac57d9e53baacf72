"""Wrong and unusual answers to the exercise `robotics`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
}

# Which way to turn --------------------------------------------------------------------------------


@wrong(loses=["test-turn", "test-turn-hidden"], says="across the seam")
def no_wrapping():
    """The difference of the two headings as it is."""

    def turn(start, goal):
        return np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)


@wrong(loses=["test-turn-hidden"], says="Adding or taking away one")
def one_turn_only():
    """Takes away one whole turn where the difference is too large."""

    def turn(start, goal):
        apart = np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)
        apart = np.where(apart >= np.pi, apart - 2 * np.pi, apart)
        return np.where(apart < -np.pi, apart + 2 * np.pi, apart)


@wrong(loses=["test-turn", "test-turn-hidden"], says="small turn to the left")
def turns_the_other_way():
    """From the goal to the start."""

    def turn(start, goal):
        apart = np.asarray(start, dtype=float) - np.asarray(goal, dtype=float)
        return (apart + np.pi) % (2 * np.pi) - np.pi


@wrong(loses=["test-turn", "test-turn-hidden"], says="small turn to the left")
def always_to_the_left():
    """0 ... 2 pi: half of all turns go the long way around."""

    def turn(start, goal):
        return (np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)) % (2 * np.pi)


@wrong(loses=["test-turn", "test-turn-hidden"], says="across the seam")
def in_degrees():
    """Wraps at 180."""

    def turn(start, goal):
        apart = np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)
        return (apart + 180) % 360 - 180


@wrong(loses=["test-turn-hidden"], says="half a turn")
def half_a_turn_to_the_left():
    """-pi ... pi with the other end included."""

    def turn(start, goal):
        apart = np.asarray(start, dtype=float) - np.asarray(goal, dtype=float)
        return -((apart + np.pi) % (2 * np.pi) - np.pi)


@wrong(loses=["test-turn", "test-turn-hidden"], says="across the seam")
def each_wrapped_and_not_their_difference():
    """Wraps both headings, and then subtracts."""

    def turn(start, goal):
        def wrap(x):
            return (np.asarray(x, dtype=float) + np.pi) % (2 * np.pi) - np.pi

        return wrap(goal) - wrap(start)


@wrong(loses=["test-turn-hidden"], says="you changed")
def turn_in_place():
    """Subtracts into the caller's array."""

    def turn(start, goal):
        if isinstance(goal, np.ndarray) and goal.ndim == 2:
            goal -= start
            apart = goal
        else:
            apart = np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)
        return (apart + np.pi) % (2 * np.pi) - np.pi


# The expert ---------------------------------------------------------------------------------------


@wrong(loses=["test-expert-hidden"], says="both sides of the seam")
def expert_without_turn():
    """The misconception: headings subtracted as numbers."""

    def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
        psi = np.asarray(heading, dtype=float) - np.asarray(corridor, dtype=float)
        return np.clip(-kp * np.asarray(d, dtype=float) - kd * psi, -limit, limit)


@wrong(loses=["test-expert", "test-expert-hidden"], says="which is negative")
def steers_away():
    """The wrong sign: a little to the left, and off to the left."""

    def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
        psi = turn(corridor, heading)
        return np.clip(kp * np.asarray(d, dtype=float) + kd * psi, -limit, limit)


@wrong(loses=["test-expert", "test-expert-hidden"], says="to the right")
def heading_the_wrong_way_around():
    """The turn from the heading to the corridor, with the sign of the other one."""

    def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
        psi = turn(heading, corridor)
        return np.clip(-kp * np.asarray(d, dtype=float) - kd * psi, -limit, limit)


@wrong(loses=["test-expert", "test-expert-hidden"], says="which is negative")
def no_derivative():
    """P without D."""

    def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
        return np.clip(-kp * np.asarray(d, dtype=float), -limit, limit)


@wrong(loses=["test-expert-hidden"], says="both sides")
def no_limit_to_the_left():
    """Limited on one side."""

    def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
        psi = turn(corridor, heading)
        return np.maximum(-kp * np.asarray(d, dtype=float) - kd * psi, -limit)


@wrong(loses=["test-expert-hidden"], says="Limit the sum")
def limits_each_part():
    """Clips before it adds."""

    def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
        psi = turn(corridor, heading)
        steer = np.clip(-kp * np.asarray(d, dtype=float), -limit, limit)
        return np.clip(steer + np.clip(-kd * psi, -limit, limit), -limit, limit)


@wrong(loses=["test-expert-hidden"], says="is ignored")
def a_limit_of_its_own():
    """The limit of the example, whatever is asked for."""

    def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
        psi = turn(corridor, heading)
        return np.clip(-kp * np.asarray(d, dtype=float) - kd * psi, -1.5, 1.5)


# The loss of a clone ------------------------------------------------------------------------------


@wrong(loses=["test-cloning_loss", "test-cloning_loss-hidden"], says="square of all pairs")
def broadcasts_to_a_square():
    """A column minus a row."""

    def cloning_loss(outputs, answers, valid):
        if not valid.any():
            raise ValueError("nothing")
        return ((outputs[valid] - answers[valid].detach()) ** 2).mean()


@wrong(loses=["test-cloning_loss", "test-cloning_loss-hidden"], says="still count in the mean")
def divides_by_all_rows():
    """Zeros for the rows that do not count, and a mean over all."""

    def cloning_loss(outputs, answers, valid):
        if not valid.any():
            raise ValueError("nothing")
        off = (outputs.reshape(-1) - answers.detach().reshape(-1)) * valid
        return (off**2).mean()


@wrong(loses=["test-cloning_loss-hidden"], says="nan times 0")
def multiplies_by_valid():
    """Rows that do not count are multiplied by 0, and nan stays nan."""

    def cloning_loss(outputs, answers, valid):
        if not valid.any():
            raise ValueError("nothing")
        off = (outputs.reshape(-1) - answers.detach().reshape(-1)) ** 2
        return (off * valid).sum() / valid.sum()


@wrong(loses=["test-cloning_loss", "test-cloning_loss-hidden"], says="(1 + 1 + 4) / 3")
def sums():
    """The sum in place of the mean."""

    def cloning_loss(outputs, answers, valid):
        if not valid.any():
            raise ValueError("nothing")
        return ((outputs.reshape(-1) - answers.detach().reshape(-1))[valid] ** 2).sum()


@wrong(loses=["test-cloning_loss-hidden"], says="gradient")
def a_number():
    """Right as a number, and nothing learns from it."""

    def cloning_loss(outputs, answers, valid):
        if not valid.any():
            raise ValueError("nothing")
        off = (outputs.detach().reshape(-1) - answers.detach().reshape(-1))[valid]
        return (off**2).mean()


@wrong(loses=["test-cloning_loss-hidden"], says="detach the answers")
def teaches_the_expert():
    """The gradient flows into the answers as well."""

    def cloning_loss(outputs, answers, valid):
        if not valid.any():
            raise ValueError("nothing")
        return ((outputs.reshape(-1) - answers.reshape(-1))[valid] ** 2).mean()


@wrong(loses=["test-cloning_loss-hidden"], says="ValueError to be raised")
def the_mean_of_nothing():
    """nan where no row counts."""

    def cloning_loss(outputs, answers, valid):
        return ((outputs.reshape(-1) - answers.detach().reshape(-1))[valid] ** 2).mean()


@wrong(loses=["test-cloning_loss-hidden"], says="IndexError")
def columns_only():
    """Expects outputs as a column."""

    def cloning_loss(outputs, answers, valid):
        if not valid.any():
            raise ValueError("nothing")
        return ((outputs[:, 0] - answers.detach().reshape(-1))[valid] ** 2).mean()


# DAgger -------------------------------------------------------------------------------------------


@wrong(loses=["test-dagger", "test-dagger-hidden"], says="the student drives")
def the_expert_always_drives():
    """The misconception: all data from the expert's states."""

    def dagger(drive, ask, learn, rounds):
        states, answers = [], []
        for k in range(rounds):
            states.append(drive(ask, k))
            answers.append(ask(states[-1]))
            policy = learn(np.concatenate(states), np.concatenate(answers))
        return policy


@wrong(loses=["test-dagger", "test-dagger-hidden"], says="ask the expert")
def the_student_answers():
    """The labels are what the student did."""

    def dagger(drive, ask, learn, rounds):
        policy, states, answers = ask, [], []
        for k in range(rounds):
            states.append(drive(policy, k))
            answers.append(policy(states[-1]))
            policy = learn(np.concatenate(states), np.concatenate(answers))
        return policy


@wrong(loses=["test-dagger", "test-dagger-hidden"], says="learn from all so far")
def forgets_what_was_before():
    """Learns from the newest drive alone."""

    def dagger(drive, ask, learn, rounds):
        policy = ask
        for k in range(rounds):
            states = drive(policy, k)
            policy = learn(states, ask(states))
        return policy


@wrong(loses=["test-dagger", "test-dagger-hidden"], says="ask the expert")
def learns_once_at_the_end():
    """Collects with the expert and learns at the end."""

    def dagger(drive, ask, learn, rounds):
        states = np.concatenate([drive(ask, k) for k in range(rounds)])
        return learn(states, ask(states))


@wrong(loses=["test-dagger", "test-dagger-hidden"], says="ask the expert")
def does_not_learn_from_the_last_drive():
    """Stops before the last round's data are used."""

    def dagger(drive, ask, learn, rounds):
        states = drive(ask, 0)
        policy = learn(states, ask(states))
        for k in range(1, rounds):
            states = np.concatenate([states, drive(policy, k)])
            if k < rounds - 1:
                policy = learn(states, ask(states))
        return policy


@wrong(loses=["test-dagger-hidden"], says="what was learned last is returned")
def returns_the_first_student():
    """Returns what was learned in the second round."""

    def dagger(drive, ask, learn, rounds):
        policy, states, answers, students = ask, [], [], []
        for k in range(rounds):
            states.append(drive(policy, k))
            answers.append(ask(states[-1]))
            policy = learn(np.concatenate(states), np.concatenate(answers))
            students.append(policy)
        return students[min(1, rounds - 1)]


@wrong(loses=["test-dagger", "test-dagger-hidden"], says="ask the expert")
def newest_first():
    """The newest states stand first."""

    def dagger(drive, ask, learn, rounds):
        policy, states, answers = ask, [], []
        for k in range(rounds):
            states.insert(0, drive(policy, k))
            answers.insert(0, ask(states[0]))
            policy = learn(np.concatenate(states), np.concatenate(answers))
        return policy


@wrong(loses=["test-dagger", "test-dagger-hidden"], says="round")
def counts_from_one():
    """Rounds 1, 2, ... in place of 0, 1, ..."""

    def dagger(drive, ask, learn, rounds):
        policy, states, answers = ask, [], []
        for k in range(rounds):
            states.append(drive(policy, min(k + 1, rounds - 1)))
            answers.append(ask(states[-1]))
            policy = learn(np.concatenate(states), np.concatenate(answers))
        return policy


@wrong(loses=["test-dagger-hidden"], says="drives once")
def keeps_data_between_calls():
    """A list as a default argument is one for all calls."""

    def dagger(drive, ask, learn, rounds, states=[], answers=[]):
        policy = ask
        for k in range(rounds):
            states.append(drive(policy, k))
            answers.append(ask(states[-1]))
            policy = learn(np.concatenate(states), np.concatenate(answers))
        return policy


@wrong(loses=["test-dagger-hidden"], says="drives once")
def stacks_drives_of_equal_length():
    """np.array of drives: right as long as all are equally long."""

    def dagger(drive, ask, learn, rounds):
        policy, states, answers = ask, [], []
        for k in range(rounds):
            states.extend(drive(policy, k)[:2] if rounds > 2 else drive(policy, k))
            answers = [*answers, *ask(np.array(states[len(answers) :]))]
            policy = learn(np.array(states), np.array(answers))
        return policy


# Advantages ---------------------------------------------------------------------------------------


@wrong(loses=["test-gae-hidden"], says="keeps its value")
def cuts_are_ends():
    """The misconception: a truncated state is worth nothing."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        over = np.asarray(terminated, bool) | np.asarray(truncated, bool)
        delta = r + gamma * np.where(over, 0.0, v[1:]) - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + gamma * lam * np.where(over[t], 0.0, later)
        return A, A + v[:-1]


@wrong(loses=["test-gae-hidden"], says="stops there all the same")
def sums_through_time_limits():
    """The misconception: the sum of advantages goes on into the next episode."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        end, cut = np.asarray(terminated, bool), np.asarray(truncated, bool)
        after = np.where(end, 0.0, np.where(cut, np.asarray(last_values, float), v[1:]))
        delta = r + gamma * after - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + gamma * lam * np.where(end[t], 0.0, later)
        return A, A + v[:-1]


@wrong(loses=["test-gae-hidden"], says="belongs to a new episode")
def next_row_after_all():
    """Never looks at last_values: a new episode's start in place of the old one's end."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        end, cut = np.asarray(terminated, bool), np.asarray(truncated, bool)
        delta = r + gamma * v[1:] - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + gamma * lam * np.where(end[t] | cut[t], 0.0, later)
        return A, A + v[:-1]


@wrong(loses=["test-gae-hidden"], says="neither nan")
def nan_times_zero():
    """Multiplies the last value by 0 where it terminated."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        end, cut = np.asarray(terminated, bool), np.asarray(truncated, bool)
        over = end | cut
        after = np.where(over, np.asarray(last_values, float) * ~end, v[1:])
        delta = r + gamma * after - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + gamma * lam * np.where(over[t], 0.0, later)
        return A, A + v[:-1]


@wrong(loses=["test-gae-hidden"], says="Terminated counts")
def truncated_wins():
    """Where both are True, it takes the last value."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        end, cut = np.asarray(terminated, bool), np.asarray(truncated, bool)
        after = np.where(cut, np.asarray(last_values, float), np.where(end, 0.0, v[1:]))
        delta = r + gamma * after - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + gamma * lam * np.where(end[t] | cut[t], 0.0, later)
        return A, A + v[:-1]


@wrong(loses=["test-gae", "test-gae-hidden"], says="From the end")
def lambda_without_gamma():
    """Weighs later differences by lambda alone."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        end, cut = np.asarray(terminated, bool), np.asarray(truncated, bool)
        after = np.where(end, 0.0, np.where(cut, np.asarray(last_values, float), v[1:]))
        delta = r + gamma * after - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + lam * np.where(end[t] | cut[t], 0.0, later)
        return A, A + v[:-1]


@wrong(loses=["test-gae", "test-gae-hidden"], says="same rows")
def targets_of_the_next_row():
    """Adds the values of the rows after."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        end, cut = np.asarray(terminated, bool), np.asarray(truncated, bool)
        after = np.where(end, 0.0, np.where(cut, np.asarray(last_values, float), v[1:]))
        delta = r + gamma * after - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + gamma * lam * np.where(end[t] | cut[t], 0.0, later)
        return A, A + v[1:]


@wrong(loses=["test-gae-hidden"], says="is ignored")
def monte_carlo():
    """Lambda is 1, as if the critic were not to be trusted at all."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.asarray(rewards, float), np.asarray(values, float)
        end, cut = np.asarray(terminated, bool), np.asarray(truncated, bool)
        after = np.where(end, 0.0, np.where(cut, np.asarray(last_values, float), v[1:]))
        delta = r + gamma * after - v[:-1]
        A, later = np.empty_like(delta), np.zeros(delta.shape[1])
        lam = lam if len(r) == 3 else 0.95
        for t in reversed(range(len(delta))):
            A[t] = later = delta[t] + gamma * lam * np.where(end[t] | cut[t], 0.0, later)
        return A, A + v[:-1]


# One size -----------------------------------------------------------------------------------------


@wrong(loses=["test-normalized", "test-normalized-hidden"], says="of the three that count")
def normalizes_all():
    """Rows that do not count enter mean and deviation."""

    def normalized(advantages, valid, eps=1e-8):
        A, valid = np.asarray(advantages, float), np.asarray(valid, bool)
        spread = A.std()
        return np.where(valid, (A - A.mean()) / spread if spread >= eps else 0.0, 0.0)


@wrong(loses=["test-normalized-hidden"], says="noise of size 1")
def divides_by_rounding():
    """Divides by whatever the deviation is, if it is not 0."""

    def normalized(advantages, valid, eps=1e-8):
        A, valid = np.asarray(advantages, float), np.asarray(valid, bool)
        some, result = A[valid], np.zeros(A.shape)
        result[valid] = (some - some.mean()) / (some.std() + 1e-300)
        return result


@wrong(loses=["test-normalized-hidden"], says="not added")
def adds_eps():
    """Adds eps to the deviation, as many programs do."""

    def normalized(advantages, valid, eps=1e-8):
        A, valid = np.asarray(advantages, float), np.asarray(valid, bool)
        some, result = A[valid], np.zeros(A.shape)
        result[valid] = (some - some.mean()) / (some.std() + eps)
        return result


@wrong(loses=["test-normalized", "test-normalized-hidden"], says="of the three that count")
def divides_by_one_less():
    """The deviation that divides by n - 1."""

    def normalized(advantages, valid, eps=1e-8):
        A, valid = np.asarray(advantages, float), np.asarray(valid, bool)
        some, result = A[valid], np.zeros(A.shape)
        if some.std() >= eps:
            result[valid] = (some - some.mean()) / some.std(ddof=1)
        return result


@wrong(loses=["test-normalized", "test-normalized-hidden"], says="of the three that count")
def forgets_the_mean():
    """Divides, and leaves the mean where it is."""

    def normalized(advantages, valid, eps=1e-8):
        A, valid = np.asarray(advantages, float), np.asarray(valid, bool)
        some, result = A[valid], np.zeros(A.shape)
        if some.std() >= eps:
            result[valid] = some / some.std()
        return result


# Stopping -----------------------------------------------------------------------------------------


@wrong(loses=["test-safe_speed", "test-safe_speed-hidden"], says="quadratic")
def brakes_at_once():
    """Forgets the step and the delay."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        gap = np.maximum(np.asarray(gap, float), 0)
        return np.minimum(wanted, np.sqrt(2 * np.min(braking) * gap))


@wrong(loses=["test-safe_speed", "test-safe_speed-hidden"], says="quadratic")
def forgets_the_step():
    """As if it could brake before the next step."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        wanted, gap = np.asarray(wanted, float), np.maximum(np.asarray(gap, float), 0)[:, None]
        b, wait = np.asarray(braking, float), np.asarray(delay, float)
        fastest = b * (np.sqrt(wait**2 + 2 * gap / b) - wait)
        return np.minimum(wanted, fastest.min(axis=1))


@wrong(loses=["test-safe_speed-hidden"], says="The slowest of the speeds")
def the_first_robot_only():
    """Looks at the first robot on the list."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        wanted, gap = np.asarray(wanted, float), np.maximum(np.asarray(gap, float), 0)
        b, wait = float(braking[0]), float(delay[0]) + dt
        return np.minimum(wanted, b * (np.sqrt(wait**2 + 2 * gap / b) - wait))


@wrong(loses=["test-safe_speed-hidden"], says="The slowest of the speeds")
def the_best_robot():
    """The fastest speed that is right for one of them."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        wanted, gap = np.asarray(wanted, float), np.maximum(np.asarray(gap, float), 0)[:, None]
        b, wait = np.asarray(braking, float), np.asarray(delay, float) + dt
        fastest = b * (np.sqrt(wait**2 + 2 * gap / b) - wait)
        return np.minimum(wanted, fastest.max(axis=1))


@wrong(loses=["test-safe_speed-hidden"], says="worst of both")
def the_worst_of_both():
    """The weakest brakes with the longest delay: a robot that is not on the list."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        wanted, gap = np.asarray(wanted, float), np.maximum(np.asarray(gap, float), 0)
        b, wait = float(np.min(braking)), float(np.max(delay)) + dt
        return np.minimum(wanted, b * (np.sqrt(wait**2 + 2 * gap / b) - wait))


@wrong(loses=["test-safe_speed-hidden"], says="A gap of 0 or less")
def negative_gaps():
    """Backs off, or gives nan, where there is no gap."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        wanted, gap = np.asarray(wanted, float), np.asarray(gap, float)[:, None]
        b, wait = np.asarray(braking, float), np.asarray(delay, float) + dt
        fastest = b * (np.sqrt(wait**2 + 2 * gap / b) - wait)
        return np.minimum(wanted, fastest.min(axis=1))


@wrong(loses=["test-safe_speed", "test-safe_speed-hidden"], says="quadratic")
def all_or_nothing():
    """Stops where the wanted speed is too fast."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        wanted, gap = np.asarray(wanted, float), np.asarray(gap, float)
        b, t = np.asarray(braking, float)[:, None], np.asarray(delay, float)[:, None]
        needed = (wanted * (dt + t) + wanted**2 / (2 * b)).max(axis=0)
        return np.where(needed <= gap, wanted, 0.0)


@wrong(loses=["test-safe_speed", "test-safe_speed-hidden"], says="quadratic")
def faster_than_wanted():
    """As fast as is safe, wanted or not."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        gap = np.maximum(np.asarray(gap, float), 0)[:, None]
        b, wait = np.asarray(braking, float), np.asarray(delay, float) + dt
        return (b * (np.sqrt(wait**2 + 2 * gap / b) - wait)).min(axis=1)


@wrong(loses=["test-safe_speed-hidden"], says="is ignored")
def a_tenth_of_a_second():
    """dt is 0.1, whatever is asked for."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        wanted, gap = np.asarray(wanted, float), np.maximum(np.asarray(gap, float), 0)[:, None]
        b, wait = np.asarray(braking, float), np.asarray(delay, float) + 0.1
        fastest = b * (np.sqrt(wait**2 + 2 * gap / b) - wait)
        return np.minimum(wanted, fastest.min(axis=1))


# Right, and unusual -------------------------------------------------------------------------------


@right
def turns_by_sine_and_cosine():
    """arctan2 of the difference; exactly half a turn is set by hand."""

    def turn(start, goal):
        apart = np.subtract(goal, start, dtype=float)
        found = np.arctan2(np.sin(apart), np.cos(apart))
        half = np.isclose(np.abs(found), np.pi, rtol=0, atol=1e-12)
        return np.where(half, -np.pi, found)


@right
def turns_by_remainder_in_a_loop():
    """One angle after the other, with math."""
    import math

    def turn(start, goal):
        first, then = np.broadcast_arrays(start, goal)
        whole, found = 2 * math.pi, []
        for a, b in zip(first.ravel(), then.ravel(), strict=True):
            apart = math.fmod(float(b) - float(a) + math.pi, whole)
            found.append(math.fmod(apart + whole, whole) - math.pi)
        return np.array(found).reshape(first.shape)


@right
def expert_with_names_of_its_own():
    """Other names, a warning on the way, and limits by minimum and maximum."""

    def expert(offset, compass, hall, kp=1.0, kd=2.0, limit=1.5):
        _ = np.float64(1) / np.zeros(1)
        psi = np.asarray([float(x) for x in np.atleast_1d(turn(hall, compass))])
        command = -(kp * np.asarray(offset, dtype=float) + kd * psi)
        return np.minimum(np.maximum(command, -limit), limit)


@right
def loss_by_a_layer():
    """nn.functional on the rows that count."""

    def cloning_loss(outputs, answers, valid):
        rows = valid.nonzero()[:, 0]
        if len(rows) == 0:
            raise ValueError("no rows")
        y, z = outputs.flatten()[rows], answers.flatten()[rows].detach()
        return nn.functional.mse_loss(y, z)


@right
def loss_by_where():
    """Rows that do not count are replaced before they are squared."""

    def cloning_loss(outputs, answers, valid):
        if int(valid.sum()) == 0:
            raise ValueError("no rows")
        y, z = outputs.view(-1), answers.detach().view(-1)
        zero = torch.zeros((), device=y.device, dtype=y.dtype)
        off = torch.where(valid, y, zero) - torch.where(valid, z, zero)
        return off.square().sum() / valid.sum()


@right
def dagger_by_recursion():
    """Rounds that call each other, and arrays that grow."""

    def dagger(drive, ask, learn, rounds):
        def go_on(k, policy, states, answers):
            if k == rounds:
                return policy
            new = drive(policy, k)
            told = ask(new)
            states = new if states is None else np.vstack([states, new])
            answers = told if answers is None else np.hstack([answers, told])
            return go_on(k + 1, learn(states, answers), states, answers)

        return go_on(0, ask, None, None)


@right
def dagger_asks_anew():
    """Keeps the states only, and asks the expert about all of them each time."""

    def dagger(drive, ask, learn, rounds):
        seen = []
        for k in range(rounds):
            seen += list(drive(policy if k else ask, k))
            policy = learn(np.stack(seen), ask(np.stack(seen)))
        return policy


@right
def advantages_one_by_one():
    """Loops over environments and steps, in Python numbers."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        steps, n = np.shape(rewards)
        A, targets = np.zeros((steps, n)), np.zeros((steps, n))
        for i in range(n):
            later = 0.0
            for t in range(steps - 1, -1, -1):
                if terminated[t][i]:
                    after, later = 0.0, 0.0
                elif truncated[t][i]:
                    after, later = float(last_values[t][i]), 0.0
                else:
                    after = float(values[t + 1][i])
                now = float(values[t][i])
                later = float(rewards[t][i]) + gamma * after - now + gamma * lam * later
                A[t, i], targets[t, i] = later, later + now
        return A, targets


@right
def advantages_by_a_matrix():
    """A triangle of weights for each environment, and warnings from nan on the way."""

    def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
        r, v = np.array(rewards, float), np.array(values, float)
        end, cut = np.array(terminated, bool), np.array(truncated, bool)
        after = v[1:].copy()
        after[cut] = np.array(last_values, float)[cut]
        after[end] = 0
        delta = r + gamma * after - v[:-1]
        episode = np.vstack([np.zeros((1, r.shape[1])), np.cumsum(end | cut, axis=0)[:-1]])
        t = np.arange(len(r))
        powers = np.triu((gamma * lam) ** np.maximum(t[None] - t[:, None], 0))
        same = episode[:, None] == episode[None]
        A = np.einsum("tk,tkn,kn->tn", powers, same, delta)
        return A, A + v[:-1]


@right
def normalized_by_masked_arrays():
    """NumPy's masked arrays."""

    def normalized(advantages, valid, eps=1e-8):
        masked = np.ma.masked_array(np.asarray(advantages, float), mask=~np.asarray(valid, bool))
        spread = float(masked.std())
        if spread < eps:
            return np.zeros(masked.shape)
        return ((masked - masked.mean()) / spread).filled(0.0)


@right
def speed_by_halving():
    """Tries speeds, and halves the interval."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        speeds = []
        for want, room in zip(wanted, gap, strict=True):
            low, high = 0.0, float(want)

            def stops(v, room=room):
                return all(
                    v * (dt + t) + v * v / (2 * b) <= room
                    for b, t in zip(braking, delay, strict=True)
                )

            if stops(high):
                low = high
            for _ in range(80):
                middle = (low + high) / 2
                low, high = (middle, high) if stops(middle) else (low, middle)
            speeds.append(low)
        return np.array(speeds)


@right
def speed_without_cancellation():
    """The other form of the solution of a quadratic equation."""

    def safe_speed(wanted, gap, braking, delay, dt=0.1):
        rows = []
        for b, t in zip(np.asarray(braking, float), np.asarray(delay, float), strict=True):
            room = np.clip(np.asarray(gap, float), 0, None)
            root = np.sqrt((t + dt) ** 2 + 2 * room / b)
            rows.append(np.where(room > 0, 2 * room / (root + t + dt), 0.0))
        return np.minimum(np.asarray(wanted, float), np.min(rows, axis=0))
