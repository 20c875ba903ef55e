"""Classes of diffusion networks and of classifiers, by the names that knobs give them."""

import torch

from helpers import arrangement, prompts, weights
from helpers.conditioned import Classed, Of
from helpers.cutouts import at
from helpers.errors import Refused
from helpers.frozen import forgetful_
from helpers.machine import mix
from helpers.networks import adm_classifier, class_names
from helpers.packed import packed_
from helpers.schedules import parse
from helpers.settings import present
from helpers.systems import wiring
from helpers.systems.diffused import OURS

CLASSIFIER = "classifier-world"         # what reads through the noise of the built-in model


def asked(settings):
    """Refused where networks or classes are asked for that there are not, as far as that is known before any
    is loaded."""
    if settings.small():
        weights.known(settings.small(), "secondary")
    weights.known(settings.model, "adm", "model")
    for name, kind, word in ((settings.model, "adm", named(settings)),
                             (reader_of(settings), "classifier", settings.classifier_kind.strip())):
        names = class_names.of(name, kind) if name else []
        if names and word:
            class_names.number(word, names)


def named(settings):
    """The class that kind names, or "": nothing does, or what the prompts name."""
    kind = settings.kind.strip()
    return "" if kind == "auto" else kind


def classed(settings, net, studio):
    """The network, of the classes asked for where it has some: which, `lead` says, where it knows anything at
    all; else of one, or any."""
    if not net.classes:
        if named(settings):
            raise Refused(f"kind is {settings.kind!r}", f"{settings.model} knows no classes",
                          "leave kind on 'auto', or take a network of classes")
        return net
    if net.config["anything"]:
        return Classed(net)
    count = settings.pictures
    if named(settings):
        numbers = torch.full((count,), class_names.number(named(settings), net.names))
    else:
        numbers = torch.randint(net.classes, (count,), generator=studio.rng)
    return Of(net, numbers.to(studio.device))


def lead(painter, settings, passed):
    """Tell what knows anything at all the classes it paints: the kind, or, for auto, what the prompts name
    where somebody else guides, and one drawn for each picture where nobody does and nothing is given, which
    is a sample, too, of all that it learned. passed: progress -> steps behind."""
    if isinstance(painter, Classed):
        painter.scale, painter.wanted, painter.drawn = parse(settings.kind_scale), None, None
        names = painter.net.names[:-1]      # the last is anything
        if named(settings):
            painter.wanted = wants(settings, painter.net.names, named(settings), passed)
        elif settings.kind.strip() and guided(settings):
            painter.wanted = wants(settings, names, "", passed, apart=settings.arrange > 0)
        elif settings.kind.strip() and not present(settings.init_image):
            painter.drawn = torch.tensor([mix(settings.seed + k, 0) % len(names)
                                          for k in range(settings.pictures)])


def guided(settings):
    """Does a guide look at the picture at all?"""
    return any(parse(settings.guidance_scale).values)


def reader_of(settings):
    """The classifier's name, or ""; auto is the built-in one, beside the network it was trained with."""
    name, ours = settings.classifier.strip(), weights.embedded()
    if name == "auto":
        return CLASSIFIER if settings.model == OURS and CLASSIFIER in ours else ""
    return name


def reading(settings, studio):
    """The classifier, or None."""
    name = reader_of(settings)
    return packed_(forgetful_(adm_classifier.load(name, studio.device, precision="auto"))) if name else None


def told(settings, reader, passed):
    """A guide on the noisy picture: the classifier's word for the classes asked for, scene by scene; None
    where auto has nothing to go by, or nobody else guides. passed: progress -> steps behind."""
    wanted = wants(settings, reader.names, settings.classifier_kind.strip(), passed)
    if settings.classifier.strip() == "auto" and not (guided(settings) and wanted):
        return None
    if not wanted:
        raise Refused(f"{settings.classifier} knows nothing of {settings.prompts!r}",
                      f"it knows {class_names.listed(reader.names)}", "name one of these as classifier_kind")
    scale = parse(settings.classifier_scale)

    def noisy(x, sigma, progress):
        row, odds = wanted(progress)[:, 0, 0].to(x), reader(x, sigma).log_softmax(-1)
        liked = odds @ row.clamp(min=0) + without(odds) @ (-row).clamp(min=0)
        return {"classifier": -scale(progress) * liked.sum()}
    return noisy


def wants(settings, names, kind, passed, apart=False):
    """progress -> how much each class is wanted in each quarter of the picture, (classes, 2, 2), scene by
    scene; or None where the prompts name none. kind: one class in place of what they name; apart: things that
    a prompt puts over, on or beside another are wanted there alone."""
    if kind:
        row = torch.eye(len(names))[class_names.number(kind, names)]
        return lambda progress: row[:, None, None].expand(-1, 2, 2)
    scenes = aims(settings, names, lambda now: passed(now) / settings.length(), apart)
    if not any(rows.any() for rows, _ in scenes):
        return None

    def wanted(progress):
        rows, paces = scenes[wiring.scene(settings, passed(progress)) % len(scenes)]
        return aim(rows, [at(pace, progress) for pace in paces])
    return wanted


def aims(settings, names, way, apart):
    """What each scene asks for: rows (prompts, classes, 2, 2), and a pace for each prompt. A prompt that
    names several classes shares its weight among them, one that names none says nothing. way: progress ->
    part of the way behind."""
    told = prompts.scenes(settings.prompts) if settings.prompts.strip(" |^") else []
    return [(shares(scene, names, apart), settings.paces(scene, way) or (1,) * len(scene))
            for scene in told or [[]]]


def shares(scene, names, apart):
    """The weights of classes in each prompt and quarter, (prompts, classes, 2, 2)."""
    rows = torch.zeros(len(scene), len(names), 2, 2)
    for row, prompt in zip(rows, scene, strict=True):
        for text, box in (apart and arrangement.parts(prompt.text)) or [(prompt.text, (0, 0, 1, 1))]:
            numbers = class_names.found(text, names)[0]
            row[numbers] += prompt.weight / max(1, len(numbers)) * quarters(box)
    return rows


def quarters(box):
    """Where a box belongs, (2, 2): to a half if its middle is away from that of the picture."""
    left, top, right, bottom = box
    down, across = (torch.tensor([middle < 0.6, middle > 0.4]).float()
                    for middle in ((top + bottom) / 2, (left + right) / 2))
    return torch.outer(down, across)


def aim(rows, shares):
    """How much each class is wanted now, (classes, 2, 2): of the prompts that act at all what is wanted in a
    quarter sums to 1, before the share of each counts; what is to be kept away from is below 0, and sums to
    -1 at most."""
    shares = torch.tensor(shares, dtype=rows.dtype).view(-1, 1, 1, 1)
    acting = (rows * (shares > 0)).sum(0)
    liked, named = acting.clamp(min=0).sum(0), acting.abs().sum(0)
    row = (rows * shares).sum(0) / torch.where(liked > 0, liked, torch.where(named > 0, named, 1))
    return row.clamp(min=0) - (-row).clamp(min=0) / (-row).clamp(min=0).sum(0).clamp(min=1)


def without(odds):
    """Log odds (n, classes) -> those that it is any other class: so much, and no more, is to be gained by
    keeping away."""
    here = torch.eye(odds.shape[1], dtype=torch.bool, device=odds.device)
    return odds[:, None].masked_fill(here, -torch.inf).logsumexp(-1)
