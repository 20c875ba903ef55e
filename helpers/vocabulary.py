"""Words the embedded world never saw: named before painting begins, with the public model that knows them.
So are those that nobody reads, at the end of a prompt that is too long.

    said = check(settings)      # "" or lines to show; Refused where the rest names nothing to be shown
"""

import re

from . import lengths, perceptors, prompts, weights
from .errors import Refused, closest, quoted
from .networks import class_names
from .world import words

PUBLIC = {"perceptors": "ViT-B/32", "vqgan": "imagenet_f16_16384",  # knob: who knows more of the world
          "gan": "biggan-deep-512", "model": "256x256_diffusion_uncond"}
SHOWING = ("image_prompts", "target_image", "init_image", "encoding", "frames")     # knobs, as words do
SLIP = 0.8          # how like a word that we know a slip of the pen is
LITTLE = set("a an the of in on at by to from and or with for is".split())


def check(settings) -> str:
    """What to tell the artist about words that will not be painted."""
    if not hasattr(settings, "perceptors"):
        return unheard(settings)
    return "\n".join(filter(None, (unseen(settings), lengths.check(settings))))


def unseen(settings) -> str:
    """Of a system that is looked over the shoulder: the words that none of its perceptors was taught."""
    asked, shunned = unknown_words(settings)
    strange = list(dict.fromkeys(asked + shunned))
    if not strange:
        return ""
    kind = "are words" if len(strange) > 1 else "is a word"
    does = ["paints the rest"] * bool(asked)
    does += [f"cannot keep away from {quoted(shunned)}"] * bool(shunned)
    said = Refused(f"{quoted(strange)} {kind} the embedded world never saw",
                   f"it {' and '.join(does)}", f"{_meant(strange)}to have it all set {_offer(settings)}")
    if not _pictured(settings) and any(_lost(scene, set(strange)) for scene in _scenes(settings)):
        raise Refused(said.wrong, "the rest names no thing, place or sky that it could show", said.advice)
    return str(said)


def unknown_words(settings) -> tuple[list[str], list[str]]:
    """Words that none of the perceptors chosen was taught: of what is to be painted, and of what is to be
    kept away from. Public ones read everything; prompts of signs alone are Refused for the embedded ones."""
    if not taught(settings):
        return [], []
    eye = perceptors.load(perceptors.names(settings.perceptors)[0])     # the zoo shares one vocabulary
    told = [prompt for scene in _scenes(settings) for prompt in scene]
    for prompt in told:
        if not re.search(r"[^\W_]", prompt.text):
            raise Refused(f"prompts has {prompt.text!r}",
                          "the built-in perceptors read letters and digits only", prompts.EXAMPLE)
    return tuple(list(dict.fromkeys(word for prompt in told if prompt.weight * sign > 0
                                    for word in eye.unknown_words(prompt.text))) for sign in (1, -1))


def taught(settings) -> bool:
    """Were all perceptors chosen taught the words of the embedded world, and no others?"""
    names = perceptors.names(settings.perceptors)
    return {name.partition("=")[0] for name in names} <= set(weights.embedded())


def unheard(settings) -> str:
    """Of a system that nobody looks over the shoulder of: the words beside the names of its classes."""
    gan = getattr(settings, "gan", "")
    if gan not in weights.names("biggan"):
        return ""       # a file, or no GAN at all
    names = class_names.of(gan)
    heard = [class_names.found(text, names) for text in _texts(settings)]
    others = [word for numbers, words in heard if numbers for word in words if word not in LITTLE]
    if not others:
        return ""
    kind = "are no classes" if len(others) > 1 else "is no class"
    return str(Refused(f"{quoted(dict.fromkeys(others))} {kind} of this GAN",
                       "names of classes are all it hears",
                       "for a picture of every word use the system big_sleep"))


def _scenes(settings) -> list[list[prompts.Prompt]]:
    return prompts.scenes(settings.prompts) if settings.prompts.strip(" |^") else []


def _texts(settings) -> list[str]:
    return [prompt.text for scene in _scenes(settings) for prompt in scene]


def _lost(scene, strange: set[str]) -> bool:
    """Does a scene ask for what nobody knows, and for no thing, place or sky besides?"""
    wanted = " ".join(prompt.text for prompt in scene if prompt.weight > 0).lower()
    return bool(strange & set(re.findall(r"[^\W_]+", wanted))) and not words.nouns(wanted) - strange


def _pictured(settings) -> bool:
    """Do pictures say what to paint, too?"""
    return any(not isinstance(value, str) or value.strip(" |^") for value in
               (getattr(settings, name, "") for name in SHOWING))


def _meant(strange) -> str:
    """The words that were likely meant, where these are slips of the pen."""
    taught = words.vocabulary()
    near = {word: closest(word, taught, SLIP) for word in strange if word not in taught}
    guesses = [guess for guess in near.values() if guess]
    return f"did you mean {quoted(dict.fromkeys(guesses))}? Else " if guesses else ""


def _offer(settings) -> str:
    """The public models that would paint these words, knob by knob, and what they weigh."""
    known, embedded = weights.catalogue(), weights.embedded()
    turned = {knob: name for knob, name in PUBLIC.items() if knob == "perceptors" or
              getattr(settings, knob, None) in embedded}
    size = sum(known.get(name, {}).get("size", 0) for name in turned.values())
    models = " and ".join(f"{knob} to {name!r}" for knob, name in turned.items())
    return f"{models}, public, {size / 1e6:.0f} MB once{_enlarged(settings, known.get(turned.get('model')))}"


def _enlarged(settings, card) -> str:
    """The size that goes with a public diffusion network, which refuses pictures half as large as its own."""
    own = card["config"]["image_size"] if card else 0
    if min(settings.width, settings.height) > own // 2:
        return ""
    return f", and width and height to {own}"
