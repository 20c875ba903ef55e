"""Scenes of a story: how many there are, and when each begins."""

from helpers import prompts
from helpers.errors import Refused


class Story:
    """What settings with prompts, story_every and story_at know of their scenes."""

    def check(self):
        super().check()
        for name in ("story_every", "story_at"):
            if getattr(self, name) and not self.tells():
                raise Refused(f"{name} is set but prompts has one scene", "scenes are parted by ^",
                              "try 'a house in the snow ^ a house on fire'")
        if self.story_every and self.story_at:
            raise Refused("story_every and story_at are both set", "either says when scenes change",
                          "leave story_every at 0")
        starts, scenes = self.beginnings(), self.scenes()
        if starts and scenes > len(starts) + 1:
            raise Refused(f"story_at has {len(starts)} of {scenes - 1} beginnings",
                          f"the first of the {scenes} scenes begins by itself, each other one needs its own",
                          "try '30, 75'")
        if starts and starts[-1] >= self.length() > 0:
            raise Refused(f"story_at is {self.story_at!r}", f"the end comes after {self.extent()}",
                          "try earlier beginnings")

    def beginnings(self):
        """Steps after which the second, third … scene of a story begins, as story_at says."""
        return prompts.rising(self.story_at, "story_at")

    def tells(self):
        """Are there several scenes?"""
        return self.scenes() > 1

    def scenes(self):
        """How many scenes are written down, in words, pictures or noise."""
        told = prompts.scenes(self.prompts) if self.prompts.strip(" |^") else []
        shown, noise = prompts.pictures(self.image_prompts), prompts.noise(self.noise_prompts)
        return max(1, *map(len, (told, shown, noise)))
