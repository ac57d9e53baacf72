"""Detector, mask U-Net and vision transformer: shapes, order of answers, losses by hand."""

import doctest

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import detection, get_device
from course_lib.models import detector, segmentation, vit


@pytest.mark.parametrize("module", [detector, segmentation, vit])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_a_detectors_answers_are_in_the_order_of_the_anchors():
    model = detector.Detector(anchors=2).eval()
    grid = detection.anchor_grid(24, 4, [(8, 8), (8, 12)]).reshape(6, 6, 2, 4)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.weight[0, :] = 1.0  # the first answer of the first anchor
        model.head.bias.zero_()
        model.head.bias[15] = 7.0  # the first answer of the second anchor
        maps = model.trunk(torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(0)))
        image = torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(0))
        classes, offsets = model(image)
    assert classes.shape == (1, 72, 11) and offsets.shape == (1, 72, 4)
    answers = classes[0, :, 0].reshape(6, 6, 2)
    assert torch.allclose(answers[..., 0], maps[0].sum(dim=0), atol=1e-4)
    assert torch.all(answers[..., 1] == 7) and grid.shape == (6, 6, 2, 4)


def test_a_cell_has_seen_18_by_18_pixels():
    model = detector.trunk().eval()
    image = torch.rand(1, 1, 40, 40, requires_grad=True)
    model(image)[0, :, 5, 5].sum().backward()
    rows, columns = np.nonzero(image.grad[0, 0].numpy())
    assert np.ptp(rows) < 18 and np.ptp(columns) < 18 and np.ptp(rows) > 12


def test_crops_of_whole_pixels_are_slices():
    images = torch.rand(3, 2, 10, 12)
    boxes = torch.tensor([[2.0, 3.0, 6.0, 7.0], [8.0, 0.0, 12.0, 4.0]])
    cut = detector.crops(images, torch.tensor([2, 0]), boxes, 4)
    assert torch.allclose(cut[0], images[2, :, 3:7, 2:6], atol=1e-5)
    assert torch.allclose(cut[1], images[0, :, 0:4, 8:12], atol=1e-5)


def test_the_detection_loss_by_hand():
    logits, offsets = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    classes = torch.tensor([[0, 2, -1], [0, 0, 3]])
    wanted = offsets.clone()
    wanted[0, 1] += torch.tensor([1.0, 0.0, 0.05, 0.0])
    wanted[0, 0] += 9  # on background: not looked at
    log_p = logits.log_softmax(dim=2)
    places = [(0, 0, 0), (0, 1, 2), (1, 0, 0), (1, 1, 0), (1, 2, 3)]
    kind = -sum(log_p[place] for place in places)
    by_hand = (kind + (1 - 0.05) + 0.5 * 0.05**2 / 0.1) / 2
    got = detector.detection_loss((logits, offsets), classes, wanted)
    assert torch.allclose(got, by_hand, atol=1e-5)
    nothing = detector.detection_loss((logits, offsets), torch.zeros_like(classes), wanted)
    assert torch.isfinite(nothing)


def test_a_detector_and_a_window_classifier_learn():
    device = get_device()
    torch.manual_seed(0)
    images = torch.zeros(4, 1, 24, 24, device=device)
    images[:2, :, 4:12, 4:12] = 1.0
    classes = torch.zeros(4, 36, dtype=torch.long, device=device)
    classes[:2, 7] = 3
    model = detector.Detector(anchors=1).to(device)
    adam = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(40):
        loss = detector.detection_loss(model(images), classes, torch.zeros(4, 36, 4, device=device))
        adam.zero_grad()
        loss.backward()
        adam.step()
    model.eval()
    assert model(images)[0][:2, 7].argmax(dim=1).tolist() == [3, 3]
    windows = detector.WindowClassifier(side=12)
    assert windows(torch.zeros(2, 1, 12, 12)).shape == (2, 11)


# Masks --------------------------------------------------------------------------------------------


def test_the_way_up_sees_the_copies():
    torch.manual_seed(0)
    for skips in (True, False):
        model = segmentation.MaskUNet(masks=3, width=4, skips=skips).eval()
        image = torch.rand(1, 1, 12, 16)
        assert model(image).shape == (1, 3, 12, 16)
        for name in ("down1", "down2"):
            getattr(model, name).register_forward_hook(lambda _, __, out: out * 1.0)
        before = model(image)
        with torch.no_grad():
            model.bottom[0].weight.zero_()
            model.bottom[3].weight.zero_()
        after, other = model(image), model(torch.rand(1, 1, 12, 16))
        assert not torch.allclose(before, after)
        # With the bottom silenced, only the copies can tell one image from another.
        assert torch.allclose(after, other, atol=1e-6) is not skips
    with pytest.raises(ValueError, match="multiples of 4"):
        model(torch.zeros(1, 1, 10, 12))


def test_dice_counts_overlap_of_each_mask():
    masks = torch.zeros(2, 2, 3, 3)
    masks[0, 0, 0], masks[1, 1, :, 0] = 1.0, 1.0
    sure = 200 * masks - 100
    assert segmentation.dice_loss(sure, masks).item() < 1e-6
    shifted = sure.roll(1, dims=2)  # the first mask misses, the second is the same
    wanted = (1 - 1 / (3 + 3 + 1)) / 2
    assert abs(segmentation.dice_loss(shifted, masks).item() - wanted) < 1e-6
    free = torch.zeros_like(masks, requires_grad=True)
    segmentation.dice_loss(free, masks).backward()
    assert free.grad.abs().min() > 0


# Patches ------------------------------------------------------------------------------------------


def test_patches_and_embedding_are_a_convolution():
    images = torch.randn(2, 3, 6, 9)
    convolution = nn.Conv2d(3, 5, 3, stride=3)
    rows = vit.patches(images, 3) @ convolution.weight.flatten(1).T + convolution.bias
    assert torch.allclose(rows, convolution(images).flatten(2).transpose(1, 2), atol=1e-5)
    with pytest.raises(ValueError, match="do not fill"):
        vit.patches(images, 4)


def test_a_vit_knows_places_only_by_what_it_learned():
    torch.manual_seed(0)
    model = vit.ViT(size=8, patch=2).eval()
    images = torch.randn(3, 1, 8, 8)
    turned = images.roll(2, dims=3)  # the patches in another order
    assert not torch.allclose(model(images), model(turned), atol=1e-3)
    with torch.no_grad():
        model.places.zero_()
    assert torch.allclose(model(images), model(turned), atol=1e-5)
    assert model(images).shape == (3, 10)
    with pytest.raises(ValueError, match="do not fill"):
        vit.ViT(size=8, patch=3)
