"""How a network gets its weights: every one of them by its name, or a refusal that says which is wrong."""

from torch import Tensor, nn

from ..errors import Refused


def fill_(net: nn.Module, state: dict[str, Tensor], name: str, whose: str) -> nn.Module:
    """`net`, built on the meta device, with the weights of the file `name`, in fp32 and frozen. Refused where
    they are of another network; `whose` parameter names they should have."""
    try:
        net.load_state_dict({key: value.float() for key, value in state.items()}, assign=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise Refused(f"{name} does not hold the network of its config ({reason[:120]})",
                      f"its parameters are named as {whose}",
                      "give the config it was trained with in a .json beside it") from error
    sound(state, name)
    return net.eval().requires_grad_(False)


def sound(state: dict[str, Tensor], name: str) -> None:
    """Refused where a weight is not a number: every picture would be black."""
    bad = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if bad:
        raise Refused(f"{name} has weights that are not numbers, as in {bad[0]}", "its training went astray",
                      "take an earlier checkpoint")
