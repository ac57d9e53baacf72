"""Wrong and unusual answers to the exercise `adversarial`."""

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {}

# Which way is up? ---------------------------------------------------------------------------------


@wrong(loses=["test-input_gradient", "test-input_gradient-hidden"], says="add the losses up")
def mean_of_the_batch():
    """cross_entropy takes the mean by default, as one wants it in training."""

    def input_gradient(model, x, y):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(model(x), y), x)
        for module, mode in modes.items():
            module.training = mode
        return gradient


@wrong(loses=["test-input_gradient-hidden"], says="each sample has its own gradient")
def training_mode_as_it_came():
    """Nobody said model.eval() in this function, and dropout is still at work."""

    def input_gradient(model, x, y):
        x = x.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
        return torch.autograd.grad(loss, x)[0]


@wrong(loses=["test-input_gradient-hidden"], says="adds to the gradients of the weights")
def backward_fills_the_weights():
    """loss.backward() is what one knows."""

    def input_gradient(model, x, y):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        nn.functional.cross_entropy(model(x), y, reduction="sum").backward()
        for module, mode in modes.items():
            module.training = mode
        return x.grad


@wrong(loses=["test-input_gradient-hidden"], says="adds to the gradients of the weights")
def zero_grad_at_the_end():
    """Tidies up behind backward(), and with it what somebody had collected."""

    def input_gradient(model, x, y):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        nn.functional.cross_entropy(model(x), y, reduction="sum").backward()
        model.zero_grad()
        for module, mode in modes.items():
            module.training = mode
        return x.grad


@wrong(loses=["test-input_gradient-hidden"], says="put each one back")
def leaves_evaluation_mode():
    """eval() is called, and that is that."""

    def input_gradient(model, x, y):
        model.eval()
        x = x.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
        return torch.autograd.grad(loss, x)[0]


@wrong(loses=["test-input_gradient-hidden"], says="put each one back")
def wakes_what_was_frozen():
    """Remembers the mode of the whole, and not of its parts."""

    def input_gradient(model, x, y):
        training = model.training
        model.eval()
        x = x.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        model.train(training)
        return gradient


@wrong(loses=["test-input_gradient-hidden"], says="and still learn")
def freezes_the_weights():
    """Turns off the gradients of the weights, to save work, and forgets to turn them on."""

    def input_gradient(model, x, y):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        x = x.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        for module, mode in modes.items():
            module.training = mode
        return gradient


@wrong(loses=["test-input_gradient", "test-input_gradient-hidden"], says="The gradients")
def gradient_of_the_logit():
    """The slope of the right logit, and not of the loss."""

    def input_gradient(model, x, y):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        loss = -model(x).gather(1, y[:, None]).sum()
        (gradient,) = torch.autograd.grad(loss, x)
        for module, mode in modes.items():
            module.training = mode
        return gradient


@wrong(
    loses=["test-input_gradient", "test-input_gradient-hidden"],
    says="a softmax before cross_entropy",
)
def softmax_twice():
    """cross_entropy takes logits: the softmax is in it."""

    def input_gradient(model, x, y):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(x).softmax(dim=1), y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        for module, mode in modes.items():
            module.training = mode
        return gradient


@wrong(loses=["test-input_gradient-hidden"], says="without a graph")
def a_graph_behind_it():
    """create_graph=True from another tutorial."""

    def input_gradient(model, x, y):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        x = x.detach().clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
        for module, mode in modes.items():
            module.training = mode
        return gradient


# One large step -----------------------------------------------------------------------------------


@wrong(loses=["test-fgsm", "test-fgsm-hidden"], says="to raise the loss")
def descends_the_loss():
    """Gradient descent has a minus sign, and here one wants to climb."""

    def fgsm(model, x, y, epsilon, targeted=False):
        direction = 1 if targeted else -1
        return (x + direction * epsilon * input_gradient(model, x, y).sign()).clamp(0, 1)


@wrong(loses=["test-fgsm", "test-fgsm-hidden"], says="with `targeted`")
def targeted_climbs_too():
    """The loss of the wanted class is raised, which leads away from it."""

    def fgsm(model, x, y, epsilon, targeted=False):
        return (x + epsilon * input_gradient(model, x, y).sign()).clamp(0, 1)


@wrong(loses=["test-fgsm", "test-fgsm-hidden"], says="depends on the size of the slope")
def the_gradient_itself():
    """No sign: a step as long as the slope."""

    def fgsm(model, x, y, epsilon, targeted=False):
        direction = -1 if targeted else 1
        return (x + direction * epsilon * input_gradient(model, x, y)).clamp(0, 1)


@wrong(loses=["test-fgsm-hidden"], says="clip after adding, not before")
def clips_before_adding():
    """The image is clipped, and the change is added to it."""

    def fgsm(model, x, y, epsilon, targeted=False):
        direction = -1 if targeted else 1
        return x.clamp(0, 1) + direction * epsilon * input_gradient(model, x, y).sign()


@wrong(loses=["test-fgsm-hidden"], says="clip after adding")
def never_clips():
    """Pixels of 1.1 and -0.1 are numbers like others."""

    def fgsm(model, x, y, epsilon, targeted=False):
        direction = -1 if targeted else 1
        return x + direction * epsilon * input_gradient(model, x, y).sign()


@wrong(loses=["test-fgsm-hidden"], says="sign of 0 is 0")
def zero_is_negative():
    """Up where the slope is positive, down everywhere else."""

    def fgsm(model, x, y, epsilon, targeted=False):
        up = torch.where(input_gradient(model, x, y) > 0, 1.0, -1.0)
        direction = -1 if targeted else 1
        return (x + direction * epsilon * up).clamp(0, 1)


@wrong(loses=["test-fgsm", "test-fgsm-hidden"], says="One step of")
def epsilon_on_the_scale_of_255():
    """An epsilon of 8 on a screen is 8 / 255 here, and this one was here already."""

    def fgsm(model, x, y, epsilon, targeted=False):
        direction = -1 if targeted else 1
        step = epsilon / 255
        return (x + direction * step * input_gradient(model, x, y).sign()).clamp(0, 1)


@wrong(loses=["test-fgsm", "test-fgsm-hidden"], says="you changed x")
def writes_into_the_image():
    """x += ... is the caller's image."""

    def fgsm(model, x, y, epsilon, targeted=False):
        direction = -1 if targeted else 1
        x += direction * epsilon * input_gradient(model, x, y).sign()
        return x.clamp_(0, 1)


@wrong(loses=["test-fgsm", "test-fgsm-hidden"], says="One step of")
def clips_to_what_occurs():
    """From the smallest to the largest pixel that the batch has."""

    def fgsm(model, x, y, epsilon, targeted=False):
        direction = -1 if targeted else 1
        moved = x + direction * epsilon * input_gradient(model, x, y).sign()
        return moved.clamp(x.min(), x.max())


# Back into the ball -------------------------------------------------------------------------------


@wrong(loses=["test-project", "test-project-hidden"], says="is halved")
def always_the_square():
    """The norm is ignored."""

    def project(change, epsilon, norm="linf"):
        return change.clamp(-epsilon, epsilon)


@wrong(loses=["test-project", "test-project-hidden"], says="shorter than 0.5 and stays")
def always_to_the_edge():
    """What is inside is stretched to the length epsilon."""

    def project(change, epsilon, norm="linf"):
        if norm == "linf":
            return change.clamp(-epsilon, epsilon)
        length = change.flatten(1).norm(dim=1).reshape(-1, *[1] * (change.ndim - 1))
        return change * epsilon / length.clamp(min=1e-12)


@wrong(loses=["test-project", "test-project-hidden"], says="is halved")
def length_of_the_batch():
    """norm() without a dimension: one length for all images."""

    def project(change, epsilon, norm="linf"):
        if norm == "linf":
            return change.clamp(-epsilon, epsilon)
        return change * min(1.0, epsilon / max(1e-12, change.norm().item()))


@wrong(loses=["test-project-hidden"], says="over all of its entries")
def length_of_a_row():
    """norm(dim=1) is right for images in one row each, and only for these."""

    def project(change, epsilon, norm="linf"):
        if norm == "linf":
            return change.clamp(-epsilon, epsilon)
        length = change.norm(dim=1, keepdim=True)
        return change * (epsilon / length.clamp(min=1e-12)).clamp(max=1)


@wrong(loses=["test-project-hidden"], says="nan")
def zero_by_zero():
    """A change of 0 is divided by its length."""

    def project(change, epsilon, norm="linf"):
        if norm == "linf":
            return change.clamp(-epsilon, epsilon)
        length = change.flatten(1).norm(dim=1).reshape(-1, *[1] * (change.ndim - 1))
        return change / length * length.clamp(max=epsilon)


@wrong(loses=["test-project", "test-project-hidden"], says="Cut each entry")
def only_from_above():
    """Large negative changes are forgotten."""

    def project(change, epsilon, norm="linf"):
        if norm == "linf":
            return change.clamp(max=epsilon)
        length = change.flatten(1).norm(dim=1).reshape(-1, *[1] * (change.ndim - 1))
        return change * (epsilon / length.clamp(min=1e-12)).clamp(max=1)


@wrong(loses=["test-project", "test-project-hidden"], says="you changed change")
def clamps_in_place():
    """clamp_ with an underscore."""

    def project(change, epsilon, norm="linf"):
        if norm == "linf":
            return change.clamp_(-epsilon, epsilon)
        length = change.flatten(1).norm(dim=1).reshape(-1, *[1] * (change.ndim - 1))
        return change * (epsilon / length.clamp(min=1e-12)).clamp(max=1)


# Many small steps ---------------------------------------------------------------------------------


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="the ball ends at 0.25")
def no_projection():
    """Steps are small, and so, one thinks, is their sum."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        for _ in range(steps):
            moved = (moved + step_size * input_gradient(model, moved, y).sign()).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="project the change from x")
def ball_around_the_last_step():
    """Projects each step, which was short enough anyway."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        for _ in range(steps):
            change = project(step_size * input_gradient(model, moved, y).sign(), epsilon)
            moved = (moved + change).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="the ball")
def ball_around_the_start():
    """The change is measured from where the attack began."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        start = x if start is None else start
        moved = start
        for _ in range(steps):
            moved = moved + step_size * input_gradient(model, moved, y).sign()
            moved = (start + project(moved - start, epsilon)).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd-hidden"], says="gradient at the point that was reached")
def gradient_at_the_image():
    """One gradient for all steps: FGSM in installments."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        uphill = input_gradient(model, x, y).sign()
        for _ in range(steps):
            moved = moved + step_size * uphill
            moved = (x + project(moved - x, epsilon)).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="pgd")
def descends_in_steps():
    """It is called descent."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        for _ in range(steps):
            moved = moved - step_size * input_gradient(model, moved, y).sign()
            moved = (x + project(moved - x, epsilon)).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="step(s) of")
def one_step_too_many():
    """A last step after the last projection."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        for _ in range(steps):
            moved = (x + project(moved - x, epsilon)).clamp(0, 1)
            moved = moved + step_size * input_gradient(model, moved, y).sign()
        return moved.clamp(0, 1)


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="step(s)")
def one_step_too_few():
    """range(1, steps)."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        for _ in range(1, steps):
            moved = moved + step_size * input_gradient(model, moved, y).sign()
            moved = (x + project(moved - x, epsilon)).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="Then clip to pixels")
def steps_leave_the_pixels():
    """Projects, and does not clip."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        for _ in range(steps):
            moved = moved + step_size * input_gradient(model, moved, y).sign()
            moved = x + project(moved - x, epsilon)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="0.75, 0.75")
def start_is_ignored():
    """Begins at the image, whatever is given."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x
        for _ in range(steps):
            moved = moved + step_size * input_gradient(model, moved, y).sign()
            moved = (x + project(moved - x, epsilon)).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="step(s) of")
def its_own_step_size():
    """2.5 epsilon / steps is the usual choice, and step_size is ignored."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x if start is None else start
        for _ in range(steps):
            moved = moved + 2.5 * epsilon / steps * input_gradient(model, moved, y).sign()
            moved = (x + project(moved - x, epsilon)).clamp(0, 1)
        return moved


@wrong(loses=["test-pgd", "test-pgd-hidden"], says="you changed start")
def moves_the_start_itself():
    """+= on the tensor that was given to begin at."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        moved = x.clone() if start is None else start
        for _ in range(steps):
            moved += step_size * input_gradient(model, moved, y).sign()
            moved.copy_((x + project(moved - x, epsilon)).clamp(0, 1))
        return moved


@wrong(loses=["test-pgd-hidden"], says="torch.rand alone is never negative")
def only_brighter():
    """rand is between 0 and 1."""

    def random_start(x, epsilon, generator):
        return (x + epsilon * torch.rand(x.shape, generator=generator).to(x)).clamp(0, 1)


@wrong(loses=["test-pgd-hidden"], says="close to 1/4, 1/2 and 3/4")
def only_corners():
    """Random signs are at the corners of the ball alone."""

    def random_start(x, epsilon, generator):
        drawn = 2.0 * torch.randint(2, x.shape, generator=generator) - 1
        return (x + epsilon * drawn.to(x)).clamp(0, 1)


@wrong(loses=["test-pgd-hidden"], says="no larger than epsilon")
def normal_noise():
    """randn has no end."""

    def random_start(x, epsilon, generator):
        return (x + epsilon * torch.randn(x.shape, generator=generator).to(x)).clamp(0, 1)


@wrong(loses=["test-pgd-hidden"], says="gives the same start")
def another_generator():
    """rand_like knows no generator, and the global one is used."""

    def random_start(x, epsilon, generator):
        return (x + epsilon * (2 * torch.rand_like(x) - 1)).clamp(0, 1)


@wrong(loses=["test-pgd-hidden"], says="Clip to pixels after adding")
def start_outside_of_the_pixels():
    """The start is not clipped."""

    def random_start(x, epsilon, generator):
        return x + epsilon * (2 * torch.rand(x.shape, generator=generator).to(x) - 1)


@wrong(loses=["test-pgd-hidden"], says="a change of its own")
def one_change_for_all():
    """The same change for each image."""

    def random_start(x, epsilon, generator):
        drawn = 2 * torch.rand(x.shape[1:], generator=generator).to(x) - 1
        return (x + epsilon * drawn).clamp(0, 1)


# A count that cannot flatter ----------------------------------------------------------------------


@wrong(
    loses=["test-robust_accuracy", "test-robust_accuracy-hidden"],
    says="an attack happens to mend it",
)
def forgets_the_image_as_written():
    """Looks at the attacked images alone."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < -1e-5 or images.max() > 1 + 1e-5:
                raise ValueError("pixels")
            if (images - x).abs().max() > epsilon + 1e-5:
                raise ValueError("ball")
        modes = {module: module.training for module in model.modules()}
        model.eval()
        right = torch.ones(len(x), dtype=torch.bool, device=x.device)
        with torch.no_grad():
            for images in attacked or [x]:
                right &= model(images).argmax(dim=1) == y
        for module, mode in modes.items():
            module.training = mode
        return right.double().mean().item()


@wrong(
    loses=["test-robust_accuracy", "test-robust_accuracy-hidden"],
    says="Robust accuracy",
)
def share_of_the_right_ones():
    """Of those that were read right, how many withstand? The others are left out."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < -1e-5 or images.max() > 1 + 1e-5:
                raise ValueError("pixels")
            if (images - x).abs().max() > epsilon + 1e-5:
                raise ValueError("ball")
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        for module, mode in modes.items():
            module.training = mode
        return (right.all(dim=0).double().sum() / right[0].sum().clamp(min=1)).item()


@wrong(
    loses=["test-robust_accuracy", "test-robust_accuracy-hidden"],
    says="Robust accuracy",
)
def worst_single_attack():
    """The smallest accuracy of any attack: others fool other samples."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < -1e-5 or images.max() > 1 + 1e-5:
                raise ValueError("pixels")
            if (images - x).abs().max() > epsilon + 1e-5:
                raise ValueError("ball")
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            shares = [(model(z).argmax(dim=1) == y).double().mean().item() for z in (x, *attacked)]
        for module, mode in modes.items():
            module.training = mode
        return min(shares)


@wrong(
    loses=["test-robust_accuracy", "test-robust_accuracy-hidden"],
    says="Robust accuracy",
)
def mean_over_attacks():
    """As if attacks were samples."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < -1e-5 or images.max() > 1 + 1e-5:
                raise ValueError("pixels")
            if (images - x).abs().max() > epsilon + 1e-5:
                raise ValueError("ball")
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        for module, mode in modes.items():
            module.training = mode
        return right.double().mean().item()


@wrong(loses=["test-robust_accuracy-hidden"], says="Robust accuracy of")
def measures_in_training_mode():
    """No eval(): dropout, batch statistics, and whatever else training does."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < -1e-5 or images.max() > 1 + 1e-5:
                raise ValueError("pixels")
            if (images - x).abs().max() > epsilon + 1e-5:
                raise ValueError("ball")
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        return right.all(dim=0).double().mean().item()


@wrong(loses=["test-robust_accuracy-hidden"], says="Put each module back")
def measures_and_leaves():
    """The model stays in evaluation mode."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < -1e-5 or images.max() > 1 + 1e-5:
                raise ValueError("pixels")
            if (images - x).abs().max() > epsilon + 1e-5:
                raise ValueError("ball")
        model.eval()
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        return right.all(dim=0).double().mean().item()


@wrong(
    loses=["test-robust_accuracy", "test-robust_accuracy-hidden"],
    says="expected  ValueError",
)
def believes_every_attack():
    """No look at how far the attack went."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        for module, mode in modes.items():
            module.training = mode
        return right.all(dim=0).double().mean().item()


@wrong(loses=["test-robust_accuracy-hidden"], says="is no pixel")
def forgets_the_range():
    """The ball is checked, the range of pixels is not."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if (images - x).abs().max() > epsilon + 1e-5:
                raise ValueError("ball")
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        for module, mode in modes.items():
            module.training = mode
        return right.all(dim=0).double().mean().item()


@wrong(loses=["test-robust_accuracy-hidden"], says="downward")
def only_upward():
    """(images - x).max() without the absolute value."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < -1e-5 or images.max() > 1 + 1e-5:
                raise ValueError("pixels")
            if (images - x).max() > epsilon + 1e-5:
                raise ValueError("ball")
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        for module, mode in modes.items():
            module.training = mode
        return right.all(dim=0).double().mean().item()


@wrong(loses=["test-robust_accuracy-hidden"], says="raised ValueError: ball")
def no_room_for_rounding():
    """x + epsilon - x is not epsilon to the last digit."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            if images.min() < 0 or images.max() > 1:
                raise ValueError("pixels")
            if (images - x).abs().max() > epsilon + 2e-7:
                raise ValueError("ball")
        modes = {module: module.training for module in model.modules()}
        model.eval()
        with torch.no_grad():
            right = torch.stack([model(z).argmax(dim=1) == y for z in (x, *attacked)])
        for module, mode in modes.items():
            module.training = mode
        return right.all(dim=0).double().mean().item()


# Three signs of a mask ----------------------------------------------------------------------------


@wrong(loses=["test-masking_signs-hidden"], says="all of its pixels have slope 0")
def any_pixel_is_flat():
    """Some pixel always has a slope of 0."""

    def masking_signs(model, x, y, epsilon, white, black):
        flat = (input_gradient(model, x, y).flatten(1) == 0).any(dim=1).double().mean().item()
        left = [
            robust_accuracy(model, x, y, [attack(model, x, y, size)], size)
            for attack, size in ((white, epsilon), (black, epsilon), (white, 1.0))
        ]
        gap, unbounded = left[0] - left[1], left[2]
        masked = flat > 0.5 or gap > 0.05 or unbounded > 0.05
        return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}


@wrong(loses=["test-masking_signs-hidden"], says="all of its pixels have slope 0")
def share_of_flat_pixels():
    """The share of pixels, and not of samples."""

    def masking_signs(model, x, y, epsilon, white, black):
        flat = (input_gradient(model, x, y) == 0).double().mean().item()
        left = [
            robust_accuracy(model, x, y, [attack(model, x, y, size)], size)
            for attack, size in ((white, epsilon), (black, epsilon), (white, 1.0))
        ]
        gap, unbounded = left[0] - left[1], left[2]
        masked = flat > 0.5 or gap > 0.05 or unbounded > 0.05
        return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}


@wrong(loses=["test-masking_signs", "test-masking_signs-hidden"], says="gap")
def gap_the_other_way():
    """black minus white."""

    def masking_signs(model, x, y, epsilon, white, black):
        flat = (input_gradient(model, x, y).flatten(1) == 0).all(dim=1).double().mean().item()
        left = [
            robust_accuracy(model, x, y, [attack(model, x, y, size)], size)
            for attack, size in ((white, epsilon), (black, epsilon), (white, 1.0))
        ]
        gap, unbounded = left[1] - left[0], left[2]
        masked = flat > 0.5 or gap > 0.05 or unbounded > 0.05
        return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}


@wrong(loses=["test-masking_signs-hidden"], says="A gap below 0 is no sign")
def gap_of_either_sign():
    """A large difference looks suspicious, whichever way."""

    def masking_signs(model, x, y, epsilon, white, black):
        flat = (input_gradient(model, x, y).flatten(1) == 0).all(dim=1).double().mean().item()
        left = [
            robust_accuracy(model, x, y, [attack(model, x, y, size)], size)
            for attack, size in ((white, epsilon), (black, epsilon), (white, 1.0))
        ]
        gap, unbounded = left[0] - left[1], left[2]
        masked = flat > 0.5 or abs(gap) > 0.05 or unbounded > 0.05
        return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}


@wrong(loses=["test-masking_signs", "test-masking_signs-hidden"], says="masked")
def all_signs_at_once():
    """`and` where one sign is enough."""

    def masking_signs(model, x, y, epsilon, white, black):
        flat = (input_gradient(model, x, y).flatten(1) == 0).all(dim=1).double().mean().item()
        left = [
            robust_accuracy(model, x, y, [attack(model, x, y, size)], size)
            for attack, size in ((white, epsilon), (black, epsilon), (white, 1.0))
        ]
        gap, unbounded = left[0] - left[1], left[2]
        masked = flat > 0.5 and gap > 0.05 and unbounded > 0.05
        return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}


@wrong(loses=["test-masking_signs", "test-masking_signs-hidden"], says="unbounded")
def unbounded_by_the_black_box():
    """The black box without bounds: it fools everybody."""

    def masking_signs(model, x, y, epsilon, white, black):
        flat = (input_gradient(model, x, y).flatten(1) == 0).all(dim=1).double().mean().item()
        left = [
            robust_accuracy(model, x, y, [attack(model, x, y, size)], size)
            for attack, size in ((white, epsilon), (black, epsilon), (black, 1.0))
        ]
        gap, unbounded = left[0] - left[1], left[2]
        masked = flat > 0.5 or gap > 0.05 or unbounded > 0.05
        return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}


@wrong(loses=["test-masking_signs-hidden"], says="raised ValueError")
def unbounded_measured_in_the_small_ball():
    """The attack gets an epsilon of 1, the count still the small one."""

    def masking_signs(model, x, y, epsilon, white, black):
        flat = (input_gradient(model, x, y).flatten(1) == 0).all(dim=1).double().mean().item()
        left = [
            robust_accuracy(model, x, y, [attack(model, x, y, size)], epsilon)
            for attack, size in ((white, epsilon), (black, epsilon), (white, 1.0))
        ]
        gap, unbounded = left[0] - left[1], left[2]
        masked = flat > 0.5 or gap > 0.05 or unbounded > 0.05
        return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}


# Behind the mask ----------------------------------------------------------------------------------


@wrong(loses=["test-straight_through", "test-straight_through-hidden"], says="they arrive")
def goes_through_the_function():
    """function(x) alone: its slope is that of the rounding, 0."""

    def straight_through(function, x):
        return function(x) + 0 * x


@wrong(loses=["test-straight_through-hidden"], says="slope is to play no part")
def forgets_to_detach():
    """x + function(x) - x.detach(): right for rounding, whose own slope is 0."""

    def straight_through(function, x):
        return x + function(x) - x.detach()


@wrong(loses=["test-straight_through", "test-straight_through-hidden"], says="going forward")
def forward_is_the_identity():
    """The two are exchanged."""

    def straight_through(function, x):
        return function(x).detach() * 0 + x


@wrong(loses=["test-straight_through", "test-straight_through-hidden"], says="Zeros: autograd")
def detached_entirely():
    """Nothing passes."""

    def straight_through(function, x):
        return function(x).detach()


# Right, in another way ----------------------------------------------------------------------------


@right
def one_sample_at_a_time():
    """A loop over samples, with .backward() on a copy of the model."""

    def input_gradient(net, images, labels):
        import copy

        twin = copy.deepcopy(net)
        twin.eval()
        rows = []
        for image, label in zip(images, labels):
            leaf = image.detach().unsqueeze(0).clone().requires_grad_(True)
            nn.CrossEntropyLoss()(twin(leaf), label.unsqueeze(0)).backward()
            rows.append(leaf.grad[0])
        return torch.stack(rows)


@right
def mean_times_n():
    """The mean over the batch, multiplied by its size, under enable_grad."""

    def input_gradient(model, x, y):
        import sys

        was = [(m, m.training) for m in model.modules()]
        model.train(False)
        z = x.clone().detach()
        z.requires_grad = True
        with torch.enable_grad():
            loss = -torch.log_softmax(model(z), dim=1)[torch.arange(len(y)), y].mean()
            gradient = torch.autograd.grad(loss * len(y), [z])[0]
        print("one backward pass", file=sys.stderr)
        for m, training in was:
            m.training = training
        return gradient.detach()


@right
def comparisons_in_place_of_signs():
    """FGSM by comparisons, minimum and maximum; its own gradient."""

    def fgsm(network, images, labels, eps, targeted=False):
        slope = input_gradient(network, images, labels)
        up = (slope > 0).to(images) - (slope < 0).to(images)
        moved = images - eps * up if targeted else images + eps * up
        return torch.min(torch.max(moved, torch.zeros_like(moved)), torch.ones_like(moved))


@right
def in_numpy():
    """The projection with NumPy, and 0 / 0 on the way."""

    def project(change, epsilon, norm="linf"):
        numbers = change.detach().cpu().numpy()
        if norm == "linf":
            return torch.from_numpy(np.clip(numbers, -epsilon, epsilon)).to(change)
        rows = numbers.reshape(len(numbers), -1)
        length = np.sqrt((rows.astype(float) ** 2).sum(axis=1, keepdims=True))
        scaled = np.where(length > epsilon, rows * epsilon / length, rows)
        return torch.tensor(scaled.reshape(numbers.shape)).to(change)


@right
def renorm():
    """PyTorch has the L2 projection ready."""

    def project(change, epsilon, norm="linf"):
        if norm == "l2":
            return torch.renorm(change, p=2, dim=0, maxnorm=epsilon)
        return torch.maximum(torch.minimum(change, change * 0 + epsilon), change * 0 - epsilon)


@right
def clips_first():
    """Clips to pixels and then projects, which ends in the same place; a recursion."""

    def random_start(x, epsilon, generator):
        low, high = (x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)
        drawn = torch.rand(x.numel(), generator=generator, dtype=torch.float64)
        moved = x - epsilon + 2 * epsilon * drawn.reshape(x.shape).to(x)
        return moved.clamp(low, high)

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        here = x.clone() if start is None else start.clone()
        if steps == 0:
            return here
        here = here + step_size * torch.sign(input_gradient(model, here, y))
        here = torch.clamp(here, 0, 1)
        here = torch.clamp(here, x - epsilon, x + epsilon)
        return pgd(model, x, y, epsilon, step_size, steps - 1, here)


@right
def the_change_is_kept():
    """Keeps the change and not the image, in place on tensors of its own."""

    def pgd(model, x, y, epsilon, step_size, steps, start=None):
        delta = torch.zeros_like(x) if start is None else start - x
        for _ in range(steps):
            delta = delta + step_size * input_gradient(model, x + delta, y).sign()
            delta = delta.clamp_(-epsilon, epsilon)
            delta = (x + delta).clamp_(0, 1) - x
        return (x + delta).clamp(0, 1)


@right
def uniform_in_place():
    """uniform_ with the generator."""

    def random_start(x, epsilon, generator):
        change = torch.empty(x.shape).uniform_(-epsilon, epsilon, generator=generator)
        return torch.clamp(x + change.to(x), 0.0, 1.0)


@right
def counts_in_python():
    """One image at a time, with sets of survivors."""

    def robust_accuracy(model, x, y, attacked, epsilon):
        for images in attacked:
            off = torch.abs(images.double() - x.double()).max().item()
            inside = -1e-5 <= images.min().item() and images.max().item() <= 1 + 1e-5
            if off > epsilon + 1e-5 or not inside:
                raise ValueError("not in the ball")
        was = [(m, m.training) for m in model.modules()]
        model.eval()
        alive = set(range(len(x)))
        with torch.inference_mode():
            for images in [x] + list(attacked):
                answers = model(images).argmax(1).tolist()
                alive -= {i for i, (a, b) in enumerate(zip(answers, y.tolist())) if a != b}
        for m, training in was:
            m.training = training
        return len(alive) / len(x)


@right
def signs_one_by_one():
    """The signs in another order, flat by the largest slope."""

    def masking_signs(model, x, y, epsilon, white, black):
        free = robust_accuracy(model, x, y, [white(model, x, y, 1)], 1)
        inner = robust_accuracy(model, x, y, [white(model, x, y, epsilon)], epsilon)
        outer = robust_accuracy(model, x, y, [black(model, x, y, epsilon)], epsilon)
        slopes = input_gradient(model, x, y).abs().reshape(len(x), -1).max(dim=1).values
        flat = sum(float(s) == 0 for s in slopes) / len(x)
        found = {"masked": any([free > 0.05, inner - outer > 0.05, flat > 0.5])}
        found.update(flat=flat, gap=inner - outer, unbounded=free)
        return found


@right
def a_function_of_autograd():
    """torch.autograd.Function with a backward pass of its own."""

    def straight_through(function, x):
        class Straight(torch.autograd.Function):
            @staticmethod
            def forward(ctx, z):
                return function(z).clone()

            @staticmethod
            def backward(ctx, slopes):
                return slopes

        return Straight.apply(x)
