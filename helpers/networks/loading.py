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
    return net.eval().requires_grad_(False)
