"""BigGAN-deep (Brock, Donahue and Simonyan 2019): a latent and a class become a picture.

    net = load("biggan-deep-256", device)       # or an embedded one, or a path
    z = latents((1, net.z_dim), 0.4, rng)
    image = net(z, classes, 0.4)                # classes (1, 1000), sum 1 -> (1, 3, 256, 256) in [0, 1]

Latent and class enter at `net.sites` places: the first layer and each block. One of each serves them all, or
every site has its own (BigSleep): z (n, sites, z_dim), classes (n, sites, classes); the two may be mixed.
A network from `build` is plain and can be trained (see biggan_training); one from `load` is frozen and fast.
"""

import math

import torch
from torch import Tensor, nn

from .. import weights
from ..errors import Refused
from ..precision import run
from . import class_names
from .biggan_blocks import Attention, Block, Norm
from .biggan_config import DEFAULTS, START, checked, infer, unfit
from .biggan_lean import lean_
from .loading import sound
from .spectral import normed


class Generator(nn.Module):
    """Conditions, one row per site, (n, sites, d) -> x (n, 3, h, w) in [-1, 1]."""

    def __init__(self, config: dict):
        super().__init__()
        ch, d = config["width"], config["z_dim"] + config["class_dim"]
        layers = config["layers"]
        self.gen_z = nn.Linear(d, START * START * layers[0][1] * ch)
        self.layers = nn.ModuleList(Block(ch * width, ch * out, bool(up), d, config["n_stats"], config["eps"])
                                    for up, width, out in layers)
        if config["attention"] is not None:
            place = config["attention"]
            self.layers.insert(place, Attention(ch * layers[place][1]))
        self.bn = Norm(ch * layers[-1][2], 0, config["n_stats"], config["eps"])
        self.conv_to_rgb = nn.Conv2d(ch * layers[-1][2], 3, 3, padding=1)

    def forward(self, conditions: Tensor, truncation: float) -> Tensor:
        first, *others = conditions.unbind(1)
        x = self.gen_z(first).view(len(first), START, START, -1).permute(0, 3, 1, 2)  # stored channels last
        others = iter(others)
        for layer in self.layers:
            x = layer(x, next(others), truncation) if layer.listens else layer(x)
        return self.conv_to_rgb(self.bn.bent(x, None, truncation)).float().tanh()


class BigGAN(nn.Module):
    """`config`: layers, a list of (doubles pixels?, channels in, channels out), channels in units of `width`;
    and what differs from DEFAULTS: z_dim, class_dim, classes, width, attention (the block it stands before,
    or None), n_stats (truncations with statistics of their own), eps (added to variances)."""

    def __init__(self, config: dict, precision: str = "fp32"):
        super().__init__()
        self.config, self.precision = checked({**DEFAULTS, **config}), precision
        self.z_dim, self.classes = self.config["z_dim"], self.config["classes"]
        self.sites = 1 + len(self.config["layers"])
        self.size = START * 2 ** sum(bool(up) for up, _, _ in self.config["layers"])  # pixels each way
        self.names = [str(number) for number in range(self.classes)]
        self.embeddings = nn.Linear(self.classes, self.config["class_dim"], bias=False)
        self.generator = Generator(self.config)

    def forward(self, z: Tensor, classes: Tensor | None = None, truncation: float = 1.0, *,
                embedding: Tensor | None = None) -> Tensor:
        """z (n, z_dim) or (n, sites, z_dim); classes (n, classes) or (n, sites, classes), how much of each,
        or in their place an embedding (…, class_dim); truncation, above 0 to 1, says which statistics hold:
        z is taken as it is. -> (n, 3, size, size), RGB: the tanh's [-1, 1] as [0, 1]."""
        if not 0 < truncation <= 1:
            raise Refused(f"truncation is {truncation}", "it goes from above 0 to 1",
                          "try 0.4 for typical pictures, 1 for varied ones")
        self._fits("z", z, self.z_dim)
        if embedding is None:
            self._fits("classes", classes, self.classes)
            embedding = self.embeddings(classes)
        self._fits("embedding", embedding, self.config["class_dim"])
        z, embedding = (t.unsqueeze(-2) if t.ndim == 2 else t for t in (z, embedding))
        if 1 != len(z) != len(embedding) != 1:
            raise Refused(f"there are {len(z)} latents and {len(embedding)} classes",
                          "one may serve many", "give as many of one as of the other")
        shape = torch.broadcast_shapes(z.shape[:2], embedding.shape[:2])
        cond = torch.cat([t.expand(*shape, -1) for t in (z, embedding)], -1)  # (n, 1 or sites, d)
        return (run(self, self.generator, cond.expand(-1, self.sites, -1), float(truncation)) + 1) / 2

    def number(self, name: str) -> int:
        """The number of a class by its name, whatever its capitals; Refused where there is none."""
        return class_names.number(name, self.names)

    @property
    def device(self) -> torch.device:
        return self.embeddings.weight.device

    def _fits(self, name: str, value: Tensor | None, width: int) -> None:
        shape = None if value is None else tuple(value.shape)
        if shape is None or shape[-1] != width or len(shape) not in (2, 3) or \
                len(shape) == 3 and shape[1] not in (1, self.sites):
            raise Refused(f"{name} is {'missing' if shape is None else shape}",
                          f"here it is (n, {width}) or, with a row for each site, (n, {self.sites}, {width})",
                          "check its last sizes")


def build(config: dict, precision: str = "fp32") -> BigGAN:
    """A generator with random weights."""
    return BigGAN(config, precision)


def load(name: str, device="cpu", *, precision: str = "fp32") -> BigGAN:
    """A trained one by name or path, frozen, lean. Its shape is read off the weights where no card tells."""
    card, state = weights.load(name, "biggan", tidy)
    try:
        with torch.device("meta"):  # no random numbers drawn to be thrown away
            found = infer(state)
            net = build({**found, **card["config"]}, precision)
        net.load_state_dict({key: value.float() for key, value in state.items()}, assign=True)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise unfit(name, card["config"], state) from error
    sound(state, name)
    net.names = card.get("names") or (class_names.imagenet() if net.classes == 1000 else net.names)
    return lean_(net.to(device))


def latents(shape: tuple, truncation: float, rng: torch.Generator) -> Tensor:
    """Normal noise cut off at 2 standard deviations, times `truncation`: what stored statistics expect."""
    edge = math.erf(2 / math.sqrt(2))
    return truncation * math.sqrt(2) * torch.erfinv(edge * (2 * torch.rand(shape, generator=rng) - 1))


def tidy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint with its spectral norms divided out and the three channels of the picture alone (the
    published ones compute 128). What is tidy already stays as it is."""
    state = normed(state)
    for key in ("generator.conv_to_rgb.weight", "generator.conv_to_rgb.bias"):
        if key in state:
            state[key] = state[key][:3]
    return {key: value for key, value in state.items() if key.startswith(("embeddings.", "generator."))}
