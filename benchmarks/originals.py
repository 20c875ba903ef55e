"""The other side: the same steps at the cost their authors gave them, written anew from what is known.

All compute in float32 (CLIP and the U-Nets in float16 on CUDA), cut crop by crop, and pack nothing. The
networks are the packages' own: open_clip's with OpenAI's layout of attention, taming's decoder,
guided_diffusion's U-Net. Where the cost of an original is not known for sure, the cheaper guess is taken, to
our disadvantage: BigGAN's spectral norms are divided out beforehand, and augmentations draw once per batch.
"""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from benchmarks.looking import Eye, half
from benchmarks.ours import random_looks
from helpers import diffusion as diffusions
from helpers import machine, optimizers, weights
from helpers.canvas import inside
from helpers.machine import mix
from helpers.networks import adm, biggan, latents, noise, secondary, siren, vqgan
from helpers.systems import diffusing

ACCUMULATED = 4     # DeepDaze's batches per step


def plain(kind, name, device, trained=None):
    """The network of a file as it was published, in float32, frozen."""
    card, state = weights.load(name, trained or kind.__name__.rpartition(".")[2])
    net = kind.build(card["config"])
    (net.unet if kind is adm else net).load_state_dict({key: value.float() for key, value in state.items()})
    return net.eval().requires_grad_(False).to(device)


def perceptor(settings):
    """CLIP alone, there and back."""
    device = machine.device(settings.device)
    eye = Eye(settings.perceptors, settings, device)
    looks = random_looks(settings.crops, eye.size).to(device).requires_grad_()
    return lambda: list(torch.autograd.grad((eye.encode(looks) @ eye.row[0]).sum(), looks))


class Moved:
    """A step that moves a canvas by the slope that `look(self)` leaves in its parameters."""

    def on(self):
        """Every step has moved the canvas."""

    def __init__(self, canvas, eye, look, optimizer, rate, seed):
        self.canvas, self.eye, self.look, self.seed, self.done = canvas, eye, look, seed, 0
        self.weights = [p for p in canvas.parameters() if p.requires_grad]
        self.optimizer = optimizers.make(optimizer, self.weights, rate, 0.0)

    def __call__(self):
        self.optimizer.zero_grad()
        self.look(self)
        slopes = [p.grad.clone() for p in self.weights]
        self.optimizer.step()
        self.canvas.project_()
        self.done += 1
        return slopes

    def boxes(self, image):
        return self.eye.draw(mix(self.seed, self.done), image)


def vqgan_clip(settings):
    """After nerdyrodent: latents, the nearest codes, taming's decoder, crops, CLIP."""
    device, rng = machine.device(settings.device), machine.dice(settings.seed)
    eye = Eye(settings.perceptors, settings, device)
    canvas = latents.Latents(plain(vqgan, settings.vqgan, device), settings.height, settings.width,
                             start="codes", rng=rng)

    def look(step):
        image = canvas()
        eye.away(eye(image, step.boxes(image))).backward()

    return Moved(canvas, eye, look, "Adam", 0.1, settings.seed)


class Sines(nn.Module):
    """DeepDaze's SIREN: after every layer a multiplication and a sine, all places at once."""

    def __init__(self, settings, rng):
        super().__init__()
        ours = siren.Siren(settings.height, settings.width, settings.hidden, settings.layers, settings.w0,
                           settings.theta, rng)
        self.first, self.hidden, self.color = ours.first, ours.hidden, ours.color
        self.grid = ours.grid(ours.rows, ours.columns)
        self.shape = 1, 3, settings.height, settings.width

    def forward(self):
        h = self.grid
        for layer in (self.first, *self.hidden):
            h = torch.sin(layer.w0 * F.linear(h, layer.weight, layer.bias))
        rgb = F.linear(h, self.color.weight, self.color.bias)
        return inside((rgb.T.reshape(self.shape) + 1) / 2)

    def project_(self):
        """Its weights may be anything."""


def deep_daze(settings):
    """After lucidrains: the whole picture is rendered again for each batch of crops."""
    device, rng = machine.device(settings.device), machine.dice(settings.seed)
    eye, canvas = Eye(settings.perceptors, settings, device), Sines(settings, rng).to(device)
    share = settings.averaging
    canvas.grid = canvas.grid.to(device)

    def look(step):
        boxes = step.boxes(torch.empty(canvas.shape, device="meta"))
        for part in boxes.chunk(ACCUMULATED):
            with half(device):
                image = canvas()
            rows = eye(image.float(), part)
            mean = F.normalize(rows.mean(0, keepdim=True), dim=-1)
            loss = share * eye.away(mean) + (1 - share) * eye.away(rows)
            (loss / ACCUMULATED).backward()

    return Moved(canvas, eye, look, settings.optimizer, 1e-5, settings.seed)


def big_sleep(settings):
    """After lucidrains: nothing is frozen, and 128 crops are cut one by one."""
    device = machine.device(settings.device)
    eye = Eye(settings.perceptors, settings, device, frozen=False)
    net = plain(biggan, settings.gan, device).requires_grad_()
    canvas = noise.Noise(net, settings.height, settings.width, truncation=settings.truncation,
                         seed=settings.seed)

    def look(step):
        image = canvas()
        (eye.away(eye(image, step.boxes(image))) + canvas.prior()).backward()

    return Moved(canvas, eye, look, "Adam", 0.07, settings.seed)


class Guided:
    """A step of Disco Diffusion, or of its parents: what the guide sees is led back through the network, with
    gradient checkpoints, or through the secondary one; then the network is asked again, by the sampler."""

    def __init__(self, settings):
        device = machine.device(settings.device)
        self.net = checkpointed_(plain(adm, settings.model, device))
        self.small = plain(secondary, settings.small(), device) if settings.way() == "secondary" else None
        self.eyes = [Eye(name.strip(), settings, device) for name in settings.perceptors.split(",")]
        self.batches, self.seed, self.done = int(settings.batches), settings.seed, 0
        self.scale, self.clamp = float(settings.guidance_scale), float(settings.clamp)
        self.levels = diffusing.stair(settings, self.net.process)[settings.skipped():].tolist()
        gray = torch.full((1, 3, settings.height, settings.width), 0.5, device=device)
        self.x = diffusions.start(gray, [settings.seed], self.sigma)

    @property
    def sigma(self):
        return self.levels[self.done]

    def clean(self, net, x):
        with half(x.device):
            return net(x, self.sigma).clean.float()

    def __call__(self):
        size, process = (1 + self.sigma**2) ** 0.5, self.net.process
        progress = float(1 - process.time(self.sigma) / (len(process.sigmas) - 1))
        small = (self.x / size).detach().requires_grad_()
        share = self.sigma / size
        seen = share * self.clean(self.small or self.net, small * size) + (1 - share) * small
        wish = torch.zeros_like(seen)
        for eye in self.eyes:
            boxes = eye.draw(mix(self.seed, self.done), seen, progress)
            for _ in range(self.batches):
                leaf = seen.detach().requires_grad_()
                wish += torch.autograd.grad(eye.away(eye((leaf + 1) / 2, boxes)), leaf)[0] / self.batches
        slope, = torch.autograd.grad(seen, small, self.scale / len(self.eyes) * wish)
        slope = slope * (self.clamp / slope.square().mean().sqrt().clamp(min=self.clamp))
        with torch.no_grad():
            self.guess = self.clean(self.net, self.x) - self.sigma**2 / size * slope
        return [slope]

    def on(self):
        """Go to the next level, as every step does that is not measured again and again."""
        self.x = self.guess + (self.x - self.guess) * (self.levels[self.done + 1] / self.sigma)
        self.done += 1

    def canvas(self):
        """The picture as it is now, in [0, 1]."""
        return ((self.guess + 1) / 2).clamp(0, 1)


def checkpointed_(net):
    """Let every block of a U-Net be computed again on the way back."""
    for block in net.unet.modules():
        if type(block).__name__ in ("ResBlock", "AttentionBlock"):
            block.forward = partial(checkpoint, block._forward, use_reentrant=False)
    return net


diffusion = Guided
