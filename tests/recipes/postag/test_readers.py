"""Each format by hand; what is not of a format is refused with the line that is not."""

from __future__ import annotations

import pytest

from rnnzoo.errors import CorpusError
from rnnzoo.recipes.postag.readers import Sentence, trees, underscored, user_file, without_traces

TREES = """
( (S
    (NP-SBJ (-NONE- *) )
    (VP (VB Eat)
      (NP (CD 1\\/2) (NN pie) ))
    (. .) ))
( (S (NP (NN Pie) ) (-LRB- -LRB-) (VP (VBZ is)
  (ADJP (JJ good) )) (-RRB- -RRB-) (. .) ))
"""

CONLLU = """# sent_id = 1
# text = He can't.
1-2\tHe\t_\t_\t_\t_\t_\t_\t_\t_
1\tHe\the\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2\tca\tcan\tAUX\tMD\t_\t0\troot\t_\t_
2.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t_\t_
3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_

1\tNew York\t_\tPROPN\tNNP\t_\t0\troot\t_\t_
"""


def read(text: str, tags: str = "xpos") -> list[str]:
    return [str(sentence) for sentence in user_file(text.split("\n"), "own.txt", tags)]


def test_the_leaves_of_each_tree():
    assert [str(sentence) for sentence in trees(TREES)] == [
        "*/-NONE- Eat/VB 1\\/2/CD pie/NN ./.",
        "Pie/NN -LRB-/-LRB- is/VBZ good/JJ -RRB-/-RRB- ./.",
    ]


def test_traces_are_dropped_with_their_tags():
    first = next(trees(TREES))
    assert str(without_traces(first)) == "Eat/VB 1\\/2/CD pie/NN ./."
    assert without_traces(Sentence(("*T*-1", "0"), ("-NONE-", "-NONE-"))) is None


def test_a_masc_token_that_was_cut_at_a_space_is_whole_again():
    text = "in_IN Washington_NNP ,_, D. C._NN \n\n . . ._... snake_case_NN \nto_TO lost\n_UH so_RB nothing_\n"
    assert [str(sentence) for sentence in underscored(text)] == [
        "in/IN Washington/NNP ,/, D.C./NN",
        ".../... snake_case/NN",
        "to/TO",
        "so/RB",
    ]


def test_word_slash_tag_lines():
    assert read("The/DT 1/2/CD mile/NN\n\n and/or/CC //SYM\n") == ["The/DT 1/2/CD mile/NN", "and/or/CC //SYM"]


def test_two_columns():
    assert read("The\tDT\nNew York\tNNP\n\n\nIt\tPRP\n") == ["The/DT New York/NNP", "It/PRP"]


def test_conllu_has_words_not_ranges_or_empty_nodes():
    assert read(CONLLU) == ["He/PRP ca/MD n't/RB", "New York/NNP"]
    assert read(CONLLU, "upos") == ["He/PRON ca/AUX n't/PART", "New York/PROPN"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no sentence"),
        ("no tags here", "line 1 .* no tags"),
        ("a/DT\nb", "line 2 .*'b'"),
        ("a/DT /NN", "line 1 .*'/NN'"),
        ("a\tDT\nb", "line 2 .*'b'"),
        ("a\tDT\nb\tNN\tx", "line 2"),
        ("a\tDT\n\tNN", "line 2"),
        (CONLLU + "1\tx\tNN", "line 10 .* 10 columns .* received 3"),
        (CONLLU.replace("PRP", "_"), "line 4 .* no xpos tag for 'He'"),
    ],
)
def test_what_is_not_of_the_format_is_refused_with_its_line(text, message):
    with pytest.raises(CorpusError, match=message):
        read(text)


def test_a_column_without_tags_names_the_other_one():
    with pytest.raises(CorpusError) as caught:
        read(CONLLU.replace("PRP", "_"))
    assert "tags=upos" in caught.value.hint
