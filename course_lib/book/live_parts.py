"""What each live part of the book is made of: the data that its script gets, and its still.

Both are computed when the site is built, with the modules that the page itself imports. Nothing of
it is kept anywhere else.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib import seed_everything, sharing
from course_lib.book.page_code import run_page_code
from course_lib.data import digits
from course_lib.data.spirals import spirals
from course_lib.data.splits import split
from course_lib.plotting import adversarial, gradient_descent
from course_lib.plotting import live as figures
from course_lib.scratch.activations import relu, softmax
from course_lib.scratch.layers import Linear, Module, ReLU, Sequential
from course_lib.scratch.losses import binary_cross_entropy_with_logits
from course_lib.scratch.optimizers import SGD, Adam
from course_lib.scratch.tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PARTS", "Part"]


@dataclass(frozen=True)
class Part:
    """A live part: what its script needs to know (for JSON), and the picture before it starts."""

    data: Callable[[], dict[str, Any]]
    still: Callable[[], Figure]


def route(
    curvatures: np.ndarray, start: np.ndarray, lr: float, momentum: float, steps: int
) -> np.ndarray:
    """Give the places of gradient descent on a bowl, before the first step and after each.

    Parameters
    ----------
    curvatures, start : array, shape (d,)
    lr, momentum : float
    steps : int

    Returns
    -------
    array, shape (steps + 1, d)
    """
    w = Tensor(np.array(start, dtype=float), requires_grad=True)
    descent = SGD([w], lr=lr, momentum=momentum)
    places = [w.data.copy()]
    for _ in range(steps):
        w.grad = curvatures * w.data
        descent.step()
        places.append(w.data.copy())
    return np.array(places)


def _halves(model: Any, kept: Callable[[str], bool] = lambda name: True) -> dict[str, Any]:
    """Write the weights of a PyTorch model down with 16 bits each, as `tools.halves` reads them."""
    parameters = {n: p.detach().numpy() for n, p in model.named_parameters() if kept(n)}
    halves = np.concatenate([p.ravel() for p in parameters.values()]).astype("<f2")
    return {
        "shapes": [[name, p.size] for name, p in parameters.items()],
        "weights": base64.b64encode(halves.tobytes()).decode(),
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let PyTorch compute as it does when chapters run."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


# Gradient descent ---------------------------------------------------------------------------------


def _parabola() -> dict[str, Any]:
    return {"start": 1.0, "steps": 8}


def _parabola_still() -> Figure:
    one, given = np.ones(1), _parabola()
    return gradient_descent.parabola(
        {
            f"rate {rate}": route(one, given["start"] * one, rate, 0.0, given["steps"])[:, 0]
            for rate in (0.5, 1, 2)
        }
    )


def _bowl() -> dict[str, Any]:
    return {
        "curvatures": np.geomspace(1, 100, 20).tolist(),
        "start": seed_everything(0).normal(size=20).tolist(),
        "goal": 1e-6,
    }


def _bowl_still() -> Figure:
    given = _bowl()
    curvatures, start = np.array(given["curvatures"]), np.array(given["start"])
    runs = {"rate 0.019, no momentum": (0.019, 0.0)}
    runs |= {f"rate 0.033, momentum {m}": (0.033, m) for m in (0.67, 0.9, 0.99)}
    distances = {
        name: np.linalg.norm(route(curvatures, start, *settings, 700), axis=1)
        for name, settings in runs.items()
    }
    return figures.distances({name: d / d[0] for name, d in distances.items()}, given["goal"])


# Convolutional networks ---------------------------------------------------------------------------

_EDGE = np.array([[-1.0, 0.0, 1.0]] * 3)
_KERNELS = {
    "Vertical edges": _EDGE,
    "Horizontal edges": _EDGE.T,
    "Blur": np.full((3, 3), 1 / 9).round(3),
    "Copy": np.outer([0, 1, 0], [0, 1, 0]),
}


def _kernel() -> dict[str, Any]:
    X, y = digits.load()
    return {
        "digits": [X[y == digit][0].reshape(8, 8).tolist() for digit in range(10)],
        "kernels": {name: kernel.tolist() for name, kernel in _KERNELS.items()},
    }


def _kernel_still() -> Figure:
    image = np.array(_kernel()["digits"][7])
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    maps = {name: np.sum(windows * kernel, axis=(2, 3)) for name, kernel in _KERNELS.items()}
    return figures.maps(image, dict(list(maps.items())[:3]))


# Activation functions -----------------------------------------------------------------------------


def _hinges() -> dict[str, Any]:
    inputs = np.linspace(-np.pi, np.pi, 1001)
    corners = np.linspace(-np.pi, np.pi, 6, endpoint=False)
    hidden = np.column_stack([relu(inputs[:, None] - corners), np.ones_like(inputs)])
    best, *_ = np.linalg.lstsq(hidden, np.sin(inputs), rcond=None)
    return {
        "corners": corners.tolist(),
        "span": [-np.pi, np.pi],
        "points": len(inputs),
        "best": best.round(12).tolist(),
    }


def _hinges_still() -> Figure:
    given = _hinges()
    inputs = np.linspace(*given["span"], given["points"])
    corners, best = np.array(given["corners"]), np.array(given["best"])
    parts = relu(inputs[:, None] - corners) * best[:-1]
    return figures.hinges(inputs, np.sin(inputs), parts, best[-1])


# Forward propagation ------------------------------------------------------------------------------


@cache
def _digit() -> dict[str, Any]:
    """Train the page's network, and round its weights: four decimals change no answer."""
    from sklearn.neural_network import MLPClassifier

    (X, y), (X_new, y_new), _ = split(*digits.load(), seed=0)
    trained = MLPClassifier((32, 32), learning_rate_init=0.01, alpha=0.01, random_state=0)
    for _ in range(60):
        trained.partial_fit(X, y, classes=range(10))
    return {
        "layers": [
            {"W": W.round(4).tolist(), "b": b.round(4).tolist()}
            for W, b in zip(trained.coefs_, trained.intercepts_, strict=True)
        ],
        "examples": [X_new[y_new == digit][0].tolist() for digit in range(10)],
        "format": sharing.FORMAT,
        "most": {
            "hidden": sharing.MOST_HIDDEN,
            "units": sharing.MOST_UNITS,
            "bytes": 12_000_000,  # more than the largest network takes
        },
    }


def read_digit(pixels: np.ndarray) -> list[np.ndarray]:
    """Give what each layer of the live part's network makes of images: two hidden, probabilities.

    Parameters
    ----------
    pixels : array, shape (n, 64)
    """
    passed, given = [np.asarray(pixels)], _digit()["layers"]
    for number, layer in enumerate(given):
        z = passed[-1] @ np.array(layer["W"]) + np.array(layer["b"])
        passed.append(relu(z) if number + 1 < len(given) else softmax(z))
    return passed[1:]


def _digit_still() -> Figure:
    image = np.array(_digit()["examples"][3])
    first, second, probabilities = (values[0] for values in read_digit(image[None]))
    return figures.reading(image.reshape(8, 8), [first, second], probabilities)


# Layers -------------------------------------------------------------------------------------------


def _playground() -> dict[str, Any]:
    points, labels = spirals(300, seed=0)
    fresh, truth = spirals(500, seed=1000)
    return {
        "points": points.round(3).tolist(),
        "labels": labels.tolist(),
        "fresh": fresh.round(3).tolist(),
        "truth": truth.tolist(),
        "rate": 0.02,
        "longest": 2000,
    }


def spiral_networks() -> dict[str, Sequential]:
    """Train the three networks of the playground's still, by its panels' titles."""
    given = _playground()
    points, labels = np.array(given["points"]), np.array(given["labels"])[:, None]
    networks = {
        "3 layers, no activation": spiral_network(8, 3, None, seed=1),
        "1 layer, ReLU": spiral_network(8, 1, ReLU, seed=1),
        "3 layers, ReLU": spiral_network(8, 3, ReLU, seed=1),
    }
    for network in networks.values():
        optimizer = Adam(network.parameters(), lr=given["rate"])
        for _ in range(500):
            network.zero_grad()
            binary_cross_entropy_with_logits(network(points), labels).backward()
            optimizer.step()
    return networks


def _playground_still() -> Figure:
    given = _playground()
    axis = np.linspace(-1.75, 1.75, 71)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    panels = {name: net(grid).data.reshape(71, 71) for name, net in spiral_networks().items()}
    return figures.borders(axis, panels, given["points"], given["labels"])


def spiral_network(
    width: int, hidden: int, activation: type[Module] | None, seed: int
) -> Sequential:
    """Make a network for points in the plane, with one score, as the playground starts one.

    Parameters
    ----------
    width, hidden : int
        Units in a hidden layer, and how many of these there are.
    activation : class or None
        Of the hidden layers.
    seed : int
    """
    rng = seed_everything(seed)
    widths = [2, *[width] * hidden, 1]
    layers: list[Module] = []
    for number, (a, c) in enumerate(itertools.pairwise(widths)):
        linear, bound = Linear(a, c, rng=rng), 1 / np.sqrt(a)
        for parameter in (linear.weight, linear.bias):
            parameter.data[:] = rng.uniform(-bound, bound, parameter.shape)
        layers.append(linear)
        if activation and number < hidden:
            layers.append(activation())
    return Sequential(*layers)


# Language models ----------------------------------------------------------------------------------


@cache
def _gpt() -> dict[str, Any]:
    """Write the course's GPT down as it is kept: its weights have 16 bits."""
    from course_lib.models import pretrained

    model, about = pretrained.gpt()
    return {
        "merges": [list(pair) for pair in about["merges"]],
        "config": {
            **{
                name: getattr(model.config, name)
                for name in ("context", "width", "layers", "heads")
            },
            "epsilon": float(np.finfo(np.float32).eps),  # what PyTorch's RMSNorm adds
        },
        **_halves(model),
        "start": "The network",
        "count": 40,
    }


def _gpt_still() -> Figure:
    import torch

    from course_lib.data.bpe import BytePairs
    from course_lib.models import pretrained

    model, about = pretrained.gpt()
    tokens = BytePairs(about["merges"])
    with torch.no_grad():
        logits = model(torch.tensor([tokens.encode(_gpt()["start"])]))[0, -1]
    panels = {}
    for temperature in (0.5, 1.0, 1.5):
        p, order = (logits / temperature).softmax(-1).sort(descending=True)
        names = [tokens.decode([t]).replace(" ", "␣") for t in order[:10]]
        kept = int((p.cumsum(0) - p < 0.9).sum())
        panels[f"T = {temperature:g}, {kept} kept"] = (names, p[:10].numpy(), kept)
    return figures.choices(panels)


# Transformers -------------------------------------------------------------------------------------

_TRANSFORMERS = "book/architectures/transformers"


@cache
def reader_of_the_page() -> tuple[Any, Any]:
    """Train the GPT of the page *Transformers* as the page does; give it with its characters."""
    import torch
    from torch import nn

    from course_lib.data import corpus
    from course_lib.models.gpt import GPT, Config

    with _one_thread():
        page = run_page_code(
            _TRANSFORMERS,
            *("letters", "rest", "train", "CONTEXT", "new_gpt", "losses", "read"),
            **{"torch": torch, "nn": nn, "F": nn.functional, "corpus": corpus},
            **{"GPT": GPT, "Config": Config},
        )
        return page["read"](page["new_gpt"], 0, 0.01).eval(), page["letters"]


def _attention() -> dict[str, Any]:
    model, letters = reader_of_the_page()
    # What comes after the last block's weights changes none of them.
    unused = ("blocks.1.attention.output", "blocks.1.mlp", "blocks.1.norm2", "norm.")
    config = model.config
    return {
        "characters": "".join(letters.vocabulary),
        "config": {name: getattr(config, name) for name in ("width", "layers", "heads")},
        "epsilon": model.norm.eps,
        **_halves(model, lambda name: not name.startswith(unused)),
        "start": "the network learns",
        "longest": 24,
    }


def _attention_still() -> Figure:
    import torch

    from course_lib.models.gpt import attention_maps
    from course_lib.plotting import transformers

    model, letters = reader_of_the_page()
    text = _attention()["start"]
    maps = attention_maps(model, torch.tensor([letters.encode(text)]))[:, 0].flatten(0, 1)
    before = maps.diagonal(-1, 1, 2).mean(dim=1)
    chosen = [int(before.argmax()), int(before.argmin())]
    return transformers.attention_maps(
        text, {f"Block {k // 4 + 1}, head {k % 4 + 1}": maps[k].detach().numpy() for k in chosen}
    )


# Diffusion models ---------------------------------------------------------------------------------

_DIFFUSION = "book/architectures/diffusion"


@cache
def denoiser_of_the_page() -> tuple[Any, Any]:
    """Train the network for digits of the page *Diffusion models*; give it with its schedule."""
    from functools import partial

    import torch
    from torch import nn

    from course_lib.data import splits
    from course_lib.models.diffusion import Denoiser, Schedule

    with _one_thread():
        page = run_page_code(
            _DIFFUSION,
            *("schedule", "X", "train", "real", "names", "noise_loss", "learn", "digits_by_noise"),
            **{"torch": torch, "F": nn.functional, "partial": partial, "digits": digits},
            **{"splits": splits, "Denoiser": Denoiser, "Schedule": Schedule},
        )
        return page["digits_by_noise"](0).eval(), page["schedule"]


def _diffusion() -> dict[str, Any]:
    model, schedule = denoiser_of_the_page()
    return {
        "hidden": model.enter.out_features,
        "blocks": len(model.blocks),
        "waves": model.time.in_features,
        "fastest": 30,
        "classes": model.num_classes,
        "alpha_bar": schedule.alpha_bar.double().numpy().round(8).tolist(),
        **_halves(model),
        "counts": [1, 2, 5, 10, 20, 50, 100],
    }


def _diffusion_still() -> Figure:
    import torch

    from course_lib.models.diffusion import guided, sample
    from course_lib.plotting.gan import pictures

    model, schedule = denoiser_of_the_page()
    start = torch.randn(1, 64, generator=torch.Generator().manual_seed(0))
    rows = {}
    for digit in (3, 7):
        seen = {100: start}
        asked = guided(model, torch.tensor([digit]), 2.0)
        sample(asked, schedule, start, 20, watch=seen.__setitem__)
        shown = torch.cat([seen[t] for t in (100, 80, 60, 40, 30, 20, 10, 0)])
        rows[f"a {digit}"] = (shown / 2 + 0.5).clamp(0, 1).reshape(-1, 8, 8).numpy()
    return pictures(rows)


# Regularization -----------------------------------------------------------------------------------

_REGULARIZATION = "book/foundations/regularization"


@cache
def dropping_network_of_the_page() -> tuple[Any, np.ndarray, np.ndarray]:
    """Train the page's network with dropout; give it with unseen images and their digits."""
    from course_lib.data.splits import split_rows
    from course_lib.scratch.initializers import kaiming_uniform_
    from course_lib.scratch.layers import Dropout
    from course_lib.scratch.losses import cross_entropy
    from course_lib.scratch.training import fit

    page = run_page_code(
        _REGULARIZATION,
        *("images", "hurried", "network", "adam", "learn", "dropping"),
        **{
            "np": np,
            "digits": digits,
            "split_rows": split_rows,
            "seed_everything": seed_everything,
        },
        **{"Linear": Linear, "ReLU": ReLU, "Dropout": Dropout, "Sequential": Sequential},
        **{"kaiming_uniform_": kaiming_uniform_, "Adam": Adam},
        **{"cross_entropy": cross_entropy, "fit": fit},
    )
    model, _ = page["learn"](page["dropping"], 0)
    return model.eval(), *page["hurried"](0)[0]["watch"]


def _dropout() -> dict[str, Any]:
    model, images, labels = dropping_network_of_the_page()
    weights = [p.data.round(4).tolist() for p in model.parameters()]
    return {
        "layers": [{"W": W, "b": b} for W, b in zip(weights[::2], weights[1::2], strict=True)],
        "examples": [images[labels == digit][0].tolist() for digit in range(10)],
        "draws": 60,
    }


def silenced(
    layers: list[tuple[np.ndarray, np.ndarray]], image: np.ndarray, masks: np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Send an image through two hidden layers with units silenced, once for each selection.

    Parameters
    ----------
    layers : list of (W, b)
        Three of them.
    image : array, shape (d,)
    masks : array of bool, shape (n, 2, units)
        Which hidden units remain, for each of n selections.
    factor : float
        What the units that remain are multiplied by.

    Returns
    -------
    first, sums, probabilities : array, shapes (units,), (n, units), (n, k)
        What hidden layer 1 gives with all units, the weighted sums that reach hidden layer 2
        (without its biases), and what comes out.
    """
    (W1, b1), (W2, b2), (W3, b3) = layers
    first = relu(image @ W1 + b1)
    sums = (first * masks[:, 0] * factor) @ W2
    second = relu(sums + b2) * masks[:, 1] * factor
    return first, sums, softmax(second @ W3 + b3)


def _dropout_still() -> Figure:
    given = _dropout()
    layers = [(np.array(layer["W"]), np.array(layer["b"])) for layer in given["layers"]]
    image, rng = np.array(given["examples"][4]), seed_everything(0)
    spread = {}
    for p in (0.2, 0.5, 0.8):
        masks = rng.random((given["draws"], 2, 64)) >= p
        spread[f"p = {p}"] = silenced(layers, image, masks, 1 / (1 - p))[2]
    whole = silenced(layers, image, np.ones((1, 2, 64), dtype=bool), 1.0)[2][0]
    return figures.spread(spread, whole)


# Adversarial examples -----------------------------------------------------------------------------


@cache
def _attacked() -> tuple[Any, Any, Any]:
    """Train the page's first network; give it with the page's image and its label."""
    import torch
    from torch import nn

    from course_lib.training import fit

    def pictures(part: Any) -> tuple[Any, Any]:
        x = torch.tensor(part.X, dtype=torch.float32).reshape(-1, 1, 8, 8)
        return nn.functional.interpolate(x, size=(16, 16), mode="bilinear"), torch.tensor(part.y)

    parts = split(*digits.load(), seed=0)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 16, 10),
    )
    adam = torch.optim.Adam(model.parameters(), 0.005)
    train = pictures(parts.train)
    with _one_thread():
        fit(model, nn.functional.cross_entropy, adam, train, epochs=12, batch_size=50, seed=0)
    x, y = pictures(parts.validation)
    return model.eval(), x[209:210], y[209:210]


def _attack() -> dict[str, Any]:
    import torch

    from course_lib.attacks.gradients import input_gradient

    model, image, label = _attacked()
    signs = torch.Generator().manual_seed(0)
    directions = {
        "computed": input_gradient(model, image, label).sign(),
        "random": 2.0 * torch.randint(2, image.shape, generator=signs) - 1,
    }

    def written(weights: Any, digits: int = 4) -> list[float]:
        return weights.detach().double().numpy().ravel().round(digits).tolist()

    return {
        "size": image.shape[-1],
        "image": written(image, 6),
        "label": int(label),
        "directions": {name: written(signs, 0) for name, signs in directions.items()},
        "convolutions": [
            {"kernels": written(model[k].weight), "bias": written(model[k].bias)} for k in (0, 2)
        ],
        "output": {"weights": written(model[5].weight), "bias": written(model[5].bias)},
    }


def _attack_still() -> Figure:
    from course_lib.attacks.fgsm import fgsm
    from course_lib.training import predict

    model, image, label = _attacked()
    shown = [fgsm(model, image, label, epsilon) for epsilon in (0.0, 0.03, 0.06, 0.1)]
    answers = [predict(model, x).softmax(dim=1).max(dim=1) for x in shown]
    return adversarial.panels(
        [x[0, 0] for x in shown],
        [f"epsilon {epsilon:g}" for epsilon in (0, 0.03, 0.06, 0.1)],
        [f"a {int(digit)}, with {float(p):.1%}" for p, digit in answers],
    )


PARTS: dict[str, Part] = {
    "attack": Part(_attack, _attack_still),
    "attention": Part(_attention, _attention_still),
    "bowl": Part(_bowl, _bowl_still),
    "diffusion": Part(_diffusion, _diffusion_still),
    "digit": Part(_digit, _digit_still),
    "dropout": Part(_dropout, _dropout_still),
    "gpt": Part(_gpt, _gpt_still),
    "hinges": Part(_hinges, _hinges_still),
    "kernel": Part(_kernel, _kernel_still),
    "parabola": Part(_parabola, _parabola_still),
    "playground": Part(_playground, _playground_still),
}
"""The live parts by name; each has a script of that name in ``_static/live``."""
