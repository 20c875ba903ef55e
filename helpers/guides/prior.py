"""A guide that follows another painter."""

from torch.nn import functional as F

from helpers.guides.base import Guide


class Prior(Guide):
    """How far the picture is from what another painter has in mind: a mean square, values in [-1, 1].

    sees: () -> that picture, (n, 3, h, w) in [0, 1], or None while there is none. The larger of the two is
    compared at the size of the smaller one.
    """

    def __init__(self, sees):
        super().__init__()
        self.sees = sees

    def forward(self, image, progress=0.0):
        seen = self.sees()
        if seen is None:
            return image.new_zeros(())
        size = [min(lengths) for lengths in zip(image.shape[-2:], seen.shape[-2:], strict=True)]
        image, seen = (one if list(one.shape[-2:]) == size else
                       F.interpolate(one, size, mode="bilinear", antialias=True, align_corners=False)
                       for one in (image, seen))
        return 4 * (image - seen).square().mean()
