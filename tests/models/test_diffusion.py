"""Diffusion: schedules, steps back, guidance and flow matching, against closed forms."""

import math

import pytest
import torch

from course_lib.models import diffusion
from course_lib.models.diffusion import Denoiser, Schedule


def exact(schedule, mean, spread):
    """Return the best prediction of the noise for samples from one normal distribution."""

    def model(x, time):
        kept = schedule.alpha_bar[(time * schedule.steps).round().long()][:, None]
        variance = kept * spread**2 + 1 - kept
        return (1 - kept).sqrt() * (x - kept.sqrt() * mean) / variance

    return model


def test_a_schedule_is_the_product_of_its_steps():
    schedule = Schedule(50)
    assert schedule.alpha_bar[0] == 1 and schedule.beta[0] == 0
    assert torch.allclose(schedule.alpha_bar, torch.cumprod(1 - schedule.beta, 0), atol=1e-5)
    assert torch.all(schedule.alpha_bar[1:] < schedule.alpha_bar[:-1])
    assert schedule.alpha_bar[-1].item() == pytest.approx(math.cos(0.97 * math.pi / 2) ** 2)


@pytest.mark.parametrize(("steps", "end"), [(0, 0.9), (10, 1.0), (10, 0.0)])
def test_a_schedule_that_cannot_be_is_refused(steps, end):
    with pytest.raises(ValueError, match="end between 0 and 1"):
        Schedule(steps, end)


def test_the_closed_form_is_the_chain_of_steps():
    torch.manual_seed(0)
    schedule = Schedule(20)
    x = torch.full((100_000, 1), 2.0)
    for beta in schedule.beta[1:]:
        x = (1 - beta).sqrt() * x + beta.sqrt() * torch.randn_like(x)
    t = torch.full((100_000,), 20)
    jumped = schedule.noised(torch.full((100_000, 1), 2.0), t, torch.randn(100_000, 1))
    for one in (x, jumped):
        kept = schedule.alpha_bar[20]
        assert abs(one.mean() - 2 * kept.sqrt()) < 0.01 and abs(one.var() - (1 - kept)) < 0.01


def test_each_sample_is_noised_to_its_own_step():
    schedule = Schedule(10)
    x = schedule.noised(torch.ones(3, 2), torch.tensor([0, 5, 10]), torch.zeros(3, 2))
    assert torch.allclose(x[:, 0] ** 2, schedule.alpha_bar[[0, 5, 10]]) and x[0, 0] == 1


def test_waves_tell_times_apart():
    known = diffusion.waves(torch.linspace(0, 1, 101))
    assert known.shape == (101, 32)
    assert torch.pdist(known).min() > 0.1


def test_a_denoiser_needs_the_time_and_takes_labels_one_by_one():
    torch.manual_seed(0)
    model = Denoiser(3, num_classes=4)
    x, early, late = torch.randn(6, 3), torch.zeros(6), torch.ones(6)
    assert not torch.allclose(model(x, early), model(x, late))
    nothing = torch.full((6,), 4)
    assert torch.equal(model(x, early), model(x, early, nothing))
    some = torch.tensor([0, 1, 4, 4, 3, 2])
    given = model(x, early, some)
    assert torch.allclose(given[2:4], model(x, early)[2:4], atol=1e-6)
    assert not torch.allclose(given[0], model(x, early)[0])
    with pytest.raises(ValueError, match="num_classes"):
        Denoiser(3)(x, early, some)


def test_the_loss_is_one_for_a_model_that_says_nothing_and_least_for_the_best():
    schedule = Schedule(30)
    draw = torch.Generator().manual_seed(0)
    x0 = 1 + 0.5 * torch.randn(20_000, 2, generator=draw)
    nothing = diffusion.noise_loss(lambda x, time: torch.zeros_like(x), schedule, x0, draw)
    best = diffusion.noise_loss(exact(schedule, 1.0, 0.5), schedule, x0, draw)
    # What cannot be known: the share of the noise's variance that x_t leaves open, over all steps.
    kept = schedule.alpha_bar[1:]
    open_ = (0.25 * kept / (0.25 * kept + 1 - kept)).mean()
    assert abs(nothing - 1) < 0.02 and abs(best - open_) < 0.02


def test_steps_back_undo_the_noise_when_the_noise_is_known():
    schedule = Schedule(10)
    a = schedule.alpha_bar
    x0, noise = torch.randn(5, 2), torch.randn(5, 2)
    x = schedule.noised(x0, torch.full((5,), 7), noise)
    back = diffusion.ddim_step(x, noise, a[7], a[3])
    assert torch.allclose(back, schedule.noised(x0, torch.full((5,), 3), noise), atol=1e-5)
    assert torch.allclose(diffusion.ddim_step(x, noise, a[7], a[0]), x0, atol=1e-5)
    again = diffusion.ddpm_step(x, noise, a[7], a[0], torch.full((5, 2), 1e6))
    assert torch.allclose(again, x0, atol=1e-4)


def test_a_ddpm_step_is_bayes_rule_on_two_normals():
    schedule = Schedule(10)
    now, to = schedule.alpha_bar[6], schedule.alpha_bar[5]
    x0, x = torch.tensor([[0.7]]), torch.tensor([[-0.4]])
    predicted = (x - now.sqrt() * x0) / (1 - now).sqrt()
    # x_5 is around sqrt(to) x0 with variance 1 - to; x_6 is around sqrt(now / to) x_5.
    a, beta = (now / to).sqrt(), 1 - now / to
    precision = 1 / (1 - to) + a**2 / beta
    mean = (to.sqrt() * x0 / (1 - to) + a * x / beta) / precision
    zero, one = torch.zeros(1, 1), torch.ones(1, 1)
    assert torch.allclose(diffusion.ddpm_step(x, predicted, now, to, zero), mean, atol=1e-5)
    spread = diffusion.ddpm_step(x, predicted, now, to, one) - mean
    assert torch.allclose(spread, precision.rsqrt().reshape(1, 1), atol=1e-5)


@pytest.mark.parametrize("new_noise", [True, False])
@pytest.mark.parametrize("steps", [None, 40])
def test_with_the_best_prediction_samples_have_the_right_distribution(new_noise, steps):
    schedule = Schedule(100)
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(20_000, 1, generator=draw)
    model = exact(schedule, 1.5, 0.3)
    generator = draw if new_noise else None
    drawn = diffusion.sample(model, schedule, x, steps, generator=generator)
    assert abs(drawn.mean() - 1.5) < 0.04 and abs(drawn.std() - 0.3) < 0.05


def test_sampling_says_where_it_is_and_takes_the_steps_it_is_told():
    schedule = Schedule(10)
    seen = []
    diffusion.sample(
        lambda x, time: torch.zeros_like(x),
        schedule,
        torch.ones(2, 2),
        4,
        watch=lambda t, x: seen.append(t),
    )
    assert seen == [8, 5, 2, 0]
    for steps in (0, 11):
        with pytest.raises(ValueError, match="from 1 to 10"):
            diffusion.sample(None, schedule, torch.ones(2, 2), steps)


def test_guidance_goes_from_no_label_through_the_label_and_beyond():
    torch.manual_seed(0)
    model = Denoiser(2, num_classes=3)
    x, time, labels = torch.randn(4, 2), torch.rand(4), torch.tensor([0, 1, 2, 0])
    without, with_ = model(x, time), model(x, time, labels)
    for weight, wanted in ((0.0, without), (1.0, with_), (3.0, 3 * with_ - 2 * without)):
        got = diffusion.guided(model, labels, weight)(x, time)
        assert torch.allclose(got, wanted, atol=1e-5)


def test_flow_matching_learns_the_line_and_follows_it():
    # With all samples at 2, the velocity is known: noise is (x - (1 - time) 2) / time.
    def model(x, time):
        return (x - 2) / time[:, None]

    draw = torch.Generator().manual_seed(0)
    assert diffusion.flow_loss(model, torch.full((100, 1), 2.0), draw) < 1e-6
    x = torch.randn(50, 1, generator=draw)
    assert torch.allclose(diffusion.flow_sample(model, x, 1), torch.full((50, 1), 2.0), atol=1e-5)
    assert torch.allclose(diffusion.flow_sample(model, x, 7), torch.full((50, 1), 2.0), atol=1e-5)
    with pytest.raises(ValueError, match="at least 1"):
        diffusion.flow_sample(model, x, 0)
