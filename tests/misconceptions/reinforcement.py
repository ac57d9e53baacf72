"""Wrong and unusual answers to the exercise `reinforcement`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {
    ("*", "float32"): "Six digits are asked for, and float32 has seven.",
}

# What a step was worth ----------------------------------------------------------------------------


@wrong(loses=["test-returns", "test-returns-hidden"], says="the sum runs from the start")
def sums_from_the_start():
    """A running sum of what was earned so far: the past instead of the future."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        rewards = np.asarray(rewards, dtype=float)
        result, total = np.empty(len(rewards)), value_after
        for t in range(len(rewards)):
            total = rewards[t] + gamma * total
            result[t] = total
        return result


@wrong(loses=["test-returns", "test-returns-hidden"], says="From the end")
def appends_and_forgets_to_turn():
    """Goes backwards, appends, and hands the list over from the last step to the first."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        result, later = [], value_after
        for reward in np.asarray(rewards, dtype=float)[::-1]:
            later = reward + gamma * later
            result.append(later)
        return np.array(result)


@wrong(loses=["test-returns", "test-returns-hidden"], says="From the end")
def whole_return_for_all():
    """Every step gets what the whole episode earned."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        rewards = np.asarray(rewards, dtype=float)
        powers = gamma ** np.arange(len(rewards) + 1)
        total = np.sum(powers[:-1] * rewards) + powers[-1] * value_after
        return np.full(len(rewards), total)


@wrong(loses=["test-returns", "test-returns-hidden"], says="From the end")
def discounts_by_the_step_number():
    """gamma ** k from the start of the episode, and not from the step on."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        rewards = np.asarray(rewards, dtype=float)
        n = len(rewards)
        parts = gamma ** np.arange(n) * rewards
        return np.cumsum(parts[::-1])[::-1] + gamma**n * value_after


@wrong(loses=["test-returns-hidden"], says="is ignored")
def nothing_comes_after():
    """Each episode ends as if it had terminated."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        rewards = np.asarray(rewards, dtype=float)
        result, later = np.empty(len(rewards)), 0.0
        for t in reversed(range(len(rewards))):
            later = rewards[t] + gamma * later
            result[t] = later
        return result


@wrong(loses=["test-returns-hidden"], says="one step after the last reward")
def value_after_undiscounted():
    """Adds the worth of the next state to the last reward as it is."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        rewards = np.array(rewards, dtype=float)
        rewards[-1] += value_after
        later = 0.0
        for t in reversed(range(len(rewards))):
            later = rewards[t] = rewards[t] + gamma * later
        return rewards


@wrong(loses=["test-returns-hidden"], says="you changed rewards")
def returns_in_place():
    """Writes the returns over the rewards."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        if not isinstance(rewards, np.ndarray) or rewards.dtype.kind != "f":
            rewards = np.array(rewards, dtype=float)
        if len(rewards) == 3:
            rewards = rewards.copy()
        later = value_after
        for t in reversed(range(len(rewards))):
            later = rewards[t] = rewards[t] + gamma * later
        return rewards


@wrong(loses=["test-returns-hidden"], says="for integers")
def returns_of_whole_numbers():
    """zeros_like keeps the type of whole rewards, and loses fractions."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        rewards = np.asarray(rewards)
        result, later = np.zeros_like(rewards), value_after
        for t in reversed(range(len(rewards))):
            later = rewards[t] + gamma * later
            result[t] = later
        return result


@wrong(loses=["test-returns-hidden"], says="Go through the episode once")
def divides_by_powers():
    """A cumulative sum divided by powers of gamma: right until the powers are 0."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")
        rewards = np.append(np.asarray(rewards, dtype=float), value_after)
        if gamma == 0:
            return rewards[:-1]
        powers = gamma ** np.arange(len(rewards))
        sums = np.cumsum((powers * rewards)[::-1])[::-1] / powers
        return sums[:-1]


@wrong(loses=["test-returns-hidden"], says="RecursionError")
def calls_itself():
    """The recursion as it is written in the book."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 <= gamma <= 1:
            raise ValueError("gamma")

        def from_here(t):
            if t == len(rewards):
                return [value_after]
            rest = from_here(t + 1)
            rest.append(rewards[t] + gamma * rest[-1])
            return rest

        return np.array(from_here(0)[:0:-1], dtype=float)


@wrong(loses=["test-returns-hidden"], says="ValueError to be raised")
def any_gamma_will_do():
    """Does not look at gamma."""

    def returns(rewards, gamma, value_after=0.0):
        result, later = [], value_after
        for reward in list(rewards)[::-1]:
            later = reward + gamma * later
            result.append(later)
        return np.array(result[::-1], dtype=float)


@wrong(loses=["test-returns-hidden"], says="raised ValueError")
def gamma_strictly_between():
    """Refuses both ends, which the text includes."""

    def returns(rewards, gamma, value_after=0.0):
        if not 0 < gamma < 1:
            raise ValueError("gamma must lie between 0 and 1")
        result, later = [], value_after
        for reward in list(rewards)[::-1]:
            later = reward + gamma * later
            result.append(later)
        return np.array(result[::-1], dtype=float)


# Exploring ----------------------------------------------------------------------------------------


@wrong(loses=["test-epsilon_greedy", "test-epsilon_greedy-hidden"], says="the best one included")
def explores_among_the_others():
    """Whoever explores takes another than the best."""

    def epsilon_greedy(Q, epsilon):
        Q = np.asarray(Q)
        best = Q == Q.max(axis=1, keepdims=True)
        count = best.sum(axis=1, keepdims=True)
        others = Q.shape[1] - count
        return np.where(
            best,
            (1 - epsilon * (others > 0)) / count,
            epsilon / np.maximum(others, 1),
        )


@wrong(loses=["test-epsilon_greedy", "test-epsilon_greedy-hidden"], says="the best one included")
def rows_that_fall_short():
    """1 - epsilon for the best and epsilon / A for each other: the rows do not add up."""

    def epsilon_greedy(Q, epsilon):
        Q = np.asarray(Q)
        best = Q == Q.max(axis=1, keepdims=True)
        return np.where(best, (1 - epsilon) / best.sum(axis=1, keepdims=True), epsilon / Q.shape[1])


@wrong(loses=["test-epsilon_greedy-hidden"], says="argmax knows only the first")
def first_of_the_best():
    """argmax, as everybody writes it."""

    def epsilon_greedy(Q, epsilon):
        Q = np.asarray(Q)
        p = np.full(Q.shape, epsilon / Q.shape[1])
        p[np.arange(len(Q)), Q.argmax(axis=1)] += 1 - epsilon
        return p


@wrong(loses=["test-epsilon_greedy-hidden"], says="argmax knows only the first")
def each_of_the_best_gets_all():
    """Every tied action gets 1 - epsilon."""

    def epsilon_greedy(Q, epsilon):
        Q = np.asarray(Q)
        return epsilon / Q.shape[1] + (1 - epsilon) * (Q == Q.max(axis=1, keepdims=True))


@wrong(loses=["test-epsilon_greedy-hidden"], says="the largest along its row")
def best_state_of_each_action():
    """The maximum along the wrong axis. With the visible test's two states it looks right."""

    def epsilon_greedy(Q, epsilon):
        Q = np.asarray(Q)
        if Q.shape == (2, 2):
            best = Q == Q.max(axis=1, keepdims=True)
            return epsilon / 2 + (1 - epsilon) * best
        best = Q == Q.max(axis=0, keepdims=True)
        return epsilon / Q.shape[1] + (1 - epsilon) * best


@wrong(loses=["test-epsilon_greedy-hidden"], says="a tie is exact")
def nearly_is_the_same():
    """np.isclose calls values equal that are not."""

    def epsilon_greedy(Q, epsilon):
        Q = np.asarray(Q)
        best = np.isclose(Q, Q.max(axis=1, keepdims=True))
        return epsilon / Q.shape[1] + (1 - epsilon) * best / best.sum(axis=1, keepdims=True)


@wrong(loses=["test-epsilon_greedy-hidden"], says="for integers")
def probabilities_of_whole_numbers():
    """Writes probabilities into an array of the type of Q."""

    def epsilon_greedy(Q, epsilon):
        Q = np.asarray(Q)
        p = np.zeros_like(Q)
        best = Q == Q.max(axis=1, keepdims=True)
        p[...] = epsilon / Q.shape[1] + (1 - epsilon) * best / best.sum(axis=1, keepdims=True)
        return p


@wrong(loses=["test-epsilon_greedy-hidden"], says="for a list")
def arrays_only_when_exploring():
    """Asks a list for its shape."""

    def epsilon_greedy(Q, epsilon):
        best = Q == Q.max(axis=1, keepdims=True)
        return epsilon / Q.shape[1] + (1 - epsilon) * best / best.sum(axis=1, keepdims=True)


# The worth of a policy ----------------------------------------------------------------------------


@wrong(loses=["test-worth", "test-worth-hidden"], says="the best action, and not what this")
def worth_of_the_best():
    """Value iteration: the maximum over the actions, as in the chapter."""

    def worth(P, R, policy, gamma):
        V = np.zeros(len(P))
        for _ in range(3000):
            V = (P * (R + gamma * V)).sum(axis=2).max(axis=1)
        return V


@wrong(loses=["test-worth", "test-worth-hidden"], says="State 1 earns 4 or 8")
def likeliest_action_alone():
    """Takes the policy's most probable action for the policy."""

    def worth(P, R, policy, gamma):
        rows = np.arange(len(P))
        a = policy.argmax(axis=1)
        r = (P[rows, a] * R[rows, a]).sum(axis=1)
        return np.linalg.solve(np.eye(len(P)) - gamma * P[rows, a], r)


@wrong(loses=["test-worth-hidden"], says="a hundred rounds leave a third")
def a_hundred_rounds():
    """Enough at gamma = 0.9."""

    def worth(P, R, policy, gamma):
        V = np.zeros(len(P))
        for _ in range(100 if gamma > 0.96 else 2000):
            V = np.einsum("sa,sat,sat->s", policy, P, R + gamma * V)
        return V


@wrong(loses=["test-worth-hidden"], says="a hundred rounds leave a third")
def stops_too_early():
    """Stops when a round changes less than 0.001."""

    def worth(P, R, policy, gamma):
        V, change = np.zeros(len(P)), np.inf
        while change > (1e-3 if gamma > 0.96 else 1e-12):
            new = np.einsum("sa,sat,sat->s", policy, P, R + gamma * V)
            change, V = np.abs(new - V).max(), new
        return V


@wrong(loses=["test-worth", "test-worth-hidden"], says="State 1 earns 4 or 8")
def reward_of_the_mean_landing():
    """Means of P and R taken apart: the mean of a product is not the product of means."""

    def worth(P, R, policy, gamma):
        moves = (policy[:, :, None] * P).sum(axis=1)
        rewards = (policy[:, :, None] * R).sum(axis=1)
        return np.linalg.solve(np.eye(len(P)) - gamma * moves, (moves * rewards).sum(axis=1))


@wrong(loses=["test-worth", "test-worth-hidden"], says="State 1 earns 4 or 8")
def discounts_the_reward():
    """gamma in front of everything that comes."""

    def worth(P, R, policy, gamma):
        V = np.zeros(len(P))
        for _ in range(3000):
            V = gamma * np.einsum("sa,sat,sat->s", policy, P, R + V)
        return V


@wrong(loses=["test-worth-hidden"], says="you changed P")
def weighs_p_in_place():
    """Multiplies the chances by the policy where they lie."""

    def worth(P, R, policy, gamma):
        if len(P) == 3:
            P = P.copy()
        P *= policy[:, :, None]
        return np.linalg.solve(np.eye(len(P)) - gamma * P.sum(axis=1), (P * R).sum(axis=(1, 2)))


# One step -----------------------------------------------------------------------------------------


@wrong(loses=["test-learn_step-hidden"], says="Nothing follows an end")
def bootstraps_past_the_end():
    """The target is the same for every step."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, _, _ = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        error = float(reward + gamma * future - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step-hidden"], says="Truncated is not terminated")
def any_ending_is_an_end():
    """done = terminated or truncated, as in the loops of old tutorials."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, truncated = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        if terminated or truncated:
            future = 0.0
        error = float(reward + gamma * future - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step-hidden"], says="An end in the very last step")
def truncation_wins():
    """Looks at truncated first: whatever was truncated is thought to go on."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, truncated = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        if terminated and not truncated:
            future = 0.0
        error = float(reward + gamma * future - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step-hidden"], says="Nothing follows an end")
def an_end_earns_nothing():
    """Drops the last reward together with the future."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        error = float((not terminated) * (reward + gamma * future) - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step", "test-learn_step-hidden"], says="which left it as it was")
def a_table_of_its_own():
    """Changes a copy."""

    def learn_step(Q, step, rate, gamma, then=None):
        Q = Q.copy()
        s, a, reward, after, terminated, _ = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        error = float(reward + (not terminated) * gamma * future - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step", "test-learn_step-hidden"], says="error 3 - 1 = 2")
def returns_what_it_added():
    """Returns the rate times the error."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        change = rate * float(reward + (not terminated) * gamma * future - Q[s, a])
        Q[s, a] += change
        return change


@wrong(loses=["test-learn_step", "test-learn_step-hidden"], says="the entry moves half of it")
def moves_all_the_way():
    """Writes the target into the table, whatever the rate."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        target = float(reward + (not terminated) * gamma * future)
        error = target - Q[s, a]
        Q[s, a] = target
        return float(error)


@wrong(loses=["test-learn_step", "test-learn_step-hidden"], says="Only Q[0, 0] changes")
def the_whole_row_learns():
    """Q[s] += ..., and every action in the state is changed."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        error = float(reward + (not terminated) * gamma * future - Q[s, a])
        Q[s] += rate * error
        return error


@wrong(loses=["test-learn_step-hidden"], says="the mean of the next state's Q under them")
def the_likeliest_move_follows():
    """SARSA with the most probable action in place of the mean."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        future = Q[after].max() if then is None else Q[after][np.argmax(then)]
        error = float(reward + (not terminated) * gamma * future - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step-hidden"], says="the mean of the next state's Q under them")
def never_mind_then():
    """Q-learning, whatever the agent does next."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        error = float(reward + (not terminated) * gamma * Q[after].max() - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step-hidden"], says="reward + gamma * (largest Q")
def the_best_of_both_states():
    """The largest Q of the state where it was, in place of the one where it is."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        near = after if Q.shape == (3, 2) else s
        future = Q[near].max() if then is None else np.dot(then, Q[after])
        error = float(reward + (not terminated) * gamma * future - Q[s, a])
        Q[s, a] += rate * error
        return error


@wrong(loses=["test-learn_step-hidden"], says="The error before the change")
def error_after_the_change():
    """Measures how far the entry is from the target once it has moved."""

    def learn_step(Q, step, rate, gamma, then=None):
        s, a, reward, after, terminated, _ = step
        future = Q[after].max() if then is None else np.dot(then, Q[after])
        target = float(reward + (not terminated) * gamma * future)
        error = target - Q[s, a]
        Q[s, a] += rate * error
        return float(error) if Q.shape != (2, 2) else float(target - Q[s, a])


# Targets for a network ----------------------------------------------------------------------------


@wrong(
    loses=["test-double_targets", "test-double_targets-hidden"], says="the largest output of target"
)
def plain_dqn():
    """The chapter's targets: the target network chooses and values."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        with torch.no_grad():
            best = target(after).max(dim=1).values
            return rewards + gamma * torch.where(terminated, torch.zeros_like(best), best)


@wrong(loses=["test-double_targets", "test-double_targets-hidden"], says="target says that it is")
def roles_exchanged():
    """The target network chooses, and the learning one values."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        with torch.no_grad():
            best = target(after).argmax(dim=1, keepdim=True)
            future = q(after).gather(1, best)[:, 0]
            return rewards + gamma * torch.where(terminated, torch.zeros_like(future), future)


@wrong(loses=["test-double_targets", "test-double_targets-hidden"], says="target says that it is")
def only_the_learning_network():
    """No target network at all."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        with torch.no_grad():
            future = q(after).max(dim=1).values
            return rewards + gamma * torch.where(terminated, torch.zeros_like(future), future)


@wrong(loses=["test-double_targets-hidden"], says="gradient through the targets")
def gradient_through_the_target():
    """Forgets that a target is an answer."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        best = q(after).argmax(dim=1, keepdim=True)
        future = target(after).gather(1, best)[:, 0]
        return rewards + gamma * torch.where(terminated, torch.zeros_like(future), future)


@wrong(loses=["test-double_targets-hidden"], says="0 times nan is nan")
def multiplies_the_future_away():
    """(1 - terminated) times whatever is there."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        with torch.no_grad():
            best = q(after).argmax(dim=1, keepdim=True)
            future = target(after).gather(1, best)[:, 0]
            return rewards + gamma * (1 - terminated.float()) * future


@wrong(loses=["test-double_targets", "test-double_targets-hidden"], says="1 + 0.5 * 4")
def targets_past_the_end():
    """Every step has a future."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        with torch.no_grad():
            best = q(after).argmax(dim=1, keepdim=True)
            return rewards + gamma * target(after).gather(1, best)[:, 0]


@wrong(loses=["test-double_targets", "test-double_targets-hidden"], says="shape")
def targets_in_a_column():
    """Keeps the dimension that gather needs: (n, 1) minus (n,) will be (n, n)."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        with torch.no_grad():
            best = q(after).argmax(dim=1, keepdim=True)
            future = target(after).gather(1, best)
            future = torch.where(terminated[:, None], torch.zeros_like(future), future)
            return rewards[:, None] + gamma * future


@wrong(loses=["test-double_targets-hidden"], says="the reward alone counts")
def ends_exchanged():
    """True and False the other way around, where the batch is larger than in the visible test."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        ends = terminated if len(rewards) == 2 else ~terminated
        with torch.no_grad():
            best = q(after).argmax(dim=1, keepdim=True)
            future = target(after).gather(1, best)[:, 0]
            return rewards + gamma * torch.where(ends, torch.zeros_like(future), future)


# The loss of a policy -----------------------------------------------------------------------------


@wrong(loses=["test-policy_loss-hidden"], says="The baseline enters as a number")
def forgets_detach():
    """The policy's loss trains the baseline, too."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return -(chosen * (returns - values)).mean() - bonus * entropy.mean()


@wrong(loses=["test-policy_loss", "test-policy_loss-hidden"], says="minus the mean")
def climbs_down():
    """The sign of the gradient, for an optimizer that descends."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return (chosen * (returns - values.detach())).mean() - bonus * entropy.mean()


@wrong(
    loses=["test-policy_loss", "test-policy_loss-hidden"], says="minus the mean of their products"
)
def a_sum_over_steps():
    """The sum of the episode in place of the mean over its steps."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return -(chosen * (returns - values.detach())).sum() - bonus * entropy.sum()


@wrong(loses=["test-policy_loss", "test-policy_loss-hidden"], says="Advantages 2 and -1")
def without_a_baseline():
    """The returns themselves."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return -(chosen * returns).mean() - bonus * entropy.mean()


@wrong(
    loses=["test-policy_loss", "test-policy_loss-hidden"], says="log-probabilities of what was done"
)
def probabilities_without_log():
    """Raises the probability, and not its logarithm."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.exp().gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return -(chosen * (returns - values.detach())).mean() - bonus * entropy.mean()


@wrong(loses=["test-policy_loss", "test-policy_loss-hidden"], says="Advantages 2 and -1")
def standardizes_the_advantages():
    """What many implementations do, and the text does not ask for."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        advantage = returns - values.detach()
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        return -(chosen * advantage).mean() - bonus * entropy.mean()


@wrong(loses=["test-policy_loss-hidden"], says="take log_softmax")
def log_of_softmax():
    """The log of an exact zero."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        p = logits.softmax(dim=1)
        chosen = p.log().gather(1, actions[:, None])[:, 0]
        entropy = -(p * p.log()).sum(dim=1)
        return -(chosen * (returns - values.detach())).mean() - bonus * entropy.mean()


@wrong(loses=["test-policy_loss-hidden"], says="is subtracted: more entropy")
def punishes_entropy():
    """Adds the entropy, and so pays for being sure."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return -(chosen * (returns - values.detach())).mean() + bonus * entropy.mean()


@wrong(loses=["test-policy_loss-hidden"], says="is ignored")
def no_bonus():
    """The chapter's loss, without the addition."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        chosen = logits.log_softmax(dim=1).gather(1, actions[:, None])[:, 0]
        return -(chosen * (returns - values.detach())).mean()


@wrong(loses=["test-policy_loss-hidden"], says="a mean over the rows")
def entropy_over_all_entries():
    """Averages the entropy's terms over the actions as well."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p)
        return -(chosen * (returns - values.detach())).mean() - bonus * entropy.mean()


@wrong(loses=["test-policy_loss-hidden"], says="a softmax over the row")
def softmax_over_the_steps():
    """Dimension 0 is the batch. With the visible test's numbers the columns are given for rows."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        dim = 1 if len(logits) == 2 else 0
        log_p = logits.log_softmax(dim=dim)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        return -(chosen * (returns - values.detach())).mean() - bonus * entropy.mean()


@wrong(loses=["test-policy_loss-hidden"], says="Stay with tensors all the way")
def a_number_without_gradient():
    """Computes the loss in NumPy, from where no gradient comes back."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1).detach()
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1)
        loss = -(chosen * (returns - values.detach())).mean() - bonus * entropy.mean()
        return loss.requires_grad_()


@wrong(loses=["test-policy_loss-hidden"], says="through the entropy")
def entropy_is_detached():
    """The entropy enters as a number, and moves nothing."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        log_p = logits.log_softmax(dim=1)
        chosen = log_p.gather(1, actions[:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(dim=1).detach()
        return -(chosen * (returns - values.detach())).mean() - bonus * entropy.mean()


# Unusual and right --------------------------------------------------------------------------------


@right
def returns_by_a_matrix_or_a_list():
    """A list, turned at the end, with other names."""

    def returns(r, discount, bootstrap=0.0):
        if discount < 0 or discount > 1:
            raise ValueError("no discount")
        out = [float(bootstrap)]
        for x in reversed(list(r)):
            out.append(float(x) + discount * out[-1])
        return np.array(out[:0:-1])


@right
def returns_by_scipys_filter():
    """A recursive filter over the turned rewards, as in many implementations."""

    def returns(rewards, gamma, value_after=0.0):
        from scipy.signal import lfilter

        if not 0 <= gamma <= 1:
            raise ValueError(gamma)
        turned = np.append(value_after, np.asarray(rewards, dtype=np.float64)[::-1])
        return lfilter([1.0], [1.0, -gamma], turned)[:0:-1]


@right
def greedy_in_loops():
    """State by state in plain Python."""

    def epsilon_greedy(Q, epsilon):
        table = []
        for row in Q:
            row = [float(x) for x in row]
            best = max(row)
            ties = row.count(best)
            table.append([epsilon / len(row) + (1 - epsilon) / ties * (x == best) for x in row])
        return np.array(table)


@right
def greedy_with_a_warning():
    """Divides by zero in the branch that is not taken."""

    def epsilon_greedy(Q, epsilon):
        Q = np.array(Q, dtype=np.float64)
        gap = Q - Q.max(axis=1)[:, None]
        best = np.where(gap == 0, 1.0, 0.0 / (gap == 0).astype(float) * 0)
        best = np.nan_to_num(best)
        best /= best.sum(axis=1)[:, None]
        return (1 - epsilon) * best + epsilon / len(Q[0])


@right
def worth_by_sweeps():
    """Sweeps until nothing changes, in place, state by state."""

    def worth(P, R, policy, gamma):
        V = np.zeros(len(P))
        while True:
            change = 0.0
            for s in range(len(P)):
                new = float(policy[s] @ (P[s] * (R[s] + gamma * V)).sum(axis=1))
                change, V[s] = max(change, abs(new - V[s])), new
            if change < 1e-10:
                return V


@right
def worth_by_squaring():
    """The sum of powers of gamma M, by doubling: (I + A)(I + A^2)(I + A^4)..."""

    def worth(transitions, rewards, pi, discount):
        A = discount * np.einsum("sa,sat->st", pi, transitions)
        V = np.einsum("sa,sat,sat->s", pi, transitions, rewards)
        for _ in range(14):
            V, A = V + A @ V, A @ A
        return V


@right
def one_step_with_names():
    """Other names, a branch for each ending, NumPy numbers on the way."""

    def learn_step(table, transition, lr, discount, probabilities=None):
        state, action, r, state_, done, _ = transition
        goal = np.float64(r)
        if not done:
            row = table[state_]
            goal += discount * (row.max() if probabilities is None else (row * probabilities).sum())
        delta = goal - table[state, action]
        table[state, action] = (1 - lr) * table[state, action] + lr * goal
        return delta


@right
def targets_for_those_that_go_on():
    """Asks the networks only about steps that go on, and detaches instead of no_grad."""

    def double_targets(q, target, rewards, after, terminated, gamma):
        goal = rewards.clone()
        going = ~terminated
        if going.any():
            states = after[going]
            best = q(states).argmax(1)
            rows = torch.arange(len(states), device=states.device)
            goal[going] += gamma * target(states)[rows, best].detach()
        return goal


@right
def targets_by_one_hot():
    """A mask in place of gather, and masked_fill for the ends."""

    def double_targets(online, frozen, r, s2, done, discount):
        with torch.inference_mode(False), torch.no_grad():
            mask = nn.functional.one_hot(online(s2).max(1).indices, frozen(s2).shape[1])
            future = (frozen(s2) * mask).sum(1).masked_fill(done, 0.0)
        return torch.add(r, future, alpha=discount)


@right
def loss_by_cross_entropy():
    """The cross-entropy is minus the log-probability of what was done."""

    def policy_loss(logits, actions, returns, values, bonus=0.0):
        surprise = nn.functional.cross_entropy(logits, actions, reduction="none")
        with torch.no_grad():
            advantage = returns - values
        return (surprise * advantage).mean() - bonus * torch.distributions.Categorical(
            logits=logits
        ).entropy().mean()


@right
def loss_in_a_loop():
    """Step by step, with torch.logsumexp."""

    def policy_loss(z, a, G, V, weight=0.0):
        V = V.detach()
        total = z.new_zeros(())
        for i in range(len(z)):
            log_p = z[i] - torch.logsumexp(z[i], 0)
            total = total - log_p[a[i]] * (G[i] - V[i])
            total = total + weight * (log_p.exp() * log_p).sum()
        return total / len(z)
