"""Networks for an agent: their shapes, and what is learned in them."""

import torch
from torch import nn

from course_lib.models import policy


def test_states_come_in_and_one_number_per_action_goes_out():
    model = policy.network(2, hidden=(8, 5), activation=nn.ReLU)
    assert model(torch.zeros(7, 4)).shape == (7, 2)
    kinds = [type(layer) for layer in model]
    assert kinds == [policy.Scale, nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert policy.network(1, hidden=())(torch.zeros(3, 4)).shape == (3, 1)


def test_hidden_layers_have_activations_of_their_own():
    model = policy.network(2, hidden=(4, 4))
    assert model[2] is not model[4]


def test_factors_are_kept_with_the_weights_and_are_not_learned():
    model = policy.network(2)
    assert "0.factors" in model.state_dict()
    assert sum(p.numel() for p in model.parameters()) == 4 * 32 + 32 + 32 * 2 + 2


def test_a_state_at_the_end_of_the_track_or_of_the_lean_is_about_as_large():
    scaled = policy.Scale()(torch.tensor([2.4, 0.0, 0.209, 0.0]))
    assert 1 <= scaled[2] <= scaled[0] <= 2.5
    assert torch.equal(policy.Scale((2.0, 3.0))(torch.ones(1, 2)), torch.tensor([[2.0, 3.0]]))
