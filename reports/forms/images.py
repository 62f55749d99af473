"""Charts as pictures: SVG, PNG and PDF from the description that a page shows."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ..figures.figure import Figure, whole_specification

_NO_NETWORK: list[str] = []
_DOTS_AN_INCH = 200
_CSS_DOTS_AN_INCH = 72


def draw(figures: Sequence[Figure], suffix: str) -> bytes:
    """Draw charts, one below the other, in the form of an ending: .svg, .png or .pdf."""
    import vl_convert

    specification = whole_specification(figures)
    if suffix == ".png":
        scale = _DOTS_AN_INCH / _CSS_DOTS_AN_INCH
        return _packed(vl_convert.vegalite_to_png(specification, scale=scale, allowed_base_urls=_NO_NETWORK))
    if suffix == ".pdf":
        return vl_convert.vegalite_to_pdf(specification, allowed_base_urls=_NO_NETWORK)
    return vl_convert.vegalite_to_svg(specification, allowed_base_urls=_NO_NETWORK).encode()


def _packed(png: bytes) -> bytes:
    """Return the same picture in a fraction of the bytes."""
    from PIL import Image

    packed = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(packed, "PNG", optimize=True)
    return packed.getvalue()
