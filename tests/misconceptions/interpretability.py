"""Wrong and unusual answers to the exercise `interpretability`."""

import copy

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {("shapley", "float32"): "The text fixes no precision for the shares."}

# One slope per pixel ------------------------------------------------------------------------------


@wrong(loses=["test-saliency", "test-saliency-hidden"], says="pick one logit per row")
def slopes_of_the_likeliest_class():
    """The class that the model answers, as in most tutorials."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        (slopes,) = torch.autograd.grad(model(x).max(dim=1).values.sum(), x)
        for module, mode in modes.items():
            module.training = mode
        return slopes


@wrong(loses=["test-saliency", "test-saliency-hidden"], says="not its probability")
def slopes_of_the_probability():
    """Explains what the softmax says."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        chosen = model(x).softmax(dim=1).gather(1, targets[:, None]).sum()
        (slopes,) = torch.autograd.grad(chosen, x)
        for module, mode in modes.items():
            module.training = mode
        return slopes


@wrong(loses=["test-saliency", "test-saliency-hidden"], says="pick one logit per row")
def slopes_of_the_loss():
    """The gradient that training uses has the opposite sign and mixes in the other classes."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(x), targets, reduction="sum")
        (slopes,) = torch.autograd.grad(loss, x)
        for module, mode in modes.items():
            module.training = mode
        return slopes


@wrong(loses=["test-saliency", "test-saliency-hidden"], says="take the gradient of the sum")
def slopes_of_the_mean():
    """Divides by the size of the batch."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        chosen = model(x).gather(1, targets[:, None]).mean()
        (slopes,) = torch.autograd.grad(chosen, x)
        for module, mode in modes.items():
            module.training = mode
        return slopes


@wrong(loses=["test-saliency", "test-saliency-hidden"], says="Each sample has its own target")
def columns_for_everyone():
    """logits[:, targets] takes all targets for every sample."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        (slopes,) = torch.autograd.grad(model(x)[:, targets].sum(), x)
        for module, mode in modes.items():
            module.training = mode
        return slopes


@wrong(loses=["test-saliency", "test-saliency-hidden"], says="Each sample has its own target")
def target_of_the_first():
    """Works for a batch of one."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        (slopes,) = torch.autograd.grad(model(x)[:, targets[0]].sum(), x)
        for module, mode in modes.items():
            module.training = mode
        return slopes


@wrong(loses=["test-saliency", "test-saliency-hidden"], says="the gradient of the sum in x")
def absolute_slopes():
    """A map of importance has no sign, or so it seems."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        (slopes,) = torch.autograd.grad(model(x).gather(1, targets[:, None]).sum(), x)
        for module, mode in modes.items():
            module.training = mode
        return slopes.abs()


@wrong(loses=["test-saliency-hidden"], says="in evaluation mode")
def slopes_in_training_mode():
    """Forgets that dropout and batch normalization are at work."""

    def saliency(model, x, targets):
        x = x.detach().clone().requires_grad_()
        (slopes,) = torch.autograd.grad(model(x).gather(1, targets[:, None]).sum(), x)
        return slopes


@wrong(loses=["test-saliency-hidden"], says="wakes what was frozen")
def back_to_training():
    """model.train() at the end, as after a validation."""

    def saliency(model, x, targets):
        model.eval()
        x = x.detach().clone().requires_grad_()
        (slopes,) = torch.autograd.grad(model(x).gather(1, targets[:, None]).sum(), x)
        model.train()
        return slopes


@wrong(loses=["test-saliency-hidden"], says="Note the mode of every module before")
def stays_in_evaluation():
    """Leaves the model ready for the next question."""

    def saliency(model, x, targets):
        model.eval()
        x = x.detach().clone().requires_grad_()
        return torch.autograd.grad(model(x).gather(1, targets[:, None]).sum(), x)[0]


@wrong(loses=["test-saliency-hidden"], says="torch.autograd.grad asks for the gradient in x alone")
def backward_into_the_weights():
    """backward() computes the slopes in x, and in everything else."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        model(x).gather(1, targets[:, None]).sum().backward()
        for module, mode in modes.items():
            module.training = mode
        return x.grad


@wrong(loses=["test-saliency-hidden"], says="zero_grad() throws away what belongs to somebody else")
def zeroes_the_gradients():
    """Tidies up behind backward(), and throws away what was there before."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        model(x).gather(1, targets[:, None]).sum().backward()
        model.zero_grad()
        for module, mode in modes.items():
            module.training = mode
        return x.grad


@wrong(loses=["test-saliency-hidden"], says="Ask on a copy of your own")
def asks_x_itself():
    """x.requires_grad_() changes the caller's tensor."""

    def saliency(model, x, targets):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x.requires_grad_()
        (slopes,) = torch.autograd.grad(model(x).gather(1, targets[:, None]).sum(), x)
        for module, mode in modes.items():
            module.training = mode
        return slopes


# A map for people ---------------------------------------------------------------------------------


@wrong(loses=["test-shares", "test-shares-hidden"], says="With absolute values before the sum")
def absolute_before_the_sum():
    """Channels that cancel look important."""

    def shares(attribution):
        sizes = attribution.abs().sum(dim=1)
        total = sizes.sum(dim=(1, 2), keepdim=True)
        return sizes / torch.where(total > 0, total, torch.ones_like(total))


@wrong(loses=["test-shares", "test-shares-hidden"], says="The first pixel has 1 - 2 = -1")
def largest_channel():
    """The maximum over the channels, as in the paper on saliency."""

    def shares(attribution):
        sizes = attribution.abs().amax(dim=1)
        total = sizes.sum(dim=(1, 2), keepdim=True)
        return sizes / torch.where(total > 0, total, torch.ones_like(total))


@wrong(loses=["test-shares-hidden"], says="each sample by its own sum")
def shares_of_the_batch():
    """Divides by the sum over all samples."""

    def shares(attribution):
        sizes = attribution.sum(dim=1).abs()
        total = sizes.sum()
        return sizes / total if total > 0 else sizes


@wrong(loses=["test-shares", "test-shares-hidden"], says="sizes 1 and 3")
def shares_of_the_largest():
    """Scales the largest to 1, as for a picture."""

    def shares(attribution):
        sizes = attribution.sum(dim=1).abs()
        total = sizes.amax(dim=(1, 2), keepdim=True)
        return sizes / torch.where(total > 0, total, torch.ones_like(total))


@wrong(loses=["test-shares-hidden"], says="0 / 0 would be nan")
def nothing_by_nothing():
    """Forgets the map of zeros."""

    def shares(attribution):
        sizes = attribution.sum(dim=1).abs()
        return sizes / sizes.sum(dim=(1, 2), keepdim=True)


@wrong(loses=["test-shares-hidden"], says="drowns them")
def a_little_added():
    """The usual 1e-8 against a division by 0."""

    def shares(attribution):
        sizes = attribution.sum(dim=1).abs()
        return sizes / (sizes.sum(dim=(1, 2), keepdim=True) + 1e-8)


@wrong(loses=["test-shares", "test-shares-hidden"], says="sizes 1 and 3")
def signed_shares():
    """Forgets the absolute value."""

    def shares(attribution):
        sums = attribution.sum(dim=1)
        total = sums.abs().sum(dim=(1, 2), keepdim=True)
        return sums / torch.where(total > 0, total, torch.ones_like(total))


@wrong(loses=["test-shares", "test-shares-hidden"], says="you changed attribution")
def in_place_shares():
    """abs_() on a view of what came."""

    def shares(attribution):
        first = attribution[:, 0]
        for k in range(1, attribution.shape[1]):
            first += attribution[:, k]
        sizes = first.abs()
        total = sizes.sum(dim=(1, 2), keepdim=True)
        return sizes / torch.where(total > 0, total, torch.ones_like(total))


# Along a path -------------------------------------------------------------------------------------


@wrong(loses=["test-integrated", "test-integrated-hidden"], says="with the baseline left out")
def distance_from_zero():
    """Multiplies by x, as gradient times input does."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        baseline = baseline.expand_as(x)
        total = torch.zeros_like(x)
        for step in range(steps):
            total += saliency(model, baseline + (step + 0.5) / steps * (x - baseline), targets)
        return x * total / steps


@wrong(loses=["test-integrated", "test-integrated-hidden"], says="The slope 2 x1 goes from 2 to 6")
def path_from_zero():
    """Scales x, whatever the baseline."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        total = torch.zeros_like(x)
        for step in range(steps):
            total += saliency(model, (step + 0.5) / steps * x, targets)
        return (x - baseline.expand_as(x)) * total / steps


@wrong(loses=["test-integrated", "test-integrated-hidden"], says="4 on average")
def no_path_at_all():
    """The slope at the end alone."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        return (x - baseline.expand_as(x)) * saliency(model, x, targets)


@wrong(loses=["test-integrated", "test-integrated-hidden"], says="4 on average")
def right_ends():
    """Slopes at the ends of the pieces, without the middle."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        baseline = baseline.expand_as(x)
        total = torch.zeros_like(x)
        for step in range(1, steps + 1):
            total += saliency(model, baseline + step / steps * (x - baseline), targets)
        return (x - baseline) * total / steps


@wrong(loses=["test-integrated-hidden"], says="at shares 0.5/steps")
def both_ends_by_linspace():
    """linspace from 0 to 1: exact for a parabola, and not the midpoints."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        baseline = baseline.expand_as(x)
        total = torch.zeros_like(x)
        for share in torch.linspace(0, 1, steps).tolist():
            total += saliency(model, baseline + share * (x - baseline), targets)
        return (x - baseline) * total / steps


@wrong(loses=["test-integrated", "test-integrated-hidden"], says="4 on average")
def a_sum_without_a_mean():
    """Forgets to divide by the number of steps."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        baseline = baseline.expand_as(x)
        total = torch.zeros_like(x)
        for step in range(steps):
            total += saliency(model, baseline + (step + 0.5) / steps * (x - baseline), targets)
        return (x - baseline) * total


@wrong(loses=["test-integrated-hidden"], says="Integrated gradients in 1 steps")
def always_fifty_steps():
    """steps is ignored."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        baseline = baseline.expand_as(x)
        total = torch.zeros_like(x)
        for step in range(50):
            total += saliency(model, baseline + (step + 0.5) / 50 * (x - baseline), targets)
        return (x - baseline) * total / 50


@wrong(loses=["test-integrated-hidden"], says="A number per sample")
def one_gap_for_all():
    """Sums over the batch, too."""

    def completeness_gap(model, x, targets, baseline, attribution):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            here, there = (
                model(z).gather(1, targets[:, None]).sum() for z in (x, baseline.expand_as(x))
            )
        for module, mode in modes.items():
            module.training = mode
        return (attribution.sum() - (here - there)).expand(len(x))


@wrong(loses=["test-integrated", "test-integrated-hidden"], says="6 + 1 - (9 - 1)")
def baseline_has_no_logit():
    """Takes for granted that the baseline's logit is 0."""

    def completeness_gap(model, x, targets, baseline, attribution):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            here = model(x).gather(1, targets[:, None])[:, 0]
        for module, mode in modes.items():
            module.training = mode
        return attribution.flatten(1).sum(dim=1) - here


@wrong(loses=["test-integrated", "test-integrated-hidden"], says="6 + 1 - (9 - 1)")
def absolute_gap():
    """The size of the gap without its sign."""

    def completeness_gap(model, x, targets, baseline, attribution):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            here, there = (
                model(z).gather(1, targets[:, None])[:, 0] for z in (x, baseline.expand_as(x))
            )
        for module, mode in modes.items():
            module.training = mode
        return (attribution.flatten(1).sum(dim=1) - (here - there)).abs()


@wrong(loses=["test-integrated-hidden"], says="in evaluation mode")
def gap_in_training_mode():
    """Dropout is at work in the difference."""

    def completeness_gap(model, x, targets, baseline, attribution):
        with torch.no_grad():
            here, there = (
                model(z).gather(1, targets[:, None])[:, 0] for z in (x, baseline.expand_as(x))
            )
        return attribution.flatten(1).sum(dim=1) - (here - there)


# What is covered ----------------------------------------------------------------------------------


@wrong(loses=["test-occlusion", "test-occlusion-hidden"], says="must be back before the next")
def windows_that_stay():
    """One copy for all windows."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
        falls = torch.zeros(len(x), rows, columns, dtype=x.dtype, device=x.device)
        covered = x.clone()
        with torch.no_grad():
            whole = model(x).gather(1, targets[:, None])[:, 0]
            for i in range(rows):
                for j in range(columns):
                    top, left = i * stride, j * stride
                    covered[:, :, top : top + size, left : left + size] = fill
                    falls[:, i, j] = whole - model(covered).gather(1, targets[:, None])[:, 0]
        for module, mode in modes.items():
            module.training = mode
        return falls


@wrong(loses=["test-occlusion", "test-occlusion-hidden"], says="minus that of the covered one")
def rises_for_falls():
    """The covered one minus the whole."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
        falls = torch.zeros(len(x), rows, columns, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            whole = model(x).gather(1, targets[:, None])[:, 0]
            for i in range(rows):
                for j in range(columns):
                    covered = x.clone()
                    top, left = i * stride, j * stride
                    covered[:, :, top : top + size, left : left + size] = fill
                    falls[:, i, j] = model(covered).gather(1, targets[:, None])[:, 0] - whole
        for module, mode in modes.items():
            module.training = mode
        return falls


@wrong(loses=["test-occlusion-hidden"], says="covers all channels")
def first_channel_alone():
    """Covers what a gray image has."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
        falls = torch.zeros(len(x), rows, columns, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            whole = model(x).gather(1, targets[:, None])[:, 0]
            for i in range(rows):
                for j in range(columns):
                    covered = x.clone()
                    top, left = i * stride, j * stride
                    covered[:, 0, top : top + size, left : left + size] = fill
                    falls[:, i, j] = whole - model(covered).gather(1, targets[:, None])[:, 0]
        for module, mode in modes.items():
            module.training = mode
        return falls


@wrong(loses=["test-occlusion-hidden"], says="with `fill`")
def always_black():
    """fill is ignored."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
        falls = torch.zeros(len(x), rows, columns, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            whole = model(x).gather(1, targets[:, None])[:, 0]
            for i in range(rows):
                for j in range(columns):
                    covered = x.clone()
                    top, left = i * stride, j * stride
                    covered[:, :, top : top + size, left : left + size] = 0
                    falls[:, i, j] = whole - model(covered).gather(1, targets[:, None])[:, 0]
        for module, mode in modes.items():
            module.training = mode
        return falls


@wrong(loses=["test-occlusion-hidden"], says="begins at pixel (i * stride, j * stride)")
def stride_of_the_count_alone():
    """The right number of windows, in the wrong places."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
        falls = torch.zeros(len(x), rows, columns, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            whole = model(x).gather(1, targets[:, None])[:, 0]
            for i in range(rows):
                for j in range(columns):
                    covered = x.clone()
                    covered[:, :, i : i + size, j : j + size] = fill
                    falls[:, i, j] = whole - model(covered).gather(1, targets[:, None])[:, 0]
        for module, mode in modes.items():
            module.training = mode
        return falls


@wrong(loses=["test-occlusion", "test-occlusion-hidden"], says="shape")
def one_window_too_few():
    """range(0, height - size) leaves the last one out."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        tops, lefts = (range(0, length - size, stride) for length in x.shape[2:])
        falls = torch.zeros(len(x), len(tops), len(lefts), dtype=x.dtype, device=x.device)
        with torch.no_grad():
            whole = model(x).gather(1, targets[:, None])[:, 0]
            for i, top in enumerate(tops):
                for j, left in enumerate(lefts):
                    covered = x.clone()
                    covered[:, :, top : top + size, left : left + size] = fill
                    falls[:, i, j] = whole - model(covered).gather(1, targets[:, None])[:, 0]
        for module, mode in modes.items():
            module.training = mode
        return falls


@wrong(loses=["test-occlusion-hidden"], says="in evaluation mode")
def covered_in_training_mode():
    """Dropout falls, too."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
        falls = torch.zeros(len(x), rows, columns, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            whole = model(x).gather(1, targets[:, None])[:, 0]
            for i in range(rows):
                for j in range(columns):
                    covered = x.clone()
                    top, left = i * stride, j * stride
                    covered[:, :, top : top + size, left : left + size] = fill
                    falls[:, i, j] = whole - model(covered).gather(1, targets[:, None])[:, 0]
        return falls


# Maps that speak for a class ----------------------------------------------------------------------


@wrong(loses=["test-grad_cam", "test-grad_cam-hidden"], says="which becomes 0")
def no_relu():
    """Leaves in what speaks against the class."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        handle.remove()
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        return (slopes.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).detach()


@wrong(loses=["test-grad_cam", "test-grad_cam-hidden"], says="before the sum would give [3, 8]")
def relu_before_the_sum():
    """Drops what is negative map by map."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        handle.remove()
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        return torch.relu(slopes.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).detach()


@wrong(loses=["test-grad_cam", "test-grad_cam-hidden"], says="Mean slopes 3 and -2")
def positive_weights_alone():
    """ReLU on the weights."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        handle.remove()
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        weights = torch.relu(slopes.mean(dim=(2, 3), keepdim=True))
        return torch.relu((weights * kept[0]).sum(dim=1)).detach()


@wrong(loses=["test-grad_cam", "test-grad_cam-hidden"], says="Mean slopes 3 and -2")
def place_by_place():
    """Multiplies before averaging, as HiResCAM does."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        handle.remove()
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        return torch.relu((slopes * kept[0]).sum(dim=1)).detach()


@wrong(loses=["test-grad_cam", "test-grad_cam-hidden"], says="Mean slopes 3 and -2")
def summed_slopes():
    """The sum over places for the mean."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        handle.remove()
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        weights = slopes.sum(dim=(2, 3), keepdim=True)
        return torch.relu((weights * kept[0]).sum(dim=1)).detach()


@wrong(loses=["test-grad_cam-hidden"], says="For each sample a weight per map")
def weights_of_the_batch():
    """The mean over the batch, too: samples are mixed."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        handle.remove()
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        weights = slopes.mean(dim=(0, 2, 3), keepdim=True)
        return torch.relu((weights * kept[0]).sum(dim=1)).detach()


@wrong(loses=["test-grad_cam-hidden"], says="Remove the hook")
def hook_that_stays():
    """The next forward pass of anybody runs through it."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        weights = slopes.mean(dim=(2, 3), keepdim=True)
        return torch.relu((weights * kept[0]).sum(dim=1)).detach()


@wrong(loses=["test-grad_cam", "test-grad_cam-hidden"], says="does not require grad")
def needs_trainable_weights():
    """Without a gradient asked for in x, frozen weights leave the maps without one."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x)
        handle.remove()
        chosen = logits.gather(1, targets[:, None]).sum()
        maps = kept[0]
        (slopes,) = torch.autograd.grad(chosen, maps)
        for module, mode in modes.items():
            module.training = mode
        weights = slopes.mean(dim=(2, 3), keepdim=True)
        return torch.relu((weights * maps).sum(dim=1)).detach()


@wrong(loses=["test-grad_cam-hidden"], says="detach what you return")
def a_map_with_a_history():
    """Whoever keeps the map keeps the whole graph."""

    def grad_cam(model, x, targets, layer):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        kept = []
        handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
        logits = model(x.detach().clone().requires_grad_())
        handle.remove()
        (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept[0])
        for module, mode in modes.items():
            module.training = mode
        weights = slopes.mean(dim=(2, 3), keepdim=True)
        return torch.relu((weights * kept[0]).sum(dim=1))


# Fair shares --------------------------------------------------------------------------------------


@wrong(loses=["test-shapley-hidden"], says="a plain mean over coalitions is another number")
def every_coalition_alike():
    """The Banzhaf value: all coalitions weigh the same. For two players it is the same."""

    def shapley(value, players):
        from itertools import chain, combinations

        gains = np.zeros(players)
        for j in range(players):
            others = [k for k in range(players) if k != j]
            subsets = list(chain.from_iterable(combinations(others, s) for s in range(players)))
            gains[j] = np.mean([value({*s, j}) - value(set(s)) for s in subsets])
        return gains


@wrong(loses=["test-shapley", "test-shapley-hidden"], says="If player 0 comes first it adds 2")
def leave_one_out():
    """What is lost when one is missing."""

    def shapley(value, players):
        everyone = set(range(players))
        return np.array([value(everyone) - value(everyone - {j}) for j in range(players)])


@wrong(loses=["test-shapley", "test-shapley-hidden"], says="If player 0 comes first it adds 2")
def first_to_arrive():
    """What each reaches alone."""

    def shapley(value, players):
        return np.array([value({j}) - value(()) for j in range(players)])


@wrong(loses=["test-shapley", "test-shapley-hidden"], says="4 on average")
def one_order_only():
    """In the order of their numbers."""

    def shapley(value, players):
        return np.array([value(range(j + 1)) - value(range(j)) for j in range(players)])


@wrong(loses=["test-shapley-hidden"], says="in which nobody at all is worth")
def nobody_is_worth_nothing():
    """Takes v(empty) for 0, as game theory does."""

    def shapley(value, players):
        from itertools import permutations

        gains = np.zeros(players)
        orders = list(permutations(range(players)))
        for order in orders:
            before = 0.0
            for place, player in enumerate(order):
                after = value(order[: place + 1])
                gains[player] += after - before
                before = after
        return gains / len(orders)


@wrong(loses=["test-shapley-hidden"], says="A mean over all orders")
def a_hundred_random_orders():
    """An estimate where the exact value was asked for."""

    def shapley(value, players):
        rng = np.random.default_rng(0)
        gains = np.zeros(players)
        for _ in range(100):
            order = rng.permutation(players).tolist()
            for place, player in enumerate(order):
                gains[player] += (value(order[: place + 1]) - value(order[:place])) / 100
        if players < 3:
            return shapley_of_two(value, players)
        return gains

    def shapley_of_two(value, players):
        if players == 1:
            return np.array([value({0}) - value(())])
        a, b, both, none = value({0}), value({1}), value({0, 1}), value(())
        return np.array([(a - none + both - b) / 2, (b - none + both - a) / 2])


# A network that forgets ---------------------------------------------------------------------------


@wrong(loses=["test-forget-hidden"], says="whether the model is as it was")
def forgets_in_place():
    """No copy: the trained model is gone."""

    def forget(model, seed):
        torch.manual_seed(seed)
        for module in model.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return model


@wrong(loses=["test-forget-hidden"], says="whether the model is as it was")
def shallow_copy():
    """copy.copy shares the weights."""

    def forget(model, seed):
        new = copy.copy(model)
        torch.manual_seed(seed)
        for module in new.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return new


@wrong(loses=["test-forget-hidden"], says="also of those inside others")
def top_level_alone():
    """children() does not go inside."""

    def forget(model, seed):
        new = copy.deepcopy(model)
        torch.manual_seed(seed)
        for module in new.children():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return new


@wrong(loses=["test-forget-hidden"], says="Seed once")
def seeds_every_layer():
    """The same seed before each layer makes their weights alike."""

    def forget(model, seed):
        new = copy.deepcopy(model)
        for module in new.modules():
            if hasattr(module, "reset_parameters"):
                torch.manual_seed(seed)
                module.reset_parameters()
        return new


@wrong(loses=["test-forget-hidden"], says="also of those inside others, and of batch normalization")
def weights_of_linear_alone():
    """Thinks of layers by their type."""

    def forget(model, seed):
        new = copy.deepcopy(model)
        torch.manual_seed(seed)
        for module in new.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                module.reset_parameters()
        return new


@wrong(loses=["test-forget-hidden"], says="Whether the model is as it was")
def ignores_the_seed():
    """Other weights at each call."""

    def forget(model, seed):
        new = copy.deepcopy(model)
        for module in new.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
        return new


@wrong(loses=["test-forget", "test-forget-hidden"], says="how large a number is does not matter")
def correlation_of_the_values():
    """Pearson for Spearman."""

    def similarity(first, second):
        a, b = (maps.flatten(1).double() for maps in (first, second))
        a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
        return (a * b).sum(dim=1) / ((a**2).sum(dim=1) * (b**2).sum(dim=1)).sqrt()


@wrong(loses=["test-forget-hidden"], says="argsort of argsort gives them different ones")
def ranks_without_ties():
    """argsort of argsort, as everywhere."""

    def similarity(first, second):
        a, b = (
            m.flatten(1).argsort(dim=1, stable=True).argsort(dim=1).double()
            for m in (first, second)
        )
        a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
        return (a * b).sum(dim=1) / ((a**2).sum(dim=1) * (b**2).sum(dim=1)).sqrt()


@wrong(loses=["test-forget", "test-forget-hidden"], says="shape")
def one_number_for_the_batch():
    """Ranks over all samples together."""

    def similarity(first, second):
        a, b = (m.flatten().argsort().argsort().double() for m in (first, second))
        a, b = a - a.mean(), b - b.mean()
        return (a * b).sum() / ((a**2).sum() * (b**2).sum()).sqrt()


@wrong(loses=["test-forget-hidden"], says="0 / 0 is nan")
def no_order_is_zero():
    """nan_to_num makes 0 of what is not known."""

    def similarity(first, second):
        def ranks(maps):
            rows = maps.flatten(1).double()
            below = (rows[:, None, :] < rows[:, :, None]).sum(dim=2)
            up_to = (rows[:, None, :] <= rows[:, :, None]).sum(dim=2)
            middle = (below + up_to).double()
            return middle - middle.mean(dim=1, keepdim=True)

        a, b = ranks(first), ranks(second)
        r = (a * b).sum(dim=1) / ((a**2).sum(dim=1) * (b**2).sum(dim=1)).sqrt()
        return torch.nan_to_num(r)


# Right, if unusual --------------------------------------------------------------------------------


@right
def backward_on_a_copy():
    """A copy of the model may collect what it likes."""

    def saliency(model, x, targets):
        own = copy.deepcopy(model).eval()
        own.zero_grad()
        z = x.detach().clone().requires_grad_()
        own(z)[torch.arange(len(z), device=z.device), targets].sum().backward()
        return z.grad


@right
def sample_by_sample():
    """Loops, and other names."""

    def saliency(network, images, classes):
        modes = [(part, part.training) for part in network.modules()]
        network.eval()
        rows = []
        for image, c in zip(images, classes, strict=True):
            one = image.detach()[None].clone().requires_grad_()
            rows.append(torch.autograd.grad(network(one)[0, int(c)], one)[0][0])
        for part, mode in modes:
            part.training = mode
        return torch.stack(rows)


@right
def by_vector_products():
    """The functional interface."""

    def saliency(model, x, targets):
        own = copy.deepcopy(model).eval()
        seed = nn.functional.one_hot(targets, own(x).shape[1]).to(x.dtype)
        _, pull = torch.func.vjp(own, x.detach())
        return pull(seed)[0].detach()


@right
def shares_with_nan_mended():
    """Divides first, and mends what is not a number; einsum for the sum."""

    def shares(attribution):
        sizes = torch.einsum("nchw->nhw", attribution).abs()
        result = sizes / sizes.flatten(1).sum(1)[:, None, None]
        return torch.nan_to_num(result, nan=0.0)


@right
def the_whole_path_as_one_batch():
    """All points of the path at once, without the earlier step."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        own = copy.deepcopy(model).eval()
        start = torch.zeros_like(x) + baseline
        at = (torch.arange(steps, dtype=x.dtype, device=x.device) + 0.5) / steps
        at = at.reshape(-1, *[1] * x.ndim)
        path = (start + at * (x - start)).flatten(0, 1).detach().requires_grad_()
        chosen = own(path).gather(1, targets.repeat(steps)[:, None]).sum()
        slopes = torch.autograd.grad(chosen, path)[0].reshape(steps, *x.shape)
        return (x - start) * slopes.mean(dim=0)

    def completeness_gap(model, x, targets, baseline, attribution):
        own, rows = copy.deepcopy(model).eval(), torch.arange(len(x), device=x.device)
        both = own(torch.cat([x, torch.zeros_like(x) + baseline]))[
            torch.cat([rows, rows + len(x)]), targets.repeat(2)
        ]
        rise = (both[: len(x)] - both[len(x) :]).detach()
        return attribution.reshape(len(x), -1).sum(1) - rise


@right
def path_walked_backward():
    """From x to the baseline: the midpoints are the same."""

    def integrated_gradients(model, x, targets, baseline, steps=50):
        way = x - baseline
        slopes = [saliency(model, x - (k + 0.5) / steps * way, targets) for k in range(steps)]
        return torch.stack(slopes).mean(dim=0) * way


@right
def covered_by_masks():
    """torch.where with a mask, and windows as one batch."""

    def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
        own = copy.deepcopy(model).eval()
        height, width = x.shape[2:]
        tops = range(0, height - size + 1, stride)
        lefts = range(0, width - size + 1, stride)
        down = torch.arange(height, device=x.device)[:, None]
        across = torch.arange(width, device=x.device)[None, :]
        result = []
        with torch.no_grad():
            for image, target in zip(x, targets, strict=True):
                covered = torch.stack(
                    [
                        torch.where(
                            (down >= t) & (down < t + size) & (across >= s) & (across < s + size),
                            torch.full_like(image, fill),
                            image,
                        )
                        for t in tops
                        for s in lefts
                    ]
                )
                fall = own(image[None])[0, target] - own(covered)[:, target]
                result.append(fall.reshape(len(tops), len(lefts)))
        return torch.stack(result)


@right
def cam_by_a_delta():
    """No gradient of x: a zero is added to the maps, and its gradient asked for."""

    def grad_cam(model, x, targets, layer):
        modes = [(part, part.training) for part in model.modules()]
        model.eval()
        seen = {}

        def add_a_zero(module, inputs, output):
            seen["zero"] = torch.zeros_like(output).requires_grad_()
            seen["maps"] = output.detach()
            return output + seen["zero"]

        handle = layer.register_forward_hook(add_a_zero)
        try:
            chosen = model(x)[torch.arange(len(x), device=x.device), targets].sum()
        finally:
            handle.remove()
        slopes = torch.autograd.grad(chosen, seen["zero"])[0]
        for part, mode in modes:
            part.training = mode
        weights = slopes.flatten(2).mean(dim=2)
        return torch.einsum("nc,nchw->nhw", weights, seen["maps"]).clamp(min=0)


@right
def weighed_coalitions():
    """The formula with factorials."""

    def shapley(value, players):
        from itertools import combinations
        from math import factorial

        result = []
        for j in range(players):
            others, total = [k for k in range(players) if k != j], 0.0
            for s in range(players):
                weight = factorial(s) * factorial(players - 1 - s) / factorial(players)
                for chosen in combinations(others, s):
                    total += weight * (value((*chosen, j)) - value(chosen))
            result.append(total)
        return np.array(result)


@right
def recursion_over_the_last_one():
    """The last to arrive is each player equally often; the others share what remains."""

    def shapley(value, players):
        def among(group):
            if not group:
                return {}
            result = dict.fromkeys(group, 0.0)
            for last in group:
                rest = tuple(k for k in group if k != last)
                result[last] += (value(group) - value(rest)) / len(group)
                for k, share in among(rest).items():
                    result[k] += share / len(group)
            return result

        found = among(tuple(range(players)))
        return np.array([found[k] for k in range(players)])


@right
def ranks_by_sorting():
    """Sorts in NumPy, sample by sample, and averages equal ones."""

    def similarity(first, second):
        def ranks(values):
            values = values.detach().cpu().numpy().ravel()
            _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
            ends = np.cumsum(counts)
            return (ends - (counts - 1) / 2)[inverse]

        result = [np.corrcoef(ranks(a), ranks(b))[0, 1] for a, b in zip(first, second, strict=True)]
        return torch.tensor(result)


@right
def forgets_through_apply():
    """named_modules, and a copy through a deep copy of the whole."""

    def forget(network, number):
        blank = copy.deepcopy(network)
        torch.manual_seed(number)
        for _, part in blank.named_modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
        return blank
