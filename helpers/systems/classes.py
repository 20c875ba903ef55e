"""Classes of diffusion networks and of classifiers, by the names that knobs give them."""

import torch

from helpers import prompts, weights
from helpers.cutouts import at
from helpers.errors import Refused
from helpers.networks import adm_classifier, class_names
from helpers.samplers import Guess
from helpers.schedules import parse
from helpers.systems import wiring
from helpers.systems.diffused import OURS

CLASSIFIER = "classifier-world"         # what reads through the noise of the built-in model


class Of:
    """A network of classes, painting the ones of `numbers` (n,)."""

    def __init__(self, net, numbers):
        self.net, self.process, self.numbers = net, net.process, numbers

    def __call__(self, x, sigma) -> Guess:
        return self.net(x, sigma, self.numbers)


def asked(settings):
    """Refused where networks or classes are asked for that there are not, as far as that is known before any
    is loaded."""
    if settings.small():
        weights.known(settings.small(), "secondary")
    for name, kind, word in ((settings.model, "adm", settings.kind),
                             (reader_of(settings), "classifier", settings.classifier_kind)):
        names = class_names.of(name, kind) if name else []
        if names and word.strip():
            class_names.number(word, names)


def classed(settings, net, studio):
    """The network, of one class where it has some: the one asked for, or any."""
    if not net.classes:
        if settings.kind.strip():
            raise Refused(f"kind is {settings.kind!r}", f"{settings.model} knows no classes",
                          "leave kind empty, or take a network of classes")
        return net
    count = settings.pictures
    if settings.kind.strip():
        numbers = torch.full((count,), class_names.number(settings.kind, net.names))
    else:
        numbers = torch.randint(net.classes, (count,), generator=studio.rng)
    return Of(net, numbers.to(studio.device))


def reader_of(settings):
    """The classifier's name, or ""; auto is the built-in one, beside the network it was trained with."""
    name, ours = settings.classifier.strip(), weights.embedded()
    if name == "auto":
        return CLASSIFIER if settings.model == OURS and CLASSIFIER in ours else ""
    return name


def reading(settings, studio):
    """The classifier, or None."""
    name = reader_of(settings)
    return adm_classifier.load(name, studio.device, precision="auto") if name else None


def told(settings, reader, passed):
    """A guide on the noisy picture: the classifier's word for the classes asked for, scene by scene; None
    where auto has nothing to go by, or nobody else guides. passed: progress -> steps behind."""
    scenes = aims(settings, reader.names, lambda now: passed(now) / settings.length())
    auto, led = settings.classifier.strip() == "auto", any(parse(settings.guidance_scale).values)
    known = any(rows.any() for rows, _ in scenes)
    if auto and not (led and known):
        return None
    if not known:
        raise Refused(f"{settings.classifier} knows nothing of {settings.prompts!r}",
                      f"it knows {class_names.listed(reader.names)}", "name one of these as classifier_kind")
    scale = parse(settings.classifier_scale)

    def noisy(x, sigma, progress):
        rows, paces = scenes[wiring.scene(settings, passed(progress)) % len(scenes)]
        row = aim(rows, [at(pace, progress) for pace in paces]).to(x)
        odds = reader(x, sigma).log_softmax(-1)
        liked = odds @ row.clamp(min=0) + without(odds) @ (-row).clamp(min=0)
        return {"classifier": -scale(progress) * liked.sum()}
    return noisy


def aims(settings, names, way=None):
    """What each scene asks for: rows (prompts, classes), and a pace for each prompt. A prompt that names
    several classes shares its weight among them, one that names none says nothing; classifier_kind counts in
    place of them all. way: progress -> part of the way behind."""
    kind = settings.classifier_kind.strip()
    if kind:
        return [(torch.eye(len(names))[class_names.number(kind, names)][None], (1,))]
    told = prompts.scenes(settings.prompts) if settings.prompts.strip(" |^") else []
    return [(named(scene, names), settings.paces(scene, way) or (1,) * len(scene)) for scene in told or [[]]]


def named(scene, names):
    """The weights of classes in each prompt, (prompts, classes)."""
    rows = torch.zeros(len(scene), len(names))
    for row, prompt in zip(rows, scene, strict=True):
        numbers = class_names.found(prompt.text, names)[0]
        row[numbers] = prompt.weight / max(1, len(numbers))
    return rows


def aim(rows, shares):
    """How much each class is wanted now, (classes,): of the prompts that act at all what is wanted sums to 1,
    before the share of each counts; what is to be kept away from is below 0."""
    shares = torch.tensor(shares, dtype=rows.dtype)[:, None]
    acting = (rows * (shares > 0)).sum(0)
    return (rows * shares).sum(0) / (acting.clamp(min=0).sum() or acting.abs().sum() or 1)


def without(odds):
    """Log odds (n, classes) -> those that it is any other class: so much, and no more, is to be gained by
    keeping away."""
    here = torch.eye(odds.shape[1], dtype=torch.bool, device=odds.device)
    return odds[:, None].masked_fill(here, -torch.inf).logsumexp(-1)
