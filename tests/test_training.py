"""The training loop in PyTorch: what it computes, when it stops, how it goes on."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_lib import training
from course_lib.training import History, batches, evaluate, evaluating, fit, measuring, predict


def task(n=60):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 3, generator=generator)
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1


def network(*, dropout=0.0):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))


def run(model, data, *, rate=0.05, epochs=3, loss=nn.functional.mse_loss, **settings):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    return fit(model, loss, optimizer, data, epochs=epochs, **settings)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_it_is_the_loop_that_one_would_write():
    x, y = task()
    ours, theirs = network(), network()
    history = run(ours, (x, y), epochs=4, batch_size=16, seed=3)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.05)
    order, losses = torch.Generator().manual_seed(3), []
    for _ in range(4):
        total = 0.0
        for rows in torch.randperm(60, generator=order).split(16):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(theirs(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / 60)
    assert torch.equal(weights(ours), weights(theirs))
    assert history["loss"] == pytest.approx(losses, rel=1e-12)
    assert not ours.training


def test_each_sample_is_used_once_an_epoch_in_an_order_that_the_seed_decides():
    x = torch.arange(10)
    first = [rows for rows, _ in batches((x, x), 4, torch.Generator().manual_seed(0))]
    again = [rows for rows, _ in batches((x, x), 4, torch.Generator().manual_seed(0))]
    other = torch.cat([rows for rows, _ in batches((x, x), 4, torch.Generator().manual_seed(1))])
    assert [len(rows) for rows in first] == [4, 4, 2]
    assert torch.equal(torch.cat(first), torch.cat(again))
    assert sorted(torch.cat(first).tolist()) == list(range(10)) != torch.cat(first).tolist()
    assert not torch.equal(torch.cat(first), other)
    assert torch.equal(torch.cat([rows for rows, _ in batches((x, x), 4)]), x)


def test_arrays_and_loaders_are_data_too():
    x, y = task()
    alone, loaded = network(), network()
    run(alone, (x.numpy(), y.numpy()), batch_size=60)
    run(loaded, DataLoader(TensorDataset(x, y), batch_size=60))
    # One batch of all samples: only the order within it differs.
    assert torch.allclose(weights(alone), weights(loaded), atol=1e-6)


def test_a_loader_may_give_several_inputs():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.zeros(1))

        def forward(self, pair):
            return self.scale * (pair[0] + pair[1])

    x, _ = task()
    loader = [((x[:40], x[:40]), 2 * x[:40]), ((x[40:], x[40:]), 2 * x[40:])]
    model = Sum()
    history = run(model, loader, epochs=200, validation=loader)
    assert model.scale.item() == pytest.approx(1, abs=1e-3)
    assert history["validation_loss"][-1] < 1e-5


def test_measures_are_of_all_samples_and_not_means_over_batches():
    x, y = task(70)
    model = network(dropout=0.5)
    model.train()
    squares = {"mse": nn.functional.mse_loss, "n": lambda outputs, targets: len(targets)}
    small = evaluate(model, nn.functional.mse_loss, (x, y), squares, batch_size=32)
    whole = nn.functional.mse_loss(predict(model, x), y).item()
    assert small == pytest.approx({"loss": whole, "mse": whole, "n": 70}, rel=1e-5)
    assert model.training


def test_what_was_frozen_in_evaluation_mode_stays_so():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1)).train()
    model[0].eval()
    with measuring(model):
        assert not model[1].training
        assert not torch.is_grad_enabled()
    assert model.training
    assert not model[0].training
    assert model[1].training


def test_evaluation_mode_alone_goes_on_recording_gradients():
    model = nn.Sequential(nn.Dropout(), nn.Linear(3, 1)).train()
    model[0].eval()
    with evaluating(model):
        assert not any(module.training for module in model.modules())
        assert torch.is_grad_enabled()
    assert [module.training for module in model.modules()] == [True, False, True]
    with pytest.raises(KeyError), evaluating(model):
        raise KeyError
    assert model[1].training
    with measuring(torch.relu):  # a function has no mode
        assert not torch.is_grad_enabled()


def test_metrics_are_measured_after_each_epoch():
    x, y = task()
    history = run(
        network(), (x, y), validation=(x, y), metrics={"worst": lambda o, t: (o - t).abs().max()}
    )
    assert set(history) == {"loss", "learning_rate", "validation_loss", "validation_worst"}
    assert {len(series) for series in history.values()} == {3}
    assert history["validation_worst"][-1] < history["validation_worst"][0]


def test_the_best_weights_are_kept_and_patience_ends_the_run():
    x, y = task()
    kept = []

    def losses(outputs, targets):
        kept.append(copy.deepcopy(model.state_dict()))
        return 0.0

    planned = iter([3.0, 2.0, 1.0, 1.0, 1.5, 9.0])
    model = network()

    def loss(outputs, targets):
        error = nn.functional.mse_loss(outputs, targets)
        return error if torch.is_grad_enabled() else torch.tensor(next(planned))

    history = run(
        model, (x, y), epochs=50, loss=loss, validation=(x, y), patience=2, metrics={"m": losses}
    )
    assert history["validation_loss"] == [3.0, 2.0, 1.0, 1.0, 1.5]
    best = torch.cat([part.flatten() for part in kept[2].values()])
    assert torch.equal(weights(model), best)


def test_gradients_are_clipped_together():
    x, y = task()
    model, seen = network(), []

    class Watch(torch.optim.SGD):
        def step(self, closure=None):
            seen.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
            return super().step(closure)

    fit(
        model,
        nn.functional.mse_loss,
        Watch(model.parameters(), lr=0.0),
        (x, 100 * y),
        epochs=1,
        clip=0.5,
    )
    assert len(seen) == 2
    for gradient in seen:
        assert gradient.norm().item() == pytest.approx(0.5, rel=1e-4)


def test_a_schedule_is_stepped_per_step_and_a_plateau_per_epoch():
    x, y = task()
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step)
    history = fit(
        model, nn.functional.mse_loss, optimizer, (x, y), epochs=2, batch_size=20, scheduler=falling
    )
    assert history["learning_rate"] == pytest.approx([0.9**3, 0.9**6])
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-12)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0, eps=0)
    history = fit(
        model,
        nn.functional.mse_loss,
        optimizer,
        (x, y),
        epochs=4,
        validation=(x, y),
        scheduler=plateau,
    )
    assert history["learning_rate"][-1] < 1e-13


def test_a_loss_that_overflows_ends_the_run():
    x, y = task()
    history = run(
        network(), (x, y), epochs=50, loss=lambda o, t: ((o - t) ** 2).mean() * float("inf")
    )
    assert len(history["loss"]) == 1
    assert not torch.isfinite(torch.tensor(history["loss"][0]))


KILLED = """
import os, sys, torch
sys.path.insert(0, {tests!r})
from test_training import *
torch.manual_seed(5)
model = network(dropout=0.3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
epochs = []
def metric(outputs, targets):
    epochs.append(1)
    if {stop} and len(epochs) == {stop}:
        os._exit(9)
    return 0.0
x, y = task()
history = fit(model, nn.functional.mse_loss, optimizer, (x, y), epochs=8, batch_size=16, seed=2,
              validation=(x[:20], y[:20]), metrics=dict(m=metric), scheduler=scheduler, patience=7,
              checkpoint={path!r})
torch.save((model.state_dict(), dict(history)), {result!r})
"""


def test_a_killed_run_goes_on_to_the_same_weights_bit_for_bit(tmp_path):
    """Dropout, Adam's means, the schedule, the order of samples and early stopping all go on."""

    def start(path, stop):
        code = KILLED.format(
            tests=str(Path(__file__).parent),
            stop=stop,
            path=str(tmp_path / path),
            result=str(tmp_path / "result"),
        )
        return subprocess.run([sys.executable, "-c", code]).returncode

    assert start("whole", 0) == 0
    whole, history = torch.load(tmp_path / "result")
    (tmp_path / "result").unlink()
    assert start("parts", 4) == 9
    assert len(torch.load(tmp_path / "parts", weights_only=False)["history"]["loss"]) == 3
    assert start("parts", 2) == 9
    assert not (tmp_path / "result").exists()
    assert start("parts", 0) == 0
    parts, again = torch.load(tmp_path / "result")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert history == again
    assert len(again["loss"]) == 8


def test_a_finished_run_is_not_run_again(tmp_path):
    x, y = task()
    first = run(network(), (x, y), checkpoint=tmp_path / "folder" / "run.pt")
    model = network()
    again = run(model, (x, y), checkpoint=tmp_path / "folder" / "run.pt")
    assert first == again
    assert not torch.equal(weights(model), weights(network()))
    longer = run(network(), (x, y), epochs=5, checkpoint=tmp_path / "folder" / "run.pt")
    assert longer["loss"][:3] == first["loss"]
    assert len(longer["loss"]) == 5


def test_checkpoints_that_do_not_fit_are_refused(tmp_path):
    x, y = task()
    path = tmp_path / "run.pt"
    run(network(), (x, y), checkpoint=path)
    other = nn.Sequential(nn.Linear(3, 9), nn.Linear(9, 1))
    with pytest.raises(ValueError, match=r"of another run \(0\.bias, 0\.weight, 1\.bias differ\)"):
        run(other, (x, y), checkpoint=path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        run(network(), (x, y), checkpoint=path)
    torch.save({"weights": 1}, path)
    with pytest.raises(ValueError, match="not a checkpoint of this version"):
        run(network(), (x, y), checkpoint=path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": -1}, "epochs must be 0 or more, but is -1"),
        ({"batch_size": 0}, "batch_size must be 1 or more, but is 0"),
        ({"clip": 0.0}, "clip must be a positive norm"),
        ({"patience": 0}, "patience must be 1 epoch or more"),
        ({"patience": 3}, "there is no validation set"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        run(network(), task(), **settings)


def test_data_that_make_no_sense_are_refused():
    x, y = task()
    for data, said in [
        ((x, y[:9]), "60 inputs and 9 targets"),
        ((x[:0], y[:0]), "There is no sample"),
        ((x, y, y), r"\(inputs, targets\) or a DataLoader, but is 3 things"),
        (DataLoader(TensorDataset(x, y), batch_size=99, drop_last=True), "no batch in the data"),
    ]:
        with pytest.raises(ValueError, match=said):
            run(network(), data)
    model = network()
    optimizer = torch.optim.SGD(network().parameters(), lr=0.1)
    with pytest.raises(ValueError, match="holds none of the model's parameters"):
        fit(model, nn.functional.mse_loss, optimizer, (x, y), epochs=1)


def test_mixed_precision_changes_nothing_without_a_card():
    plain, mixed = network(), network()
    if training._device(plain).type == "cpu":
        run(plain, task())
        run(mixed, task(), mixed_precision=True)
        assert torch.equal(weights(plain), weights(mixed))


def test_a_bar_says_how_far_it_is(capsys):
    run(network(), task(), progress=True)
    told = capsys.readouterr().err
    assert "3/3" in told
    assert "loss" in told
    run(network(), task(), progress=False)
    assert capsys.readouterr().err == ""


def test_a_history_draws_itself():
    x, y = task()
    alone = run(network(), (x, y))
    both = run(network(), (x, y), validation=(x, y), metrics={"error": lambda o, t: 0.5})
    assert [a.get_title(loc="left") for a in alone.plot().axes] == ["Loss"]
    left, right = both.plot().axes
    assert [t.get_text() for t in left.get_legend().get_texts()] == ["training", "validation"]
    assert [t.get_text() for t in right.get_legend().get_texts()] == ["error"]
    assert left.lines[1].get_ydata().tolist() == both["validation_loss"]
    with pytest.raises(ValueError, match="no epoch in this history"):
        History(loss=[]).plot()
