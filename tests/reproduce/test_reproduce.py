"""`course reproduce`: each chapter's path at toy size, its card, going on after a kill, errors."""

from __future__ import annotations

import doctest
import json
import re
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.data import cifar10, downloads, fashion_mnist, shakespeare
from course_lib.paths import CourseError
from course_lib.reproduce import (
    CHAPTERS,
    cards,
    cnn,
    experiment,
    reinforcement,
    reproduce,
    running,
    transformers,
)
from course_lib.reproduce.running import Run

#: What every card of a chapter must name: the published figure, and where it is from.
FIGURES = {
    "cnn": ["8.75 %", "arXiv:1512.03385"],
    "transformers": ["1.4697", "https://github.com/karpathy/nanoGPT"],
    "diffusion": ["none that is comparable"],
    "reinforcement": ["475 or more", "arXiv:2407.17032", "500.000", "rl-baselines3-zoo"],
}


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path):
    """Put small made-up data in place of what is fetched, and another folder of fetched files."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 3, 32, 32), dtype=np.uint8)
    labels = rng.integers(0, 10, 200, dtype=np.uint8)
    pictures = cifar10.CIFAR10(images[:100], labels[:100], images[100:], labels[100:])
    monkeypatch.setattr(cifar10, "load", lambda: pictures)
    gray = rng.integers(0, 256, (100, 28, 28), dtype=np.uint8)
    clothes = fashion_mnist.FashionMNIST(gray[:64], labels[:64], gray[64:], labels[64:100])
    monkeypatch.setattr(fashion_mnist, "load", lambda: clothes)
    text = "".join(rng.choice(list("abcdefgh \n"), 2500))
    monkeypatch.setattr(shakespeare, "load", lambda: text)


def small(chapter, root, **options):
    said = []
    path = reproduce(chapter, root, device="cpu", small=True, say=said.append, **options)
    return path.read_text(encoding="utf-8"), "\n".join(said)


@pytest.fixture
def whole(tmp_path_factory):
    """Return a function that gives the folder of a chapter's run without a stop, made once."""

    def make(chapter):
        if chapter not in _WHOLE:
            _WHOLE[chapter] = tmp_path_factory.mktemp(chapter)
            _SAID[chapter] = small(chapter, _WHOLE[chapter], seed=3)
        return _WHOLE[chapter]

    return make


_WHOLE: dict[str, Path] = {}
_SAID: dict[str, tuple[str, str]] = {}


def weights(root, chapter):
    """Return all that a finished toy run of a chapter has learned."""
    [folder] = (root / "_build" / "reproduced").glob(f"{chapter}-small-*")
    found: dict[tuple[str, str], torch.Tensor] = {}
    for file in sorted(folder.glob("*.pt")):
        state = torch.load(file, weights_only=False)
        state = state["parts"]["model"] if "parts" in state else state["q"]
        found |= {(file.name, name): value for name, value in state.items()}
    assert found
    return found


@pytest.mark.parametrize("module", [cards, transformers])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_card_says_what_was_run_and_what_was_published(chapter, whole):
    root = whole(chapter)
    card, said = _SAID[chapter]
    chosen = experiment(chapter)
    assert chosen.chapter == chapter
    assert "**This is no reproduction.**" in card and "a toy size, no reproduction" in said
    for words in FIGURES[chapter]:
        assert words in card and words in said
    for difference in chosen.differences:
        assert f"- {difference}\n" in card
    assert "| seed | 3 |" in card
    assert f"`course reproduce {chapter} --seed 3 --small`" in card
    assert f"| PyTorch | {torch.__version__} |" in card
    assert "| device | CPU, " in card and re.search(r"\| time \| \d+\.\d s \|", card)
    assert str(root) not in card
    # A picture lies beside the card, under its name.
    pictures = [path.name for path in (root / "_build" / "reproduced").glob("*.png")]
    assert re.findall(r"!\[.*\]\((.*)\)", card) == pictures
    assert len(pictures) == (chapter == "diffusion")
    # A row of a table has as many cells as its head, and a number of this run stands in the first.
    first = re.search(r"^\| \|?.*this run.*\n.*\n\| ([^|]+) \| \*\*([^*|]+)\*\* \|", card, re.M)
    assert f"{first[1]}: {first[2]}" in said
    for block in re.findall(r"(?:^\|.*\n)+", card, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1


def test_before_it_begins_it_says_how_much_it_is(tmp_path):
    _, said = small("transformers", tmp_path)
    lines = said.splitlines()
    assert "30 steps, each on 8 windows of 16 characters" in lines[1]
    # 65 characters and 16 places in width 16; a block; the last norm.
    width, hidden = 16, 64
    block = 4 * width + 4 * width * (width + 1) + width * hidden + hidden + hidden * width + width
    assert f"{(65 + 16) * width + block + 2 * width:,}" in lines[2]
    assert lines[3].endswith("1 MB")
    assert "begins" in lines[5]


def test_files_that_are_there_are_not_fetched_again():
    work = cnn.EXPERIMENT.work(cnn.EXPERIMENT.full)
    assert work.download() == "170 MB"
    folder = downloads.cache_folder()
    folder.mkdir()
    (folder / cifar10.REMOTE.name).write_bytes(b"")
    assert work.download() == "nothing: the data (170 MB) are here already"


def test_full_sizes_are_the_published_ones():
    sizes = {chapter: experiment(chapter).work(experiment(chapter).full) for chapter in CHAPTERS}
    # Table 6 of the paper rounds to 0.27 million; 164 epochs of 391 steps.
    assert sizes["cnn"].steps == 64_124 and round(sizes["cnn"].parameters / 1e6, 2) == 0.27
    # "10.65M parameters", says nanoGPT of its own, without positions and biases.
    assert sizes["transformers"].steps == 5000
    assert 10.6e6 < sizes["transformers"].parameters < 10.9e6
    assert sizes["diffusion"].steps == 60 * 469
    assert sizes["reinforcement"].steps == 5 * 50_000


def test_a_card_at_full_size_has_no_warning(tmp_path, monkeypatch):
    chosen = replace(reinforcement.EXPERIMENT, full=reinforcement.EXPERIMENT.small)
    monkeypatch.setattr(reinforcement, "EXPERIMENT", chosen)
    path = reproduce("reinforcement", tmp_path, device="cpu", say=lambda line: None)
    assert path == tmp_path / "_build" / "reproduced" / "reinforcement.md"
    card = path.read_text(encoding="utf-8")
    assert "no reproduction" not in card and "toy" not in card
    assert "| command | `course reproduce reinforcement` |" in card


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_run_that_was_killed_ends_with_the_same_weights(chapter, tmp_path, monkeypatch, whole):
    root, stopped = whole(chapter), tmp_path / "stopped"
    steps = experiment(chapter).work(experiment(chapter).small).steps
    original = Run.at

    def killed(self, step, note=""):
        original(self, step, note)
        if step > 0.6 * steps:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "at", killed)
    with pytest.raises(KeyboardInterrupt):
        small(chapter, stopped, seed=3)
    monkeypatch.setattr(Run, "at", original)
    # What other programs draw in between does not matter.
    torch.manual_seed(99)
    card, said = small(chapter, stopped, seed=3)
    assert "goes on where it stopped" in said
    assert "in 2 pieces: stopped and taken up again" in card
    expected, found = weights(root, chapter), weights(stopped, chapter)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    results = re.compile(r"## What came out\n\n.*?\n\n", re.S)
    assert results.search(_SAID[chapter][0])[0] == results.search(card)[0]


def test_a_finished_run_is_measured_again_without_training(tmp_path, monkeypatch):
    card, _ = small("transformers", tmp_path)
    kept = weights(tmp_path, "transformers")
    steps = []
    monkeypatch.setattr(Run, "at", lambda self, step, note="": steps.append(step))
    again, said = small("transformers", tmp_path)
    assert "finished before" in said and steps == []
    without = re.compile(r"\| finished .*")
    # The time is that of the training, and not of the second look.
    assert without.sub("", again) == without.sub("", card)
    for name, value in weights(tmp_path, "transformers").items():
        assert torch.equal(value, kept[name])
    small("transformers", tmp_path, fresh=True)
    assert steps


def test_another_seed_is_another_run(tmp_path):
    small("transformers", tmp_path, seed=1)
    _, said = small("transformers", tmp_path, seed=2)
    assert "begins" in said
    folders = list((tmp_path / "_build" / "reproduced").glob("transformers-small-*"))
    first, second = (torch.load(f / "training.pt", weights_only=False) for f in folders)
    name = "embedding.weight"
    assert not torch.equal(first["parts"]["model"][name], second["parts"]["model"][name])


# Errors -------------------------------------------------------------------------------------------


def test_an_unknown_chapter_names_those_there_are(tmp_path):
    with pytest.raises(CourseError, match=rf"'rnn'\. There are: {', '.join(CHAPTERS)}\.$"):
        reproduce("rnn", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CourseError, match="No device is called 'tpu9'; this machine has: .*cpu"):
        reproduce("cnn", tmp_path, device="tpu9")
    assert list(tmp_path.iterdir()) == []


def test_a_card_that_is_a_folder_is_told_before_it_begins(tmp_path):
    with pytest.raises(CourseError, match=r"is a folder\. Name a file"):
        small("cnn", tmp_path, target=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_download_says_what_to_do(tmp_path, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/text"
    lost = replace(shakespeare.REMOTE, urls=[nobody])
    monkeypatch.setattr(shakespeare, "REMOTE", lost)
    monkeypatch.setattr(shakespeare, "load", lambda: downloads.fetch(lost).read_text())
    with pytest.raises(CourseError) as caught:
        small("transformers", tmp_path)
    assert "tiny-shakespeare.txt (1 MB) could not be fetched" in str(caught.value)
    assert f"{nobody}: cannot be reached (is this machine online?)" in str(caught.value)
    assert not (tmp_path / "_build/reproduced/transformers-small.md").exists()


@pytest.mark.parametrize("chapter", ["transformers", "reinforcement"])
def test_a_damaged_checkpoint_is_named(chapter, tmp_path):
    small(chapter, tmp_path)
    [folder] = (tmp_path / "_build" / "reproduced").glob(f"{chapter}-small-*")
    for file in folder.glob("*.pt"):
        file.write_bytes(b"cut off")
    with pytest.raises(CourseError, match=r"(?s)cannot be read as a checkpoint.*--fresh"):
        small(chapter, tmp_path)
    small(chapter, tmp_path, fresh=True)


def test_a_training_that_diverged_is_no_result():
    running.complete({"loss": [2.0, 1.0]}, 2)
    for losses in ([2.0], [2.0, float("nan")]):
        with pytest.raises(CourseError, match="stopped being finite in part . of 2"):
            running.complete({"loss": losses}, 2)


# Progress and time --------------------------------------------------------------------------------


class Log:
    is_terminal = False

    def __init__(self):
        self.lines = []

    def print(self, line, markup):
        self.lines.append(line)


def test_a_log_gets_a_line_each_half_minute_with_the_time_left(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    log = Log()
    with Run(tmp_path / "run", torch.device("cpu"), 0, 1000, log, "CPU") as run:
        # Taken up at step 500: one step every 10 seconds from there.
        for step in range(500, 507):
            run.at(step, "loss 0.123")
            now[0] += 10
    assert log.lines == ["504 of 1,000, loss 0.123, 83 minutes left"]
    assert run.seconds == 70 and run.finished
    assert json.loads((tmp_path / "run" / "time.json").read_text())["seconds"] == 70


def test_time_adds_up_over_starts_and_devices_are_listed(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    folder, cpu = tmp_path / "run", torch.device("cpu")

    def stopped():
        with Run(folder, cpu, 0, 10, None, "one"):
            now[0] += 50
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not Run(folder, cpu, 0, 10).finished
    with Run(folder, cpu, 0, 10, None, "other"):
        now[0] += 30
    # Measuring again costs nothing of the run's time.
    with Run(folder, cpu, 0, 10, None, "third"):
        now[0] += 1000
    last = Run(folder, cpu, 0, 10)
    assert (last.seconds, last.starts, last.devices) == (80, 2, ["one", "other"])


def test_a_killed_process_loses_no_more_than_seconds_of_its_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    run = Run(tmp_path / "run", torch.device("cpu"), 0, 100)
    run.__enter__()
    for step in range(10):
        now[0] += 7
        run.at(step)
    # Nothing was closed: this is what a kill leaves.
    assert Run(tmp_path / "run", torch.device("cpu"), 0, 100).seconds >= 70 - 2 * 7


def test_a_terminal_gets_a_bar(tmp_path):
    import io

    from rich.console import Console

    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Run(tmp_path / "run", torch.device("cpu"), 0, 20, console) as run:
        run.at(13, "loss 0.5")
        run._bar.refresh()
        shown = console.file.getvalue()
    assert "13/20" in shown and "loss 0.5" in shown and "left" in shown


# The parts ----------------------------------------------------------------------------------------


def test_augmented_images_are_shifted_or_mirrored_ones_of_the_originals():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(40, 2, 5, 6, generator=generator)
    labels = torch.arange(40)
    torch.manual_seed(1)
    seen, changes = [], set()
    for batch, which in cnn.Augmented(images, labels, 16, padding=1):
        assert len(batch) == len(which)
        for image, label in zip(batch, which.tolist(), strict=True):
            wide = np.pad(images[label].numpy(), ((0, 0), (1, 1), (1, 1)))
            matches = [
                (i, j, mirrored)
                for i in range(3)
                for j in range(3)
                for mirrored in (False, True)
                if np.array_equal(
                    wide[:, i : i + 5, j : j + 6][:, :, :: -1 if mirrored else 1], image.numpy()
                )
            ]
            assert len(matches) == 1
            changes |= set(matches)
            seen.append(label)
    assert sorted(seen) == list(range(40)) and seen != list(range(40))
    assert len({c[:2] for c in changes}) == 9 and {c[2] for c in changes} == {False, True}


def test_windows_are_pieces_of_the_text_and_their_targets_one_further():
    text = torch.arange(100)
    torch.manual_seed(0)
    batches = list(transformers.Windows(text, 10, batch_size=4, count=50))
    assert len(batches) == 50
    starts = set()
    for inputs, targets in batches:
        assert inputs.shape == targets.shape == (4, 10)
        assert torch.equal(targets, inputs + 1) and (inputs.diff(dim=1) == 1).all()
        starts |= set(inputs[:, 0].tolist())
    # Any window that has a target for its last character.
    assert min(starts) == 0 and max(starts) == 89


def test_validation_predicts_each_character_once():
    parts = transformers.windows(torch.arange(50), 7, batch_size=3)
    targets = torch.cat([targets.flatten() for _, targets in parts])
    assert targets.tolist() == list(range(1, 50))
    assert all(torch.equal(inputs + 1, targets) for inputs, targets in parts)


def agent(**changes):
    settings = replace(reinforcement.EXPERIMENT.small, **changes)
    return reinforcement.Agent(settings, 0, torch.device("cpu"))


def test_the_replay_forgets_the_oldest():
    replay = reinforcement.Replay(3, 4)
    for k in range(5):
        replay.add(np.full(4, k), k % 2, float(k), np.full(4, k + 1), k == 4)
    drawn = replay.draw(200, torch.Generator().manual_seed(0))
    assert set(drawn[2].tolist()) == {2.0, 3.0, 4.0}
    for state, action, reward, following, ended in zip(*drawn, strict=True):
        k = int(reward)
        assert state.tolist() == [k] * 4 and following.tolist() == [k + 1] * 4
        assert action == k % 2 and ended == (k == 4)


def test_targets_are_rewards_and_what_the_target_network_expects_after_them(monkeypatch):
    learner = agent(batch_size=50, discount=0.9)
    nn.init.constant_(learner.target[-1].bias, 7.0)
    rng = np.random.default_rng(0)
    for k in range(20):
        learner.replay.add(rng.normal(size=4), k % 2, float(k), rng.normal(size=4), k % 3 == 0)
    state = learner.chance.get_state()
    given = []
    original = nn.functional.smooth_l1_loss

    def loss(got, wanted):
        given.append((got.detach().clone(), wanted))
        return original(got, wanted)

    monkeypatch.setattr(nn.functional, "smooth_l1_loss", loss)
    before = [learner.q(s).detach() for s in learner.replay.parts["states"][:20]]
    learner.learn()
    learner.chance.set_state(state)
    [(got, wanted)] = given
    for k, row in enumerate(zip(*learner.replay.draw(50, learner.chance), strict=True)):
        _, action, reward, following, ended = row
        value = reward.item()
        if not ended:
            value += 0.9 * max(learner.target(following).tolist())
        assert wanted[k].item() == pytest.approx(value, rel=1e-5)
        assert got[k].item() == pytest.approx(before[int(reward)][action].item(), abs=1e-5)
    assert not wanted.requires_grad


def test_an_episode_that_is_cut_short_is_not_terminal(tmp_path, monkeypatch):
    learner = agent(steps=30, learns_after=100)

    class Endless:
        def __init__(self):
            self.count = 0

        def reset(self, seed):
            self.count = 0
            return np.zeros(4), {}

        def step(self, action):
            self.count += 1
            return np.zeros(4), 1.0, False, self.count == 10, {}

    monkeypatch.setattr(reinforcement.gymnasium, "make", lambda *_, **__: Endless())
    learner.train(Run(tmp_path, torch.device("cpu"), 0, 30), "agent")
    assert learner.returns == [10.0] * 3
    assert not learner.replay.parts["ended"].any()


def test_chance_in_actions_goes_down_in_a_line_and_stays():
    learner = agent(steps=1000, explores_for=0.2, lowest_epsilon=0.05)
    expected = {0: 1.0, 100: 0.525, 200: 0.05, 900: 0.05}
    for step, value in expected.items():
        learner.step = step
        assert learner.epsilon() == pytest.approx(value)


def test_the_curve_has_a_tenth_of_the_steps_in_each_row():
    assert reinforcement._by_steps([10.0] * 10, 100) == [10.0] * 10
    assert reinforcement._by_steps([5.0, 5.0, 40.0, 50.0], 100)[:4] == [5.0, 5.0, 5.0, 5.0]
    assert reinforcement._by_steps([5.0, 5.0, 40.0, 50.0], 100)[4:] == [40.0] * 5 + [50.0]
