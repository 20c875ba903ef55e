"""`python -m helpers.world.train NAME [--minutes M] [--device cuda]`: train one member of the zoo,
resuming where it was.
"""

import argparse
import importlib
import json
import sys
import time

MEMBERS = {"judge": "judge", "disco-resnet": "perceptor", "disco-vit": "perceptor", "vqgan-world": "vqgan"}


def main():
    parser = argparse.ArgumentParser(prog="python -m helpers.world.train", description=__doc__)
    parser.add_argument("name", choices=[*MEMBERS, "all"])
    parser.add_argument("--minutes", type=float, help="working time, over all resumed runs")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    asked = parser.parse_args()
    options = {"device": asked.device} | ({"minutes": asked.minutes} if asked.minutes else {})
    for name in MEMBERS if asked.name == "all" else [asked.name]:
        recipe = importlib.import_module(f"helpers.world.train.{MEMBERS[name]}")
        for numbers in recipe.train(name, **options):
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {name} {json.dumps(numbers)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
