"""Perceptors: open_clip's own answers, whoever trained it; frozen, but the picture feels the slope."""

import gzip
import json
import math

import official
import open_clip
import pytest
import torch
from open_clip.model import CLIP
from open_clip.openai import load_openai_model
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file

from helpers import perceptors, weight_files, weights
from helpers.errors import Refused

EXACT = 1e-5
KNOWN = ["a", "red", "boat", "by", "the", "sea", "lighthouse", "banana"]


def merges(words):
    """A merge chain per word: what the merges so far leave is joined from the left."""
    rank = {}
    for word in words:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:], strict=False))
            best, i = min((rank.get(pair, math.inf), i) for i, pair in enumerate(pairs))
            i = 0 if best == math.inf else i
            rank.setdefault((parts[i], parts[i + 1]), len(rank))
            parts[i:i + 2] = [parts[i] + parts[i + 1]]
    return [" ".join(pair) for pair in rank]


@pytest.fixture
def words(tmp_path):
    (tmp_path / "zoo").mkdir()
    path = tmp_path / "zoo" / "words.bpe.gz"
    path.write_bytes(gzip.compress("\n".join(["#version: test", *merges(KNOWN)]).encode()))
    return path


def tiny(words, layers):
    """A model config: a transformer tower for a number of layers, a ResNet for a list of them."""
    vision = {"image_size": 64, "layers": layers, "width": 32, "head_width": 16}
    if isinstance(layers, int):
        vision["patch_size"] = 16
    vocabulary = SimpleTokenizer(bpe_path=str(words)).vocab_size
    return {"embed_dim": 24, "vision_cfg": vision,
            "text_cfg": {"context_length": 16, "vocab_size": vocabulary, "width": 32, "heads": 2,
                         "layers": 1}}


def look(size, n=3):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(1))


def reference(model, images, texts, tokenizer, length):
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (perceptors.OPENAI_MEAN, perceptors.OPENAI_STD))
    with torch.no_grad():
        return (model.encode_image((images - mean) / std, normalize=True),
                model.encode_text(tokenizer(texts, context_length=length), normalize=True))


def alive(model):
    """Random attention projections are zero at birth; give every parameter something to say."""
    torch.manual_seed(3)
    for parameter in model.parameters():
        if parameter.ndim == 1 and parameter.numel() > 1:
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("layers", [2, [1, 1, 1, 1]], ids=["transformer", "resnet"])
def test_an_embedded_one_answers_as_open_clip(tmp_path, monkeypatch, words, layers):
    config = tiny(words, layers)
    theirs = alive(CLIP(**config)).eval()
    save_file(theirs.state_dict(), tmp_path / "zoo" / "disco-toy.safetensors")
    card = {"kind": "perceptor", "config": config, "tokenizer": "words.bpe.gz"}
    (tmp_path / "zoo" / "disco-toy.json").write_text(json.dumps(card))
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "zoo"))
    eyes = perceptors.load("disco-toy", precision="fp32")
    images, texts = look(64), ["a red boat", "the sea by a banana"]
    rows, said = reference(theirs, images, texts, SimpleTokenizer(bpe_path=str(words)), 16)
    assert (eyes.size, eyes.dim, eyes.name, eyes.room) == (64, 24, "disco-toy", 14)
    assert (eyes.encode_image(images) - rows).abs().max() < EXACT
    assert (eyes.encode_text(texts) - said).abs().max() < EXACT


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
def test_an_openai_file_by_path_answers_as_open_clip(tmp_path):
    net = alive(official.clip())
    torch.save({key: value.half() if value.ndim else value for key, value in net.state_dict().items()},
               tmp_path / "ViT-B-32.pt")
    theirs = load_openai_model(str(tmp_path / "ViT-B-32.pt"), precision="fp32", device="cpu")
    eyes = perceptors.load(f"{tmp_path}/ViT-B-32.pt", precision="fp32")
    images, texts = look(224, 2), ["a red boat", "12:30"]
    rows, said = reference(theirs, images, texts, SimpleTokenizer(), 77)
    assert (eyes.size, eyes.dim) == (224, 32)
    assert (eyes.encode_image(images) - rows).abs().max() < EXACT
    assert (eyes.encode_text(texts) - said).abs().max() < EXACT
    assert eyes.unknown_words("gryphons in zebraland") == []


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:Converting a tensor")
def test_openai_torchscript_is_read_like_the_rest(tmp_path):
    """Their files are TorchScript archives with three numbers among the tensors."""
    net = alive(official.clip())
    for name, number in (("input_resolution", 224), ("context_length", 77), ("vocab_size", 49408)):
        if hasattr(net, name):
            delattr(net, name)
        net.register_buffer(name, torch.tensor(number))
    torch.jit.trace_module(net, {"encode_image": torch.rand(1, 3, 224, 224)}).save(tmp_path / "net.pt")
    state = perceptors.tidy(weight_files.read(tmp_path / "net.pt"))
    assert state.keys() == official.clip().state_dict().keys()
    eyes = perceptors.load(f"{tmp_path}/net.pt", precision="fp32")
    rows, _ = reference(net, look(224, 1), ["a"], SimpleTokenizer(), 77)
    assert (eyes.encode_image(look(224, 1)) - rows).abs().max() < EXACT


def test_public_names_are_open_clips_models():
    """The catalogue names a config of open_clip; the shape is checked without the weight of it."""
    for name in ("ViT-B/32", "RN50", "ViT-L/14"):
        config = open_clip.get_model_config(weights.catalogue()[name]["config"]["open_clip"])
        with torch.device("meta"):
            net = CLIP(**config)
        assert net.visual.image_size in (224, (224, 224)) and config["quick_gelu"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("layers", [2, [1, 1, 1, 1]], ids=["transformer", "resnet"])
def test_frozen_but_the_picture_feels_the_slope(words, layers, precision):
    eyes = perceptors.build(tiny(words, layers), words, precision=precision)
    alive(eyes.model)
    images = look(64).requires_grad_()
    rows = eyes.encode_image(images)
    rows[:, 0].sum().backward()
    assert rows.dtype == torch.float32 and torch.allclose(rows.norm(dim=1), torch.ones(3), atol=1e-5)
    assert images.grad.isfinite().all() and images.grad.abs().amax((1, 2, 3)).min() > 0
    assert not any(p.requires_grad for p in eyes.parameters()) and not eyes.training
    assert not eyes.encode_text(["a"]).requires_grad


def test_a_tower_of_others_may_read_the_weights_of_its_layers(words):
    """As timm's EVA does, of which open_clip has some."""
    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.line = torch.nn.Linear(3, 8)

        def forward(self, x):
            return torch.nn.functional.linear(x.mean((2, 3)), self.line.weight)

    eyes = perceptors.build(tiny(words, 2), words, precision="bf16")
    eyes.model.visual = Reader().requires_grad_(False)
    assert eyes.encode_image(torch.rand(2, 3, eyes.size, eyes.size)).shape == (2, 8)


@pytest.mark.parametrize("layers", [2, [1, 1, 1, 1]], ids=["transformer", "resnet"])
def test_half_precision_sees_the_same(words, layers):
    full, half = (perceptors.build(tiny(words, layers), words, precision=p) for p in ("fp32", "bf16"))
    alive(full.model)
    half.model.load_state_dict(full.model.state_dict())
    slopes = []
    for eyes in (full, half):
        images = look(64).requires_grad_()
        rows = eyes.encode_image(images)
        rows[:, 0].sum().backward()
        slopes.append((rows.detach(), images.grad.flatten(1)))
    (rows, slope), (other, about) = slopes
    assert (rows * other).sum(1).min() > 0.999
    assert torch.cosine_similarity(slope, about).min() > 0.97


def test_words_it_was_never_taught(words):
    eyes = perceptors.build(tiny(words, 2), words)
    assert eyes.unknown_words("A red boat's lighthouse, by the SEA; i") == []
    assert eyes.unknown_words("a zebra by 3 zebras, x and the x") == ["zebra", "3", "zebras", "x", "and"]
    assert eyes.count_tokens("a red banana") == 3 and eyes.count_tokens("zebra") > 1


def test_tokens_of_config_and_words_must_agree(words):
    config = tiny(words, 2)
    config["text_cfg"]["vocab_size"] = 1000
    with pytest.raises(Refused) as refused:
        perceptors.build(config, words)
    assert str(refused.value).startswith("the config has 1000 tokens, the tokenizer ")
    assert str(refused.value).endswith("they must be equal: set text_cfg.vocab_size to the tokenizer's")


def test_refusals(tmp_path):
    path = official.save(torch.nn.Linear(2, 2), tmp_path / "linear.pt")
    for name, message in [
            (str(path), f"{path} does not hold the CLIP it should; one has a tower for pictures and one for "
                        "words, as open_clip and OpenAI save them: check the file, or try 'disco-resnet'"),
            ("ViT-B32", "no perceptor called 'ViT-B32'; did you mean 'ViT-B/32'?"),
            ("ViT-B-32:laion2b", "no tag of ViT-B-32 in open_clip called 'laion2b'; did you mean 'laion2b_"),
            ("ViT-B-23:openai", "no open_clip model called 'ViT-B-23'; did you mean 'ViT-B-32'?")]:
        with pytest.raises(Refused) as refused:
            perceptors.load(name)
        assert str(refused.value).startswith(message)


def test_names_of_an_ensemble(monkeypatch):
    monkeypatch.setattr(weights, "embedded", lambda: ["disco-resnet", "disco-darknet", "judge"])
    assert perceptors.names("") == ["disco-resnet", "disco-darknet"]
    monkeypatch.setattr(weights, "embedded", lambda: ["disco-resnet"])
    assert perceptors.names("") == ["disco-resnet"]
    assert perceptors.names(" ViT-B/32, RN50 ,") == ["ViT-B/32", "RN50"]


def test_a_text_tower_waits_in_half_precision_where_that_is_exact(words):
    """What float16 holds is kept so once the perceptor looks, and reads to the bit as before; what it does
    not hold stays, and so does the tower of pictures."""
    eyes = perceptors.build(tiny(words, 2), words, precision="fp32")
    texts = eyes.model.transformer.parameters()
    with torch.no_grad():
        for weight in eyes.model.parameters():
            weight.copy_(weight.half())
        eyes.model.text_projection += 1e-5
    before = eyes.encode_text(KNOWN)
    eyes.encode_image(look(eyes.size))
    assert {weight.dtype for weight in texts} == {torch.float16}
    assert eyes.model.text_projection.dtype == torch.float32
    assert {weight.dtype for weight in eyes.model.visual.parameters()} == {torch.float32}
    assert torch.equal(eyes.encode_text(KNOWN), before)
    assert eyes.model.token_embedding.weight.dtype == torch.float16
