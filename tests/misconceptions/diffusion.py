"""Wrong and unusual answers to the exercise `diffusion`."""

import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {}

# What is left -------------------------------------------------------------------------------------


@wrong(loses=["test-alpha_bars", "test-alpha_bars-hidden"], says="a running product")
def beta_for_alpha_bar():
    """What a single step keeps, instead of all steps up to it."""

    def alpha_bars(betas):
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("betas")
        return torch.cat([torch.ones_like(betas[:1]), 1 - betas])


@wrong(loses=["test-alpha_bars", "test-alpha_bars-hidden"], says="expected  shape (4,)")
def no_step_zero():
    """T entries: every index is off by one."""

    def alpha_bars(betas):
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("betas")
        return torch.cumprod(1 - betas, dim=0)


@wrong(loses=["test-alpha_bars", "test-alpha_bars-hidden"], says="a running product")
def a_running_sum():
    """1 minus the sum of the betas: right for tiny ones."""

    def alpha_bars(betas):
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("betas")
        return torch.cat([torch.ones_like(betas[:1]), 1 - torch.cumsum(betas, dim=0)])


@wrong(loses=["test-alpha_bars", "test-alpha_bars-hidden"], says="a running product")
def roots_of_the_product():
    """The factor of the sample, not its share of the variance."""

    def alpha_bars(betas):
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("betas")
        return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(1 - betas, dim=0).sqrt()])


@wrong(loses=["test-alpha_bars-hidden"], says="expected ValueError to be raised")
def refuses_nothing():
    """A beta of 1 or beyond passes."""

    def alpha_bars(betas):
        return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(1 - betas, dim=0)])


@wrong(loses=["test-alpha_bars-hidden"], says="expected ValueError to be raised")
def refuses_too_little():
    """A beta of exactly 0 or 1 passes."""

    def alpha_bars(betas):
        if bool(((betas < 0) | (betas > 1)).any()):
            raise ValueError("betas")
        return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(1 - betas, dim=0)])


@wrong(loses=["test-alpha_bars-hidden"], says="in the dtype of betas")
def always_in_32_bits():
    """torch.ones(1) and float() lose the precision that came in."""

    def alpha_bars(betas):
        betas = betas.float()
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("betas")
        return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(1 - betas, dim=0)])


@wrong(loses=["test-alpha_bars", "test-alpha_bars-hidden"], says="you changed betas")
def in_place():
    """1 - beta is written into the caller's tensor."""

    def alpha_bars(betas):
        if not bool(((betas > 0) & (betas < 1)).all()):
            raise ValueError("betas")
        betas.neg_().add_(1)
        return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(betas, dim=0)])


# Spoil a batch ------------------------------------------------------------------------------------


@wrong(loses=["test-noised", "test-noised-hidden"], says="The factors are roots")
def no_roots():
    """Factors that add up to 1, where their squares should."""

    def noised(x0, t, noise, alpha_bar):
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        return kept * x0 + (1 - kept) * noise


@wrong(loses=["test-noised", "test-noised-hidden"], says="The factors are roots")
def noise_not_scaled_by_the_root():
    """The sample has its root, the noise has none."""

    def noised(x0, t, noise, alpha_bar):
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        return kept.sqrt() * x0 + (1 - kept) * noise


@wrong(loses=["test-noised", "test-noised-hidden"], says="The factors are roots")
def one_minus_the_root():
    """1 - sqrt(alpha_bar) for sqrt(1 - alpha_bar)."""

    def noised(x0, t, noise, alpha_bar):
        root = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1)).sqrt()
        return root * x0 + (1 - root) * noise


@wrong(loses=["test-noised-hidden"], says="noised(")
def one_step_for_all():
    """The step of the first sample."""

    def noised(x0, t, noise, alpha_bar):
        kept = alpha_bar[t[0]]
        return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


@wrong(loses=["test-noised-hidden"], says="noised(")
def factors_along_the_last_axis():
    """(n,) against (n, d): an error, or worse, none where n is d."""

    def noised(x0, t, noise, alpha_bar):
        kept = alpha_bar[t]
        return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


@wrong(loses=["test-noised-hidden"], says="noised(")
def points_only():
    """[:, None] suits points, and no pictures."""

    def noised(x0, t, noise, alpha_bar):
        kept = alpha_bar[t][:, None]
        return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


@wrong(loses=["test-noised", "test-noised-hidden"], says="you changed x0")
def noised_in_place():
    """The clean samples are spoiled as well."""

    def noised(x0, t, noise, alpha_bar):
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        return x0.mul_(kept.sqrt()).add_((1 - kept).sqrt() * noise)


@wrong(loses=["test-noised", "test-noised-hidden"], says="The factors are roots")
def one_step_early():
    """alpha_bar[t - 1], as in codes without an entry for step 0."""

    def noised(x0, t, noise, alpha_bar):
        kept = alpha_bar[t - 1].reshape(-1, *[1] * (x0.ndim - 1))
        return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


# Three ways ---------------------------------------------------------------------------------------


@wrong(loses=["test-to_noise", "test-to_noise-hidden"], says="solve for the noise")
def velocity_with_the_sign_turned():
    """sqrt(1 - kept) x - sqrt(kept) v."""

    def to_noise(predicted, x, kept, kind):
        kept = kept.reshape(-1, *[1] * (x.ndim - 1))
        if kind == "noise":
            return predicted
        if kind == "sample":
            return (x - kept.sqrt() * predicted) / (1 - kept).sqrt()
        if kind == "velocity":
            return (1 - kept).sqrt() * x - kept.sqrt() * predicted
        raise ValueError(kind)


@wrong(loses=["test-to_noise", "test-to_noise-hidden"], says="solve for the noise")
def velocity_of_flow_matching():
    """noise = v + x_0, as for the straight line."""

    def to_noise(predicted, x, kept, kind):
        kept = kept.reshape(-1, *[1] * (x.ndim - 1))
        if kind == "noise":
            return predicted
        if kind == "sample":
            return (x - kept.sqrt() * predicted) / (1 - kept).sqrt()
        if kind == "velocity":
            return x + (1 - kept) * predicted
        raise ValueError(kind)


@wrong(loses=["test-to_noise", "test-to_noise-hidden"], says="solve for the noise")
def sample_without_the_division():
    """x - sqrt(kept) x_0 is the scaled noise."""

    def to_noise(predicted, x, kept, kind):
        kept = kept.reshape(-1, *[1] * (x.ndim - 1))
        if kind == "noise":
            return predicted
        if kind == "sample":
            return x - kept.sqrt() * predicted
        if kind == "velocity":
            return (1 - kept).sqrt() * x + kept.sqrt() * predicted
        raise ValueError(kind)


@wrong(loses=["test-to_noise-hidden"], says="to_noise(")
def kept_of_points_only():
    """[:, None] again."""

    def to_noise(predicted, x, kept, kind):
        kept = kept[:, None]
        if kind == "noise":
            return predicted
        if kind == "sample":
            return (x - kept.sqrt() * predicted) / (1 - kept).sqrt()
        if kind == "velocity":
            return (1 - kept).sqrt() * x + kept.sqrt() * predicted
        raise ValueError(kind)


@wrong(loses=["test-to_noise-hidden"], says="expected ValueError to be raised")
def anything_else_is_velocity():
    """A typing error passes."""

    def to_noise(predicted, x, kept, kind):
        kept = kept.reshape(-1, *[1] * (x.ndim - 1))
        if kind == "noise":
            return predicted
        if kind == "sample":
            return (x - kept.sqrt() * predicted) / (1 - kept).sqrt()
        return (1 - kept).sqrt() * x + kept.sqrt() * predicted


# The loss -----------------------------------------------------------------------------------------


@wrong(loses=["test-training_loss-hidden"], says="The model is given t / T, not t")
def time_not_scaled():
    """t itself goes to the model."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.randn_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), t.float()), target)


@wrong(loses=["test-training_loss-hidden"], says="That the times are t / T")
def time_not_given():
    """The network is told the same time always."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.randn_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        time = torch.zeros(len(x0), device=x0.device)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), target)


@wrong(loses=["test-training_loss-hidden"], says="noise of its own")
def the_same_noise_for_every_sample():
    """One draw, spread over the batch."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.randn_like(x0[:1]).expand_as(x0)
        noise = (noise - noise.mean()) / noise.std()
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        time = t / (len(alpha_bar) - 1)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), target)


@wrong(loses=["test-training_loss-hidden"], says="Each sample draws its own step")
def one_step_for_the_batch():
    """A single t."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (1,), device=x0.device).repeat(len(x0))
        noise = torch.randn_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        time = t / (len(alpha_bar) - 1)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), target)


@wrong(loses=["test-training_loss", "test-training_loss-hidden"], says="loss")
def the_last_step_never_comes():
    """randint excludes its upper end."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar) - 1, (len(x0),), device=x0.device)
        noise = torch.randn_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        time = t / (len(alpha_bar) - 1)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), target)


@wrong(loses=["test-training_loss-hidden"], says="with t from 1 to T")
def step_zero_comes_too():
    """At step 0 there is nothing to guess."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(0, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.randn_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        time = t / (len(alpha_bar) - 1)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), target)


@wrong(loses=["test-training_loss", "test-training_loss-hidden"], says="standard normal noise")
def uniform_noise():
    """rand for randn."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.rand_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        time = t / (len(alpha_bar) - 1)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), target)


@wrong(loses=["test-training_loss-hidden"], says="against the target that kind names")
def kind_ignored():
    """The noise, whatever is asked."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.randn_like(x0)
        time = t / (len(alpha_bar) - 1)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), noise)


@wrong(loses=["test-training_loss", "test-training_loss-hidden"], says="a mean of squares over all")
def sum_over_a_sample():
    """Twice as large for points, and 64 times for digits."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.randn_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * noise - (1 - kept).sqrt() * x0
        )
        error = model(noised(x0, t, noise, alpha_bar), t / (len(alpha_bar) - 1)) - target
        return error.flatten(1).square().sum(dim=1).mean()


@wrong(loses=["test-training_loss-hidden"], says="against the target that kind names")
def velocity_turned_around():
    """Sample minus noise: the other direction of the arc."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        t = torch.randint(1, len(alpha_bar), (len(x0),), device=x0.device)
        noise = torch.randn_like(x0)
        kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
        target = {"noise": noise, "sample": x0}.get(
            kind, kept.sqrt() * x0 - (1 - kept).sqrt() * noise
        )
        time = t / (len(alpha_bar) - 1)
        return nn.functional.mse_loss(model(noised(x0, t, noise, alpha_bar), time), target)


# A step back --------------------------------------------------------------------------------------


@wrong(loses=["test-step_back-hidden"], says="DDPM's step")
def eta_ignored():
    """Always DDIM."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[s]
        x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        return to.sqrt() * x0 + (1 - to).sqrt() * predicted


@wrong(loses=["test-step_back-hidden"], says="no room for noise")
def sigma_at_the_last_step():
    """beta_t as the variance: not 0 on the way to the sample."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[s]
        x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        new = eta**2 * ((1 - to) / (1 - now) if s else torch.ones_like(now)) * (1 - now / to)
        result = to.sqrt() * x0 + (1 - to - new).clamp(min=0).sqrt() * predicted
        return result if noise is None else result + new.sqrt() * noise


@wrong(loses=["test-step_back-hidden"], says="DDPM's step")
def new_noise_on_top():
    """New noise is added, and none of the old is left out."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[s]
        x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        new = eta**2 * (1 - to) / (1 - now) * (1 - now / to)
        result = to.sqrt() * x0 + (1 - to).sqrt() * predicted
        return result if noise is None else result + new.sqrt() * noise


@wrong(loses=["test-step_back-hidden"], says="eta is squared")
def eta_not_squared():
    """Right for 0 and 1."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[s]
        x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        new = eta * (1 - to) / (1 - now) * (1 - now / to)
        result = to.sqrt() * x0 + (1 - to - new).clamp(min=0).sqrt() * predicted
        return result if noise is None else result + new.sqrt() * noise


@wrong(loses=["test-step_back-hidden"], says="any s below t")
def single_steps_only():
    """t - 1, whatever s is."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[t - 1]
        x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        new = eta**2 * (1 - to) / (1 - now) * (1 - now / to)
        result = to.sqrt() * x0 + (1 - to - new).clamp(min=0).sqrt() * predicted
        return result if noise is None else result + new.sqrt() * noise


@wrong(loses=["test-step_back", "test-step_back-hidden"], says="Mix it again")
def subtracts_all_the_noise():
    """x_0 at once."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now = alpha_bar[t]
        return (x - (1 - now).sqrt() * predicted) / now.sqrt()


@wrong(loses=["test-step_back-hidden"], says="DDPM's step")
def variance_for_its_root():
    """The noise is multiplied by its variance."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[s]
        x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        new = eta**2 * (1 - to) / (1 - now) * (1 - now / to)
        result = to.sqrt() * x0 + (1 - to - new).clamp(min=0).sqrt() * predicted
        return result if noise is None else result + new * noise


@wrong(loses=["test-step_back", "test-step_back-hidden"], says="you changed x")
def steps_in_place():
    """x is overwritten."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[s]
        x.sub_((1 - now).sqrt() * predicted).div_(now.sqrt())
        new = eta**2 * (1 - to) / (1 - now) * (1 - now / to)
        result = to.sqrt() * x + (1 - to - new).clamp(min=0).sqrt() * predicted
        return result if noise is None else result + new.sqrt() * noise


@wrong(loses=["test-step_back", "test-step_back-hidden"], says="step_back(")
def needs_the_noise():
    """noise may be left out."""

    def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = alpha_bar[t], alpha_bar[s]
        x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
        new = eta**2 * (1 - to) / (1 - now) * (1 - now / to)
        return to.sqrt() * x0 + (1 - to - new).clamp(min=0).sqrt() * predicted + new.sqrt() * noise


# Guidance -----------------------------------------------------------------------------------------


@wrong(loses=["test-guided_noise", "test-guided_noise-hidden"], says="Start at the guess without")
def guidance_with_the_sign_turned():
    """Away from what was asked."""

    def guided_noise(model, x, time, labels, weight, nothing):
        both = model(
            torch.cat([x, x]),
            torch.cat([time, time]),
            torch.cat([labels, torch.full_like(labels, nothing)]),
        )
        asked, free = both.chunk(2)
        if isinstance(weight, torch.Tensor):
            weight = weight.reshape(-1, *[1] * (x.ndim - 1))
        return free - weight * (asked - free)


@wrong(loses=["test-guided_noise", "test-guided_noise-hidden"], says="Start at the guess without")
def weight_of_the_paper():
    """Counted from the label on: weight 0 is the label already."""

    def guided_noise(model, x, time, labels, weight, nothing):
        both = model(
            torch.cat([x, x]),
            torch.cat([time, time]),
            torch.cat([labels, torch.full_like(labels, nothing)]),
        )
        asked, free = both.chunk(2)
        if isinstance(weight, torch.Tensor):
            weight = weight.reshape(-1, *[1] * (x.ndim - 1))
        return asked + weight * (asked - free)


@wrong(loses=["test-guided_noise-hidden"], says="call once")
def two_passes():
    """Right numbers, twice the calls."""

    def guided_noise(model, x, time, labels, weight, nothing):
        free = model(x, time, torch.full_like(labels, nothing))
        asked = model(x, time, labels)
        if isinstance(weight, torch.Tensor):
            weight = weight.reshape(-1, *[1] * (x.ndim - 1))
        return free + weight * (asked - free)


@wrong(loses=["test-guided_noise-hidden"], says="guided_noise")
def weights_of_points_only():
    """weight[:, None] fails for pictures."""

    def guided_noise(model, x, time, labels, weight, nothing):
        both = model(
            torch.cat([x, x]),
            torch.cat([time, time]),
            torch.cat([labels, torch.full_like(labels, nothing)]),
        )
        asked, free = both.chunk(2)
        if isinstance(weight, torch.Tensor):
            weight = weight[:, None]
        return free + weight * (asked - free)


@wrong(loses=["test-guided_noise", "test-guided_noise-hidden"], says="Start at the guess without")
def nothing_is_the_label_zero():
    """The argument is ignored."""

    def guided_noise(model, x, time, labels, weight, nothing):
        both = model(
            torch.cat([x, x]),
            torch.cat([time, time]),
            torch.cat([labels, torch.zeros_like(labels)]),
        )
        asked, free = both.chunk(2)
        if isinstance(weight, torch.Tensor):
            weight = weight.reshape(-1, *[1] * (x.ndim - 1))
        return free + weight * (asked - free)


@wrong(loses=["test-guided_noise", "test-guided_noise-hidden"], says="Start at the guess without")
def halves_swapped():
    """What was asked is taken for what was not."""

    def guided_noise(model, x, time, labels, weight, nothing):
        both = model(
            torch.cat([x, x]),
            torch.cat([time, time]),
            torch.cat([labels, torch.full_like(labels, nothing)]),
        )
        free, asked = both.chunk(2)
        if isinstance(weight, torch.Tensor):
            weight = weight.reshape(-1, *[1] * (x.ndim - 1))
        return free + weight * (asked - free)


# Right --------------------------------------------------------------------------------------------


@right
def schedule_in_a_loop():
    """Python's numbers, one after the other."""

    def alpha_bars(b):
        left, kept = 1.0, [1.0]
        for beta in b.tolist():
            if beta <= 0 or beta >= 1:
                raise ValueError(f"beta is {beta}")
            left *= 1 - beta
            kept.append(left)
        return torch.tensor(kept, dtype=b.dtype, device=b.device)


@right
def schedule_by_logarithms():
    """A running sum of logarithms, padded in front."""

    def alpha_bars(betas):
        if betas.min() <= 0 or betas.max() >= 1:
            raise ValueError("Each beta must be between 0 and 1.")
        logs = torch.log1p(-betas.double()).cumsum(0)
        return nn.functional.pad(logs, (1, 0)).exp().to(betas.dtype)


@right
def noised_sample_by_sample():
    """A loop over the batch."""

    def noised(x0, t, noise, alpha_bar):
        rows = []
        for k in range(len(x0)):
            kept = alpha_bar[t[k]]
            rows.append(kept**0.5 * x0[k] + (1 - kept) ** 0.5 * noise[k])
        return torch.stack(rows)


@right
def noised_by_einsum():
    """Each factor meets the first axis alone; other names."""

    def noised(clean, when, grain, schedule):
        a, b = schedule[when].sqrt(), (1 - schedule[when]).sqrt()
        return torch.einsum("n,n...->n...", a, clean) + torch.einsum("n,n...->n...", b, grain)


@right
def noise_by_the_angle():
    """Cosine and sine of the arc."""

    def to_noise(predicted, x, kept, kind):
        angle = kept.sqrt().acos().view(-1, *(1,) * (x.dim() - 1))
        formulas = {
            "noise": lambda: predicted * 1.0,
            "sample": lambda: (x - angle.cos() * predicted) / angle.sin(),
            "velocity": lambda: angle.sin() * x + angle.cos() * predicted,
        }
        if kind not in formulas:
            raise ValueError(f"{kind} is not known")
        return formulas[kind]()


@right
def loss_with_other_random_numbers():
    """Steps from rand, noise from normal_, and PyTorch's loss."""

    def training_loss(model, x0, alpha_bar, kind="noise"):
        last = len(alpha_bar) - 1
        t = (torch.rand(len(x0), device=x0.device) * last).long().clamp(max=last - 1) + 1
        noise = torch.empty_like(x0).normal_()
        wide = (-1, *[1] * (x0.ndim - 1))
        a, b = alpha_bar[t].sqrt().view(wide), (1 - alpha_bar[t]).sqrt().view(wide)
        if kind == "noise":
            target = noise
        elif kind == "sample":
            target = x0
        else:
            target = a * noise - b * x0
        return nn.functional.mse_loss(model(a * x0 + b * noise, t / last), target)


@right
def step_by_bayes():
    """Means and spreads as numbers, in Python."""

    def step_back(x, e, t, s, alpha_bar, eta=0.0, noise=None):
        now, to = float(alpha_bar[t]), float(alpha_bar[s])
        clean = (x - (1 - now) ** 0.5 * e) / now**0.5
        spread = eta * ((1 - to) / (1 - now) * (1 - now / to)) ** 0.5
        back = to**0.5 * clean + max(0.0, 1 - to - spread**2) ** 0.5 * e
        if spread > 0:
            back = back + spread * noise
        return back


@right
def guidance_without_label_first():
    """The halves the other way around, as a sum of shares."""

    def guided_noise(model, x, time, labels, weight, nothing):
        n = len(x)
        free_labels = torch.zeros_like(labels) + nothing
        answer = model(torch.vstack([x, x]), time.repeat(2), torch.hstack([free_labels, labels]))
        w = torch.as_tensor(weight, device=x.device, dtype=x.dtype)
        w = w.expand(n).reshape(n, *[1] * (x.ndim - 1))
        return (1 - w) * answer[:n] + w * answer[n:]


@right
def guidance_by_lerp():
    """torch.lerp does the same."""

    def guided_noise(model, x, time, labels, weight, nothing):
        both = model(
            x.repeat(2, *[1] * (x.ndim - 1)),
            time.repeat(2),
            torch.cat([labels, torch.full_like(labels, nothing)]),
        )
        w = torch.as_tensor(weight, dtype=x.dtype, device=x.device)
        w = w.expand(len(x)).reshape(-1, *[1] * (x.ndim - 1))
        return torch.lerp(both[len(x) :], both[: len(x)], w)
