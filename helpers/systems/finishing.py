"""The last touch to a finished picture: an upscaler makes it larger, and over it lies what a mask keeps."""

import logging
import math

from helpers import images, weights
from helpers.canvas import feather
from helpers.networks import upscaler
from helpers.settings import present

log = logging.getLogger(__name__)
UPSCALER = "upscaler-world"


def finish(made, settings, studio):
    """Let what `made` has painted at last be enlarged, if an upscaler is wanted; it invents, so what a mask
    keeps is laid over it again, from the picture itself."""
    name = upscaler_of(settings)
    net = upscaler.load(name, studio.device) if name else None
    if net:
        made.networks.append(name)
        rest = rest_of(settings, net.scale)
        made.finish = lambda image: rest(upscaler.upscale(net, image))
    if settings.tiles > 1:
        shrunk(settings, net.scale if net else 1)


def upscaler_of(settings):
    """The upscaler's name, or ""; auto is the built-in one where what paints is built in: whoever learned
    from photographs is not enlarged by who learned from this world."""
    name, ours = settings.upscaler.strip(), weights.embedded()
    if name == "auto":
        return UPSCALER if settings.model in ours and UPSCALER in ours else ""
    return name


def rest_of(settings, scale):
    """image (n, 3, h, w), so many times as large as it was painted -> the same, with init_image where the
    mask is black."""
    if not present(settings.mask):
        return lambda image: image
    size, whole = (settings.width * scale, settings.height * scale), images.open(settings.init_image)
    kept = images.fit(whole, *size)
    mask = feather(images.open_mask(settings.mask, *size, over=whole), settings.mask_softness * scale)
    return lambda image: kept.to(image) + mask.to(image) * (image - kept.to(image))


def shrunk(settings, scale):
    """Say so where init_image is larger than what is painted over it."""
    height, width = images.open(settings.init_image).shape[-2:]
    across, down = (side * settings.tiles * scale for side in (settings.width, settings.height))
    if width > across and height > down:
        tiles = math.ceil(settings.tiles * max(width / across, height / down))
        log.warning("init_image is %d x %d, and painted over in tiles it comes out as %d x %d: try tiles=%d, "
                    "or a larger width and height", width, height, across, down, tiles)
