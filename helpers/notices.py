"""What an artist is told before painting begins: a line for all that was asked for and does nothing, and
where steps are few.

    said = check(settings)      # "" or lines to show; Refused where the words name nothing to be shown
"""

from . import companions, schedules, vocabulary
from .knobs import knobs

READ = ("prompts", "perceptors", "gan", "vqgan", "model", "width", "height", "story", "story_separator",
        *vocabulary.SHOWING)    # knobs by which words are known or not, and who else would know them


def check(*several) -> str:
    """What to tell of these settings; of several, such as the cells of a comparison, each line once."""
    alike = {str([getattr(one, name, "") for name in READ]): one for one in several}    # eyes load slowly
    lines = [line for one in alike.values() for line in vocabulary.check(one).splitlines()]
    lines += [line for one in several for line in [*companions.idle(one), *alone(one)]]
    return "\n".join(dict.fromkeys(lines))


def alone(settings):
    """A line where steps are left as they are for a canvas that is shown the way, and nothing shows it."""
    if "prior" not in knobs(type(settings)) or "steps" in settings.changed():
        return
    wished = settings.prior_model == "auto" and any(schedules.parse(settings.prior).values)
    if wished and not vocabulary.taught(settings):
        yield (f"{settings.steps} steps are few where nothing paints beside, as with {settings.perceptors}: "
               "try steps=500")
