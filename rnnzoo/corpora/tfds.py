"""Data sets of TensorFlow Datasets, behind `--data tfds:NAME[/CONFIG]`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from .. import paths
from ..errors import CorpusError, DownloadError, did_you_mean


class DataSet:
    """A prepared data set: its splits, each a stream of examples.

    Args:
        name: NAME or NAME/CONFIG, as in the catalogue of TensorFlow Datasets.

    Raises:
        CorpusError: if there is no data set of that name, or it cannot be prepared.
        DownloadError: if it has to be downloaded and cannot be.
    """

    def __init__(self, name: str):
        from ..keras_backend import tf  # noqa: F401 - quietly, before tensorflow_datasets imports it aloud

        with contextlib.redirect_stdout(sys.stderr):
            import tensorflow_datasets as tfds

            self.name, self._tfds = name, tfds
            try:
                self._builder = tfds.builder(name, data_dir=str(paths.home() / "tfds"), try_gcs=False)
            except (tfds.core.DatasetNotFoundError, ValueError) as error:
                raise CorpusError(
                    f"TensorFlow Datasets has no data set {name!r}: {_first_line(error)}",
                    did_you_mean(name.partition("/")[0], tfds.list_builders(), "its catalogue lists the names"),
                ) from None
            try:
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
        """The examples of a split in their stored order, as NumPy values (text as bytes)."""
        return iter(self._tfds.as_numpy(self._builder.as_dataset(split=split, shuffle_files=False)))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
