"""The kept base model is what its file says, and the code that makes it still runs."""

import math
from dataclasses import asdict

import pytest
import torch

from course_lib.book.checkpoints import make_gpt, text_digest
from course_lib.data import corpus
from course_lib.data.bpe import BytePairs
from course_lib.models import checkpoints, pretrained
from course_lib.models.gpt import GPT


@pytest.fixture(scope="module")
def kept():
    return pretrained.gpt()


def test_the_file_is_small_and_was_made_from_this_text_with_this_configuration(kept):
    _, about = kept
    assert pretrained.GPT_FILE.stat().st_size < 1_000_000
    assert about["text_digest"] == text_digest()
    assert about["config"] == asdict(pretrained.GPT_CONFIG)
    merges = BytePairs.train(corpus.split()[0], pretrained.GPT_CONFIG.vocabulary - 256).merges
    assert BytePairs(about["merges"]).merges == merges


def test_its_loss_is_what_the_file_says(kept):
    model, about = kept
    tokens = BytePairs(about["merges"])
    text = tokens.encode(corpus.split()[1])
    bits, spelled = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(text) - 64, 64):
            window = text[start : start + 65]
            log_p = model(torch.tensor([window[:-1]]))[0].log_softmax(-1)
            for i, token in enumerate(window[1:]):
                bits -= log_p[i, token].item() / math.log(2)
                spelled += len(tokens.vocabulary[token])
    assert abs(bits / spelled - about["bits_per_byte"]) < 1e-3


def test_it_can_be_made_again(tmp_path):
    measured = make_gpt(tmp_path / "few.pt", steps=3)
    model = GPT(pretrained.GPT_CONFIG)
    about = checkpoints.load(model, tmp_path / "few.pt").about
    assert about["steps"] == 3 and about["bits_per_byte"] == measured["bits_per_byte"] < 8
    assert about.keys() == pretrained.gpt()[1].keys()
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
