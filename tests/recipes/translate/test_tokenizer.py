"""Words and spacing are learned from text, and what was cut is put together again."""

from __future__ import annotations

import pytest

from rnnzoo.recipes.translate.tokenizer import Tokenizer

FRENCH = [
    "J'ai faim.",
    "J'arrive !",
    "L'eau est froide.",
    "Est-ce que tu viens ?",
    "Viens-tu ?",
    "Où vas-tu, Tom ?",
    "Il a dit : « Non ! »",
    "Tom a faim, il n'est pas là.",
    "Il est là.",
]
ENGLISH = ["I'm here.", "You're late!", "They're at Tom's.", "Don't go, Tom!", "Is it Tom?", "I can't.", "It isn't."]


def test_an_apostrophe_stays_with_the_side_that_varies_less():
    assert Tokenizer.fit(FRENCH, truecase=False).words("J'ai soif.") == ["J'", "ai", "soif", "."]
    assert Tokenizer.fit(ENGLISH, truecase=False).words("I'm late.") == ["I", "'m", "late", "."]


def test_a_hyphen_stays_with_the_pronoun_after_it():
    assert Tokenizer.fit(FRENCH, truecase=False).words("Es-tu là ?") == ["Es", "-tu", "là", "?"]


def test_signs_get_the_spacing_of_the_training_text():
    french, english = Tokenizer.fit(FRENCH, truecase=False), Tokenizer.fit(ENGLISH, truecase=False)
    assert french.text(["Viens", "-tu", ",", "Tom", "?"]) == "Viens-tu, Tom ?"
    assert french.text(["Non", "!"]) == "Non !"
    assert english.text(["Go", "!"]) == "Go!"


def test_training_text_comes_back_as_it_was():
    for texts in (FRENCH, ENGLISH):
        for truecase in (False, True):
            tokenizer = Tokenizer.fit(texts, truecase)
            assert [tokenizer.text(tokenizer.words(text)) for text in texts] == texts


@pytest.mark.parametrize("text", ['Il dit "oui" et "non".', "Le nº 5.", "J'ai 12,5 % !", "-", "'", "«»"])
def test_any_text_can_be_cut_and_put_together(text):
    tokenizer = Tokenizer.fit(FRENCH, truecase=False)
    words = tokenizer.words(text)
    assert "".join(words) == text.replace(" ", "")
    assert tokenizer.words(tokenizer.text(words)) == words


def test_quotes_open_and_close():
    assert Tokenizer.fit(ENGLISH, truecase=False).text(["He", "said", '"', "no", '"', "."]) == 'He said "no".'


def test_curly_and_typewriter_apostrophes_are_one():
    tokenizer = Tokenizer.fit(FRENCH, truecase=False)
    assert tokenizer.words("J’ai faim.") == tokenizer.words("J'ai faim.")


def test_blank_text_has_no_words():
    assert Tokenizer().words(" \u00a0\t") == []
    assert Tokenizer().text([]) == ""


def test_truecasing_lowers_the_first_word_but_not_names():
    tokenizer = Tokenizer.fit(FRENCH, truecase=True)
    assert tokenizer.words("Il est là.") == ["il", "est", "là", "."]
    assert tokenizer.words("Tom est là.") == ["Tom", "est", "là", "."]
    assert tokenizer.text(["il", "est", "là", "."]) == "Il est là."


def test_sentences_begin_small_where_training_sentences_do():
    tokenizer = Tokenizer.fit(["il est là .", "elle est là .", "elle voit Tom ."], truecase=True)
    assert tokenizer.text(tokenizer.words("il voit Tom .")) == "il voit Tom ."


def test_scripts_without_spaces_are_cut_into_characters():
    tokenizer = Tokenizer.fit(["我很高兴。", "你好！"], truecase=True)
    assert tokenizer.words("我好。") == ["我", "好", "。"]
    assert tokenizer.text(["我", "好", "。"]) == "我好。"


def test_it_can_be_kept_as_text():
    for truecase in (False, True):
        tokenizer = Tokenizer.fit(FRENCH, truecase)
        again = Tokenizer.loads(tokenizer.dumps())
        assert vars(again) == {k: v for k, v in vars(tokenizer).items() if k != "_pattern"}
