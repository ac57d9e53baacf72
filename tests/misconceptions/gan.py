"""Wrong and unusual answers to the exercise `gan`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {
    ("count_modes", "float32 [2]"): "The text fixes no precision for the shares.",
}

# Losses -------------------------------------------------------------------------------------------


@wrong(loses=["test-losses-hidden"], says="never takes that way")
def log_of_a_sigmoid():
    """The formula as it stands in the chapter; log(0) far out."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        p, q = on_real.sigmoid(), on_fake.sigmoid()
        first = (1 - smoothing) * p.log() + (smoothing * (1 - p).log() if smoothing else 0.0)
        return -first.mean() - (1 - q).log().mean()


@wrong(loses=["test-losses-hidden"], says="never takes that way")
def log_with_an_epsilon():
    """Adding 1e-8 makes the loss finite, and its slope 0 or wrong."""

    def generator_loss(on_fake):
        return -(on_fake.sigmoid() + 1e-8).log().mean()


@wrong(loses=["test-losses", "test-losses-hidden"], says="The mean of -log sigmoid(logit)")
def minimax_for_the_generator():
    """The judge's loss on fakes, with the sign turned: the slope dies on recognized fakes."""

    def generator_loss(on_fake):
        return -nn.functional.softplus(on_fake).mean()


@wrong(loses=["test-losses", "test-losses-hidden"], says="softplus(-logit) for real samples")
def labels_swapped():
    """Real samples are to get 0 and fakes 1."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        softplus = nn.functional.softplus
        return softplus(on_real).mean() + (softplus(-on_fake) + smoothing * on_fake).mean()


@wrong(loses=["test-losses", "test-losses-hidden"], says="softplus(-logit) for real samples")
def half_the_sum():
    """The mean of the two means: half the size, as in some tutorials."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        softplus = nn.functional.softplus
        real = softplus(-on_real) + smoothing * on_real
        return (real.mean() + softplus(on_fake).mean()) / 2


@wrong(loses=["test-losses", "test-losses-hidden"], says="a mean over each group")
def mean_over_all_samples():
    """Both groups in one mean, weighted by their sizes, and doubled."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        softplus = nn.functional.softplus
        both = [softplus(-on_real) + smoothing * on_real, softplus(on_fake)]
        return 2 * torch.cat(both).mean()


@wrong(loses=["test-losses-hidden"], says="smoothing")
def smoothing_ignored():
    """The argument is there and nothing happens."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        return nn.functional.softplus(-on_real).mean() + nn.functional.softplus(on_fake).mean()


@wrong(loses=["test-losses-hidden"], says="fakes are still to get 0")
def smoothing_on_both_sides():
    """Fakes get `smoothing` as their target, too."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        softplus = nn.functional.softplus
        real = softplus(-on_real) + smoothing * on_real
        fake = softplus(on_fake) - smoothing * on_fake
        return real.mean() + fake.mean()


@wrong(loses=["test-losses-hidden"], says="Smoothing moves the target")
def smoothing_as_a_weight():
    """The loss of real samples is made smaller, and their target stays 1."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        softplus = nn.functional.softplus
        return (1 - smoothing) * softplus(-on_real).mean() + softplus(on_fake).mean()


@wrong(loses=["test-losses-hidden"], says="generator_loss for logits of 1000")
def clamped_logits():
    """Logits are cut at 50: finite, and without a slope where it is needed most."""

    def generator_loss(on_fake):
        return nn.functional.softplus(-on_fake.clamp(-50, 50)).mean()


# The best judge -----------------------------------------------------------------------------------


@wrong(loses=["test-best_loss-hidden"], says="0 times log 0 is nan")
def zeros_forgotten():
    """0 log 0 is nan."""

    def best_loss(p, q):
        p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
        return float(-np.sum(p * np.log(p / (p + q))) - np.sum(q * np.log(q / (p + q))))


@wrong(loses=["test-best_loss-hidden"], says="but not out of the other one")
def leaves_out_what_is_zero_in_either():
    """A kind that only real samples have costs the judge nothing, and that is right by luck."""

    def best_loss(p, q):
        p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
        both = (p > 0) & (q > 0)
        p, q = p[both] / p[both].sum(), q[both] / q[both].sum()
        return float(-np.sum(p * np.log(p / (p + q))) - np.sum(q * np.log(q / (p + q))))


@wrong(loses=["test-best_loss", "test-best_loss-hidden"], says="Two sums")
def only_real_samples():
    """The judge is asked about fakes as well."""

    def best_loss(p, q):
        p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
        there = p > 0
        return float(-np.sum(p[there] * np.log(p[there] / (p + q)[there])))


@wrong(loses=["test-best_loss", "test-best_loss-hidden"], says="Two sums")
def means_over_kinds():
    """np.mean where the formula has a sum."""

    def best_loss(p, q):
        p, q = np.asarray(p, dtype=float) + 1e-300, np.asarray(q, dtype=float) + 1e-300
        return float(-np.mean(p * np.log(p / (p + q)) + q * np.log(q / (p + q))))


@wrong(loses=["test-best_loss", "test-best_loss-hidden"], says="Two sums")
def in_bits():
    """log2: 2 for equal distributions."""

    def best_loss(p, q):
        p, q = np.asarray(p, dtype=float) + 1e-300, np.asarray(q, dtype=float) + 1e-300
        return float(-np.sum(p * np.log2(p / (p + q)) + q * np.log2(q / (p + q))))


@wrong(loses=["test-best_loss-hidden"], says="you changed")
def epsilon_in_place():
    """The zeros of the caller's arrays are replaced."""

    def best_loss(p, q):
        p, q = np.asarray(p), np.asarray(q)
        if p.dtype.kind == "i":
            p, q = p.astype(float), q.astype(float)
        p[p == 0] = 1e-300
        q[q == 0] = 1e-300
        return float(-np.sum(p * np.log(p / (p + q)) + q * np.log(q / (p + q))))


# The penalty --------------------------------------------------------------------------------------


@wrong(
    loses=["test-gradient_penalty", "test-gradient_penalty-hidden"],
    says="sum over the entries of a sample",
)
def norm_not_squared():
    """The length, not its square."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        (g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
        return weight / 2 * g.flatten(1).norm(dim=1).mean()


@wrong(
    loses=["test-gradient_penalty", "test-gradient_penalty-hidden"],
    says="sum over the entries of a sample",
)
def mean_over_entries():
    """The mean over all entries: smaller by the number of pixels."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        (g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
        return weight / 2 * g.square().mean()


@wrong(
    loses=["test-gradient_penalty", "test-gradient_penalty-hidden"],
    says="sum over the entries of a sample",
)
def pulls_the_length_to_one():
    """The penalty of the Wasserstein GAN: (norm - 1) squared."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        (g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
        return weight / 2 * (g.flatten(1).norm(dim=1) - 1).square().mean()


@wrong(
    loses=["test-gradient_penalty", "test-gradient_penalty-hidden"],
    says="sum over the entries of a sample",
)
def gradient_of_the_mean():
    """Each slope is smaller by the number of samples."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        (g,) = torch.autograd.grad(discriminator(x).mean(), x, create_graph=True)
        return weight / 2 * g.flatten(1).square().sum(dim=1).mean()


@wrong(loses=["test-gradient_penalty-hidden"], says="create_graph=True keeps")
def no_graph():
    """The number is right and teaches nothing."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        (g,) = torch.autograd.grad(discriminator(x).sum(), x)
        return weight / 2 * g.flatten(1).square().sum(dim=1).mean()


@wrong(loses=["test-gradient_penalty-hidden"], says="Ask for gradients in a tensor of your own")
def leaves_requires_grad_on():
    """real itself is asked for gradients, and goes on asking."""

    def gradient_penalty(discriminator, real, weight):
        real.requires_grad_()
        (g,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
        return weight / 2 * g.flatten(1).square().sum(dim=1).mean()


@wrong(loses=["test-gradient_penalty-hidden"], says="fills no .grad")
def backward_instead_of_grad():
    """backward() fills the gradients of the discriminator on its way."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        discriminator(x).sum().backward(create_graph=True)
        return weight / 2 * x.grad.flatten(1).square().sum(dim=1).mean()


@wrong(loses=["test-gradient_penalty-hidden"], says="all dimensions but the first")
def points_only():
    """Sums over dimension 1 alone: right for points, wrong for pictures."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        (g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
        return weight / 2 * g.square().sum(dim=1).mean()


@wrong(
    loses=["test-gradient_penalty", "test-gradient_penalty-hidden"],
    says="0.2 / 2 times that",
)
def without_the_half():
    """weight times, not half of it."""

    def gradient_penalty(discriminator, real, weight):
        x = real.detach().clone().requires_grad_()
        (g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
        return weight * g.flatten(1).square().sum(dim=1).mean()


# Steps --------------------------------------------------------------------------------------------


@wrong(loses=["test-steps-hidden"], says="cut the way")
def no_detach():
    """The judge's loss flows back into the generator and fills its gradients."""

    def discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
        loss = discriminator_loss(discriminator(real), discriminator(generator(noise)))
        total = loss + gradient_penalty(discriminator, real, weight) if weight else loss
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps-hidden"], says="ask for its own gradients alone")
def fills_the_judges_gradients():
    """The chapter's loop: backward through the judge."""

    def generator_step(generator, discriminator, optimizer, noise):
        loss = generator_loss(discriminator(generator(noise)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps-hidden"], says="ask for its own gradients alone")
def throws_away_the_judges_gradients():
    """Cleared afterwards: what was there before is gone as well."""

    def generator_step(generator, discriminator, optimizer, noise):
        loss = generator_loss(discriminator(generator(noise)))
        optimizer.zero_grad()
        loss.backward()
        discriminator.zero_grad()
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps-hidden"], says="switches it on again")
def leaves_the_judge_frozen():
    """requires_grad goes off for the step, and nobody puts it back."""

    def generator_step(generator, discriminator, optimizer, noise):
        discriminator.requires_grad_(False)
        loss = generator_loss(discriminator(generator(noise)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps", "test-steps-hidden"], says="The other one stays")
def generator_step_moves_the_judge():
    """A step of the judge's weights, by hand, in the generator's turn."""

    def generator_step(generator, discriminator, optimizer, noise):
        loss = generator_loss(discriminator(generator(noise)))
        weights = list(discriminator.parameters())
        slopes = torch.autograd.grad(loss, weights, retain_graph=True)
        optimizer.zero_grad()
        own = list(generator.parameters())
        for w, g in zip(own, torch.autograd.grad(loss, own), strict=True):
            w.grad = g
        optimizer.step()
        with torch.no_grad():
            for w, g in zip(weights, slopes, strict=True):
                w -= 0.1 * g
        return loss.item()


@wrong(loses=["test-steps", "test-steps-hidden"], says="one step of its optimizer")
def fakes_detached_in_the_generators_step():
    """detach learned by heart: the generator gets no gradient at all."""

    def generator_step(generator, discriminator, optimizer, noise):
        fake = generator(noise).detach().requires_grad_()
        loss = generator_loss(discriminator(fake))
        optimizer.zero_grad()
        torch.autograd.grad(loss, fake)
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps-hidden"], says="zero_grad before the backward pass")
def gradients_add_up():
    """No zero_grad in the judge's step."""

    def discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
        fake = generator(noise).detach()
        loss = discriminator_loss(discriminator(real), discriminator(fake))
        (loss + (gradient_penalty(discriminator, real, weight) if weight else 0.0)).backward()
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps-hidden"], says="the penalty added to it")
def penalty_ignored():
    """weight is an argument that nobody reads."""

    def discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
        loss = discriminator_loss(discriminator(real), discriminator(generator(noise).detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps-hidden"], says="without the penalty")
def returns_the_loss_with_the_penalty():
    """One number for both."""

    def discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
        loss = discriminator_loss(discriminator(real), discriminator(generator(noise).detach()))
        if weight:
            loss = loss + gradient_penalty(discriminator, real, weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()


@wrong(loses=["test-steps", "test-steps-hidden"], says="returned")
def returns_the_loss_after_the_step():
    """Measured again when the weights have moved."""

    def discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
        fake = generator(noise).detach()
        loss = discriminator_loss(discriminator(real), discriminator(fake))
        total = loss + gradient_penalty(discriminator, real, weight) if weight else loss
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return discriminator_loss(discriminator(real), discriminator(fake)).item()


# Counting -----------------------------------------------------------------------------------------


@wrong(loses=["test-count_modes-hidden"], says="exactly at distance 5")
def radius_left_out():
    """< for <=."""

    def count_modes(points, centers, radius, least=0.02):
        d = np.linalg.norm(points[:, None] - centers, axis=2)
        near = d.min(1) < radius
        shares = np.bincount(d.argmin(1)[near], minlength=len(centers)) / len(points)
        return int((shares >= least).sum()), float(near.mean()), shares


@wrong(loses=["test-count_modes-hidden"], says="exactly `least` is enough")
def share_left_out():
    """> for >=."""

    def count_modes(points, centers, radius, least=0.02):
        d = np.linalg.norm(points[:, None] - centers, axis=2)
        near = d.min(1) <= radius
        shares = np.bincount(d.argmin(1)[near], minlength=len(centers)) / len(points)
        return int((shares > least).sum()), float(near.mean()), shares


@wrong(loses=["test-count_modes", "test-count_modes-hidden"], says="All shares are of all points")
def shares_of_those_inside():
    """Points in no cloud are left out of the whole."""

    def count_modes(points, centers, radius, least=0.02):
        d = np.linalg.norm(points[:, None] - centers, axis=2)
        near = d.min(1) <= radius
        shares = np.bincount(d.argmin(1)[near], minlength=len(centers)) / max(1, near.sum())
        return int((shares >= least).sum()), float(near.mean()), shares


@wrong(loses=["test-count_modes", "test-count_modes-hidden"], says="Distances from each point")
def squared_distance_against_the_radius():
    """The root was saved, and the radius not squared."""

    def count_modes(points, centers, radius, least=0.02):
        d = ((points[:, None] - centers) ** 2).sum(axis=2)
        near = d.min(1) <= radius / 2
        shares = np.bincount(d.argmin(1)[near], minlength=len(centers)) / len(points)
        return int((shares >= least).sum()), float(near.mean()), shares


@wrong(loses=["test-count_modes", "test-count_modes-hidden"], says="shape")
def last_clouds_fall_off():
    """bincount without minlength: as many entries as the last cloud that was reached."""

    def count_modes(points, centers, radius, least=0.02):
        d = np.linalg.norm(points[:, None] - centers, axis=2)
        near = d.min(1) <= radius
        shares = np.bincount(d.argmin(1)[near]) / len(points)
        return int((shares >= least).sum()), float(near.mean()), shares


@wrong(loses=["test-count_modes-hidden"], says="belongs to the nearest center alone")
def counted_in_every_cloud_it_is_near_to():
    """Where clouds overlap, a point counts twice."""

    def count_modes(points, centers, radius, least=0.02):
        d = np.linalg.norm(points[:, None] - centers, axis=2)
        inside = d <= radius
        shares = inside.mean(axis=0)
        return int((shares >= least).sum()), float(inside.any(axis=1).mean()), shares


@wrong(loses=["test-count_modes-hidden"], says="exactly `least` is enough")
def least_ignored():
    """A single point is enough."""

    def count_modes(points, centers, radius, least=0.02):
        d = np.linalg.norm(points[:, None] - centers, axis=2)
        near = d.min(1) <= radius
        shares = np.bincount(d.argmin(1)[near], minlength=len(centers)) / len(points)
        return int((shares > 0).sum()), float(near.mean()), shares


@wrong(loses=["test-count_modes-hidden"], says="The nearest center of each point")
def in_two_dimensions_only():
    """np.hypot of the first two coordinates."""

    def count_modes(points, centers, radius, least=0.02):
        if points.shape[1] == 1:
            d = np.abs(points - centers.T)
        else:
            gap = points[:, None] - centers
            d = np.hypot(gap[..., 0], gap[..., 1])
        near = d.min(1) <= radius
        shares = np.bincount(d.argmin(1)[near], minlength=len(centers)) / len(points)
        return int((shares >= least).sum()), float(near.mean()), shares


# Right --------------------------------------------------------------------------------------------


@right
def losses_by_cross_entropy():
    """PyTorch's own cross-entropy, with targets made like the logits."""

    def discriminator_loss(on_real, on_fake, smoothing=0.0):
        cross = nn.functional.binary_cross_entropy_with_logits
        good = cross(on_real, torch.full_like(on_real, 1 - smoothing))
        return good + cross(on_fake, torch.zeros_like(on_fake))

    def generator_loss(on_fake):
        cross = nn.functional.binary_cross_entropy_with_logits
        return cross(on_fake, torch.ones_like(on_fake))


@right
def losses_by_logsigmoid_with_other_names():
    """logsigmoid, and parameters that are called something else."""

    def discriminator_loss(r, f, smoothing=0.0):
        log = nn.functional.logsigmoid
        return -((1 - smoothing) * log(r) + smoothing * log(-r)).mean() - log(-f).mean()

    def generator_loss(f):
        return torch.logaddexp(torch.zeros_like(f), -f).mean()


@right
def best_loss_with_warnings():
    """0 / 0 and log 0 on the way; nansum puts it right."""

    def best_loss(p, q):
        p, q = np.asarray(p) * 1.0, np.asarray(q) * 1.0
        return -np.nansum(p * np.log(p / (p + q))) - np.nansum(q * np.log(q / (p + q)))


@right
def best_loss_in_a_loop():
    """Kind by kind, with Python's numbers."""

    def best_loss(p, q):
        total = 0.0
        for a, b in zip(p, q, strict=True):
            a, b = float(a), float(b)
            if a:
                total += a * np.log((a + b) / a)
            if b:
                total += b * np.log((a + b) / b)
        return total


@right
def best_loss_by_jensen_shannon():
    """2 log 2 less twice the Jensen-Shannon divergence."""

    def best_loss(p, q):
        def kl(a, m):
            return sum(x * np.log(x / y) for x, y in zip(a, m, strict=True) if x > 0)

        p, q = [float(x) for x in p], [float(x) for x in q]
        middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
        return 2 * np.log(2) - kl(p, middle) - kl(q, middle)


@right
def penalty_sample_by_sample():
    """A loop over the samples."""

    def gradient_penalty(discriminator, real, weight):
        total = 0.0
        for sample in real:
            x = sample.detach().clone()[None].requires_grad_()
            (g,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
            total = total + (g * g).sum()
        return weight * total / (2 * len(real))


@right
def steps_that_freeze_the_other():
    """requires_grad goes off for the step and on again afterwards."""

    def discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
        generator.requires_grad_(False)
        loss = discriminator_loss(discriminator(real), discriminator(generator(noise)))
        total = loss
        if weight > 0:
            total = total + gradient_penalty(discriminator, real, weight)
        optimizer.zero_grad(set_to_none=False)
        total.backward()
        optimizer.step()
        generator.requires_grad_(True)
        return float(loss)

    def generator_step(generator, discriminator, optimizer, noise):
        discriminator.requires_grad_(False)
        loss = generator_loss(discriminator(generator(noise)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        discriminator.requires_grad_(True)
        return float(loss)


@right
def generator_step_with_inputs():
    """backward(inputs=...) fills only what it is told to."""

    def generator_step(generator, discriminator, optimizer, noise):
        optimizer.zero_grad()
        loss = generator_loss(discriminator(generator(noise)))
        loss.backward(inputs=list(generator.parameters()))
        optimizer.step()
        return loss.detach().item()


@right
def modes_in_a_loop():
    """Lists and loops, and squares on both sides."""

    def count_modes(points, centers, radius, least=0.02):
        counts = [0] * len(centers)
        for point in points:
            far = [
                sum((float(a) - float(b)) ** 2 for a, b in zip(point, c, strict=True))
                for c in centers
            ]
            if min(far) <= radius**2 + 1e-12:
                counts[far.index(min(far))] += 1
        shares = np.array(counts) / len(points)
        return sum(1 for s in shares if s >= least), sum(counts) / len(points), shares
