"""The process that converts one SVG: `python -m frontend.pictures.convert_process`.

Reads a line of JSON, `Asked`, and then the SVG from its input; writes the picture to its output. A
picture that cannot be made ends it with the exit code REFUSED and the reason as its error output.

The SVG comes from a browser, so that it may be anything. This process has no secrets and limits on
its memory and time, and serves no requests. typst loads nothing that an SVG refers to: addresses,
absolute paths and paths out of its root, an empty folder, are errors.
"""

import json
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any, Final, Literal

import typst

try:
    import resource
except ImportError:  # on Windows, where only the time limit applies
    resource = None  # type: ignore[assignment]

REFUSED: Final = 3
MEMORY: Final = 2 * 2**30
"""Bytes of address space."""
CPU_S: Final = 20
FONTS: Final = Path(__file__).parent / "fonts"
"""Liberation Sans, whose letters are as wide as Arial's: a text has the same length in every
program that has one of the two."""
PAGE: Final = b"""
#set document(title: sys.inputs.title)
#set page(
  width: eval(sys.inputs.width) * 1mm, height: eval(sys.inputs.height) * 1mm,
  margin: 0mm, fill: none,
)
#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%, fit: "stretch")
"""
INCH_MM: Final = 25.4
_PNG_HEAD: Final = 33
"""Bytes of a PNG's signature and its first chunk."""


def main() -> None:
    """Convert what comes as input."""
    _limit_resources()
    asked: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    try:
        svg = sys.stdin.buffer.read().decode()
        made = converted(svg, **asked)
    except (UnicodeDecodeError, typst.TypstError, MemoryError) as error:
        sys.stderr.write(str(error))
        sys.exit(REFUSED)
    sys.stdout.buffer.write(made)


def converted(
    svg: str, *, kind: Literal["pdf", "png"], width: float, height: float, dpi: float, title: str
) -> bytes:
    """Return an SVG as a PDF of one page or as a PNG.

    Args:
        svg: the whole document.
        kind: `pdf` or `png`.
        width: of the page, in mm.
        height: of the page, in mm.
        dpi: pixels an inch of a PNG.
        title: what a PDF says it is.

    Raises:
        typst.TypstError: it is no SVG, or refers to something outside of it.
    """
    fonts = typst.Fonts(font_paths=[str(FONTS)])
    inputs = {"svg": svg, "width": repr(width), "height": repr(height), "title": title}
    with tempfile.TemporaryDirectory() as empty:
        compiler = typst.Compiler(PAGE, root=empty, font_paths=fonts, sys_inputs=inputs)
        # pdfTeX includes pages of PDF 1.5 without a warning.
        made = compiler.compile(format=kind, ppi=dpi, pdf_standards="1.5", pdf_tags=False)
    whole = made if isinstance(made, bytes) else b""
    return with_density(whole, dpi) if kind == "png" else whole


def with_density(png: bytes, dpi: float) -> bytes:
    """Return a PNG that says how large it is on paper, so that text programs place it so."""
    per_metre = round(dpi / INCH_MM * 1000)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:_PNG_HEAD] + framed + png[_PNG_HEAD:]


def _limit_resources() -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
