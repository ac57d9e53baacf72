import math

import numpy as np
import torch

from course_lib.models.preferences import answer_log_probability, dpo_loss


def test_an_answers_probability_is_the_product_of_its_tokens():
    torch.manual_seed(0)
    logits, tokens = torch.randn(2, 5, 7), torch.randint(7, (2, 5))
    is_answer = torch.tensor([[False, False, True, True, False], [False, True, True, True, True]])
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(-1, keepdims=True)
    expected = [
        sum(math.log(p[row, i - 1, tokens[row, i]]) for i in range(5) if is_answer[row, i])
        for row in range(2)
    ]
    got = answer_log_probability(logits, tokens, is_answer)
    torch.testing.assert_close(got, torch.tensor(expected), rtol=1e-5, atol=1e-5)


def test_the_loss_of_dpo():
    reference = torch.tensor([-3.0, -1.0]), torch.tensor([-2.0, -4.0])
    assert abs(dpo_loss(*reference, *reference) - math.log(2)) < 1e-6
    moved = torch.tensor([-2.0, -1.5]), torch.tensor([-5.0, -4.0])
    margins = [0.4 * ((-2 + 3) - (-5 + 2)), 0.4 * (-1.5 + 1)]
    expected = np.mean([math.log(1 + math.exp(-m)) for m in margins])
    assert abs(dpo_loss(*moved, *reference, beta=0.4) - expected) < 1e-6


def test_its_slopes_raise_the_chosen_and_lower_the_rejected():
    four = [torch.zeros(3, requires_grad=True) for _ in range(4)]
    dpo_loss(*four, beta=0.5).backward()
    torch.testing.assert_close(four[0].grad, torch.full((3,), -0.5 * 0.5 / 3))
    torch.testing.assert_close(four[1].grad, torch.full((3,), 0.5 * 0.5 / 3))
    assert four[2].grad is None and four[3].grad is None


def test_far_preferences_stay_finite():
    far = torch.tensor([-1e4]), torch.tensor([0.0]), torch.tensor([0.0]), torch.tensor([-1e4])
    assert torch.isfinite(dpo_loss(*far, beta=1.0))
