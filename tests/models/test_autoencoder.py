"""The autoencoder: its shapes, what its code holds back, and what it finds when it is linear."""

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.models.autoencoder import Autoencoder


def made_samples(n=200, seed=0):
    """Samples in six dimensions that vary in two directions and hardly in the others."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    spread = np.array([3.0, 2.0, 0.1, 0.1, 0.1, 0.1])
    return torch.tensor(rng.normal(size=(n, 6)) * spread @ axes.T + 5), axes[:, :2]


@pytest.mark.parametrize("hidden_size", [None, 7])
def test_a_code_is_short_and_an_output_is_like_the_input(hidden_size):
    model = Autoencoder(6, 2, hidden_size)
    samples = torch.rand(4, 6)
    codes = model.encoder(samples)
    assert codes.shape == (4, 2)
    assert torch.equal(model(samples), model.decoder(codes))
    assert model(samples).shape == (4, 6)
    # Codes and outputs have no bounds.
    assert (model.encoder(100 * torch.randn(50, 6)) < 0).any()
    assert (model.decoder(100 * torch.randn(50, 2)) < 0).any()


def test_without_hidden_layers_it_is_linear_and_with_them_it_is_not():
    torch.manual_seed(0)
    a, b = torch.randn(2, 5, 6)
    linear, bent = Autoencoder(6, 2), Autoencoder(6, 2, hidden_size=16)
    middle = (a + b) / 2
    assert torch.allclose(linear(middle), (linear(a) + linear(b)) / 2, atol=1e-6)
    assert not torch.allclose(bent(middle), (bent(a) + bent(b)) / 2, atol=1e-3)


def test_it_has_the_layers_that_it_says():
    sizes = [tuple(p.shape) for p in Autoencoder(6, 2, hidden_size=16).parameters() if p.ndim == 2]
    assert sizes == [(16, 6), (2, 16), (16, 2), (6, 16)]
    assert len(list(Autoencoder(6, 2).parameters())) == 4


def test_trained_without_hidden_layers_it_finds_the_plane_of_most_variance():
    samples, plane = made_samples()
    torch.manual_seed(0)
    model = Autoencoder(6, 2).double()
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=500, line_search_fn="strong_wolfe", tolerance_change=1e-14
    )

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(samples), samples)
        loss.backward()
        return loss

    optimizer.step(closure)
    found = np.linalg.qr(model.decoder.weight.detach().numpy())[0]
    # The sine of the largest angle between two planes: what one leaves of the other.
    assert np.linalg.norm(plane - found @ (found.T @ plane), ord=2) < 0.02


@pytest.mark.parametrize("sizes", [(0, 2, 3), (6, 0, 3), (6, 2, 0), (6, -1, None)])
def test_a_size_that_makes_no_sense_is_refused(sizes):
    with pytest.raises(ValueError, match=f"code_size={sizes[1]}"):
        Autoencoder(*sizes)
