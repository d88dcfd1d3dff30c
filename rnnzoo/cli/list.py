"""`rnnzoo list`: the recipes, and the runs that are cached for each."""

from __future__ import annotations

from .. import console
from .options import JSON, QUIET

EXAMPLES = (
    "rnnzoo list",
    "rnnzoo list --json",
)


def list_recipes(json: JSON = False, quiet: QUIET = False) -> None:
    """List the recipes, and the runs that are cached for each."""
    from .. import runs, zoo
    from ..errors import RnnzooError

    listed = []
    for name in zoo.names():
        try:
            summary = zoo.load(name).card.SUMMARY
        except RnnzooError as error:
            summary = f"broken: {error.message}"
        damaged = [{"run": run, "error": error.message} for run, error in runs.damaged_runs_of(name).items()]
        shipped = runs.shipped(name)
        described = [_described(run) for run in [*runs.runs_of(name), *([shipped] if shipped else [])]]
        listed.append({"recipe": name, "summary": summary, "runs": described, "damaged": damaged})
    if json:
        console.document(listed)
        return
    width = max(len(entry["recipe"]) for entry in listed)
    for entry in listed:
        console.result(f"{entry['recipe']:<{width}}  {entry['summary']}")
        for run in entry["runs"]:
            best = run["best"]
            result = (
                f"validation {best['metric']} {best['value']:.4f} (epoch {best['epoch']})" if best else "no best checkpoint yet"
            )
            console.result(f"{'':<{width}}    {run['run']:<20} {run['status']:<10} {run['corpus']:<10} {result}")
        for run in entry["damaged"]:
            console.result(f"{'':<{width}}    {run['run']:<20} damaged: {run['error']}")
        if not entry["runs"] and not quiet:
            console.result(f"{'':<{width}}    no runs yet: rnnzoo train {entry['recipe']}")


def _described(run) -> dict:
    best = run.best
    return {
        "run": run.name,
        "status": "shipped" if run.shipped else run.record["status"],
        "corpus": run.record["corpus"]["name"],
        "best": {key: best[key] for key in ("metric", "value", "epoch")} if best else None,
        "path": str(run.path),
    }
