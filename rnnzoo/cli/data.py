"""`rnnzoo data`: fetch, show and clean the corpora of a recipe."""

from __future__ import annotations

import dataclasses

import typer

from .. import console
from .options import DATA, JSON, QUIET, RECIPE, examples

app = typer.Typer(
    help="Fetch, show and clean the corpora of a recipe.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command(epilog=examples("rnnzoo data fetch chargen", "RNNZOO_MIRROR=./files rnnzoo data fetch chargen"))
def fetch(recipe: RECIPE, json: JSON = False, quiet: QUIET = False) -> None:
    """Download the files of a recipe's corpora into the cache."""
    from .. import zoo
    from ..corpora.fetch import fetch, recorded_sha256

    fetched = []
    for corpus, files in zoo.load(recipe).part("corpus").FILES.items():
        for file in files:
            path = fetch(file, (lambda line: None) if quiet else console.note)
            fetched.append({"corpus": corpus, "path": str(path), "bytes": path.stat().st_size, "sha256": recorded_sha256(path)})
    if json:
        console.document(fetched)
    else:
        for entry in fetched:
            console.result(f"{entry['path']}  {entry['bytes']:,} bytes  SHA-256 {entry['sha256'][:12]}...")


@app.command(epilog=examples("rnnzoo data show chargen", "rnnzoo data show chargen --data book.txt"))
def show(recipe: RECIPE, data: DATA = None, json: JSON = False, quiet: QUIET = False) -> None:
    """Show what a corpus holds: counts, splits and their hashes."""
    from .. import zoo

    loaded = zoo.load(recipe)
    reporter = console.QuietReporter() if quiet else console.TrainingReporter()
    corpus = loaded.part("corpus").load_corpus(loaded.card.Config(), data, reporter)
    facts = corpus.facts()
    licence = loaded.part("corpus").LICENCES.get(facts["name"])
    if json:
        console.document(facts | {"licence": dataclasses.asdict(licence) if licence else None})
        return
    console.result(f"{loaded.name}: corpus {facts['name']}, SHA-256 {facts['sha256'][:12]}...")
    for name, digest in facts["sources"].items():
        console.result(f"  from {name}  SHA-256 {digest[:12]}...")
    if licence:
        console.result(f"  licence: {licence.terms}; {licence.attribution}")
    for name, count in facts["counts"].items():
        digest = facts["split_sha256"].get(name)
        console.result(f"  {name:<12} {count:>12,}" + (f"  SHA-256 {digest[:12]}..." if digest else ""))
    for name, detail in facts.get("details", {}).items():
        shown = ", ".join(f"{key}: {value}" for key, value in detail.items()) if isinstance(detail, dict) else detail
        console.result(f"  {name}: {shown}")


@app.command(epilog=examples("rnnzoo data clean chargen", "rnnzoo data clean translate --json"))
def clean(recipe: RECIPE, json: JSON = False, quiet: QUIET = False) -> None:
    """Remove a recipe's corpora from the cache; runs stay."""
    from .. import zoo
    from ..corpora import cache

    loaded = zoo.load(recipe)
    files = [file.name for files in loaded.part("corpus").FILES.values() for file in files]
    removed = cache.clean(loaded.name, files)
    if json:
        console.document(removed)
    elif not quiet:
        console.note(f"removed {len(removed)} files and folders")
