"""The tokenizer of the embedded perceptors: open_clip's own class, merges made from the world's words."""

import gzip
import math

from .. import words
from .common import ZOO


def write_words(path=ZOO / "words.bpe.gz"):
    """Write a BPE file in which every word of the world is one token and others fall to letters; returns the
    size of the vocabulary.

    Each word is first split by the merges so far; what remains is joined from the left. Later merges have a
    lower priority, so they never disturb an earlier word.
    """
    merges = []
    for word in words.vocabulary():
        parts = [*word[:-1], word[-1] + "</w>"]
        rank = {m: i for i, m in enumerate(merges)}
        while len(parts) > 1:
            pairs = [(rank.get(p, math.inf), i) for i, p in enumerate(zip(parts, parts[1:], strict=False))]
            best, i = min(pairs)
            if best == math.inf:
                i = 0
                merges.append((parts[0], parts[1]))
                rank[merges[-1]] = len(merges) - 1
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
    text = "#version: discotheque\n" + "\n".join(" ".join(m) for m in merges)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return 512 + len(merges) + 2
