"""Plotly's library, which the server sends a browser once, not each session of it."""

import gzip
from functools import cache

from plotly.offline import get_plotlyjs, get_plotlyjs_version
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit import get_option

ADDRESS = f"library/plotly-{get_plotlyjs_version()}.min.js"
"""Below the dashboard's own; another version has another."""

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
}


def library_route() -> Route:
    """Returns what `ADDRESS` leads to."""
    folder = str(get_option("server.baseUrlPath") or "").strip("/")
    return Route(f"/{folder}/{ADDRESS}" if folder else f"/{ADDRESS}", _send)


def _send(request: Request) -> Response:
    headers, content = dict(HEADERS), get_plotlyjs().encode()
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = _compressed()
    return Response(content, media_type="text/javascript", headers=headers)


@cache
def _compressed() -> bytes:
    return gzip.compress(get_plotlyjs().encode(), compresslevel=6)
