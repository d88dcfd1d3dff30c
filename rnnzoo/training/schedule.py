"""The step size as a function of the step alone, never of the clock: a run that is resumed follows the same plan."""

from __future__ import annotations

import math

FLOOR = 0.02  # where a decay ends, as a share of the highest step size


def step_size(step: int, total: int, peak: float, warmup: float, schedule: str) -> float:
    """Step size of `step` (0, 1, ... total - 1).

    It rises linearly over the first `warmup * total` steps, then stays (`constant`) or falls to FLOOR times the peak along a
    line (`linear`) or half a cosine (`cosine`; Loshchilov, Hutter 2017).
    """
    warm = math.ceil(warmup * total)
    if step < warm:
        return peak * (step + 1) / warm
    progress = (step - warm) / max(1, total - warm)
    if schedule == "constant":
        return peak
    remaining = 1 - progress if schedule == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return peak * (FLOOR + (1 - FLOOR) * remaining)
