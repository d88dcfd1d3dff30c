"""`rnnzoo verify`: the NumPy twin against Keras."""

from __future__ import annotations

from .. import console
from .options import JSON, QUIET, RECIPE, RUN

EXAMPLES = (
    "rnnzoo verify chargen",
    "rnnzoo verify chargen --json",
)


def verify(recipe: RECIPE, run: RUN = None, json: JSON = False, quiet: QUIET = False) -> int:
    """Compare the NumPy model with Keras, layer by layer."""
    from .. import verification, zoo

    report = verification.verify(zoo.load(recipe), run)
    if json:
        console.document(report)
    else:
        console.result(f"{report['recipe']}, run {report['run']}: largest |NumPy - Keras| per layer")
        for layer, difference in report["differences"].items():
            console.result(f"  {layer:<14} {difference:.2e}")
        console.result(f"they {'agree' if report['agree'] else 'DO NOT agree'} to {report['tolerance']:g}")
    return 0 if report["agree"] else 1
