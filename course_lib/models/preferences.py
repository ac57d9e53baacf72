"""Preferences: how likely an answer is, and a loss that makes the better one likelier.

References
----------
Rafailov et al., "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
2023, arXiv:2305.18290.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["answer_log_probability", "dpo_loss"]


def answer_log_probability(logits: Tensor, tokens: Tensor, is_answer: Tensor) -> Tensor:
    """Add up the log-probabilities of the tokens of each answer.

    Parameters
    ----------
    logits : Tensor, shape (batch, n, vocabulary)
        Of the model that has read `tokens`: those at position i are about token i + 1.
    tokens : Tensor of int, shape (batch, n)
        Questions with their answers.
    is_answer : Tensor of bool, shape (batch, n)
        True where a token belongs to the answer; padding and question do not.

    Returns
    -------
    Tensor, shape (batch,)
        Zero at most.
    """
    log_p = logits[:, :-1].log_softmax(dim=-1)
    of_next = log_p.gather(-1, tokens[:, 1:, None])[..., 0]
    return (of_next * is_answer[:, 1:]).sum(dim=1)


def dpo_loss(
    chosen: Tensor,
    rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    beta: float = 0.1,
) -> Tensor:
    """Compute the loss of direct preference optimization.

    It falls as the model, compared with the reference, comes to prefer the chosen answer:
    -log sigmoid(beta * ((chosen - reference_chosen) - (rejected - reference_rejected))).

    Parameters
    ----------
    chosen, rejected : Tensor, shape (batch,)
        Log-probabilities of the better and of the worse answer, under the model that is trained.
    reference_chosen, reference_rejected : Tensor, shape (batch,)
        The same under the model as it was. No gradient flows into them.
    beta : float
        How strongly the model is held to the reference: with a larger one, the loss is content
        with a smaller move.

    Returns
    -------
    Tensor, shape ()
        log 2 while the model is the reference.
    """
    moved = (chosen - reference_chosen.detach()) - (rejected - reference_rejected.detach())
    return -nn.functional.logsigmoid(beta * moved).mean()
