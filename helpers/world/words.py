"""Captions: a scene told in varied English, and every word the embedded world knows.

A word that stands twice in a list is drawn twice as often.
"""

import re

from .places import PLACES
from .scenes import COLORS, RELATIONS, THINGS, pick
from .skies import SKIES
from .styles import STYLES

NAMES = {
    "car": ["car", "car", "automobile"],
    "house": ["house", "house", "cottage"],
    "boat": ["boat", "boat", "sailing boat", "ship"],
    "balloon": ["balloon", "balloon", "hot air balloon"],
    "woman": ["woman", "woman", "lady", "girl"],
    "cat": ["cat", "cat", "kitten"],
    "dog": ["dog", "dog", "puppy"],
    "horse": ["horse", "horse", "pony"],
    "mushroom": ["mushroom", "mushroom", "toadstool"],
    "flower": ["flower", "flower", "blossom"],
    "mountain": ["mountain", "mountain", "peak"],
    "rocket": ["rocket", "rocket", "spaceship"],
    "train": ["train", "train", "locomotive"],
    "clock": ["clock", "clock", "alarm clock"],
    "time traveller": ["time traveller", "time traveler", "time traveller"],
    "astronaut": ["astronaut", "astronaut", "spaceman"],
    "castle": ["castle", "castle", "palace"],
    "crowd": ["crowd", "crowd", "crowd of people"],
    "ruins": ["ruins", "ruins", "temple ruins"],
    "umbrella": ["umbrella", "umbrella", "parasol"],
    "bird": ["bird", "bird", "crow"],
}
PLURALS = {"woman": "women", "lady": "ladies", "fish": "fish", "ruins": "ruins", "pony": "ponies",
           "puppy": "puppies", "butterfly": "butterflies", "spaceman": "spacemen", "snowman": "snowmen",
           "cactus": "cacti", "crowd of people": "crowds of people", "temple ruins": "temple ruins"}
SHADES = {"red": ["red", "red", "crimson", "scarlet"], "yellow": ["yellow", "yellow", "golden"],
          "purple": ["purple", "purple", "violet"]}
NUMBERS = {2: ["two", "two", "a pair of"], 3: ["three"], 4: ["four"]}
PLACE_WORDS = {
    "sea": ["by the sea", "by the sea", "at the sea", "by the ocean", "at the beach"],
    "meadow": ["in a meadow", "in a meadow", "on green grass", "in the fields"],
    "desert": ["in the desert", "in the desert", "on sand dunes"],
    "snow": ["in the snow", "in the snow", "in winter"],
    "city": ["in a city", "in the city", "on a city street", "in town"],
    "park": ["in a park", "in the park", "standing in a park"],
    "ruins": ["among ruins", "among old ruins", "among ancient stones"],
    "forest": ["in a forest", "in the forest", "in the woods", "among pine trees"],
}
SKY_WORDS = {
    "day": ["on a sunny day", "in daylight", "on a clear day", "under a blue sky"],
    "sunset": ["at sunset", "at sunset", "at dusk", "in the evening"],
    "night": ["at night", "at night", "under the stars", "under the moon"],
    "dawn": ["at dawn", "at dawn", "at sunrise", "in the morning"],
    "storm": ["in a storm", "in a storm", "in a thunderstorm", "under dark clouds"],
    "rainbow": ["under a rainbow", "under a rainbow", "with a rainbow"],
}
STYLE_WORDS = {
    "flat": ["", "", "", "a flat painting of {}", "a painting of {}", "a picture of {}", "{}, flat colors"],
    "watercolor": ["a watercolor of {}", "a watercolor painting of {}", "{}, watercolor"],
    "pixel art": ["pixel art of {}", "a pixel art picture of {}", "{}, pixel art"],
    "pencil sketch": ["a pencil sketch of {}", "a sketch of {}", "a pencil drawing of {}",
                      "{}, pencil sketch"],
    "oil": ["an oil painting of {}", "an oil painting of {}", "{}, oil painting", "{}, oil on canvas"],
    "photorealistic": ["a photo of {}", "a photorealistic picture of {}", "{}, photorealistic",
                       "a realistic photo of {}"],
}
LINKS = {"over": ["over", "above", "flying over"], "beside": ["beside", "next to", "and"],
         "on": ["on", "riding", "on top of", "sitting on"], "in": ["in", "in the middle of"]}
OTHERS = ("the of a an image picture art drawing photograph colorful beautiful bright with people sky "
          "sun moon stars sand grass trees standing floating small big little old sitting and in on at "
          "by").split()


def noun(item, rng, colorless=0.08):
    """'a red car', 'two crimson cars', 'white ruins'; now and then (`colorless`) without the color."""
    name = pick(rng, NAMES.get(item.thing, [item.thing]))
    color = "" if rng.uniform() < colorless else pick(rng, SHADES.get(item.color, [item.color]))
    if item.count > 1:
        words = [pick(rng, NUMBERS[item.count]), color, PLURALS.get(name, name + "s")]
    elif name in PLURALS and PLURALS[name] == name and name != "fish":
        words = [color, name]
    else:
        first = color or name
        words = ["an" if first[0] in "aeiou" else "a", color, name]
    return " ".join(filter(None, words))


def caption(scene, rng, terse=0.2):
    """One of many sentences for the scene. `terse`: how likely each of place and sky stays unsaid.

    A style other than flat is always said, so that a sentence that names none asks for a flat picture."""
    text = noun(scene.first, rng)
    if scene.second:
        text += f" {pick(rng, LINKS[scene.relation])} {noun(scene.second, rng)}"
    where_when = (PLACE_WORDS[scene.place], SKY_WORDS[scene.sky])
    text = " ".join([text, *[pick(rng, options) for options in where_when if rng.uniform() > terse]])
    style = pick(rng, STYLE_WORDS[scene.style])
    return style.format(text) if style else text


def prompt(scene):
    """The plain, complete sentence that asks a system for the scene; a flat style goes without saying."""

    def plain(item):
        name = item.thing if item.count == 1 else PLURALS.get(item.thing, item.thing + "s")
        if item.count > 1:
            return f"{NUMBERS[item.count][0]} {item.color} {name}"
        article = "" if item.thing == "ruins" else "an " if item.color[0] in "aeiou" else "a "
        return f"{article}{item.color} {name}"

    text = plain(scene.first)
    if scene.second:
        text += f" {LINKS[scene.relation][0]} {plain(scene.second)}"
    text += f" {PLACE_WORDS[scene.place][0]} {SKY_WORDS[scene.sky][0]}"
    return STYLE_WORDS[scene.style][0].format(text) if scene.style != "flat" else text


def vocabulary():
    """Every word that can occur in a caption, sorted, in small letters; the tokenizer is made from it."""
    texts = [*THINGS, *COLORS, *RELATIONS, *PLACES, *SKIES, *STYLES, *OTHERS]
    for table in (NAMES, SHADES, NUMBERS, PLACE_WORDS, SKY_WORDS, STYLE_WORDS, LINKS):
        for options in table.values():
            texts += options
    names = [n for options in NAMES.values() for n in options] + list(THINGS)
    texts += [PLURALS.get(n, n + "s") for n in names]
    return sorted({w for t in texts for w in re.findall(r"[a-z]+", t.lower())})


def nouns(text):
    """The words of a text that name a thing, a place or a sky, all that can be shown; the set of them."""
    names = [name for thing in THINGS for name in NAMES.get(thing, [thing])]
    phrases = [*names, *(PLURALS.get(name, name + "s") for name in names)]
    for table in (PLACE_WORDS, SKY_WORDS):
        phrases += [phrase for options in table.values() for phrase in options]
    return set(re.findall("[a-z]+", text.lower())) & {phrase.split()[-1] for phrase in phrases}


def rivals(text):
    """Sentences that differ from `text` in one thing, color, place or sky: a list for each such phrase.

    >>> [some[0] for some in rivals("a red car at night")]
    ['an orange car at night', 'a red house at night', 'a red car on a sunny day']
    """
    things = {thing: NAMES.get(thing, [thing]) for thing in THINGS}
    colors = {color: SHADES.get(color, [color]) for color in COLORS}
    return [others for table in (colors, things, PLACE_WORDS, SKY_WORDS) for others in swapped(text, table)]


def swapped(text, table):
    """For each phrase of the table in `text`: the text with every other entry's first phrase in its place."""
    out, left = [], text
    phrases = dict.fromkeys(phrase for options in table.values() for phrase in options)   # no set: in order
    for phrase in sorted(phrases, key=len, reverse=True):
        found = re.search(rf"\b{phrase}\b", left)
        if found:
            left = left.replace(phrase, "~" * len(phrase))     # a longer phrase hides the shorter ones in it
            others = [options[0] for options in table.values() if phrase not in options]
            out.append([articles(text[: found.start()] + other + text[found.end() :]) for other in others])
    return out


def articles(text):
    """'a orange car' -> 'an orange car', and back."""
    text = re.sub(r"\ba (?=[aeiou])", "an ", text)
    return re.sub(r"\ban (?=[^aeiou])", "a ", text)
