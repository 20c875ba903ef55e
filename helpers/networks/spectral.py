"""Spectral norm (Miyato et al. 2018): every matrix divided by its largest singular value, sigma.

While training, torch keeps the undivided matrix W and estimates u, v of its singular vectors. A finished
network needs none of that: sigma = u . W v does not change any more, and the division is done once.

    state = normed(state)       # of a checkpoint written with either of torch's two spectral norms
"""

from torch import Tensor

OLD = ("_orig", "_u", "_v")  # torch.nn.utils.spectral_norm
NEW = ("original", "0._u", "0._v")  # torch.nn.utils.parametrizations.spectral_norm


def normed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors, `X.weight_orig` (of matrix form, the first axis against the others) divided by
    u . W v and named `X.weight`; u and v are gone."""
    finished = {}
    for key, value in state.items():
        stem, ending, names = _split(key)
        if not names:
            finished[key] = value
        elif ending == names[0]:
            u, v = (state[stem + name].float() for name in names[1:])
            weight = value.float()
            finished[_plain(stem)] = weight / (u @ (weight.flatten(1) @ v))
    return finished


def _split(key: str) -> tuple[str, str, tuple]:
    """(stem, ending, the notation's endings), or (key, "", ()) of a tensor outside of spectral norms."""
    for mark, names in ((".weight", OLD), (".parametrizations.weight.", NEW)):
        stem, found, ending = key.rpartition(mark)
        if found and ending in names:
            return stem + found, ending, names
    return key, "", ()


def _plain(stem: str) -> str:
    return stem.removesuffix("parametrizations.weight.") + ("weight" if stem.endswith("weight.") else "")
