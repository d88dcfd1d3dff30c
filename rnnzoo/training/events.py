"""TensorBoard event files of a run, in its folder `tensorboard/`: for each epoch the loss, the metrics and the step size.

They are written by TensorFlow alone; the package `tensorboard` is needed only to look at them (`tensorboard --logdir RUN`).
A run that is resumed adds a file. An epoch that it repeats is then there twice; its last values count.
"""

from __future__ import annotations

from typing import Any

from ..runs import Run
from .reporter import Reporter
from .schedule import step_size

FOLDER = "tensorboard"


class Events:
    """A reporter that writes each epoch's scalars, by epoch, and passes everything on to another reporter."""

    def __init__(self, reporter: Reporter, run: Run, config: Any):
        from ..keras_backend import tf

        self.reporter, self.run, self.config, self.tf = reporter, run, config, tf
        self.writer = tf.summary.create_file_writer(str(run.path / FOLDER))
        # What `tf.summary.scalar` writes; it is itself a part of the package `tensorboard`.
        self.metadata = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"), data_class="DATA_CLASS_SCALAR"
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reporter, name)

    def epoch(self, entry: dict[str, Any], improved: bool) -> None:
        config, total = self.config, self.run.record["plan"]["total_steps"]
        rate = step_size(entry["step"] - 1, total, config.learning_rate, config.warmup, config.schedule)
        scalars = {"train/nats": entry["train_nats"], "learning_rate": rate}
        scalars |= {f"validation/{n}": v for n, v in entry["validation"].items() if isinstance(v, (int, float))}
        with self.writer.as_default():
            for name, value in scalars.items():
                self.tf.summary.write(name, self.tf.constant(value, self.tf.float32), entry["epoch"], self.metadata)
        self.writer.flush()
        self.reporter.epoch(entry, improved)
