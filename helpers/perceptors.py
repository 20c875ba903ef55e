"""Networks that tell how well a picture fits words: CLIP, public or embedded, all through open_clip.

    eyes = load("disco-resnet", device)                    # embedded; or "ViT-B/32", "RN50=/my/RN50.pt" …
    eyes.encode_image(images) @ eyes.encode_text(["a red boat"]).T      # images (n, 3, eyes.size, eyes.size)

Frozen, and differentiable with respect to the images.
"""

import copy
import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import towers, weights
from .attention import lean_
from .errors import Refused, unknown
from .frozen import forgetful_
from .narrow import Narrow
from .packed import packed_
from .precision import lower_, number_type, run

ENSEMBLE = ("disco-resnet", "disco-darknet")  # the embedded guides
OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
WORDS = "words.bpe.gz"  # the embedded tokenizer, in the zoo folder
NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size", "attn_mask")  # in OpenAI's files


class Perceptor(nn.Module):
    """An open_clip model with its tokenizer: it looks at `size` pixels and answers with `dim` numbers."""

    def __init__(self, model: nn.Module, tokenizer, name: str = "", *, precision: str = "auto", small=False):
        super().__init__()
        self.model, self.tokenizer, self.name = model, tokenizer, name
        self.small = small  # it knows the words of its tokenizer only
        self.likeness = None  # the cosine that real pictures have with their sentences, where that is known
        look = getattr(model.visual, "preprocess_cfg", {})
        side = model.visual.image_size
        self.size = side if isinstance(side, int) else side[0]
        self.room = model.context_length - 2  # tokens a prompt may have; the rest is cut off
        self.precision, self._layout, self._words = precision, None, Narrow(model)
        for part, values in (("mean", look.get("mean", OPENAI_MEAN)), ("std", look.get("std", OPENAI_STD))):
            self.register_buffer(part, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)
        self.dim = self.encode_text(["a"]).shape[1]

    @torch.no_grad()
    def encode_text(self, words: list[str]) -> Tensor:
        """n texts -> (n, dim) unit rows, float32."""
        tokens = self.tokenizer(list(words), context_length=self.room + 2).to(self.mean.device)
        with self._words.wide():
            return F.normalize(self.model.encode_text(tokens).float(), dim=-1)

    def encode_image(self, images: Tensor) -> Tensor:
        """(n, 3, size, size) in [0, 1] -> (n, dim) unit rows, float32."""
        self.begin()
        x = ((images - self.mean) / self.std).contiguous(memory_format=self._layout)
        return F.normalize(run(self, self.model.visual, x), dim=-1)

    def begin(self):
        """Once, at the first look or sooner: make the tower of pictures lean, keep that of words narrow."""
        if self._layout is not None:
            return
        self._words.begin(but=self.model.visual)
        tower = lean_(towers.lean(self.model.visual)).to(memory_format=torch.channels_last)
        self._layout = getattr(tower, "layout", torch.channels_last)
        tower = forgetful_(lower_(tower, number_type(self.mean.device, self.precision)))
        self.model.visual = packed_(tower, linear=isinstance(tower, towers.Transformer | towers.ResNet))

    def count_tokens(self, text: str) -> int:
        """How many of its `room` tokens a text takes."""
        return len(self.tokenizer.encode(text))

    def unknown_words(self, text: str) -> list[str]:
        """Words an embedded perceptor was never taught, in the order they come; none for public ones."""
        if not self.small:
            return []
        found = re.findall(r"[^\W_]+", re.sub(r"['’]s\b", "", text.lower()))
        return [word for word in dict.fromkeys(found) if not _taught(self.tokenizer, word)]


def build(config: dict, words: str | Path | None = None, *, name="", precision="auto") -> Perceptor:
    """A perceptor with random weights. `config`: open_clip's model config (embed_dim, vision_cfg, text_cfg),
    with mean and std if they are not OpenAI's; `words`: the merges of its own tokenizer, if it has one."""
    import open_clip
    from open_clip.model import set_model_preprocess_cfg

    config = copy.deepcopy(config)
    look = {key: config.pop(key) for key in ("mean", "std") if key in config}
    model = open_clip.model.CLIP(**config)
    set_model_preprocess_cfg(model, {"mean": OPENAI_MEAN, "std": OPENAI_STD, **look})
    own = {"bpe_path": str(words)} if words else {}
    tokenizer = open_clip.tokenizer.SimpleTokenizer(context_length=model.context_length, **own)
    if model.vocab_size != tokenizer.vocab_size:
        raise Refused(f"the config has {model.vocab_size} tokens, the tokenizer {tokenizer.vocab_size}",
                      "they must be equal", "set text_cfg.vocab_size to the tokenizer's")
    return Perceptor(model, tokenizer, name, precision=precision, small=bool(words))


def check(name: str) -> None:
    """Refused where `load` knows no such perceptor; nothing is read or downloaded."""
    if _open_clips(name):
        _tag(name)
    else:
        weights.known(name, "perceptor")


def text_config(name: str) -> dict:
    """How a perceptor reads, as open_clip's text_cfg says, told without its weights; {} where only they tell,
    which is as OpenAI's read. Refused as by `check`."""
    import open_clip

    model = _tag(name)[0] if _open_clips(name) else None
    config = {} if model else weights.known(name, "perceptor")[0]["config"]
    model = model or config.get("open_clip")
    return (open_clip.get_model_config(model) if model else config).get("text_cfg", {})


def load(name: str, device="cpu", *, precision: str = "auto") -> Perceptor:
    """A trained one: embedded, public (downloaded when first asked for), or "NAME=PATH" for your own file."""
    if _open_clips(name):
        return _anything(name, precision).to(device)
    card, state = weights.load(name, "perceptor", tidy)
    config = card["config"]
    try:
        if "embed_dim" in config:
            words = weights.zoo_folder() / card.get("tokenizer", WORDS)
            eyes = build(config, words, name=name, precision=precision)
            eyes.model.load_state_dict(state)
            eyes.likeness = card.get("likeness")
        else:
            eyes = _public(config, state, name, precision)
    except (KeyError, RuntimeError) as error:
        raise Refused(f"{name} does not hold the CLIP it should",
                      "one has a tower for pictures and one for words, as open_clip and OpenAI save them",
                      f"check the file, or try {ENSEMBLE[0]!r}") from error
    return eyes.to(device)


def names(text: str = "") -> list[str]:
    """'ViT-B/32, RN50' -> their names; nothing -> the embedded ensemble, as far as it is trained."""
    given = [name.strip() for name in text.split(",") if name.strip()]
    return given or [name for name in ENSEMBLE if name in weights.embedded()] or list(ENSEMBLE)


def _public(config: dict, state: dict, name: str, precision: str) -> Perceptor:
    """open_clip's model of that name; without a name, OpenAI's of whatever shape the tensors have."""
    import open_clip
    from open_clip.model import build_model_from_openai_state_dict

    if "open_clip" in config:
        eyes = build(open_clip.get_model_config(config["open_clip"]), name=name, precision=precision)
        eyes.model.load_state_dict(state)
        return eyes
    model = build_model_from_openai_state_dict(dict(state), cast_dtype=torch.float32).float()
    model.load_state_dict(state)  # once more: open_clip rounded them to float16 on the way
    tokenizer = open_clip.tokenizer.SimpleTokenizer(context_length=model.context_length)
    return Perceptor(model, tokenizer, name, precision=precision)


def _open_clips(name: str) -> bool:
    """Is it one that open_clip has and fetches itself, MODEL:TAG ("ViT-B-32:laion2b_s34b_b79k")?"""
    return ":" in name and name not in weights.names("perceptor") and "=" not in name


def _tag(name: str) -> tuple[str, str]:
    import open_clip

    model, tag = name.split(":", 1)
    tags = open_clip.list_pretrained_tags_by_model(model)
    if tag not in tags:
        raise unknown(f"tag of {model} in open_clip" if tags else "open_clip model", tag if tags else model,
                      tags or open_clip.list_models(), "open_clip.list_pretrained() lists them all")
    return model, tag


def _anything(name: str, precision: str) -> Perceptor:
    """Whatever else open_clip has."""
    import open_clip

    model, tag = _tag(name)
    try:
        made = open_clip.create_model(model, pretrained=tag, cache_dir=str(weights.cache()))
    except (OSError, RuntimeError) as error:
        raise Refused(f"{name} could not be downloaded ({str(error).splitlines()[0]})",
                      "open_clip fetches it from the Hugging Face hub", "check the connection") from error
    return Perceptor(made, open_clip.get_tokenizer(model), name, precision=precision)


def tidy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors alone, less the prefix that parallel training leaves."""
    return {key.removeprefix("module."): value for key, value in state.items()
            if key.rpartition(".")[2] not in NOT_WEIGHTS}


def _taught(tokenizer, word: str) -> bool:
    """Its own tokenizer has one token per word it was taught; of letters, only 'a' and 'i' are words."""
    return f"{word}</w>" in tokenizer.encoder and (len(word) > 1 or word in "ai")
