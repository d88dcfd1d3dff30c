"""Step sizes by hand."""

from __future__ import annotations

import pytest

from rnnzoo.training.schedule import FLOOR, step_size

KINDS = ("constant", "linear", "cosine")


def sizes(kind, total=10, peak=1.0, warmup=0.2):
    return [step_size(step, total, peak, warmup, kind) for step in range(total)]


def test_constant():
    assert sizes("constant") == pytest.approx([0.5] + [1.0] * 9)


def test_linear():
    # After two steps of warm-up, from 1 towards 0.02 in eight.
    assert sizes("linear") == pytest.approx([0.5, 1, 1, *(1 - 0.98 * k / 8 for k in range(1, 8))])


def test_cosine():
    # 0.02 + 0.98 (1 + cos(pi k / 8)) / 2: cos of 45, 90 and 135 degrees at k = 2, 4, 6.
    received = sizes("cosine")
    assert received[:3] == pytest.approx([0.5, 1, 1])
    assert [received[2 + k] for k in (2, 4, 6)] == pytest.approx(
        [0.02 + 0.98 * 0.8535534, 0.02 + 0.98 * 0.5, 0.02 + 0.98 * 0.1464466]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_peak_is_a_factor(kind):
    assert sizes(kind, peak=0.003) == pytest.approx([0.003 * size for size in sizes(kind)])


@pytest.mark.parametrize("kind", KINDS)
def test_no_warmup_starts_at_the_peak(kind):
    assert sizes(kind, warmup=0)[0] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_all_warmup_ends_at_the_peak(kind):
    assert sizes(kind, total=4, warmup=1) == pytest.approx([0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_a_step_is_a_whole_one(kind):
    # 0.02 of 10 steps: one step of warm-up, at full size, for it rises from zero before it.
    assert sizes(kind, warmup=0.02)[:2] == pytest.approx([1, 1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("total", [1, 2, 7, 1000])
@pytest.mark.parametrize("warmup", [0, 0.02, 0.5, 1])
def test_it_rises_then_never_rises_again_and_stays_above_the_floor(kind, total, warmup):
    received = sizes(kind, total, 1.0, warmup)
    top = received.index(max(received))
    assert received[: top + 1] == sorted(received[: top + 1])
    assert received[top:] == sorted(received[top:], reverse=True)
    assert max(received) == pytest.approx(1)
    assert min(received[top:]) >= FLOOR == 0.02
    assert min(received) > 0


def test_decays_end_at_the_floor():
    assert step_size(999_999, 1_000_000, 1.0, 0.02, "linear") == pytest.approx(FLOOR, rel=1e-3)
    assert step_size(999_999, 1_000_000, 1.0, 0.02, "cosine") == pytest.approx(FLOOR, rel=1e-3)
