"""Pictures coming in and going out: one (1, 3, h, w) tensor in [0, 1] inside, files and PIL outside.

    image = open("cat.jpg", 256, 192)       # path, http(s) address, PIL, array (h, w, c) or tensor (c, h, w)
    where = open_mask("hole.png", 256, 192) # (1, 1, h, w): 1 where it is white
    save_png("out.png", image, {"prompts": "a cat"});  read_text("out.png")

Whoever hands in a file it does not like hears so before anything is decoded.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from . import picture_files, safe_files
from .errors import Refused
from .picture_files import check_size, load, read_text

__all__ = ["fit", "grid", "load", "open", "open_mask", "png", "read_text", "save_png", "to_pil"]

WAYS = {"crop": "cut what sticks out", "stretch": "ignore the shape", "pad": "repeat the edges"}


def open(source, width: int = 0, height: int = 0, how: str = "crop"):
    """Any picture -> (1, 3, h, w) in [0, 1] on the CPU, fitted to width x height where given.

    What is transparent lies on white.
    """
    image = _tensor(source, 1.0)
    return fit(image, width, height, how) if width and height else image


def open_mask(source, width: int = 0, height: int = 0, over=None):
    """Any picture -> (1, 1, h, w) in [0, 1]: its brightness; what is transparent counts as black.

    over: the picture (1, 3, h, w) it lies over, before that is fitted to width x height; a mask has its
    shape, or that of what is painted. Refused: another shape, nothing white.
    """
    image = _tensor(source, 0.0)
    luma = image.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    light = (image * luma).sum(1, keepdim=True).clamp(0, 1)
    if light.max() < 1 / 255:
        raise Refused("the mask is all black", "white says where to paint",
                      "fill the place to change with white")
    if not width or not height:
        return light
    size, places = light.shape[:1:-1], [(width, height)]
    if over is not None:
        places.insert(0, tuple(over.shape[:1:-1]))
        if not any(_alike(size, place) for place in places):
            raise Refused(f"the mask is {_spelled(size)}, the picture {_spelled(places[0])}",
                          "a mask has the shape of its picture", "save it in the same size, or a multiple")
    light = fit(light, width, height, "stretch" if _alike(size, (width, height)) else "crop")
    if light.max() < 1 / 255:
        raise Refused("nothing white is left of the mask", f"its picture is cut to {width} x {height} from "
                      "the middle, and the mask with it", "take a width and height of the picture's shape")
    return light


def _alike(one, other) -> bool:
    """Have two sizes the same shape, but for a pixel and a hundredth?"""
    gap = abs(one[0] * other[1] - one[1] * other[0])
    return gap <= max(one[0], one[1], other[0], other[1], 0.01 * one[0] * other[1])


def _spelled(size) -> str:
    return f"{size[0]} x {size[1]}"


def fit(image, width: int, height: int, how: str = "crop"):
    """Resize (n, c, h, w) with antialiasing to height x width; WAYS says what becomes of the shape."""
    if how not in WAYS:
        raise Refused(f"how is {how!r}", f"choose one of {', '.join(map(repr, WAYS))}")
    h, w = image.shape[-2:]
    if (h, w) == (height, width):
        return image
    if how == "crop":
        ratio = max(width / w, height / h)
        ch, cw = max(1, min(h, round(height / ratio))), max(1, min(w, round(width / ratio)))
        top, left = (h - ch) // 2, (w - cw) // 2
        image = image[..., top:top + ch, left:left + cw]
    ratio = min(width / w, height / h)
    size = (max(1, round(h * ratio)), max(1, round(w * ratio))) if how == "pad" else (height, width)
    image = F.interpolate(image, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    if how == "pad":
        dy, dx = height - size[0], width - size[1]
        image = F.pad(image, (dx // 2, dx - dx // 2, dy // 2, dy - dy // 2), mode="replicate")
    return image


def to_pil(image) -> Image.Image:
    """Tensor (n, 3, h, w) or (3, h, w) in [0, 1], array (h, w, 3) or PIL -> PIL; several become a grid."""
    if isinstance(image, Image.Image):
        return image.convert("RGB")
    if isinstance(image, np.ndarray):
        image = _from_array(image, "the array", 1.0)
    image = image.detach().float().cpu()
    image = grid(image if image.ndim == 4 else image[None])[0]
    pixels = image.nan_to_num(0).clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).expand(-1, -1, 3).contiguous().numpy())


def clear(array) -> Image.Image:
    """An array (h, w, 4), uint8 or floats in [0, 1], as a PIL image that keeps what is transparent."""
    pixels = _unit(torch.from_numpy(np.array(array, order="C")), "the array")
    return Image.fromarray(pixels.mul(255).round().byte().numpy(), "RGBA")


def grid(images, columns: int = 0):
    """(n, c, h, w) -> (1, c, rows * h, columns * w), as square as can be; empty places are white."""
    n, c, h, w = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    full = torch.cat([images, images.new_ones(rows * columns - n, c, h, w)])
    return full.view(rows, columns, c, h, w).permute(2, 0, 3, 1, 4).reshape(1, c, rows * h, columns * w)


def png(image, text=None) -> bytes:
    """Any of what `to_pil` takes, as the bytes of a PNG file that carries `text` (anything JSON)."""
    return picture_files.png(to_pil(image), text)


def save_png(path, image, text=None):
    """Write it whole or not at all."""
    safe_files.write(path, png(image, text))


def _tensor(source, ground: float):
    if isinstance(source, torch.Tensor):
        return _from_tensor(source)
    if isinstance(source, np.ndarray):
        return _from_array(source, "the array", ground)
    picture = source if isinstance(source, Image.Image) else load(source)
    return _from_array(_array(picture), "the picture", ground)


def _array(picture: Image.Image) -> np.ndarray:
    """PIL -> float (h, w, 3 or 4) in [0, 1], whatever the mode."""
    if picture.mode.startswith("I"):            # 16 bits of gray, which PIL itself would clip to 8
        gray = np.asarray(picture, np.float32) / 65535
        return gray.clip(0, 1)[..., None].repeat(3, 2)
    if picture.mode == "F":
        return np.asarray(picture, np.float32)[..., None].repeat(3, 2)
    clear = picture.has_transparency_data
    return np.asarray(picture.convert("RGBA" if clear else "RGB"), np.float32) / 255


def _from_array(array, name, ground):
    """(h, w), (h, w, 1), (h, w, 3) or (h, w, 4), uint8 or floats in [0, 1] -> (1, 3, h, w)."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        raise Refused(f"{name} has the shape {array.shape}", "it must be (height, width, 3)")
    image = torch.from_numpy(np.array(array, order="C")).permute(2, 0, 1)[None]
    if image.shape[1] == 4:
        image = _unit(image, name)
        image = image[:, :3] * image[:, 3:] + ground * (1 - image[:, 3:])
    return _from_tensor(image, name)


def _from_tensor(image, name="the tensor"):
    if image.ndim == 2:
        image = image[None]
    image = image[None] if image.ndim == 3 else image
    if image.ndim != 4 or image.shape[:2] not in ((1, 1), (1, 3)) or not image.numel():
        raise Refused(f"{name} has the shape {tuple(image.shape)}", "it must be (1, 3, height, width)")
    check_size(name, image.shape[3], image.shape[2])
    return _unit(image.detach().cpu(), name).expand(-1, 3, -1, -1).contiguous()


def _unit(image, name):
    """-> float32 in [0, 1]; bytes are divided by 255, anything else must be there already."""
    if image.dtype == torch.uint8:
        return image.float() / 255
    if image.dtype == torch.bool:
        return image.float()
    image = image.float()
    low, high = image.min().item(), image.max().item()
    if not (-1e-3 <= low and high <= 1 + 1e-3):         # false for NaN too
        raise Refused(f"{name} goes from {low:.4g} to {high:.4g}", "numbers in a picture go from 0 to 1",
                      "divide by 255, or hand in uint8")
    return image.clamp(0, 1)
