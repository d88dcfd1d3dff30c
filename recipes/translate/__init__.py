"""translate: an encoder-decoder with attention that turns English sentences into French ones.

Many-to-many of different lengths: a recurrent network reads the source, its final state starts a second one, which writes
the translation word by word, looking back at the source through attention.

What the defaults come from, on the first 30,000 pairs. No choice was made by looking at the test part.

Short looks, one run of one seed each: training loss (smoothed, mean of steps 75 to 90), constant step size, batches of 64.
- Tied embeddings at `embedding_scale` 0.3 and a learning rate of 1e-3: 4.52 nats; at 1.0: 5.33; at 0.1: 5.11. Untied with a
  readout of 256 and a scale of 1.0: 5.12; untied at other scales was not tried, so the scale may explain part of it.
- A learning rate of 2e-3 together with a scale of 0.2: 4.39. The two were not separated.
- A step takes about 150 ms of processor time tied, 190 untied with a readout of 256, 250 with one of 512.

A whole run, `epochs=10` and otherwise these defaults, one thread on two cores that other work kept busy; validation BLEU of
greedy translations: 19.0 after epoch 1, 30.4 (2), 37.7 (4), 41.3 (5), 42.9 (6), 44.7 (7).

Taken from the literature and not compared here: dropout, label smoothing, truecasing, cutting off elisions and hyphens, the
width of the layers, multiplicative attention, and 30 epochs instead of 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnzoo.config import TrainingConfig, setting

NAME = "translate"
SUMMARY = "an English-French translator with attention"
CORPORA = ("fra-eng",)
METRIC, DIRECTION = "bleu", "max"
UNIT = "sentences"
TYPICAL_VOCABULARY = {"source": 4349, "target": 7574}  # words of the published program
EXAMPLE = 'rnnzoo generate translate "I am a little hungry."'


@dataclass(frozen=True)
class Config(TrainingConfig):
    """What a run of translate is."""

    epochs: int = setting(10, "passes over the training pairs; a quarter of an hour on one core", 1, 100_000)
    batch_size: int = setting(64, "sentence pairs in a training step; more of them mean fewer updates per epoch", 1, 65_536)
    learning_rate: float = setting(2e-3, "highest step size of Adam; twice its customary one, since it decays to 2 %", 0)
    embedding_scale: float = setting(
        0.3, "embeddings start uniform in +- this; as the output layer, which they are too, larger ones begin too sure", 0
    )
    units: int = setting(512, "width of a recurrent layer; a bidirectional encoder has half of it each way", 1, 16_384)
    dropout: float = setting(0.3, "share dropped of embeddings, of outputs between layers and of the readout", 0, 0.95)
    embedding: int = setting(256, "width of the word embeddings of both languages", 1, 16_384)
    bidirectional: bool = setting(True, "the encoder reads from both ends; needs an even number of units")
    attention: Literal["none", "additive", "multiplicative"] = setting(
        "multiplicative", "how the decoder looks back at the source: Luong's general score, or Bahdanau's, which costs more"
    )
    tied: bool = setting(
        True,
        "the output layer is the transposed target embedding, and so as wide: fewer weights, and two fifths less to compute",
    )
    readout: int = setting(
        0, "width of the layer before the output layer; 0 for the decoder's units, or the embedding's if tied"
    )
    label_smoothing: float = setting(0.1, "share of the target's probability that is spread over the vocabulary", 0, 0.95)
    word_dropout: float = setting(0.0, "share of source words replaced by UNK in training", 0, 0.95)
    sampling: float = setting(
        0.0,
        "share of the decoder's inputs that are its own predictions in the last epoch, rising from 0 (scheduled sampling)",
        0,
        1,
    )
    pairs: int = setting(30_000, "pairs read from the corpus, from its start; 0 for all", 0)
    longest: int = setting(50, "longest sentence trained on, in words; longer ones are left out of training", 1)
    min_count: int = setting(1, "words that occur less often in the training text are UNK", 1)
    words: int = setting(0, "most words of each vocabulary; 0 for all", 0)
    truecase: bool = setting(True, "a sentence's first word is learned in the case that it has inside sentences")
    normalize: Literal["keep", "ascii"] = setting(
        "keep", "keep leaves accents, case and punctuation; ascii is the published lower-casing to a-z ! . ?"
    )
    direction: Literal["forward", "reverse"] = setting("forward", "reverse translates the second language into the first")


@dataclass(frozen=True)
class Options:
    """What a call of generate takes."""

    beam: int = setting(1, "hypotheses kept in the search; 1 takes the most probable word each time (greedy)", 1, 1_000)
    alpha: float = setting(0.6, "length normalisation of beam search: 0 for none, which favours short translations", 0, 10)
    nbest: int = setting(1, "translations for each text, best first, with their scores", 1, 1_000)
    length: int = setting(0, "most words of a translation; 0 for twice those of the source and ten more", 0)
    plot: str = setting("", "draw the attention of the first translation into this PNG file")


PRESETS = {
    # What comes with rnnzoo: 2.8 million weights, which half precision makes 5.7 MB. Words that occur once are UNK. Validation
    # BLEU 43.8 at epoch 16, 9 minutes on one core; all words at an embedding of 128, 14 epochs: 42.4; weights averaged
    # (`average=0.995`), 16 epochs: 42.9.
    "small": {"epochs": 20, "embedding": 192, "units": 416, "min_count": 2},
    # The published program (18,692,246 parameters at its vocabularies) with its defects corrected: sources split by
    # content, loss masked, free-running evaluation, words of one training text. Keras' Adam as it is, no decay.
    "book": {
        "epochs": 250,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "warmup": 0.0,
        "units": 1024,
        "embedding": 256,
        "embedding_scale": 0.05,
        "dropout": 0.0,
        "bidirectional": False,
        "attention": "none",
        "tied": False,
        "label_smoothing": 0.0,
        "clipnorm": 0.0,
        "truecase": False,
    },
}
