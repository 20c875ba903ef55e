"""A guide that sees a part of the picture alone."""

from helpers.guides.base import Guide


class Part(Guide):
    """`guide`, of what lies within `box`: left, top, right, bottom, of 1."""

    label = "parts"

    def __init__(self, guide, box):
        super().__init__()
        self.guide, self.box = guide, box

    def asks(self, image, progress=0.0):
        height, width = image.shape[-2:]
        left, top, right, bottom = (round(edge * side) for edge, side in
                                    zip(self.box, (width, height) * 2, strict=True))
        return (yield from self.guide.asks(image[..., top:bottom, left:right], progress))

    def economize(self):
        return self.guide.economize()
