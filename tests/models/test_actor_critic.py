"""An actor that draws from a normal distribution, beside a critic."""

import doctest

import torch
from torch.distributions import Normal

from course_lib.models import actor_critic
from course_lib.models.actor_critic import ActorCritic


def test_examples():
    result = doctest.testmod(actor_critic)
    assert result.attempted and not result.failed


def test_densities_are_those_of_a_normal_distribution():
    torch.manual_seed(0)
    agent = ActorCritic([1, 2, 0.5], hidden=8, spread=0.3)
    states, actions = torch.randn(6, 4, 3), torch.randn(6, 4)
    wanted = Normal(agent.mean(states), 0.3).log_prob(actions)
    torch.testing.assert_close(agent.log_prob(states, actions), wanted)


def test_draws_have_the_mean_and_the_spread_and_repeat_with_a_generator():
    torch.manual_seed(0)
    agent = ActorCritic([1.0], spread=0.5)
    states = torch.zeros(20_000, 1)
    drawn = agent.draw(states, torch.Generator().manual_seed(1))
    assert not drawn.requires_grad
    assert abs(drawn.std().item() - 0.5) < 0.02
    assert abs(drawn.mean().item() - agent.mean(states[:1]).item()) < 0.02
    again = agent.draw(states, torch.Generator().manual_seed(1))
    torch.testing.assert_close(drawn, again)


def test_each_number_is_scaled_before_either_network():
    torch.manual_seed(0)
    agent = ActorCritic([1, 1, 0.25])
    torch.manual_seed(0)
    plain = ActorCritic([1, 1, 1])
    states = torch.randn(5, 3)
    by_hand = states * torch.tensor([1, 1, 0.25])
    torch.testing.assert_close(agent.mean(states), plain.mean(by_hand))
    torch.testing.assert_close(agent.value(states), plain.value(by_hand))


def test_actor_critic_and_spread_all_learn_apart():
    agent = ActorCritic([1, 1])
    states, actions = torch.randn(4, 2), torch.randn(4)
    agent.log_prob(states, actions).sum().backward()
    assert agent.log_std.grad is not None
    assert all(p.grad is None for p in agent.critic.parameters())
    assert all(p.grad is not None for p in agent.actor.parameters())
