"""chargen: a character language model that writes like Lewis Carroll.

One-to-one in time: after each character the network gives a distribution over the next one. Trained statefully on two
novels, it is sampled from character by character.

What helped, bits per character on the validation text, single runs of one seed; no choice was made by looking at the test part:

    one GRU of 512, dropout 0.5, embeddings starting in +-1, 12 of 14 epochs                   1.869
    recurrent dropout 0.3 with dropout 0.4, embeddings in +-3, 14 epochs                       1.855
    two layers of 384, dropout 0.4, recurrent dropout 0.3, step size 2e-3, 16 epochs           1.824
    dropout 0.35, recurrent dropout 0.25, step size 3e-3, 22 epochs: the default               1.789

Embeddings starting in +-0.05, Keras' default, were far behind: 2.26 after 4 epochs where +-1 had 2.06. With dropout on the
outputs alone (0.4, one layer) the model fits the training text by heart: validation was best, 1.944, at epoch 14 of 20. After
the default's 22 epochs the loss in training, 1.72 bits with dropout on, is still near that of validation: longer training
would gain a little more, at the price of the ten minutes. Replacing input characters by UNK slowed the start and was dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnzoo.config import TrainingConfig, setting

NAME = "chargen"
SUMMARY = "a character language model that writes like Lewis Carroll"
CORPORA = ("carroll",)
METRIC, DIRECTION = "bits_per_char", "min"
UNIT = "characters"
TYPICAL_VOCABULARY = 90  # symbols of the published program
EXAMPLE = "rnnzoo generate --prefix Alice --temperature 0.8"


@dataclass(frozen=True)
class Config(TrainingConfig):
    """What a run of chargen is."""

    epochs: int = setting(
        22, "passes over the training text; 13.5 minutes on one busy core, projected to ten on two idle ones", 1, 100_000
    )
    batch_size: int = setting(32, "streams read side by side; more of them mean fewer updates per epoch", 1, 65_536)
    learning_rate: float = setting(3e-3, "highest step size of Adam; large, since it decays to 2 %", 0)
    units: int = setting(384, "width of a recurrent layer; two of 384 learn faster per epoch than one of 512", 1, 16_384)
    layers: int = setting(2, "stacked recurrent layers", 1, 64)
    dropout: float = setting(0.35, "share of each recurrent layer's outputs dropped in training", 0, 0.95)
    recurrent_dropout: float = setting(
        0.25, "share of the recurrent kernel's connections dropped in each training step (DropConnect)", 0, 0.95
    )
    embedding_scale: float = setting(
        3.0, "embeddings start uniform in +- this; with Keras' own 0.05 the first epochs are several times slower", 0
    )
    embedding: int = setting(64, "width of the character embedding; 86 symbols need no more", 1, 16_384)
    window: int = setting(64, "time steps between gradient cuts (truncated BPTT)", 1, 65_536)
    stateful: bool = setting(True, "carry the hidden state from window to window; false shuffles windows, each from zero")
    whitespace: Literal["collapse", "paragraphs", "keep"] = setting(
        "collapse", "runs of white space become one space; paragraphs keeps blank lines; keep changes nothing"
    )
    heldout: int = setting(200_000, "characters of validation and of test text scored at most; 0 for all", 0)
    sample_every: int = setting(10, "epochs between sample paragraphs; 0 for none", 0)


@dataclass(frozen=True)
class Options:
    """What a call of generate takes."""

    prefix: str = setting("", "what the text begins with, exactly")
    temperature: float = setting(0.8, "0 takes the most probable character; above 1 is wilder than the training text", 0)
    top_k: int = setting(0, "draw from the K most probable characters; 0 for all", 0)
    top_p: float = setting(1.0, "draw from the fewest characters whose probability reaches P", 0, 1)
    length: int = setting(500, "characters to write after the prefix", 0)
    samples: int = setting(1, "texts to write for each prefix, drawn side by side", 1, 100_000)
    beam: int = setting(0, "search for the most probable text with N hypotheses instead of drawing; 0 draws", 0, 10_000)
    skip_unknown: bool = setting(False, "leave characters out of the prefix that the model does not know")


PRESETS = {
    # The published program (139,530 parameters at 90 symbols) with its defects corrected: contiguous streams, held-out
    # text, no licence text. Its learning rate is Keras' default, without decay, clipping or dropout.
    "book": {
        "epochs": 50,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "warmup": 0.0,
        "units": 100,
        "layers": 1,
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        "embedding": 256,
        "embedding_scale": 0.05,
        "window": 100,
        "clipnorm": 0.0,
    },
}
PRESETS["book-1024"] = {**PRESETS["book"], "units": 1024}  # the width that the published prose names
