"""What an artist is told before painting begins: a line for all that was asked for and does nothing.

    said = check(settings)      # "" or lines to show; Refused where the words name nothing to be shown
"""

from . import companions, vocabulary

READ = ("prompts", "perceptors", "gan", "vqgan", "model", "width", "height", "story", "story_separator",
        *vocabulary.SHOWING)    # knobs by which words are known or not, and who else would know them


def check(*several) -> str:
    """What to tell of these settings; of several, such as the cells of a comparison, each line once."""
    alike = {str([getattr(one, name, "") for name in READ]): one for one in several}    # eyes load slowly
    lines = [line for one in alike.values() for line in vocabulary.check(one).splitlines()]
    lines += [line for one in several for line in companions.idle(one)]
    return "\n".join(dict.fromkeys(lines))
