"""The translator: against PyTorch, and that padding and the future change nothing."""

import doctest

import pytest
import torch
from torch.nn import functional

from course_lib.models import seq2seq
from course_lib.models.seq2seq import PAD, Seq2Seq, attend, shifted, translation_loss


def test_examples():
    result = doctest.testmod(seq2seq)
    assert result.attempted and not result.failed


def test_attention_is_that_of_pytorch():
    generator = torch.Generator().manual_seed(0)
    states, memory = (torch.randn(3, t, 8, generator=generator) for t in (4, 6))
    mask = torch.arange(6) < torch.tensor([6, 2, 4])[:, None]
    context, weights = attend(states, memory, mask)
    theirs = functional.scaled_dot_product_attention(
        states, memory, memory, attn_mask=mask[:, None]
    )
    assert torch.allclose(context, theirs, atol=1e-6)
    assert torch.allclose(weights.sum(dim=2), torch.ones(3, 4))
    assert weights.masked_select(~mask[:, None]).abs().max() == 0


@pytest.mark.parametrize("attention", [True, False])
def test_padding_and_the_future_change_nothing(attention):
    torch.manual_seed(0)
    model = Seq2Seq(9, 7, width=6, attention=attention)
    source, target = torch.tensor([[4, 5, 6]]), torch.tensor([[1, 3, 4, 5]])
    logits = model(source, target)
    assert logits.shape == (1, 4, 7)
    padded = torch.cat([source, torch.full((1, 3), PAD)], dim=1)
    assert torch.allclose(model(padded, target), logits, atol=1e-6)
    later = target.clone()
    later[0, 3] = 6
    assert torch.equal(model(source, later)[:, :3], logits[:, :3])
    other = source.clone()
    other[0, 0] = 7
    assert not torch.allclose(model(other, target), logits, atol=1e-4)


def test_without_attention_there_are_no_weights():
    model = Seq2Seq(9, 7, width=6, attention=False)
    _, weights = model.decode(torch.ones(2, 3).long(), *model.encode(torch.ones(2, 4).long()))
    assert weights.shape == (2, 3, 4) and weights.abs().max() == 0


def test_targets_are_shifted_by_one_and_padding_is_left_out():
    target = torch.tensor([[1, 5, 6, 2], [1, 4, 2, 0]])
    given, wanted = shifted(target)
    assert given.tolist() == [[1, 5, 6], [1, 4, 2]] and wanted.tolist() == [[5, 6, 2], [4, 2, 0]]
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(1))
    log_p = logits.log_softmax(dim=2)
    places = [(i, j) for i in range(2) for j in range(3) if wanted[i, j] != PAD]
    by_hand = -sum(log_p[i, j, wanted[i, j]] for i, j in places) / len(places)
    assert translation_loss(logits, wanted).item() == pytest.approx(by_hand.item(), rel=1e-5)
    changed = logits.clone()
    changed[1, 2] = 50.0  # padding
    assert torch.equal(translation_loss(changed, wanted), translation_loss(logits, wanted))


@pytest.mark.slow
def test_it_learns_to_turn_a_row_around():
    torch.manual_seed(0)
    rows = torch.randint(3, 8, (400, 5))
    target = torch.cat([torch.full((400, 1), 1), rows.flip(1), torch.full((400, 1), 2)], dim=1)
    model = Seq2Seq(8, 8, width=32)
    adam = torch.optim.Adam(model.parameters(), 0.01)
    given, wanted = shifted(target)
    for _ in range(150):
        batch = torch.randint(360, (40,))
        adam.zero_grad()
        translation_loss(model(rows[batch], given[batch]), wanted[batch]).backward()
        adam.step()
    right = model(rows[360:], given[360:]).argmax(dim=2) == wanted[360:]
    assert right.float().mean() > 0.9
