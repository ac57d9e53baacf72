"""The networks for speech: shapes, what does not matter to them, and that they learn."""

import doctest

import pytest
import torch
from torch.nn import functional

from course_lib.models import speech
from course_lib.models.speech import KeywordNet, SpeakerNet, SpellingNet


def test_examples():
    result = doctest.testmod(speech)
    assert result.attempted and not result.failed


def seeded(make):
    torch.manual_seed(0)
    return make().eval()


def test_where_a_word_is_does_not_matter():
    network = seeded(KeywordNet)
    word = torch.randn(1, 20, 32)
    early, late = torch.zeros(2, 1, 140, 32)
    early[:, 40:60], late[:, 72:92] = word, word
    with torch.no_grad():
        assert torch.allclose(network(early), network(late), atol=1e-5)


def test_embeddings_have_length_one_and_logits_are_cosines():
    network = seeded(lambda: SpeakerNet(speakers=5, scale=7.0))
    x = torch.randn(3, 40, 32)
    with torch.no_grad():
        e, logits = network.embed(x), network(x)
        w = network.speakers.weight
    assert torch.allclose(e.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.allclose(
        logits, 7 * functional.cosine_similarity(e[:, None], w[None], dim=2), atol=1e-4
    )


@pytest.mark.parametrize("frames", [4, 5, 41, 42, 43, 44])
def test_steps_are_counted(frames):
    network = seeded(lambda: SpellingNet(labels=6))
    with torch.no_grad():
        assert network(torch.zeros(2, frames, 32)).shape == (2, SpellingNet.steps(frames), 6)


@pytest.mark.parametrize("make", [lambda: KeywordNet(classes=3), lambda: SpeakerNet(speakers=3)])
def test_classes_are_learned(make):
    torch.manual_seed(0)
    y = torch.arange(30) % 3
    x = torch.randn(30, 24, 32) + 2 * functional.one_hot(y, 32)[:, None]
    network = make()
    adam = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(25):
        loss = functional.cross_entropy(network(x), y)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss < 0.3


def test_a_text_is_learned_without_its_places():
    torch.manual_seed(0)
    letters = torch.randn(4, 32)
    texts = torch.randint(1, 4, (24, 3))
    x = letters[texts].repeat_interleave(12, dim=1) + 0.1 * torch.randn(24, 36, 32)
    network, steps = SpellingNet(labels=4, channels=16), torch.full((24,), SpellingNet.steps(36))
    adam = torch.optim.Adam(network.parameters(), 0.02)
    losses = []
    for _ in range(60):
        p = network(x).log_softmax(dim=2).transpose(0, 1)
        loss = functional.ctc_loss(p, texts, steps, torch.full((24,), 3))
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
