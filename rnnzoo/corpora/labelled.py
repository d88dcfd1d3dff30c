"""Tables of labelled texts: the user's own TSV or CSV file, each row a text and its label."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path

from ..errors import CorpusError
from .text import decode_text

TEXTS = ("text", "sentence", "review", "comment", "content", "tweet", "phrase")  # names of a text column, the likeliest first
LABELS = ("label", "sentiment", "polarity", "class", "category", "score", "target", "rating")

Pairs = list[tuple[str, str]]


def read_labelled(path: str | PathLike[str], report: Callable[[str], None] = lambda line: None) -> Pairs:
    """(text, label) of each row of a `.csv` file (comma or semicolon, quoted as in RFC 4180) or of tab-separated lines.

    A tab-separated line is split at its tabs and nowhere else: quotes and odd line separators (U+0085) inside are text. A
    header with known column names says which column is which; without one there are two columns, and the label's is the
    one with fewer distinct values. Rows without a text or a label are left out and counted in a remark.

    Raises:
        CallError: there is no such file.
        CorpusError: it is not such a table.
    """
    path = Path(path)
    text = "".join(decode_text(path, report))
    rows = list(_csv(text, path) if path.suffix.lower() == ".csv" else _tsv(text))
    rows = [(number, row) for number, row in rows if any(cell.strip() for cell in row)]
    text_column, label_column, header = _columns(rows, path)
    pairs, incomplete = [], 0
    for number, row in rows[header:]:
        if len(row) <= max(text_column, label_column):
            raise CorpusError(
                f"{path} line {number}: expected at least {max(text_column, label_column) + 1} columns, received {len(row)}",
                "write a text, a tab and a label on each line, or a CSV file with the columns text and label",
            )
        pair = row[text_column].strip(), row[label_column].strip()
        if all(pair):
            pairs.append(pair)
        else:
            incomplete += 1
    if incomplete:
        report(f"{path}: {incomplete} rows without a text or a label are left out")
    return pairs


def _tsv(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        yield number, line.split("\t")


def _csv(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    csv.field_size_limit(1 << 24)  # characters; reviews are longer than the default of 131,072 allows
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CorpusError(f"{path} line {reader.line_num}: {error}", "quote texts as CSV does, or use tabs") from None
        yield reader.line_num, row


def _columns(rows: list[tuple[int, list[str]]], path: Path) -> tuple[int, int, int]:
    """Which columns hold text and label, and the number of header rows (0 or 1)."""
    if not rows:
        raise CorpusError(f"{path} has no rows", "write a text, a tab and a label on each line")
    number, first = rows[0]
    names = [cell.strip().casefold() for cell in first]
    text = next((names.index(name) for name in TEXTS if name in names), None)
    label = next((names.index(name) for name in LABELS if name in names), None)
    if text is not None and label is not None:
        return text, label, 1
    if len(first) != 2:
        raise CorpusError(
            f"{path} line {number}: expected a text and a label, received {len(first)} columns",
            "two columns, or a first line that names the columns text and label",
        )
    distinct = [len({row[column].strip() for _, row in rows if len(row) == 2}) for column in (0, 1)]
    return (1, 0, 0) if distinct[0] < distinct[1] else (0, 1, 0)
