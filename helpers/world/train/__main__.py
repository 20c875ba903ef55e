"""`python -m helpers.world.train NAME|all [--minutes M] [--device cuda]`, or `make zoo [NAME=…] [MINUTES=…]`.

Trains members of the zoo, `all` of them in an order that works from nothing. A stopped one goes on where it
was; a finished one is measured and published again. Without --minutes each works as long as its card says.
"""

import argparse
import importlib
import inspect
import json
import sys
import time

from ... import weights
from . import company

# In this order: the VQGAN looks through disco-resnet's eyes, and the judge reads what it remakes;
# the classifier begins with the denoiser.
MEMBERS = {"judge": "judge", "disco-resnet": "perceptor", "disco-darknet": "perceptor",
           "vqgan-world": "vqgan", "biggan-world": "biggan", "pix2pix-world": "pix2pix", "adm-world": "adm",
           "secondary-world": "secondary", "classifier-world": "classifier", "upscaler-world": "upscaler"}
# What a GPU wants more of.
SIZES = {"batch": "pictures a step", "count": "different pictures, drawn by all cores at first"}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m helpers.world.train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=[*MEMBERS, "all"])
    parser.add_argument("--minutes", type=float, help="of work, over all resumed runs; default: its card's")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--further", action="store_true", help="where no state is left, go on from the "
                        "published weights instead of from nothing")
    for option, what in SIZES.items():
        parser.add_argument(f"--{option}", type=int, help=f"{what}; default: its recipe's, for two cores")
    asked = parser.parse_args(arguments)
    sizes = {option: vars(asked)[option] for option in SIZES if vars(asked)[option]}
    for name in MEMBERS if asked.name == "all" else [asked.name]:
        recipe = importlib.import_module(f"helpers.world.train.{MEMBERS[name]}")
        minutes = asked.minutes or minutes_of(name)
        options = {"device": asked.device} | sizes | ({"minutes": minutes} if minutes else {})
        if asked.further:
            options["further"] = True
        if odd := sizes.keys() - inspect.signature(recipe.train).parameters.keys():
            parser.error(f"{name} takes no --{min(odd)}")
        for numbers in recipe.train(name, **options):
            say(f"{name} {json.dumps(numbers)}")
        say(f"{name} is in {weights.zoo_folder()}")


def minutes_of(name):
    """How long the member that is there was trained in all, by its card; None where there is none yet."""
    total, training = 0.0, weights.zoo(name)[0].get("training") if name in weights.embedded() else None
    while training:
        total, training = total + training["minutes"], training.get("before")
    return total or None


def say(text):
    if not company.first():
        return
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
