"""Images as networks take them."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor, nn
from torch.nn import functional

from worker.errors import DataError


class Pixels(nn.Module):
    """uint8 images to 0 ... 1; what is float stays."""

    def forward(self, items: Tensor) -> Tensor:
        """[B, ...] -> float32 [B, ...]."""
        return items if items.is_floating_point() else items.to(torch.float32).div_(255)


class Standard(nn.Module):
    """Images [B, C, H, W] as a pretrained network saw them: three channels, its side, its mean."""

    mean: Tensor
    std: Tensor

    def __init__(self, crop: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.crop = crop
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """[B, 1 or 3, H, W] with values 0 to 1 -> [B, 3, crop, crop]."""
        if images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        if images.shape[-2:] != (self.crop, self.crop):
            images = functional.interpolate(
                images, (self.crop, self.crop), mode="bilinear", antialias=True
            )
        return (images - self.mean) / self.std


def load_image(path: Path, resize: int, crop: int) -> Tensor:
    """An image file as [3, crop, crop] uint8: upright, its shorter side brought to `resize`, the
    middle cut out.

    Raises:
        DataError: it cannot be read as an image.
    """
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (resize, resize))  # a JPEG may be decoded at 1/2, 1/4, 1/8
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read as an image: {error}. Replace or remove it."
        ) from error
    scale = resize / min(image.size)
    width, height = (max(crop, round(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - crop) // 2, (height - crop) // 2
    image = image.crop((left, top, left + crop, top + crop))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)
