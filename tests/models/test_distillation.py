import pytest
import torch
from torch import nn

from course_lib.models.distillation import distillation_loss


def logits(seed, n=6, k=5):
    return 3 * torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_it_is_the_formula(temperature, weight):
    student, teacher, labels = logits(0), logits(1), torch.tensor([0, 1, 2, 3, 4, 0])
    p, q = (teacher / temperature).softmax(1), (student / temperature).softmax(1)
    divergence = (p * (p.log() - q.log())).sum(1).mean()
    hard = -student.log_softmax(1)[torch.arange(6), labels].mean()
    expected = weight * temperature**2 * divergence + (1 - weight) * hard
    got = distillation_loss(student, teacher, labels, temperature=temperature, weight=weight)
    torch.testing.assert_close(got, expected)


def test_at_temperature_1_its_slope_is_that_of_cross_entropy_on_soft_targets():
    student, teacher = logits(0).requires_grad_(), logits(1)
    (slope,) = torch.autograd.grad(distillation_loss(student, teacher, temperature=1.0), student)
    soft = nn.functional.cross_entropy(student, teacher.softmax(1))
    torch.testing.assert_close(slope, torch.autograd.grad(soft, student)[0])


def test_the_slope_keeps_its_size_as_the_temperature_grows():
    student, teacher = logits(0).requires_grad_(), logits(1)
    sizes = []
    for temperature in (50.0, 500.0):
        loss = distillation_loss(student, teacher, temperature=temperature)
        sizes.append(torch.autograd.grad(loss, student)[0].norm())
    assert sizes[1] / sizes[0] == pytest.approx(1.0, abs=0.02)
    # The limit: half the squared distance of centered logits, over the classes.
    centered = [z - z.mean(1, keepdim=True) for z in (student.detach(), teacher)]
    limit = (centered[0] - centered[1]).square().sum(1).mean() / 2 / student.shape[1]
    assert loss.item() == pytest.approx(limit.item(), rel=0.02)


def test_no_gradient_reaches_the_teacher():
    student, teacher = logits(0).requires_grad_(), logits(1).requires_grad_()
    distillation_loss(student, teacher).backward()
    assert teacher.grad is None and student.grad.abs().sum() > 0


def test_logits_far_apart_stay_finite():
    z = torch.tensor([[1e4, 0.0, -1e4]])
    assert torch.isfinite(distillation_loss(z, z.flip(1), temperature=2.0))


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.0}, {"weight": 1.5}, {"weight": -0.1}, {"weight": 0.5}]
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="temperature|weight"):
        distillation_loss(logits(0), logits(1), **wrong)
