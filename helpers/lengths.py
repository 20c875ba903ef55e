"""Prompts that are longer than a perceptor reads: told before painting begins, or their ends would count for
nothing in silence.

    said = check(settings)      # "" or a line to show for each of them
"""

from bisect import bisect_right
from functools import cache

from . import perceptors, prompts, weights
from .errors import Refused, quoted

OPENAI_ROOM, OPENAI_WORDS = 77, 49408       # tokens of a text, its start and end among them; that there are
NAMED = 3                                   # words of those that are left out


def check(settings) -> str:
    """What to tell the artist about ends of prompts that somebody does not read."""
    found = [(name, _reader(name)) for name in perceptors.names(settings.perceptors)]
    readers = [(name, *reader) for name, reader in found if reader]
    lines = [_told(text, readers, settings) for text in dict.fromkeys(_texts(settings))]
    return "\n".join(filter(None, lines))


def _texts(settings) -> list[str]:
    """What is encoded in one piece. A story of DeepDaze told word by word fits by itself."""
    story = getattr(settings, "story", "off")
    if story == "words" or not settings.prompts.strip(" |^"):
        return []
    if story == "sentences":
        return settings.prompts.split(settings.story_separator)
    return [prompt.text for scene in prompts.scenes(settings.prompts) for prompt in scene]


def _told(text, readers, settings) -> str:
    """A line on a text that is too long for some of the readers, for the one of the least room."""
    words = text.split()
    ends = [(_read(words, count, room), name, count, room) for name, count, room in readers
            if count(text) > room]
    if not ends:
        return ""
    end, name, count, room = min(ends, key=lambda one: one[0])
    story = "set story to 'words'" if hasattr(settings, "story") else "let deep_daze tell it as a story"
    return str(Refused(f"a prompt is cut from {quoted([' '.join(words[end:end + NAMED])])} on",
                       f"{name} reads {room} tokens, words or parts of words, and it has {count(text)}",
                       f"make it shorter, part it into several prompts with |, or {story}"))


def _read(words, count, room) -> int:
    """How many of the words are read whole."""
    return bisect_right(range(len(words) + 1), room, key=lambda end: count(" ".join(words[:end]))) - 1


def _reader(name):
    """(function that counts the tokens of a text, how many are read) of a perceptor, without downloading it;
    None where its tokenizer comes with its weights, or there is no such perceptor: who loads it says so."""
    built_in = name.partition("=")[0]
    if built_in in weights.embedded():
        eye = perceptors.load(built_in)
        return eye.count_tokens, eye.room
    try:
        told = perceptors.text_config(name)
    except Refused:
        return None
    if "hf_tokenizer_name" in told or told.get("vocab_size", OPENAI_WORDS) != OPENAI_WORDS:
        return None
    return _count, told.get("context_length", OPENAI_ROOM) - 2


def _count(text) -> int:
    return len(_openai().encode(text))


@cache
def _openai():
    import open_clip
    return open_clip.tokenizer.SimpleTokenizer()
