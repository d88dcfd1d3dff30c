"""Data sets of TensorFlow Datasets, behind `--data tfds:NAME[/CONFIG]`."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import CallError, CorpusError, DownloadError, did_you_mean

_NAME = re.compile(r"[a-zA-Z]\w*(/[\w.,+=-]+)?(:\d+\.\d+\.\d+)?", re.ASCII)


class DataSet:
    """A prepared data set: its splits, each a stream of examples.

    Args:
        name: NAME or NAME/CONFIG, as in the catalogue of TensorFlow Datasets; `:1.2.3` after it asks for a version.

    Raises:
        CorpusError: if there is no data set of that name, or it cannot be prepared.
        DownloadError: if it has to be downloaded and cannot be.
    """

    def __init__(self, name: str):
        # Names with a namespace are of community data sets, whose index is looked up on the network, without a timeout.
        if not _NAME.fullmatch(name):
            raise CallError(
                f"expected tfds:NAME or tfds:NAME/CONFIG, received tfds:{name}", "for instance tfds:tiny_shakespeare"
            )
        from filelock import FileLock

        from ..keras_backend import tf  # noqa: F401 - quietly, before tensorflow_datasets imports it aloud

        with contextlib.redirect_stdout(sys.stderr):
            import tensorflow_datasets as tfds

            self.name, self._tfds = name, tfds
            try:
                self._builder = tfds.builder(name, data_dir=str(paths.home() / "tfds"), try_gcs=False)
            except tfds.core.DatasetNotFoundError:
                known = tfds.list_builders(with_community_datasets=False)
                raise CorpusError(
                    f"TensorFlow Datasets has no data set {name!r}",
                    did_you_mean(re.split("[/:]", name)[0], known, "its catalogue lists the names"),
                ) from None
            except Exception as error:  # an unknown configuration or version, or a package that this data set needs
                raise CorpusError(
                    f"data set tfds:{name} cannot be used: {_first_line(error)}", "its page in the catalogue says what there is"
                ) from None
            try:
                paths.home().mkdir(parents=True, exist_ok=True)
                with FileLock(paths.home() / "tfds.lock"):  # two processes must not prepare one data set at once
                    for killed in Path(self._builder.data_dir).parent.glob("incomplete.*"):
                        shutil.rmtree(killed, ignore_errors=True)
                    self._builder.download_and_prepare(
                        download_config=tfds.download.DownloadConfig(try_download_gcs=False), file_format="tfrecord"
                    )
            except OSError as error:
                raise DownloadError(
                    f"data set tfds:{name} cannot be prepared: {_first_line(error)}",
                    f"check the network, or prepare it elsewhere and copy it to {paths.home() / 'tfds'}",
                ) from None
            except Exception as error:
                raise CorpusError(
                    f"data set tfds:{name} cannot be prepared: {type(error).__name__}: {_first_line(error)}",
                    "its own documentation may ask for a package or a manual download",
                ) from None
        self.splits = tuple(self._builder.info.splits)
        self.features = tuple(self._builder.info.features)

    @property
    def version(self) -> str:
        """Name, version and fingerprint of the data: what a cache of it depends on."""
        return f"{self._builder.info.full_name} {self._builder.info.dataset_size}"

    def require(self, *features: str) -> None:
        """Raises CorpusError unless every example has these features."""
        missing = [feature for feature in features if feature not in self.features]
        if missing:
            raise CorpusError(
                f"data set tfds:{self.name} has no feature {missing[0]!r}, only {', '.join(self.features)}",
                "choose a data set of the kind that this recipe reads",
            )

    def class_names(self, feature: str) -> dict[int, str]:
        """The names of a feature's classes by number; none where it has no names."""
        return dict(enumerate(getattr(self._builder.info.features[feature], "names", None) or ()))

    def examples(self, split: str) -> Iterator[dict[str, Any]]:
        """The examples of a split in their stored order, as NumPy values (text as bytes).

        Raises:
            CorpusError: if the prepared files are damaged.
        """
        from ..keras_backend import tf

        try:
            yield from self._tfds.as_numpy(self._builder.as_dataset(split=split, shuffle_files=False))
        except (tf.errors.OpError, AssertionError) as error:  # AssertionError: a file is missing
            raise CorpusError(
                f"the prepared data set tfds:{self.name} cannot be read: {_first_line(error)}",
                f"delete {self._builder.data_dir}, then it is prepared again",
            ) from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
