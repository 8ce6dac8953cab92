"""The route that turns an SVG of the browser into a PDF or a PNG."""

from collections.abc import Mapping
from typing import Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from frontend.pictures.converter import Asked, BusyError, Converter, Kind, RefusedError
from frontend.server.proxy import error_response, is_same_origin
from frontend.server.sessions import COOKIE, Sessions

PATH: Final = "/pictures"
MEDIA_TYPES: Final = {"pdf": "application/pdf", "png": "image/png"}
MAX_BYTES: Final = 8 * 2**20
TOO_LARGE: Final = 413
TOO_LARGE_MESSAGE: Final = f"The picture is larger than {MAX_BYTES // 2**20} MB; save it as SVG."
MAX_PIXELS: Final = 50_000_000
RANGES: Final = {"width": (10.0, 2000.0), "height": (10.0, 4000.0), "dpi": (36.0, 600.0)}
"""What may be asked for: mm, mm, and pixels an inch."""
MAX_TITLE: Final = 300
INCH_MM: Final = 25.4


class Pictures:
    """Answers with pictures; the middleware has checked that the visitor is signed in."""

    def __init__(self, sessions: Sessions, converter: Converter | None = None) -> None:
        self._sessions = sessions
        self._converter = converter or Converter()

    def route(self) -> Route:
        """Return the route."""
        return Route(f"{PATH}/{{kind}}", self.answer, methods=["POST"])

    async def answer(self, request: Request) -> Response:
        """Return the posted SVG as a picture, or say all that is wrong with what was asked."""
        session = self._sessions.find(request.cookies.get(COOKIE))
        if not is_same_origin(request, proof=session is not None):
            return error_response(
                403,
                "forbidden",
                "A page of another address asks for this. Open Lossboard itself and do it there.",
            )
        if request.path_params["kind"] not in MEDIA_TYPES:
            return error_response(404, "not_found", "There is no such address.")
        numbers, problems = _numbers(request.query_params)
        if problems:
            return _invalid(problems)
        kind = cast("Kind", request.path_params["kind"])
        title = request.query_params.get("title", "")[:MAX_TITLE]
        try:
            return await self._picture(request, Asked(kind, **numbers, title=title))
        except ClientDisconnect:
            return Response(status_code=499)

    async def _picture(self, request: Request, asked: Asked) -> Response:
        try:
            made = await self._converter.convert(await _body(request), asked)
        except HTTPException as error:
            code = "too_large" if error.status_code == TOO_LARGE else "request_timeout"
            return error_response(error.status_code, code, error.detail)
        except RefusedError as error:
            return error_response(422, "invalid_svg", f"The picture cannot be made: {error}.")
        except BusyError:
            message = "Many pictures are being made now. Try again in a moment."
            answer = error_response(503, "busy", message)
            answer.headers["Retry-After"] = "5"
            return answer
        headers = {"Cache-Control": "private, no-store"}
        return Response(made, media_type=MEDIA_TYPES[asked.kind], headers=headers)


def _numbers(query: Mapping[str, str]) -> tuple[dict[str, float], dict[str, str]]:
    """Return the numbers of a query by name, and what is wrong with those that are not there."""
    numbers: dict[str, float] = {}
    problems: dict[str, str] = {}
    for name, (least, most) in RANGES.items():
        try:
            number = float(query.get(name, ""))
        except ValueError:
            problems[name] = "must be a number"
            continue
        if not least <= number <= most:
            problems[name] = f"must be from {least:g} to {most:g}"
        numbers[name] = number
    if not problems:
        dots = numbers["dpi"] / INCH_MM
        if numbers["width"] * dots * numbers["height"] * dots > MAX_PIXELS:
            problems["dpi"] = f"makes more than {MAX_PIXELS:,} pixels"
    return numbers, problems


def _invalid(problems: Mapping[str, str]) -> JSONResponse:
    fields = [{"path": name, "message": message} for name, message in problems.items()]
    said = "; ".join(f"{name} {message}" for name, message in problems.items())
    content = {"error": "invalid_request", "message": f"Invalid: {said}.", "fields": fields}
    return JSONResponse(content, status_code=422)


async def _body(request: Request) -> bytes:
    """Return the body.

    Raises:
        HTTPException: it is too large, or does not come in time.
    """
    pieces = bytearray()
    if int(request.headers.get("content-length") or 0) > MAX_BYTES:
        raise HTTPException(TOO_LARGE, TOO_LARGE_MESSAGE)
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > MAX_BYTES:
            raise HTTPException(TOO_LARGE, TOO_LARGE_MESSAGE)
    return bytes(pieces)
