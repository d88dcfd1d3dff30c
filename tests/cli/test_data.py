"""`rnnzoo data`: the corpora of a recipe."""

from __future__ import annotations

import hashlib

import pytest


@pytest.fixture
def mirror(tmp_path) -> dict[str, str]:
    """Two small books under the names of the novels, and the environment that finds them."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, title in (("pg28885.txt", "ONE"), ("12-0.txt", "TWO")):
        story = f"Alice said {title}. " * 60
        marks = [f"*** {which} OF THE PROJECT GUTENBERG EBOOK {title} ***" for which in ("START", "END")]
        (folder / name).write_text(f"Header\n{marks[0]}\n\n{story}\n\nTHE END\n\n{marks[1]}\nThe licence\n")
    return {"RNNZOO_MIRROR": str(folder)}


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_fetch_show_clean(rnnzoo, home, mirror, tmp_path):
    fetched = rnnzoo("data", "fetch", "chargen", "--json", env=mirror)
    assert fetched.status == 0
    assert "fetching pg28885.txt from" in fetched.stderr
    files = [home / "downloads" / name for name in ("pg28885.txt", "12-0.txt")]
    assert fetched.json == [
        {"corpus": "carroll", "path": str(path), "bytes": path.stat().st_size, "sha256": sha256(path)} for path in files
    ]
    again = rnnzoo("data", "fetch", "chargen")  # from the cache, without a mirror
    assert again.stderr == ""
    assert [line.split()[0] for line in again.lines] == [str(path) for path in files]

    shown = rnnzoo("data", "show", "chargen", "--json").json
    lengths = [len((f"Alice said {title}. " * 60).strip() + " THE END") for title in ("ONE", "TWO")]
    assert shown["name"] == shown["argument"] == "carroll"
    assert shown["sources"] == {path.name: sha256(path) for path in files}
    assert shown["counts"]["books"] == 2
    assert shown["counts"]["train"] == sum(int(0.9 * n) for n in lengths)
    assert shown["counts"]["test"] == sum(n - int(0.95 * n) for n in lengths)
    assert shown["split_sha256"].keys() == {"train", "validation", "test"}
    for_people = rnnzoo("data", "show", "chargen").stdout
    assert "corpus carroll" in for_people
    assert f"{shown['counts']['train']:,}" in for_people
    assert shown["split_sha256"]["test"][:12] in for_people

    cleaned = rnnzoo("data", "clean", "chargen", "--json")
    assert {str(path) for path in files} <= set(cleaned.json)
    assert not any(path.exists() for path in files)
    assert "could not be downloaded" in rnnzoo("data", "fetch", "chargen").refused(1)


def test_runs_are_not_cleaned_away(rnnzoo, tiny):
    assert rnnzoo("data", "clean", "chargen").status == 0
    assert rnnzoo("generate", "--length", "3", "--seed", "1").status == 0
    assert rnnzoo("data", "clean", "chargen", "--json").json == []


def test_a_text_of_ones_own(rnnzoo, tmp_path):
    (tmp_path / "book.txt").write_bytes("Déjà vu. ".encode("latin-1") * 100)
    ended = rnnzoo("data", "show", "chargen", "--data", "book.txt", "--json")
    assert ended.json["name"] == str(tmp_path / "book.txt")
    assert ended.json["counts"]["train"] == int(0.9 * 899)
    assert "read as Latin-1" in ended.stderr


def test_the_sample(rnnzoo):
    ended = rnnzoo("data", "show", "chargen", "--data", "sample", "--json")
    assert ended.json["name"] == "sample"
    assert ended.stderr == ""
