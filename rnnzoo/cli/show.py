"""`rnnzoo show`: a recipe's settings and presets; a run's configuration, layers and metrics; what goes on in its layers."""

from __future__ import annotations

import math
import shutil
import sys
import unicodedata
from typing import Annotated, Any

import typer

from .. import console
from ..errors import CallError
from . import completion
from .options import JSON, QUIET

EXAMPLES = (
    "rnnzoo show chargen",
    "rnnzoo show chargen/20260101-120000",
    "rnnzoo show chargen --preset book",
    "rnnzoo show --gradients chargen/rnn chargen/lstm --plot lags.png",
)
SHOWN_UNITS = 16  # rows of hidden units for each layer
SHOWN_LAGS = (0, 1, 2, 4, 8, 16, 32, 64, 100)
DECADES = 6  # what the length of a bar spans
EIGHTHS = " ▏▎▍▌▋▊▉"  # ends of a bar
LEVELS = "▁▂▃▄▅▆▇█"  # of an activation, from minus to plus the largest of its layer
WIDTH = 100  # columns of a line of hidden units


def show(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="RECIPE|RUN...",
            help="A recipe, or a run as RECIPE/RUN, by name or by path; see --gradients.",
            autocompletion=completion.targets,
        ),
    ],
    preset: Annotated[str | None, typer.Option(metavar="P", help="Show a recipe as this preset sets it.")] = None,
    gradients: Annotated[
        bool, typer.Option("--gradients", help="How far back the loss is felt: |dL_T/dh_t| by lag, for one or more runs.")
    ] = False,
    weights: Annotated[bool, typer.Option("--weights", help="The weights of a run by gate, with shapes and norms.")] = False,
    activations: Annotated[
        str | None, typer.Option("--activations", metavar="TEXT", help="The hidden units of a run over a text.")
    ] = None,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE.png", help="Draw --gradients or --activations as a picture.")
    ] = None,
    json: JSON = False,
    quiet: QUIET = False,
) -> None:
    """Show a recipe, or a run and what goes on in its layers.

    With --gradients, --weights or --activations, look into a run; a recipe then stands for its newest run.
    """
    from .. import inspection

    asked = [
        f"--{name}"
        for name, given in [("gradients", gradients), ("weights", weights), ("activations", activations is not None)]
        if given
    ]
    if len(asked) > 1 or (asked and preset):
        both = " and ".join([*asked, *(["--preset"] if preset else [])])
        raise CallError(f"{both} do not go together", "ask for one at a time")
    if len(targets) > 1 and not gradients:
        raise CallError(
            f"expected one recipe or run, received {len(targets)}: {' '.join(targets)}",
            "only --gradients compares several runs",
        )
    if plot is not None and not (gradients or activations is not None):
        raise CallError(
            "--plot draws what --gradients or --activations shows", f"rnnzoo show --gradients {targets[0]} --plot {plot}"
        )
    reporter = console.QuietReporter() if quiet else console.TrainingReporter()
    if gradients:
        found = [inspection.gradients(target, reporter) for target in targets]
        picture, render = _draw_gradients, _render_gradients
    elif weights:
        found, picture, render = inspection.weights_by_gate(targets[0]), None, _render_weights_by_gate
    elif activations is not None:
        found, picture, render = inspection.activations(targets[0], activations), _draw_activations, _render_activations
    else:
        found, picture = inspection.describe(targets[0], preset), None
        render = _render_run if "run" in found else _render_recipe
    if plot is not None:
        picture(plot, found)
    if json:
        console.document({"runs": found} if gradients else found)
    else:
        render(found)
    if plot is not None and not quiet:
        console.note(f"drawn in {plot}")


def _render_recipe(d: dict[str, Any]) -> None:
    console.result(f"{d['recipe']}: {d['summary']}")
    console.result(f"corpora: {', '.join(d['corpora'])}, sample; presets: {', '.join(d['presets']) or 'none'}")
    console.table(
        "settings (KEY=VALUE after the recipe)", ["key", "value", "meaning"], [list(s.values()) for s in d["settings"]]
    )
    console.table("options of generate", ["option", "default", "meaning"], [list(o.values()) for o in d["options"]])
    _render_weights(d)


def _render_run(d: dict[str, Any]) -> None:
    record = d["record"]
    corpus = record["corpus"]
    counts = ", ".join(f"{count:,} {name}" for name, count in corpus["counts"].items())
    console.result(f"{d['recipe']}, run {d['run']} ({record['status']}), {d['path']}")
    console.result(f"corpus {corpus['name']}: {counts}")
    console.result(
        f"engine {record['engine']}, seed {record['seed']}, versions: "
        + ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    )
    console.result("settings: " + " ".join(f"{key}={value}" for key, value in record["config"].items()))
    _render_weights(d)
    rows = [[e["epoch"], e["step"], e["train_nats"], *e["validation"].values(), e["seconds"]] for e in record["history"]]
    if rows:
        names = list(record["history"][0]["validation"])
        console.table("history (validation split)", ["epoch", "step", "train nats", *names, "seconds"], rows)
    if best := record["best"]:
        console.result(f"best: {best['metric']} {best['value']:.4f} at epoch {best['epoch']}")


def _render_weights(d: dict[str, Any]) -> None:
    rows = [[w["name"], " x ".join(map(str, w["shape"])), w["gates"], w["parameters"]] for w in d["weights"]]
    console.table(
        f"weights ({d['vocabulary_note']})", ["name", "shape", "gates", "parameters"], [*rows, ["all", "", "", d["parameters"]]]
    )


# -- inside the recurrent layers -------------------------------------------------------------------------------------------


def _title(d: dict[str, Any]) -> str:
    return f"{d['recipe']}/{d['run']} ({d['cell']}, {d['units']} units)"


def _series(found: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """For each run, layer and state: a label as short as tells them apart, the run and the layer."""
    several = len({layer["layer"] for d in found for layer in d["layers"]}) > 1
    return [
        (f"{d['run']} ({d['cell']}) {layer['layer'] + ' ' if several else ''}{layer['state']}", d, layer)
        for d in found
        for layer in d["layers"]
    ]


def _render_gradients(found: list[dict[str, Any]]) -> None:
    for d in found:
        items = d["layers"][0]["items"][0]
        shorter = any(n < items for layer in d["layers"] for n in layer["items"])
        note = " (where fewer are as long, their number stands in brackets)" if shorter else ""
        console.result(f"{_title(d)}: |dL_T/ds_t| by lag T - t, mean over {items} test items of corpus {d['corpus']}{note}")
    series = _series(found)
    longest = max(len(layer["norms"]) for *_, layer in series)
    lags = sorted({lag for lag in SHOWN_LAGS if lag < longest} | {min(longest, SHOWN_LAGS[-1] + 1) - 1})
    width = 32 if len(series) == 1 else 16
    title = f"a bar's length is logarithmic: full is the layer's largest norm, empty a share of 1e-{DECADES} of it"
    # As many columns side by side as a terminal has room for.
    column = max(len("0.00e+00 ") + width, *(len(label) for label, *_ in series)) + 3
    room = max(1, ((shutil.get_terminal_size().columns if sys.stdout.isatty() else 200) - 6) // column)
    for at in range(0, len(series), room):
        some = series[at : at + room]
        rows = [[lag, *(_norm(layer, lag, width) for *_, layer in some)] for lag in lags]
        console.table(title, ["lag", *(label for label, *_ in some)], rows)


def _norm(layer: dict[str, Any], lag: int, width: int) -> str:
    norms, items = layer["norms"], layer["items"]
    if lag >= len(norms):
        return ""
    fewer = f" ({items[lag]})" if items[lag] < items[0] else ""
    return f"{norms[lag]:.2e} {_bar(norms[lag], max(norms), width)}{fewer}"


def _bar(value: float, largest: float, width: int) -> str:
    share = 1 + math.log10(value / largest) / DECADES if value > 0 else 0.0
    eighths = round(max(0.0, share) * width * 8)
    return "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def _draw_gradients(path: str, found: list[dict[str, Any]]) -> None:
    from ..plotting import draw_gradients

    series = [
        {"label": label, "group": (d["run"], layer["layer"]), "dashed": layer["state"] == "c", "norms": layer["norms"]}
        for label, d, layer in _series(found)
    ]
    draw_gradients(path, series)


def _render_weights_by_gate(d: dict[str, Any]) -> None:
    from ..probes import GATES

    rows = [
        [
            f"{w['weight']} ({w['part']})" if w["part"] else w["weight"],
            f"{w['gate']} {GATES[w['gate']]}" if w["gate"] else "",
            " x ".join(map(str, w["shape"])),
            *(w[key] for key in ("norm", "rms")),
            *("" if w[key] is None else f"{w[key]:.4g}" for key in ("spectral_norm", "spectral_radius")),
        ]
        for w in d["weights"]
    ]
    columns = ["weight", "gate", "shape", "Frobenius norm", "rms", "spectral norm", "spectral radius"]
    console.table(f"{_title(d)}: weights by gate", columns, rows)


def _render_activations(d: dict[str, Any]) -> None:
    for layer in d["layers"]:
        tokens = [_visible(token) for token in layer["tokens"]]
        gap = "" if all(len(token) == 1 for token in tokens) else " "
        shown = list(zip(layer["units"], layer["activations"], strict=True))[:SHOWN_UNITS]
        console.result(f"{_title(d)}, {layer['layer']}: the {len(shown)} units of {len(layer['units'])} that vary most")
        bound = max((abs(v) for _, values in shown for v in values), default=0) or 1.0
        console.result(f"{LEVELS[0]} is {-bound:.2g}, {LEVELS[-1]} is {bound:.2g}")
        for begin, end in _lines(tokens, gap):
            console.result()
            console.result(f"{'unit':>5}  " + gap.join(tokens[begin:end]))
            for unit, values in shown:
                cells = (_level(v / bound) * _columns(t) for v, t in zip(values[begin:end], tokens[begin:end], strict=True))
                console.result(f"{unit:>5}  " + gap.join(cells))
        console.result()


def _visible(token: str) -> str:
    """A token as it can stand in a line."""
    return token.translate({10: "↵", 13: "↵", 9: "→"}) or "·"


def _lines(tokens: list[str], gap: str):
    """Ranges of tokens that fit a line."""
    begin, used = 0, 0
    for i, token in enumerate(tokens):
        if i > begin and used + _columns(token) > WIDTH:
            yield begin, i
            begin, used = i, 0
        used += _columns(token) + len(gap)
    yield begin, len(tokens)


def _columns(token: str) -> int:
    """Columns that a token takes on a terminal: East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in token)


def _level(value: float) -> str:
    return LEVELS[min(len(LEVELS) - 1, max(0, int((value + 1) / 2 * len(LEVELS))))]


def _draw_activations(path: str, d: dict[str, Any]) -> None:
    from ..plotting import draw_units

    draw_units(path, [layer | {"tokens": [_visible(token) for token in layer["tokens"]]} for layer in d["layers"]])
