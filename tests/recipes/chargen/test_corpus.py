"""The text: what is cut away around a book, how white space goes, how it is split and encoded, whatever its size."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnzoo.batching import Streams, Windows
from rnnzoo.errors import CorpusError, DownloadError, RnnzooError
from rnnzoo.recipes.chargen import Config, corpus
from rnnzoo.recipes.chargen.corpus import between_markers, carroll, load_corpus, normalised
from rnnzoo.recipes.chargen.sample import generate
from rnnzoo.training.reporter import Reporter

HEADER = """The Project Gutenberg eBook of A Tale

This ebook is for the use of anyone anywhere under the terms of the Licence.

Title: A Tale

"""
LICENCE = """

START: FULL LICENCE

THE FULL PROJECT GUTENBERG LICENCE
Please read this before you distribute or use this work.
"""
STORY = """Alice went down the lane.

[Illustration: Alice in
the lane]

She met a heron.

                           THE END
"""
STORY_ALONE = "Alice went down the lane.\n\n\n\nShe met a heron.\n\n                           THE END"
MARKERS = {
    "the": ("*** START OF THE PROJECT GUTENBERG EBOOK A TALE ***", "*** END OF THE PROJECT GUTENBERG EBOOK A TALE ***"),
    "this": ("*** START OF THIS PROJECT GUTENBERG EBOOK A TALE ***", "*** END OF THIS PROJECT GUTENBERG EBOOK A TALE ***"),
    "close": ("***START OF THE PROJECT GUTENBERG EBOOK A TALE***", "***END OF THE PROJECT GUTENBERG EBOOK A TALE***"),
    "small": ("*** Start of this Project Gutenberg eBook A Tale ***", "*** End of this Project Gutenberg eBook A Tale ***"),
    "broken in two": (
        "*** START OF THE PROJECT GUTENBERG EBOOK A VERY\nLONG TALE ***",
        "*** END OF THE PROJECT GUTENBERG EBOOK A VERY\nLONG TALE ***",
    ),
    "never closed": ("*** START OF THE PROJECT GUTENBERG EBOOK A TALE", "*** END OF THE PROJECT GUTENBERG EBOOK A TALE"),
}


def gutenberg(markers="the", credit="Produced by A Helper and\nanother one\n\n", story=STORY, after=LICENCE) -> str:
    start, end = MARKERS[markers]
    return f"{HEADER}{start}\n\n\n{credit}\n{story}\n\nEnd of the tale\n\n{end}{after}"


@pytest.fixture
def file(tmp_path):
    def write(content: str | bytes, name="book.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# Around a novel


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["no BOM", "BOM"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("markers", MARKERS)
def test_a_novel_is_its_text_alone(file, markers, ends, mark):
    path = file(mark + gutenberg(markers).replace("\n", ends).encode())
    assert "".join(carroll(path)).strip() == STORY_ALONE


def test_a_release_without_an_end_marker_or_a_credit(file):
    text = gutenberg(credit="")
    assert "".join(carroll(file(text))).strip() == STORY_ALONE
    assert "".join(carroll(file(text[: text.index("*** END")]))).strip() == STORY_ALONE


def test_an_illustration_may_run_over_lines_and_have_no_caption(file):
    story = "Alice.[Illustration]\n[Illustration: _a_\n\nb] She [sic] went.\nTHE END\n"
    assert "".join(carroll(file(gutenberg(story=story)))).strip() == "Alice.\n She [sic] went.\nTHE END"


def test_produced_by_in_the_story_stays(file):
    story = "Alice heard a sound.\n\nProduced by a heron, it was.\n\nTHE END\n"
    assert "Produced by a heron" in "".join(carroll(file(gutenberg(story=story))))


def test_the_story_ends_with_its_line_the_end(file):
    story = "Alice said: THE END is near.\n\n  THE END  \n\nAdvertisements\n"
    assert "".join(carroll(file(gutenberg(story=story)))).strip() == "Alice said: THE END is near.\n\n  THE END"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<p>Not found</p>" * 50, "has no line '*** START OF THE PROJECT GUTENBERG EBOOK'"),
        (STORY, "has no line '*** START OF THE PROJECT GUTENBERG EBOOK'"),
        (gutenberg().replace("THE END", "the end"), "lacks a line THE END"),
        (gutenberg().replace("Alice", "Bob"), "lacks Alice"),
        (gutenberg()[: gutenberg().index("She met")], "lacks a line THE END"),  # a download that was cut short
    ],
)
def test_what_is_not_the_novel_is_refused(file, text, says):
    path = file(text)
    with pytest.raises(CorpusError) as caught:
        list(carroll(path))
    assert says in caught.value.message
    assert str(path) in caught.value.message
    assert "rnnzoo data fetch chargen" in caught.value.hint


# Any other text


def test_a_text_without_markers_is_left_as_it_is():
    pieces = ["No markers here. ", "*** A SCENE BREAK ***", "\nEND OF THE PROJECT\n"]
    assert "".join(between_markers(iter(pieces))) == "".join(pieces)
    assert list(between_markers(iter([]))) in ([], [""])


@pytest.mark.parametrize("markers", MARKERS)
def test_the_licence_is_never_in_the_text(markers):
    text = "".join(between_markers(iter([gutenberg(markers)])))
    assert "icence" not in text
    assert "GUTENBERG" not in text.upper()
    assert "***" not in text
    assert text.strip().startswith("Produced by")
    assert text.strip().endswith("End of the tale")


def test_stars_in_the_story_stay():
    story = "One.\n\n*** * ***\n\nTwo.\n"
    assert story in "".join(between_markers(iter([gutenberg("never closed", story=story)])))


def test_markers_of_a_text_on_one_line():
    text = "".join(between_markers(iter([gutenberg().replace("\n", " ")])))
    assert "icence" not in text
    assert text.strip().startswith("Produced by")


def cut(text: str, places: list[int]) -> list[str]:
    """`text` in pieces that end at `places`."""
    places = sorted({place % (len(text) + 1) for place in places})
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


cuts = st.lists(st.integers(0, 10_000), max_size=12)


@given(st.sampled_from(sorted(MARKERS)), cuts)
def test_pieces_between_markers_give_the_same_as_the_whole(markers, places):
    text = gutenberg(markers, story=STORY * 3)
    whole = "".join(between_markers(iter([text])))
    assert "".join(between_markers(iter(cut(text, places)))) == whole


def test_single_characters_as_pieces():
    text = gutenberg("broken in two")
    assert "".join(between_markers(iter(text))) == "".join(between_markers(iter([text])))


def test_an_end_marker_far_behind_and_cut_in_two():
    """Beyond the first 64 kB, where the start is looked for."""
    story = "Alice went on and on.\n" * 6000
    text = gutenberg(story=story)
    border = text.index("*** END OF") + 7
    received = "".join(between_markers(iter([text[:1000], text[1000:border], text[border:]])))
    assert received.endswith("End of the tale\n\n")
    assert received.count("Alice") == 6000


# White space


def spaced(text: str | list[str], mode: str) -> str:
    return "".join(normalised([text] if isinstance(text, str) else text, mode))


TEXT = "  \n One\ttwo \n three.\n\n  Four\u00a0five \n \t \n\nsix\n"


def test_collapse():
    assert spaced(TEXT, "collapse") == "One two three. Four five six"


def test_paragraphs():
    assert spaced(TEXT, "paragraphs") == "One two three.\n\nFour five\n\nsix"


def test_keep():
    assert spaced(TEXT, "keep") == TEXT


@pytest.mark.parametrize("mode", ["collapse", "paragraphs"])
def test_nothing_but_white_space_is_nothing(mode):
    assert spaced(" \n\n\t", mode) == ""
    assert spaced([], mode) == ""
    assert spaced(["", " ", "", "\n"], mode) == ""


blanks_and_letters = st.text(st.sampled_from(" \n\t\r\u00a0\u2028abé𝄞"), max_size=60)


@given(blanks_and_letters, cuts, st.sampled_from(["collapse", "paragraphs", "keep"]))
def test_pieces_give_the_same_as_the_whole(text, places, mode):
    assert spaced(cut(text, places), mode) == spaced(text, mode)


@given(blanks_and_letters)
def test_collapse_is_split_and_join(text):
    assert spaced(text, "collapse") == " ".join(text.split())


# Splits and encoding


@pytest.fixture
def load(file):
    """Loads a text from a file, as `--data` does."""

    def load(text: str, **settings) -> corpus.Corpus:
        return load_corpus(Config(**settings), str(file(text)), Reporter())

    return load


def decoded(loaded: corpus.Corpus, split: str) -> list[str]:
    return ["".join(loaded.vocabulary[int(s)] if s else "?" for s in text) for text in loaded.split(split)]


def test_ninety_five_five(load):
    text = "".join(chr(ord("a") + i % 26) for i in range(1000))
    loaded = load(text)
    assert decoded(loaded, "train") == [text[:900]]
    assert decoded(loaded, "validation") == [text[900:950]]
    assert decoded(loaded, "test") == [text[950:]]
    assert [loaded.items(split) for split in ("train", "validation", "test")] == [900, 50, 50]
    assert loaded.facts()["counts"] == {"books": 1, "symbols": 26, "train": 900, "validation": 50, "test": 50}


def test_the_splits_are_named_by_their_hashes(load):
    text = "".join(chr(ord("a") + i % 26) for i in range(1000))
    loaded = load(text)
    assert loaded.split_sha256("test") == hashlib.sha256(text[950:].encode()).hexdigest()
    assert loaded.facts()["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert loaded.facts()["sources"] == {"book.txt": hashlib.sha256(text.encode()).hexdigest()}


def test_two_books_are_split_each_for_itself():
    books = [" ".join(book.split()) for book in generate()]
    loaded = load_corpus(Config(), "sample", Reporter())
    assert decoded(loaded, "train") == [book[: int(0.9 * len(book))] for book in books]
    tests = [book[int(0.95 * len(book)) :] for book in books]
    assert decoded(loaded, "test") == tests
    assert loaded.split_sha256("test") == hashlib.sha256("\n".join(tests).encode()).hexdigest()
    assert loaded.items("test") == sum(map(len, tests))
    assert loaded.facts()["name"] == "sample"


def test_the_vocabulary_is_of_the_training_text_alone(load):
    text = "ab" * 450 + "cb" * 25 + "aé𝄞\u4e00" + "a" * 46
    loaded = load(text)
    assert loaded.vocabulary.symbols == ("a", "b")
    assert loaded.validation[0].tolist() == [0, 2] * 25
    assert loaded.test[0].tolist()[:5] == [1, 0, 0, 0, 1]


def test_many_symbols_and_a_small_array_each(load):
    wide = "".join(chr(0x4E00 + i) for i in range(300))
    loaded = load(wide * 4)
    assert loaded.train[0].dtype == np.uint16
    assert decoded(loaded, "train") == [(wide * 4)[:1080]]
    assert load("ab" * 300).train[0].dtype == np.uint8


def test_heldout_is_the_most_that_is_scored(load):
    text = "".join(chr(ord("a") + i % 26) for i in range(1000))
    loaded = load(text, heldout=10)
    assert decoded(loaded, "train") == [text[:900]]
    assert decoded(loaded, "validation") == [text[900:910]]
    assert decoded(loaded, "test") == [text[950:960]]
    assert [load(text, heldout=n).items("test") for n in (0, 49, 50, 51)] == [50, 49, 50, 50]


@pytest.mark.parametrize("heldout", [1, 2, 3])
def test_heldout_never_leaves_a_book_without_text_to_score(heldout):
    loaded = load_corpus(Config(heldout=heldout), "sample", Reporter())
    assert all(len(text) >= 1 for split in ("validation", "test") for text in loaded.split(split))


def test_white_space_modes_are_other_corpora(load):
    text = "One two.\n\nThree  four.\n" * 50
    loaded = {mode: load(text, whitespace=mode) for mode in ("collapse", "paragraphs", "keep")}
    starts = {mode: decoded(one, "train")[0][:24] for mode, one in loaded.items()}
    assert starts == {
        "collapse": "One two. Three four. One",
        "paragraphs": "One two.\n\nThree four. On",
        "keep": "One two.\n\nThree  four.\nO",
    }
    assert len({one.facts()["sha256"] for one in loaded.values()}) == 3


@pytest.mark.parametrize("length", [1, 199])
def test_too_short_a_text_is_refused_with_its_length(load, length):
    with pytest.raises(CorpusError, match=f"the text has {length} characters after cleaning, at least 200"):
        load("x" * length)
    assert load("xy" * 100).items("test") == 10


def test_a_text_of_white_space_or_of_markers_alone_is_refused(load):
    with pytest.raises(CorpusError, match="is blank"):
        load(" \n" * 300)
    with pytest.raises(CorpusError, match="has 0 characters"):
        load(f"{MARKERS['the'][0]}\n\n{MARKERS['the'][1]}\n{LICENCE * 10}")


def test_a_text_of_one_symbol(load):
    loaded = load("x" * 400)
    assert loaded.vocabulary.symbols == ("x",)
    assert loaded.test[0].tolist() == [1] * 20
    assert loaded.leakage("test") == {"texts": 1, "seen_in_training": 1}


def test_what_was_seen_whole_in_training_is_counted(load):
    assert load("abcdefghij" * 100).leakage("test") == {"texts": 1, "seen_in_training": 1}
    assert load("abcdefghij" * 99 + "x" * 10).leakage("test") == {"texts": 1, "seen_in_training": 0}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_unicode_encoding_is_the_same_corpus(file, encoding):
    text = "Déjà vu, said the heron. " * 20
    loaded = load_corpus(Config(), str(file(text.encode(encoding))), Reporter())
    assert loaded.facts()["sha256"] == hashlib.sha256(text.strip().encode()).hexdigest()


def test_latin1_is_read_and_that_is_said(file):
    warnings = []
    reporter = Reporter()
    reporter.warn = warnings.append
    loaded = load_corpus(Config(), str(file(("Déjà vu. " * 50).encode("latin-1"))), reporter)
    assert "é" in loaded.vocabulary
    assert len(warnings) == 1
    assert "read as Latin-1" in warnings[0]


@pytest.mark.parametrize("content", [b"", b"\0" * 500, b"text\0" * 100, b"PK\x03\x04\0\0binary" * 50])
def test_what_is_no_text_is_refused_and_leaves_nothing_in_the_cache(file, home, content):
    with pytest.raises(CorpusError):
        load_corpus(Config(), str(file(content)), Reporter())
    assert not [path for path in (home / "corpora").rglob("*") if path.is_dir() and path.name != "chargen"]


fragments = st.sampled_from(
    [b"Alice ", b"\n", b"\r", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", "\U0001d11e".encode(), b"\xed\xa0\x80",
     b"THE END\n", *(marker.encode() + b"\n" for pair in MARKERS.values() for marker in pair), b"x" * 300, b"word " * 60]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(fragments | st.binary(max_size=8), max_size=12).map(b"".join), st.sampled_from(["collapse", "paragraphs", "keep"])
)
def test_any_bytes_are_a_corpus_or_one_clear_error(file, content, whitespace):
    path = file(content)
    try:
        loaded = load_corpus(Config(whitespace=whitespace), str(path), Reporter())
    except RnnzooError as error:
        assert error.message and error.hint
    else:
        assert loaded.items("train") >= 180
        assert loaded.items("test") >= 10
        assert max(text.max() for text in loaded.train) == len(loaded.vocabulary) - 1
    with contextlib.suppress(RnnzooError):
        list(carroll(path))


def test_encoded_once_and_found_again(load, home, monkeypatch):
    text = "the heron sang. " * 50
    first = load(text)
    folders = [path for path in (home / "corpora" / "chargen").iterdir() if path.is_dir()]
    assert len(folders) == 1
    assert not list(folders[0].glob("*.u4"))
    monkeypatch.setattr(corpus, "_encode", lambda *args: pytest.fail("encoded again"))
    assert load(text).facts() == first.facts()
    with pytest.raises(pytest.fail.Exception):
        load(text + "!")
    with pytest.raises(pytest.fail.Exception):
        load(text, whitespace="keep")


def test_a_kill_while_encoding_leaves_no_half_corpus(load, monkeypatch):
    text = "the heron sang. " * 50

    class Killed(BaseException):
        pass

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(json, "dumps", json.dumps)
        patched.setattr(corpus.Vocabulary, "save", killed)
        with pytest.raises(Killed):
            load(text)
    assert load(text).items("train") == int(0.9 * len(text.strip()))


def test_the_training_text_for_comparisons():
    loaded = load_corpus(Config(), "sample", Reporter())
    books = decoded(loaded, "train")
    assert loaded.training_text() == "\0".join(books)
    assert loaded.training_text(limit=100) == books[0][:100]


def test_seen_through_another_vocabulary(load):
    loaded = load("abc" * 200)
    other = loaded.seen_through(corpus.Vocabulary("ca"))
    assert other.test[0].tolist()[:3] == [2, 0, 1]  # a, the unknown b, c
    assert loaded.test[0].tolist()[:3] == [1, 2, 3]
    assert other.split_sha256("test") == loaded.split_sha256("test")
    assert loaded.seen_through(corpus.Vocabulary("abc")) is loaded


def test_batches_are_streams_or_shuffled_windows(load):
    loaded = load("abcdefghij" * 100)
    stateful, stateless = Config(batch_size=3, window=7), Config(batch_size=3, window=7, stateful=False)
    assert isinstance(loaded.batches(stateful, 0, 0), Streams)
    assert isinstance(loaded.batches(stateless, 0, 0), Windows)
    assert (loaded.carries_state(stateful), loaded.carries_state(stateless)) == (True, False)

    def first(config, epoch, seed):
        return loaded.batches(config, epoch, seed)[0].arrays["targets"].tolist()

    assert first(stateless, 0, 0) == first(stateless, 0, 0)
    assert len({str(first(stateless, epoch, seed)) for epoch, seed in ((0, 0), (1, 0), (0, 1))}) == 3
    assert first(stateful, 0, 0) == first(stateful, 1, 1)
    assert sum(batch.tokens for batch in loaded.batches(stateful, 0, 0)) == 900


# Where it comes from


def test_a_named_corpus_never_falls_back():
    with pytest.raises(DownloadError, match="pg28885.txt could not be downloaded"):
        load_corpus(Config(), "carroll", Reporter())


def test_without_a_name_the_sample_stands_in_loudly():
    warnings = []
    reporter = Reporter()
    reporter.warn = warnings.append
    loaded = load_corpus(Config(), None, reporter)
    assert loaded.facts()["name"] == loaded.facts()["argument"] == "sample"
    (warning,) = warnings
    assert warning.startswith("THE EMBEDDED SAMPLE STANDS IN for corpus carroll: ")
    assert "pg28885.txt" in warning


def test_a_copy_of_the_recipe_encodes_for_itself(tmp_path):
    """Whoever edits the cleaning in a copy must not be given what the built-in recipe has encoded."""
    from rnnzoo import zoo

    built_in = zoo.load("chargen")
    original = built_in.part("corpus").load_corpus(built_in.card.Config(), "sample", Reporter())
    copied = shutil.copytree(built_in.folder, tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__"))
    source = (copied / "corpus.py").read_text()
    (copied / "corpus.py").write_text(source.replace(" normalised(book", " louder(book"))
    with open(copied / "corpus.py", "a") as file:
        file.write(
            "\n\ndef louder(pieces, whitespace):\n    return (piece.upper() for piece in normalised(pieces, whitespace))\n"
        )
    mine = zoo.load(str(copied))
    loaded = mine.part("corpus").load_corpus(mine.card.Config(), "sample", Reporter())
    assert decoded(loaded, "test") == [text.upper() for text in decoded(original, "test")]


# The novels


@pytest.mark.real
def test_the_novels_by_number():
    loaded = load_corpus(Config(), None, Reporter())
    facts = loaded.facts()
    assert facts["name"] == "carroll"
    assert sum(len(text[0]) for text in (loaded.train, loaded.validation, loaded.test)) == 146_119
    assert sum(len(text[1]) for text in (loaded.train, loaded.validation, loaded.test)) == 161_755
    assert facts["counts"]["symbols"] == 86
    assert len(loaded.vocabulary) == 87
    assert loaded.items("test") == 15_394
    assert loaded.split_sha256("test").startswith("53151ee43a58")
    assert loaded.leakage("test") == {"texts": 2, "seen_in_training": 0}
    assert set(facts["sources"]) == {"pg28885.txt", "12-0.txt"}


@pytest.mark.real
def test_the_novels_by_eye():
    loaded = load_corpus(Config(), "carroll", Reporter())
    for start, end, text in zip(
        decoded(loaded, "train"), decoded(loaded, "test"), ("DOWN THE RABBIT-HOLE", "LOOKING-GLASS"), strict=True
    ):
        assert text in start[:5000].upper()
        assert end.endswith("THE END")
    whole = "|".join(part for split in ("train", "validation", "test") for part in decoded(loaded, split))
    assert not any(word in whole for word in ("Gutenberg", "GUTENBERG", "[Illustration", "Produced by", "\n", "  ", "***"))
    assert math.isclose(loaded.items("train") / len(whole), 0.9, abs_tol=1e-4)
