"""Arrangement: where things belong that a prompt puts beside, over or on another.

    parts("a red clock over a yellow car in the snow")
    # [("a red clock in the snow", (0.2, 0, 0.8, 0.6)), ("a yellow car in the snow", (0.2, 0.4, 0.8, 1))]

Asked for both at once, a perceptor is content with one thing that has something of either; so each is asked
for once more, in its own part of the picture (regional prompts, told by prepositions).
"""

import re

ABOVE = (0.2, 0.0, 0.8, 0.6), (0.2, 0.4, 0.8, 1.0)      # left, top, right, bottom, of 1
BESIDE = (0.0, 0.25, 0.6, 0.85), (0.4, 0.25, 1.0, 0.85)
LINKS = {"flying over": ABOVE, "over": ABOVE, "above": ABOVE, "on top of": ABOVE, "sitting on": ABOVE,
         "standing on": ABOVE, "riding": ABOVE, "on": ABOVE, "beside": BESIDE, "next to": BESIDE}
WHERE = r"(?:in|on|at|by|among|under|near|during|with|through|against|behind|before|after|inside|outside)"
MEDIA = "painting|drawing|picture|photo|photograph|sketch|art|watercolor|print|poster|illustration"
SENTENCE = re.compile(
    rf"(?P<style>.*?\b(?:{MEDIA})\s+of\s+)?(?P<first>.+?)\s+(?P<link>{'|'.join(LINKS)})\s+"
    rf"(?P<second>(?:(?!{WHERE}\b)[^\s,;.]+\s*)+?)(?P<rest>(?:\s+{WHERE}\b|\s*[,;.]).*)?", re.IGNORECASE)
LONGEST = 300           # characters of a sentence; to look for so many links in a book takes long
TIMES = re.compile(r"\b(?:day|days|night|morning|evening|afternoon|fire|way)$", re.IGNORECASE)


def parts(text: str) -> list[tuple[str, tuple]]:
    """Both things, each with the rest of the sentence and its (left, top, right, bottom) in the picture; none
    where one thing is asked for. A plain "on" is a place only where more follows: not in "on a sunny day"."""
    said = SENTENCE.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if not said:
        return []
    link, second, rest = said["link"].lower(), said["second"].strip(), said["rest"] or ""
    plain = link == "on" and (not rest or re.search(rf"\s{WHERE}\s", said["first"]))
    if plain or TIMES.search(second):
        return []
    style = said["style"] or ""
    return [(f"{style}{thing}{rest}", box) for thing, box in
            zip((said["first"], second), LINKS[link], strict=True)]
