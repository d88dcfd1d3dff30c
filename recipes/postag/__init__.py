"""postag: the part of speech of each word of a sentence.

Many-to-many, in step: a bidirectional network reads the sentence in both directions and gives each word one tag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnzoo.config import TrainingConfig, setting

NAME = "postag"
SUMMARY = "the part of speech of each word of a sentence"
CORPORA = ("treebank", "masc")
METRIC, DIRECTION = "accuracy", "max"
UNIT = "sentences"
TYPICAL_VOCABULARY = {"words": 9001, "features": 9001, "tags": 39}  # words and tags of the published program, with UNK
EXAMPLE = 'rnnzoo generate postag "The cat sat on the mat."'


@dataclass(frozen=True)
class Config(TrainingConfig):
    """What a run of postag is."""

    epochs: int = setting(16, "passes over the training sentences", 1, 100_000)
    batch_size: int = setting(32, "sentences in a step, of near-equal length", 1, 65_536)
    learning_rate: float = setting(2e-3, "highest step size of Adam", 0)
    cell: Literal["simple_rnn", "lstm", "peephole_lstm", "gru", "gru_reset_before", "mgu"] = setting(
        "lstm", "recurrent cell, one in each direction; gru is Keras' reset-after convention"
    )
    average: float = setting(
        0.99, "moving average of the weights, the share kept per step: about an epoch's steps; it is what is saved", 0, 0.99999
    )
    embedding_scale: float = setting(0.1, "embeddings start uniform in +- this", 0)
    units: int = setting(128, "width of a recurrent layer in each direction", 1, 16_384)
    layers: int = setting(1, "stacked bidirectional layers", 1, 64)
    dropout: float = setting(0.5, "share of each bidirectional layer's outputs dropped in training", 0, 0.95)
    input_dropout: float = setting(
        0.4, "share of the embedding's columns dropped for a whole sentence (spatial dropout)", 0, 0.95
    )
    embedding: int = setting(64, "width of the word embedding", 1, 16_384)
    features: int = setting(
        128, "width of the sum of the spelling features' embeddings, beside the word's; 0 for words only", 0
    )
    feature_dropout: float = setting(
        0.2, "share of the spelling features left out in training, so that none is relied on", 0, 0.95
    )
    word_dropout: float = setting(
        1.0, "a in a / (a + count), how often a training word is read as UNK: rare ones, so that spelling is learnt from", 0
    )
    refit: float = setting(
        0.5, "share of the epochs, the last ones, that learn from the validation sentences too, as classic taggers do", 0, 1
    )
    vocabulary: int = setting(0, "the most frequent words kept, the others are UNK; 0 for all", 0)
    traces: Literal["drop", "keep"] = setting(
        "drop", "the treebank's -NONE- tokens, which no real text has; keep is what published figures use"
    )
    tags: Literal["xpos", "upos"] = setting("xpos", "of a corpus with both: the language's own tags, or the universal ones")


@dataclass(frozen=True)
class Options:
    """What a call of generate takes."""

    tokenized: bool = setting(False, "the text is split already: tokens are what white space separates")
    format: Literal["slash", "columns"] = setting("slash", "word/TAG on one line, or columns of CoNLL-U")


PRESETS = {
    # The published program (1,765,031 parameters at 9,000 words and 38 tags, each with UNK), with its defects corrected: words
    # and tags line up, the loss is masked, the best epoch is chosen by accuracy on real words. SpatialDropout is 0.2.
    "book": {
        "epochs": 50,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "warmup": 0.0,
        "cell": "gru",
        "embedding_scale": 0.05,
        "units": 256,
        "dropout": 0.0,
        "input_dropout": 0.2,
        "embedding": 128,
        "features": 0,
        "feature_dropout": 0.0,
        "word_dropout": 0.0,
        "refit": 0.0,
        "vocabulary": 9000,
        "traces": "keep",
        "clipnorm": 0.0,
        "average": 0.0,
    },
}
