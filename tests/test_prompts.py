"""Prompts: weights and stops are peeled from the right, everything else stays words."""

import pytest

from helpers.errors import Refused
from helpers.prompts import Prompt, during, noise, parse, pictures, scenes, wanted, window, windows


@pytest.mark.parametrize("text, prompts", [
    ("fog", [("fog", 1, None)]),
    ("fog | neon:0.5 | text:-0.3:-0.5", [("fog", 1, None), ("neon", 0.5, None), ("text", -0.3, -0.5)]),
    ("  fog :2 |", [("fog", 2, None)]),
    ("fog:.5", [("fog", 0.5, None)]), ("fog: 0.5", [("fog", 0.5, None)]), ("fog:1e-2", [("fog", 0.01, None)]),
    ("fog:+2", [("fog", 2, None)]), ("fog:0", [("fog", 0, None)]), ("fog:2:1", [("fog", 2, 1)]),
    ("fog:1:2:3", [("fog:1", 2, 3)]),                                    # no more than a weight and a stop
])
def test_weights_and_stops(text, prompts):
    assert parse(text) == [Prompt(*p) for p in prompts]


@pytest.mark.parametrize("words", [
    "Star Wars: a new hope", "a: b: c", "a cat:", "a:b", "Blade Runner: 2049", "fog:nan", "fog:inf",
    "fog:1_000", "at 12:30", "12:30", "at 12:30:45", "16:9", "Psalm 23:4", "a clock at 9:05 in the morning",
    "https://example.org/cat.png", "http://localhost:8080", "http://127.0.0.1:8080", "C:\\pictures\\cat.png",
])
def test_other_colons_stay_words(words):
    assert parse(words) == [Prompt(words)]
    assert parse(f"{words} :-0.5") == [Prompt(words, -0.5)]
    assert parse(f"{words}:-0.5:-0.25") == [Prompt(words, -0.5, -0.25)]


@pytest.mark.parametrize("text, weight", [
    ("at 12:30:0.5", 0.5), ("at 12:30 :2", 2), ("at 12:30:-2", -2), ("16:9:2", 2), ("version 1.5:1", 1),
    ("https://example.org/cat.png:0.5", 0.5), ("http://127.0.0.1:8000/a.png:2", 2),
    ("Star Wars: a new hope:-1", -1),
])
def test_words_with_colons_can_be_weighed(text, weight):
    (prompt,) = parse(text)
    assert prompt.weight == weight and not prompt.text.endswith((":", " "))
    assert parse(str(prompt)) == [prompt]


@pytest.mark.parametrize("prompt", [
    Prompt("fog"), Prompt("fog", 0.5), Prompt("fog", -0.3, -0.5), Prompt("fog", 1, 0.2), Prompt("16:9"),
    Prompt("fog", start=40), Prompt("fog", 0.5, 0.3, 12.5, 80), Prompt("at 12:30", end=80),
    Prompt("off @40%"), Prompt("off @40%", 2), Prompt("me@home.org", start=0.0001), Prompt("at 12:30", 45),
    Prompt("at 12:30", 2, 1), Prompt("fog:1", 2, 3), Prompt("a: b", 1e-7)])
def test_prompts_write_themselves(prompt):
    assert parse(str(prompt)) == [prompt]


@pytest.mark.parametrize("text, when", [
    ("fog @40%", (40, 100)), ("fog@40%-80%", (40, 80)), ("fog @ -80 %", (0, 80)), ("fog @0%", (0, 100)),
    ("fog @ 2.5% - 7.25%", (2.5, 7.25)), ("fog:0.5:0.3 @40%", (40, 100)),
    ("https://a.org/b.png @9%", (9, 100)), ("fog @40%–80%", (40, 80)), ("fog @40%-80%:0.5", (40, 80)),
    ("fog @40%:0.5:0.3", (40, 100))])
def test_starts_and_ends(text, when):
    (prompt,) = parse(text)
    assert (prompt.start, prompt.end) == when and "@" not in prompt.text and parse(str(prompt)) == [prompt]
    assert prompt.text == text.partition("@")[0].strip().removesuffix(":0.5:0.3")


@pytest.mark.parametrize("words", ["me@home.org", "fog @", "@ 80% wool", "a@2x.png", "fog @40% to 80%"])
def test_other_at_signs_stay_words(words):
    assert parse(words) == [Prompt(words)] and not parse(words)[0].timed


@pytest.mark.parametrize("prompt", [Prompt("neon", -1, 0), Prompt("neon", -2, -3), Prompt("neon", -12, 30)])
def test_a_weight_below_0_is_no_clock(prompt):
    assert parse(str(prompt)) == [prompt]


def test_a_prompt_acts_from_its_start_up_to_its_end():
    fog = Prompt("fog", start=25, end=50)
    assert [now for now in (0, 0.24, 0.25, 0.49, 0.5, 1) if fog.acts(now)] == [0.25, 0.49]
    assert Prompt("fog").acts(0) and Prompt("fog").acts(1) and Prompt("fog", start=40).acts(1)
    always, paces = Prompt("sea"), (lambda now: 1 - now,)
    assert during([always], paces) is paces and during([always]) == ()
    assert [pace(0.25) for pace in during([fog, always])] == [1, 1]
    assert [pace(0.75) for pace in during([fog, always])] == [0, 1]
    assert [during([fog], paces)[0](now) for now in (0.25, 0.75)] == [0.75, 0]


def test_scenes():
    assert scenes("fog") == [[Prompt("fog")]]
    assert scenes("fog | rain:2 ^ sun ^") == [[Prompt("fog"), Prompt("rain", 2)], [Prompt("sun")]]
    assert scenes("^ | ^ sun") == [[Prompt("sun")]]


def test_noise():
    assert noise("7 | 8:0.5 | 12:1") == [[(7, 1), (8, 0.5), (12, 1)]] and noise(" ") == [] == noise(" ^ |")
    assert noise("7 | 8:-1 ^ 9 ^") == [[(7, 1), (8, -1)], [(9, 1)]]


def test_pictures():
    one = object()
    assert pictures("a.png | b.png:0.5 ^ c.png:-1:0.2") == \
        [[Prompt("a.png"), Prompt("b.png", 0.5)], [Prompt("c.png", -1, 0.2)]]
    assert pictures(one) == [[Prompt(one)]] and pictures(" ^ ") == []
    assert pictures([one, (one, 0.5)]) == [[Prompt(one), Prompt(one, 0.5)]]


NOISE = "a noise prompt is a seed of up to 18 digits, and perhaps a weight up to 100: try '7 | 8:0.5'"
EMPTY = "prompts is empty; it needs at least one word: try 'a red lighthouse by the sea at sunset'"


@pytest.mark.parametrize("read, text, message", [
    (parse, "", EMPTY), (parse, " | ", EMPTY), (scenes, " ^ |", EMPTY),
    *((parse, f"sea | {text}", f"prompts has {text!r}; a prompt ends after it begins, from 0% to 100% of the "
       "way: try 'fog @40%-80%'") for text in ("fog @80%-40%", "fog @40%-40%", "fog @100%", "fog @120%",
                                              "fog @40", "fog @40%-", "fog @40-80", "fog @.5%")),
    (parse, "@40%", "prompts has '@40%'; a weight comes after words: try 'fog:0.5'"),
    (parse, "fog | :0.5", "prompts has ':0.5'; a weight comes after words: try 'fog:0.5'"),
    (noise, "7 | x", f"noise_prompts has 'x'; {NOISE}"), (noise, "-7", f"noise_prompts has '-7'; {NOISE}"),
    (noise, "9" * 19, f"noise_prompts has '{'9' * 19}'; {NOISE}"),
    (noise, "7:1e400", f"noise_prompts has '7:1e400'; {NOISE}"),
])
def test_refusals(read, text, message):
    with pytest.raises(Refused) as refused:
        read(text)
    assert str(refused.value) == message


def two_per_word(text):
    """A tokenizer that cuts every word in two, long ones in five."""
    return sum(5 if len(word) > 6 else 2 for word in text.split())


def test_window_counts_tokens():
    words = "once there was a lighthouse by the sea".split()
    assert window(words, 2, two_per_word, 10) == "once there"
    assert window(words, 8, two_per_word, 10) == "by the sea"            # the lighthouse would make it 11
    assert window(words, 5, two_per_word, 11) == "there was a lighthouse"
    assert window(words, 5, two_per_word, 1) == "lighthouse"             # the newest word stays
    assert window(words, 8, len, 77) == " ".join(words)  # a counter of characters is not built in


def test_windows_tell_the_story_to_the_end():
    story = windows("once there was a lighthouse by the sea", each=3, count=two_per_word, limit=11)
    assert story == ["once there was", "was a lighthouse by", "lighthouse by the sea"]
    assert all(two_per_word(scene) <= 11 for scene in story)
    assert windows("a b c d", 1, two_per_word, 99, start=3) == ["a b c", "a b c d"]
    with pytest.raises(Refused, match="^the story is empty; it needs at least one word: try 'a red"):
        windows(" ", 1, two_per_word, 10)


def test_what_is_wanted_first():
    assert wanted("a house | smoke:-0.5 | a red cat:2 ^ a boat") == "a house | a red cat"
    assert wanted("fog:-1") == wanted(" | ") == ""
