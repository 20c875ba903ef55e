"""The guides: two small CLIPs with different towers, trained under attack so that their slopes make sense.

A plainly trained small CLIP is satisfied by texture that no eye reads. Training it on pictures moved by a
bounded L2 attack (Madry et al. 2018; for CLIP: Mao et al. 2023) makes its slope point at objects (Santurkar
et al. 2019). The attacks are "free" (Shafahi et al. 2019): every batch is shown REPLAYS times, and the one
backward pass that trains the weights also moves the attack on, so robustness costs no extra passes. Leaves
the paper: L2 instead of L-infinity, a radius drawn per picture, a fresh random start for every batch.
"""

import numpy as np
import torch

from ... import weights
from ...attention import lean_
from .. import drawing, scenes, words
from . import data
from .common import Training, publish, scenes_seen
from .contrast import attack, climb, contrast, encode, naming, read, tell
from .looks import to_tensor
from .tokens import words_file, write_words
from .turns import Turns, there

REPLAYS = 3
# What cosines are multiplied by, for sentences at most and for names. With CLIP's 100 real pictures need not
# come near their sentence, and what a guide then paints comes nearer than anything real.
BLUNT, SHARP = 20.0, 40.0
TEXT = {"context_length": 32, "width": 192, "heads": 3, "layers": 3}
TOWERS = {"disco-resnet": {"image_size": 64, "layers": [2, 2, 2, 2], "width": 32, "head_width": 64},
          "disco-darknet": {"image_size": 64, "timm_model_name": "cs3darknet_focus_s", "timm_pool": "avg",
                            "timm_proj": "linear"}}
SEEDS, RATE = {"disco-resnet": 0, "disco-darknet": 1}, 1e-3
ELDEST = "disco-resnet"     # whose text tower the others begin with
CONFIGS = {name: {"embed_dim": 256, "vision_cfg": tower, "text_cfg": TEXT} for name, tower in TOWERS.items()}


def build(name):
    """(model, tokenizer, config) of CONFIGS[name], untrained; writes the tokenizer's words into the zoo."""
    from open_clip.model import CLIP
    from open_clip.tokenizer import SimpleTokenizer

    config = {**CONFIGS[name]}
    config["text_cfg"] = {**config["text_cfg"], "vocab_size": write_words()}
    length = config["text_cfg"]["context_length"]
    tokenizer = SimpleTokenizer(bpe_path=str(words_file()), context_length=length)
    vision = {k: tuple(v) if isinstance(v, list) else v for k, v in config["vision_cfg"].items()}
    model = CLIP(config["embed_dim"], vision, config["text_cfg"])
    lean_(model)
    return model, tokenizer, config


def read_alike(model, name):
    """Give `model` the text tower of another guide of the zoo, if that is there: what is seen then has, from
    the first step, a sense to be led to."""
    if name in weights.embedded():
        tensors = weights.zoo(name)[1]
        model.load_state_dict({k: v.float() for k, v in tensors.items() if not k.startswith("visual.")},
                              strict=False)


def radius(progress, eps, warm):
    """0 for the part `warm` of the time, on clean pictures; then from a quarter of `eps` up to all of it, or
    all of it from the beginning where nothing is to be warmed up."""
    if not warm:
        return eps
    return 0.0 if progress < warm else eps * min(1.0, 0.25 + 0.75 * (progress - warm) / 0.4)


class Lesson:
    """One step of training: a batch and the attack on it in one pass, forward and backward.

    The texts of a batch are read once for all of its replays, and what these teach about them is led back
    through the text tower, and moves it, after the last.
    """

    def __init__(self, name, device, batch, eps, warm, count=data.COUNT):
        self.device, self.eps, self.warm = device, eps, warm
        self.model, self.tokenizer, self.config = build(name)
        if name != ELDEST:
            read_alike(self.model, ELDEST)
        self.model = self.model.to(device)
        self.model.visual = self.model.visual.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(groups(self.model), RATE, (0.9, 0.98))
        self.turns = Turns(data.Batches(batch, count, alike=16), self.tokenizer)
        self.ahead, self.next, self.shown, self.left = (), -1, {}, 0

    def show(self, turn, reach):
        """A new batch with the rows of its texts; `told` have a past to lead back through, `rows` collect."""
        if turn != self.next:
            self.ahead = self.turns.after(turn, self.device)
        self.next = turn + 1
        self.shown = shown = there(next(self.ahead), self.device)
        shown["told"] = torch.cat([read(self.model, shown[k], self.device) for k in ("said", "named")])
        shown["rows"] = shown["told"].detach().requires_grad_()
        for part in ("radii", "delta"):
            shown[part] = shown[part] * reach

    def __call__(self, step, progress):
        if not self.left:
            reach = radius(progress, self.eps, self.warm)
            self.left = self.replays = REPLAYS if reach else 1      # what is not attacked is seen once
            self.show(step // self.replays, reach)
        self.left -= 1
        shown, n = self.shown, len(self.shown["images"])
        delta = shown["delta"].requires_grad_()
        said, named = shown["rows"].split([2 * n, len(shown["named"])])
        seen = encode(self.model, shown["images"] + delta, self.device)
        scale = self.model.logit_scale.exp().clamp(max=BLUNT)
        terms = {"told": contrast(seen, said, scale), "named": naming(seen, named, shown["truth"], SHARP)}
        self.optimizer.zero_grad()
        delta.grad = None
        sum(terms.values()).backward()
        if not self.left:
            shown["told"].backward(shown["rows"].grad / self.replays)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        shown["delta"] = climb(shown["images"], delta.detach(), delta.grad, shown["radii"], 0.8)
        own = (seen * said[:n]).sum(1)
        fooled = (seen * said[n:]).sum(1) > own
        right = shown["truth"][1].gather(1, (seen @ named[-len(scenes.THINGS) :].T).argmax(1)[:, None]) > 0
        return terms | {"radius": shown["radii"].mean(), "fooled": fooled.float().mean(),
                        "thing": right.float().mean()}


def train(name, minutes=105, device="cpu", batch=128, eps=3.0, warm=0.1, further=False, count=data.COUNT):
    """Clean for the first `warm` of the time, then attacked with radii growing to `eps` (L2, of a picture of
    64 x 64 in [0, 1]); further: see Training. Yields notes of its progress (fooled: how often a wrong
    sentence seemed nearer; thing: how often the nearest name was right); at last it is published and its
    metrics are yielded."""
    torch.manual_seed(SEEDS[name])
    lesson = Lesson(name, device, batch, eps, 0.0 if further else warm, count)
    training = Training(name, {"model": lesson.model}, {"model": lesson.optimizer}, minutes,
                        averaged="model", decay=0.998, device=device, further=further)
    yield from training.run(lesson)
    metrics = measure(training.average, lesson.tokenizer, device)
    real = likeness(training.average, lesson.tokenizer, device)
    robust = {"norm": "L2 over a 64 x 64 picture in [0, 1]", "radius": eps, "replays": REPLAYS}
    begun = {} if name == ELDEST else {"texts": f"read at first as by {ELDEST}"}
    more = begun | {"tokenizer": "words.bpe.gz", "guide": True, "robust": robust, "likeness": real}
    publish(name, "perceptor", training.average, lesson.config, training, metrics, scenes_seen(count), **more)
    yield metrics


def groups(model):
    """Weights decay, biases and norms do not."""
    parameters = list(model.parameters())
    return [{"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.05},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0}]


@torch.no_grad()
def likeness(model, tokenizer, device="cpu", count=200):
    """The mean cosine of scenes in plain style never trained on, seen whole, with their sentences."""
    model.eval()
    chosen = [data.plain(40_000_001 + 4 * i) for i in range(count)]
    images = to_tensor(np.stack([drawing.draw(s, 64) for s in chosen]), device)
    text = tell(model, tokenizer, [words.prompt(s) for s in chosen], device)
    return round((encode(model, images, device) * text).sum(1).mean().item(), 4)


def measure(model, tokenizer, device="cpu", count=1000, rivals=8):
    """On `count` (hundreds) scenes never trained on, of seen and of held-out combinations: how often the own
    sentence is the nearest of 100, and how often it is nearer than `rivals` that are wrong in one thing or
    color; clean, and under an attack of radius 2 in 5 steps towards all of these."""
    model.eval().requires_grad_(False)
    out = {}
    for label, held in (("seen pairs", False), ("held-out pairs", True)):
        chosen = [data.scene(10_000_000 + i, held) for i in range(count)]
        images = to_tensor(np.stack([drawing.draw(s, 64) for s in chosen]), device)
        dice = np.random.default_rng(9)
        said = chosen + [data.rival(s, dice) for _ in range(rivals) for s in chosen]
        with torch.no_grad():
            text = tell(model, tokenizer, [words.prompt(s) for s in said], device)
        text = text.view(1 + rivals, count, -1)
        for kind, eps in (("clean", 0.0), ("attacked", 2.0)):
            parts = [found(model, x, t, eps, device)
                     for x, t in zip(images.split(100), text.split(100, 1), strict=True)]
            shares = torch.stack(parts).mean(0).tolist()
            out[f"R@1 of 100, {label}, {kind}"] = round(shares[0], 4)
            out[f"nearer than {rivals} rivals, {label}, {kind}"] = round(shares[1], 4)
    return out


def found(model, images, text, eps, device):
    """The shares of n images whose own sentence, text[0], is the nearest of all n, and nearer than its own
    wrong ones, text[1:]. text: (1 + rivals, n, d)."""
    if eps:
        images = images + attack(model, images, text.flatten(0, 1), eps, 5, device)
    with torch.no_grad():
        seen = encode(model, images, device)
    nearest = (seen @ text[0].T).argmax(1) == torch.arange(len(seen), device=seen.device)
    own, *wrong = (seen * text).sum(-1)
    return torch.stack([nearest, (own > torch.stack(wrong)).all(0)]).float().mean(1)
