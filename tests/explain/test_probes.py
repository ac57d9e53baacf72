"""Linear probes of activations, against scikit-learn and made features."""

import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from course_lib.explain.probes import activations, linear_probe, project_out


def test_activations_are_what_the_layer_returns_in_evaluation_mode():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(0.5), nn.ReLU(), nn.Flatten())
    x = torch.randn(3, 1, 5, 5)
    found = activations(model, x, model[2])
    assert found.shape == (3, 18)
    assert torch.equal(found, torch.relu(model[0](x)).flatten(1))
    assert not found.requires_grad
    assert model.training
    assert not model[2]._forward_hooks


def test_a_probe_is_the_logistic_regression_of_standardized_features():
    torch.manual_seed(1)
    features = torch.randn(300, 4) * torch.tensor([1.0, 10.0, 0.1, 1.0]) + 5
    features[:, 3] = 2.0  # a unit that never changes
    labels = (features[:, 0] - 5 + (features[:, 1] - 5) / 10 + 0.5 * torch.randn(300) > 0).long()
    probe = linear_probe(features, labels, classes=2, weight_decay=0.02, steps=200)
    standard = (features - features.mean(0)) / features.std(0).clamp(min=1e-8)
    # Two columns of logits share the penalty: the difference of the two has half of it.
    C = 1 / (300 * 0.02 / 2)
    theirs = LogisticRegression(C=C, tol=1e-8).fit(standard[:, :3], labels)
    ours = (probe(features)[:, 1] - probe(features)[:, 0]).numpy()
    assert abs(ours - theirs.decision_function(standard[:, :3])).max() < 0.02
    with torch.no_grad():
        again = linear_probe(features, labels, classes=2, weight_decay=0.02, steps=200)
    assert torch.equal(again.weight, probe.weight)


def test_a_probe_finds_what_is_there_and_nothing_in_noise():
    torch.manual_seed(2)
    train, test = torch.randn(2, 400, 5).unbind()
    known = linear_probe(train, (train[:, 2] > 0).long(), classes=2)
    assert (known(test).argmax(1) == (test[:, 2] > 0)).float().mean() > 0.95
    noise = linear_probe(train, torch.randint(2, (400,)), classes=2)
    assert (noise(test).argmax(1) == torch.randint(2, (400,))).float().mean() < 0.6


def test_what_is_projected_out_is_gone_and_the_rest_stays():
    torch.manual_seed(3)
    features, directions = torch.randn(20, 6), torch.randn(2, 6)
    left = project_out(features, directions)
    assert (left @ directions.T).abs().max() < 1e-5
    assert torch.allclose(project_out(left, directions), left, atol=1e-5)
    gone = features - left
    assert torch.linalg.matrix_rank(torch.cat([gone, directions])) == 2
