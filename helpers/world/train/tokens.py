"""The tokenizer of the embedded perceptors: open_clip's own class, merges made from the world's words."""

import gzip
import math

from ... import weights
from .. import words
from .common import put


def words_file():
    """Where the zoo keeps its words."""
    return weights.zoo_folder() / "words.bpe.gz"


def write_words(path=None):
    """Write the merges, at `words_file()`, the same bytes always; returns the size of the vocabulary.

    Every word of the world becomes one token, other words fall to letters. Each word is first
    split by the merges so far; what remains is joined from the left. Later merges have a lower priority, so
    they never disturb an earlier word.
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
    path = path or words_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    data = gzip.compress(text.encode(), mtime=0)
    if not path.exists() or path.read_bytes() != data:      # another training may be reading it
        put(path, data)
    return 512 + len(merges) + 2        # 256 bytes, alone and at the end of a word; start and end of text
