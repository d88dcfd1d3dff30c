"""Run directories: written so that a crash at any moment loses nothing, verified when read, found by name.

    <checkpoints>/<recipe>/<run>/
      run.json                    what the run is, how far it is, and the files that belong to it with their hashes
      vocabulary.json
      best-<serial>.safetensors   weights of the best epoch; best.safetensors is a link to it
      last-<serial>.safetensors   what resuming needs: weights/..., optimizer/..., state/...; the two newest are kept
      tensorboard/                event files, of a run trained with them; run.json does not name them

A file that run.json names is never written again. A new checkpoint gets a new name, is synced to the disk, and one rename of
run.json switches to it; only then do files go that are no longer named. A new run is made under another name and renamed when
its first run.json is in it, so that whatever bears a run's name is a run. run.json holds the hash of its own content.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import paths
from .errors import CallError, RunError, did_you_mean

FORMAT = 1
RECORD = "run.json"
OWN_HASH = "record_sha256"  # in run.json: of all the rest of it
SHIPPED = "pretrained"  # the name of the run that comes with a recipe; see `rnnzoo.shipping`
_DRAFT = ".new"  # a run that is being made or removed; its name is no run's name
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass
class Run:
    """A run directory and its record (the content of run.json)."""

    path: Path
    record: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def best(self) -> dict[str, Any] | None:
        """{"value", "epoch", "step", "file", "sha256"} of the best checkpoint, or None before the first epoch ended."""
        return self.record.get("best")

    @property
    def finished(self) -> bool:
        return self.record["status"] != "unfinished"

    @property
    def shipped(self) -> dict[str, Any] | None:
        """{"licence", "attribution", "command", "test"} of the run that comes with a recipe, None for runs of one's own."""
        return self.record.get("shipped")

    @property
    def title(self) -> str:
        """How the run is called where it answers."""
        return f"{'shipped model' if self.shipped else f'run {self.name}'} on {self.record['corpus']['name']}"

    @property
    def on_sample(self) -> bool:
        """Whether it was trained on the embedded sample corpus."""
        return self.record["corpus"]["name"] == "sample"

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, file: str, content: bytes) -> str:
        """Write a new file whole and synced; returns its SHA-256. It belongs to the run once the record names it."""
        with _explained(self.path):
            _write_synced(self.path / file, content)
        return hashlib.sha256(content).hexdigest()

    def write_arrays(self, file: str, arrays: Mapping[str, Any]) -> str:
        """Write arrays as safetensors; returns the SHA-256 of the file."""
        import numpy as np
        from safetensors.numpy import save

        return self.write(file, save({name: np.asarray(array, order="C") for name, array in arrays.items()}))

    def commit(self) -> None:
        """Switch to the record as it now stands, then remove files that it no longer names."""
        self.record["updated"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        content = self.record | {OWN_HASH: _record_sha256(self.record)}
        with _explained(self.path):
            _write_synced(self.path / RECORD, json.dumps(content, indent=1, ensure_ascii=False).encode())
        self.tidy()

    def tidy(self) -> None:
        """Point the link at the best weights and remove files that the record does not name: a crash may have left some."""
        with _explained(self.path):
            if self.best and not self.shipped:
                _link(self.path / "best.safetensors", self.best["file"])
            named = {self.best["file"]} if self.best else set()
            named |= {entry["file"] for entry in self.record["last"]}
            for path in self.path.iterdir():
                if re.fullmatch(r"(best|last)-\d+\.safetensors|.*\.partial", path.name) and path.name not in named:
                    path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the run, whole."""
        from filelock import FileLock

        # Under a name that is no run's first: a crash half way must not leave half a run.
        with _explained(self.path), FileLock(self.path.with_name(".lock")):
            grave = self.path.with_name(_DRAFT)
            shutil.rmtree(grave, ignore_errors=True)
            os.rename(self.path, grave)
            shutil.rmtree(grave, ignore_errors=True)

    # -- reading ---------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the record anew: another process may have gone on with the run."""
        self.record = open_run(self.path).record

    def read(self, file: str, sha256: str) -> bytes:
        """The content of a file of the run, verified.

        Raises:
            RunError: if it is missing or its content is not what was written.
        """
        path = self.path / file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RunError(f"run {self.name} lacks {file}: {error.strerror}", _retrain(self)) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RunError(f"{path} is damaged: its hash is not the one that {RECORD} records", _retrain(self))
        return content

    def read_arrays(self, file: str, sha256: str) -> dict[str, Any]:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            return load(self.read(file, sha256))
        except SafetensorError as error:
            raise RunError(f"{self.path / file} is not a safetensors file: {error}", _retrain(self)) from None

    def vocabulary(self):
        """The run's vocabulary or vocabularies, verified."""
        from . import vocabulary

        self.read("vocabulary.json", self.record["files"]["vocabulary.json"])
        try:
            return vocabulary.load(self.path / "vocabulary.json")
        except ValueError as error:
            raise RunError(f"run {self.name}: {error}", _retrain(self)) from None

    def best_weights(self) -> dict[str, Any]:
        """Weights of the best epoch by name, in Keras' layout; those stored in half precision as float32."""
        if not self.best:
            raise RunError(f"run {self.name} has no best checkpoint yet", f"rnnzoo train {self.record['recipe']} --resume")
        stored = self.read_arrays(self.best["file"], self.best["sha256"])
        return {name: a.astype("float32") if a.dtype == "float16" else a for name, a in stored.items()}


def create(recipe: str, name: str | None, record: dict[str, Any], vocabulary) -> Run:
    """A new run directory. Without a name it is called by the time of day.

    Raises:
        CallError: if the name is taken or cannot be a folder's name.
    """
    from filelock import FileLock

    folder = paths.checkpoints() / recipe
    if name is not None:
        check_name(name)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    candidates = [name] if name else [stamp, *(f"{stamp}-{i}" for i in range(2, 1000))]
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):  # one run is made at a time, so a draft that is there already is a dead one
            chosen = next((candidate for candidate in candidates if not os.path.lexists(folder / candidate)), None)
            if chosen is None:
                raise CallError(
                    f"{recipe} already has a run {name!r}", f"--resume --run {name} goes on with it; or choose another name"
                )
            shutil.rmtree(folder / _DRAFT, ignore_errors=True)
            (folder / _DRAFT).mkdir()
            draft = Run(folder / _DRAFT, {"format": FORMAT, "recipe": recipe, "name": chosen, **record})
            vocabulary.save(draft.path / "vocabulary.json.partial")
            content = (draft.path / "vocabulary.json.partial").read_bytes()
            draft.record["files"] = {"vocabulary.json": draft.write("vocabulary.json", content)}
            draft.commit()
            os.rename(draft.path, folder / chosen)
            sync_folder(folder)
    return Run(folder / chosen, draft.record)


def check_name(name: str) -> None:
    """Raises CallError unless a new run can bear the name."""
    if not _NAME.fullmatch(name):
        raise CallError(f"a run's name is letters, digits, '.', '_', '+' or '-', received {name!r}", "for instance --run first")
    if name == SHIPPED:
        raise CallError(f"{name!r} is the name of the model that comes with a recipe", "for instance --run first")


def exists(recipe: str, name: str) -> bool:
    """Whether the recipe has a run of that name, or something else is in its place."""
    return os.path.lexists(paths.checkpoints() / recipe / name)


def open_run(path: Path) -> Run:
    """The run in a folder.

    Raises:
        RunError: if there is none, its record cannot be read or is damaged, or it was written by a newer version.
    """
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
        version, own_hash = record["format"], record.pop(OWN_HASH, None)
        missing = {"recipe", "config", "corpus", "status", "files", "last", "history"} - set(record)
    except FileNotFoundError:
        raise RunError(f"no run in {path}: it has no {RECORD}", "rnnzoo list shows the runs there are") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"{path / RECORD} cannot be read: {error}", "remove the folder, or restore it from a copy") from None
    if version != FORMAT:
        raise RunError(
            f"run {path.name} has format {version}, this rnnzoo reads format {FORMAT}", "install the rnnzoo that wrote it"
        )
    if own_hash is not None and own_hash != _record_sha256(record):
        raise RunError(
            f"{path / RECORD} is damaged: its content does not have the hash that it records",
            f"restore it from a copy; if you changed it on purpose, take its line {OWN_HASH} out",
        )
    if missing:
        raise RunError(f"{path / RECORD} lacks {', '.join(sorted(missing))}", "remove the folder, or restore it from a copy")
    return Run(path, record)


def runs_of(recipe: str) -> list[Run]:
    """The readable runs of a recipe, the newest first."""
    found = []
    for path in _records_of(recipe):
        try:
            run = open_run(path.parent)
            found.append((str(run.record.get("created", "")), path.stat().st_mtime, run))
        except (RunError, OSError):
            continue
    return [run for *_, run in sorted(found, key=lambda item: item[:2], reverse=True)]


def damaged_runs_of(recipe: str) -> dict[str, RunError]:
    """The other runs of a recipe, by name, with what is wrong with them."""
    found = {}
    for path in _records_of(recipe):
        try:
            open_run(path.parent)
        except RunError as error:
            found[path.parent.name] = error
    return found


def names(recipe: str) -> list[str]:
    """Names of a recipe's runs, the last changed first, then the shipped one's; none of them is opened."""
    own = [path.parent.name for path in sorted(_records_of(recipe), key=os.path.getmtime, reverse=True)]
    return own + [SHIPPED] * (paths.shipped(recipe) / RECORD).is_file()


def _records_of(recipe: str) -> list[Path]:
    return sorted(path for path in (paths.checkpoints() / recipe).glob(f"*/{RECORD}") if _NAME.fullmatch(path.parent.name))


def resolve(recipe: str, name: str | None = None) -> Run:
    """The run to use: by name or path; else the newest with a best checkpoint, on the sample only where there is no other;
    else the one that comes with the recipe.

    Raises:
        RunError: if the recipe has no such run.
        CallError: if a path names a run of another recipe.
    """
    if name is not None:
        return named(recipe, name)
    usable = [run for run in runs_of(recipe) if run.best]
    chosen = next((run for run in usable if not run.on_sample), usable[0] if usable else shipped(recipe))
    if chosen is None:
        raise RunError(f"{recipe} has no trained run in {paths.checkpoints()}", f"rnnzoo train {recipe}")
    return chosen


def shipped(recipe: str) -> Run | None:
    """The trained model that comes with a recipe, if one does."""
    folder = paths.shipped(recipe)
    run = open_run(folder) if (folder / RECORD).is_file() else None
    return run if run and run.record["recipe"] == recipe else None  # a folder copied by hand brings another recipe's


def named(recipe: str, name: str) -> Run:
    """A run by its name or by the path of its folder; the name of the one that comes with the recipe is "pretrained"."""
    if name == SHIPPED and (run := shipped(recipe)):
        return run
    path = paths.given(name) if "/" in name or "\\" in name else paths.checkpoints() / recipe / name
    if not os.path.isdir(path) and path.parent == paths.checkpoints() / recipe:
        known = names(recipe)
        otherwise = f"runs of {recipe}: {', '.join(known[:5])}" if known else f"rnnzoo train {recipe}"
        raise RunError(f"{recipe} has no run {name!r}", did_you_mean(name, known, otherwise))
    run = open_run(path)
    if run.record["recipe"] != recipe:
        raise CallError(f"{name} is a run of {run.record['recipe']}, not of {recipe}", f"name a run of {recipe}")
    return run


def resumable(recipe: str) -> Run:
    """The newest unfinished run of a recipe."""
    runs = runs_of(recipe)
    for run in runs:
        if not run.finished:
            return run
    if runs:
        raise RunError(
            f"{recipe} has no unfinished run",
            f"rnnzoo train {recipe} --resume --run {runs[0].name} epochs=M extends a finished one",
        )
    raise RunError(f"{recipe} has no run to resume", f"rnnzoo train {recipe}")


@contextmanager
def exclusive(run: Run):
    """Hold a run while training it, so that two processes never train one run at once. The record is read under the lock."""
    from filelock import FileLock, Timeout

    lock = FileLock(run.path / ".lock", timeout=0)
    with _explained(run.path):
        try:
            lock.acquire()
        except Timeout:
            raise RunError(f"run {run.name} is being trained by another process", "wait for it, or stop it first") from None
    try:
        run.reload()
        yield
    finally:
        lock.release()


def _retrain(run: Run) -> str:
    return f"restore the folder from a copy, or train again: rnnzoo train {run.record['recipe']}"


def _record_sha256(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _write_synced(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".partial")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Bring the names of the files in a folder to the disk."""
    if os.name == "posix":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _link(link: Path, target: str) -> None:
    """Point `link` at `target` in the same folder, for people and tools; rnnzoo itself reads what run.json names."""
    if link.is_symlink() and os.readlink(link) == target:
        return
    temporary = link.with_name(link.name + ".partial")
    try:
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        os.replace(temporary, link)
    except OSError:  # a file system without links
        temporary.unlink(missing_ok=True)


@contextmanager
def _explained(path: Path):
    """Turn a failing disk into an error that says so."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write in {path}: {error.strerror or error}",
            "free some space, or set RNNZOO_HOME to a folder you may write to",
        ) from error
