"""BigGAN-deep while it learns: the network of `biggan.build` under spectral norm, and back.

    net = trainable(biggan.build(config), rng)      # .train(): norms use the batch, sigma is followed
    image = net(z, classes)                         # z plain N(0, 1); the loss and the critic are not here
    done = finished(net)                            # or of its running mean
    measure_(done, one_of(done.classes, 64), rng)   # the statistics at every truncation
    done.state_dict()                               # is what `biggan.load` reads: the zoo's file

No running statistics are kept while training: the paper's "standing statistics" are measured afterwards, with
the finished weights, from fresh latents of each truncation.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .biggan import BigGAN, build, latents, tidy
from .biggan_blocks import Norm

Draw = Callable[[torch.Generator], Tensor]


def trainable(net: BigGAN, rng: torch.Generator | None = None) -> BigGAN:
    """Orthogonal matrices, zero biases and spectral norm everywhere but in the class embedding; in place."""
    for module in list(net.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.orthogonal_(module.weight, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
            if module is not net.embeddings:
                spectral_norm(module, eps=net.config["eps"])
    return net.train()


def finished(net: BigGAN) -> BigGAN:
    """A plain copy with the norms divided out, on the same device; its statistics are to be measured."""
    plain = build(net.config, net.precision)
    plain.load_state_dict(tidy(net.state_dict()))
    return plain.to(net.device).eval().requires_grad_(False)


@torch.no_grad()
def go_on_(net: BigGAN, state: dict[str, Tensor]) -> BigGAN:
    """Put the weights of a finished network, as published, under the norms of a trainable one; in place."""
    own = net.state_dict()
    for key, value in state.items():
        normed = key.replace(".weight", ".parametrizations.weight.original")
        own[normed if normed in own else key].copy_(value)
    return net


def one_of(classes: int, n: int) -> Draw:
    """rng -> (n, classes): each row a 1 at a class drawn evenly."""
    return lambda rng: torch.eye(classes)[torch.randint(classes, (n,), generator=rng)]


@torch.no_grad()
def measure_(net: BigGAN, draw: Draw, rng: torch.Generator, batches: int = 16) -> BigGAN:
    """Fill the statistics of a plain network: for each stored truncation, mean and variance of what reaches
    every norm, over `batches` batches of latents and of `draw(rng)`'s classes, each normed by itself."""
    norms = [module for module in net.modules() if isinstance(module, Norm)]
    sums = {}

    def note(norm: Norm, inputs: tuple) -> None:
        x = inputs[0].float()
        moments = torch.stack([x.mean((0, 2, 3)), x.square().mean((0, 2, 3))])
        sums[norm] = sums.get(norm, 0) + moments.cpu().double()

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    net.train()
    try:
        for row in range(net.config["n_stats"]):
            sums.clear()
            for _ in range(batches):
                classes = draw(rng)
                z = latents((len(classes), net.z_dim), row / (net.config["n_stats"] - 1), rng)
                net(z.to(net.device), classes.to(net.device))
            for norm in norms:
                mean, square = sums[norm] / batches
                norm.running_means[row] = mean
                norm.running_vars[row] = (square - mean.square()).clamp(min=0)
    finally:
        net.eval()
        for hook in hooks:
            hook.remove()
    return net
