"""Contrastive learning: views keep the image, the losses agree with their definitions."""

import math

import pytest
import torch
from torch.nn import functional

from course_lib.models.contrastive import (
    ContrastiveNet,
    effective_rank,
    info_nce,
    random_views,
    vicreg,
)


def embeddings(n=6, d=4, seed=0):
    return torch.randn(2, n, d, generator=torch.Generator().manual_seed(seed))


def test_a_view_is_the_image_somewhere_on_the_sheet():
    images = torch.rand(40, 3, 4, generator=torch.Generator().manual_seed(1))
    views = random_views(images, torch.Generator().manual_seed(0), size=6, noise=0)
    assert views.shape == (40, 6, 6)
    places = set()
    for image, view in zip(images, views, strict=True):
        found = [
            (r, c)
            for r in range(4)
            for c in range(3)
            if torch.equal(view[r : r + 3, c : c + 4], image)
        ]
        assert len(found) == 1
        assert view.count_nonzero() == 12
        places.add(found[0])
    # All twelve places occur among forty images, or nearly.
    assert len(places) > 9


def test_noise_has_the_size_that_was_asked_for_and_is_everywhere():
    views = random_views(torch.zeros(500, 2, 2), torch.Generator().manual_seed(0), noise=0.3)
    assert abs(views.std().item() - 0.3) < 0.01
    assert torch.allclose(views.std(dim=0), torch.tensor(0.3), atol=0.05)


def test_the_same_generator_gives_the_same_views_and_the_images_stay():
    images = torch.ones(5, 8, 8)
    first = random_views(images, torch.Generator().manual_seed(3))
    again = random_views(images, torch.Generator().manual_seed(3))
    assert torch.equal(first, again)
    assert torch.equal(images, torch.ones(5, 8, 8))
    generator = torch.Generator().manual_seed(3)
    one, other = random_views(images, generator), random_views(images, generator)
    assert not torch.equal(one, other)


def test_an_image_larger_than_the_sheet_is_refused():
    with pytest.raises(ValueError, match="8 by 12 pixels do not fit on a sheet of 10 by 10"):
        random_views(torch.zeros(2, 8, 12), torch.Generator())


def test_the_network_projects_what_its_encoder_says():
    model = ContrastiveNet(100, hidden_size=16, feature_size=8, embedding_size=4)
    x = torch.rand(3, 10, 10)
    features = model.encoder(x)
    assert features.shape == (3, 8)
    assert (features >= 0).all()
    assert torch.equal(model(x), model.projection(features))
    assert model(x).shape == (3, 4)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_info_nce_is_its_definition_view_by_view(temperature):
    z_a, z_b = embeddings()
    z = [*z_a, *z_b]
    losses = []
    for i, view in enumerate(z):
        partner = (i + 6) % 12
        score = [
            math.exp(functional.cosine_similarity(view, other, dim=0).item() / temperature)
            for other in z
        ]
        others = sum(score) - score[i]
        losses.append(-math.log(score[partner] / others))
    assert info_nce(z_a, z_b, temperature).item() == pytest.approx(sum(losses) / 12, rel=1e-5)


def test_info_nce_is_cross_entropy_over_the_other_views():
    z_a, z_b = embeddings(seed=1)
    z = functional.normalize(torch.cat([z_a, z_b]), dim=1)
    cosines = z @ z.T / 0.5
    rows = [torch.cat([cosines[i, :i], cosines[i, i + 1 :]]) for i in range(12)]
    # Without column i, the partner i + 6 of an early row stands one place earlier.
    targets = torch.tensor([i + 5 for i in range(6)] + list(range(6)))
    wanted = functional.cross_entropy(torch.stack(rows), targets)
    assert torch.allclose(info_nce(z_a, z_b), wanted)


def test_info_nce_knows_only_directions_and_does_not_mind_which_view_is_first():
    z_a, z_b = embeddings(seed=2)
    loss = info_nce(z_a, z_b)
    lengths = torch.rand(6, 1, generator=torch.Generator().manual_seed(0)) + 0.5
    assert torch.allclose(info_nce(z_a * lengths, 7 * z_b), loss)
    assert torch.allclose(info_nce(z_b, z_a), loss)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    assert torch.allclose(info_nce(z_a[order], z_b[order]), loss)
    assert not torch.allclose(info_nce(z_a[order], z_b), loss)


def test_info_nce_of_equal_embeddings_is_a_guess():
    z = torch.ones(6, 4)
    assert info_nce(z, z).item() == pytest.approx(math.log(11), rel=1e-6)


@pytest.mark.parametrize(
    "shapes", [((4, 3), (5, 3)), ((4, 3), (4, 2)), ((1, 3), (1, 3)), ((3,), (3,))]
)
def test_info_nce_refuses_what_has_no_partners_or_no_negatives(shapes):
    with pytest.raises(ValueError, match="two or more images"):
        info_nce(torch.ones(shapes[0]), torch.ones(shapes[1]))


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_info_nce_refuses_a_temperature_that_is_not_positive(temperature):
    with pytest.raises(ValueError, match="temperature"):
        info_nce(torch.eye(3), torch.eye(3), temperature)


def test_vicreg_is_its_three_requests():
    z_a, z_b = embeddings(n=8, d=3, seed=3)
    agree = ((z_a - z_b) ** 2).sum() / 24
    vary = different = 0.0
    for z in (z_a, z_b):
        centered = z - z.mean(dim=0)
        table = centered.T @ centered / 7
        vary += sum(max(0.0, 1 - math.sqrt(table[j, j] + 1e-4)) for j in range(3)) / 3 / 2
        different += sum(table[i, j] ** 2 for i in range(3) for j in range(3) if i != j) / 3
    assert vicreg(z_a, z_b, vary=0, decorrelate=0).item() == pytest.approx(agree.item(), rel=1e-5)
    got = vicreg(z_a, z_b, vary=3.0, decorrelate=0.5).item()
    assert got == pytest.approx((agree + 3 * vary + 0.5 * different).item(), rel=1e-5)


def test_vicreg_has_a_slope_where_everything_has_collapsed():
    z = torch.zeros(5, 3) + 1e-4 * torch.arange(15.0).reshape(5, 3)
    z.requires_grad_()
    vicreg(z, z).backward()
    assert z.grad.isfinite().all()
    assert z.grad.abs().max() > 0


def test_effective_rank_counts_directions_of_equal_spread():
    axes = torch.cat([torch.eye(5)[:3], -torch.eye(5)[:3]])
    assert effective_rank(axes) == pytest.approx(3.0, rel=1e-9)
    assert effective_rank(100 + 0.01 * axes) == pytest.approx(3.0, rel=1e-3)
    line = torch.arange(4.0)[:, None] * torch.tensor([[1.0, 2.0]])
    assert effective_rank(line) == pytest.approx(1.0, abs=1e-6)
    uneven = axes * torch.tensor([3.0, 1.0, 1.0, 1.0, 1.0])
    shares = [9 / 11, 1 / 11, 1 / 11]
    entropy = -sum(p * math.log(p) for p in shares)
    assert effective_rank(uneven) == pytest.approx(math.exp(entropy), rel=1e-6)


def test_effective_rank_of_one_point_is_zero():
    assert effective_rank(torch.ones(5, 3)) == 0.0
