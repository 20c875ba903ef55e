"""Classes of diffusion networks and of classifiers, by the names that knobs give them."""

import torch

from helpers import weights
from helpers.errors import Refused
from helpers.networks import adm_classifier, class_names
from helpers.samplers import Guess
from helpers.prompts import wanted
from helpers.schedules import parse


class Of:
    """A network of classes, painting the ones of `numbers` (n,)."""

    def __init__(self, net, numbers):
        self.net, self.process, self.numbers = net, net.process, numbers

    def __call__(self, x, sigma) -> Guess:
        return self.net(x, sigma, self.numbers)


def asked(settings):
    """Refused where networks or classes are asked for that there are not, as far as that is known before any
    is loaded."""
    if settings.through == "secondary":
        weights.known(settings.secondary, "secondary")
    for name, kind, word in ((settings.model, "adm", settings.kind),
                             (settings.classifier.strip(), "classifier", settings.classifier_kind)):
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


def reading(settings, studio):
    """The classifier, or None."""
    if not settings.classifier.strip():
        return None
    return adm_classifier.load(settings.classifier, studio.device, precision="auto")


def told(settings, reader):
    """A guide on the noisy picture: the classifier's word for the class asked for."""
    words = settings.classifier_kind.strip()
    numbers = [class_names.number(words, reader.names)] if words else \
        class_names.found(wanted(settings.prompts), reader.names)[0]
    if not numbers:
        raise Refused(f"{settings.classifier} knows nothing of {settings.prompts!r}",
                      f"it knows {class_names.listed(reader.names)}", "name one of these as classifier_kind")
    scale = parse(settings.classifier_scale)

    def noisy(x, sigma, progress):
        odds = reader(x, sigma).log_softmax(-1)[:, numbers]
        return {"classifier": -scale(progress) * odds.mean(1).sum()}
    return noisy
