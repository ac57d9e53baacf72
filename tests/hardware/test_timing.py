"""The clock: what is warmed up, how often is called, and that a device is waited for."""

import pytest
import torch

from course_lib.hardware import timing


class Pretended:
    """A device that works later, and a clock that sees only what was waited for."""

    def __init__(self, ahead=0.001, work=1.0, first=0.0):
        self.now, self.queue, self.calls = 0.0, 0.0, 0
        self.ahead, self.work, self.first = ahead, work, first

    def call(self):
        self.calls += 1
        self.now += self.ahead + (self.first if self.calls == 1 else 0)
        self.queue += self.work

    def wait(self, device):
        self.now, self.queue = self.now + self.queue, 0.0

    def clock(self):
        return self.now


def test_the_device_is_waited_for(monkeypatch):
    device = Pretended()
    monkeypatch.setattr(timing, "synchronize", device.wait)
    assert timing.seconds(device.call, clock=device.clock) == pytest.approx(1.001)


def test_the_first_call_does_not_count(monkeypatch):
    device = Pretended(first=100.0)
    monkeypatch.setattr(timing, "synchronize", device.wait)
    assert timing.seconds(device.call, clock=device.clock) == pytest.approx(1.001)


def test_short_calls_are_repeated_until_the_clock_has_moved(monkeypatch):
    device = Pretended(ahead=0.0, work=1e-5)
    monkeypatch.setattr(timing, "synchronize", device.wait)
    assert timing.seconds(device.call, clock=device.clock, least=0.02) == pytest.approx(1e-5)
    assert device.calls > 2000 * 5


def test_the_shortest_measurement_counts():
    now, took = 0.0, iter([5.0, 1.0, 9.0, 0.7, 3.0, 0.9, 2.0])

    def call():
        nonlocal now
        now += next(took)

    # The first warms up, the second is long enough, four more are measured.
    assert timing.seconds(call, clock=lambda: now) == pytest.approx(0.7)
    assert next(took) == 2.0


def test_one_measurement_is_enough():
    now = 0.0

    def call():
        nonlocal now
        now += 1.0

    assert timing.seconds(call, clock=lambda: now, repeats=1) == 1.0


@pytest.mark.parametrize(("repeats", "least"), [(0, 0.1), (-1, 0.1), (1, -0.1)])
def test_no_measurement_is_refused(repeats, least):
    with pytest.raises(ValueError, match="repeats is"):
        timing.seconds(lambda: None, repeats=repeats, least=least)


def test_a_gpu_is_synchronized_and_a_cpu_is_not(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    timing.synchronize("cpu")
    timing.synchronize(torch.device("cuda:0"))
    assert waited == [torch.device("cuda:0")]
