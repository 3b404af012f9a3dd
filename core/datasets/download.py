"""Downloads one large file, going on where an earlier try ended."""

from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from core.datasets.store import Progress
from core.errors import DatasetError, unwritable
from core.files import rename, sync, write_text

CHUNK_BYTES = 2**18
TIMEOUT_S = (10.0, 60.0)
"""To connect, and between two pieces of an answer."""

RETRIES = Retry(total=4, backoff_factor=1, status_forcelist=(429, 502, 503, 504))


def download(url: str, path: Path, *, progress: Progress | None = None) -> Path:
    """Downloads `url` to `path` unless it is there.

    What has arrived lies in `path` with `.part` added, with the server's version
    tag beside it, so that a later call asks only for the rest, and for all of it if
    the file has changed on the server.

    Args:
        url: An HTTP or HTTPS address.
        path: The file to make; its folder is made too.
        progress: Called with the bytes that are here and the bytes in all.

    Raises:
        DatasetError: If the server can't be reached or answers with an error, if
            the connection ends early, or the file can't be written.
    """
    if path.exists():
        return path
    part = path.with_name(path.name + ".part")
    tag = path.with_name(path.name + ".etag")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
            total = _fetch(session, url, part, tag, progress=progress)
        have = part.stat().st_size
        if have != total:
            raise DatasetError(
                "The download of {url} ended at {have:,} of {total:,} bytes. Run the "
                "same command again to go on from there.",
                url=url,
                have=have,
                total=total,
            )
        sync(part)
        rename(part, path)
        tag.unlink(missing_ok=True)
    except requests.RequestException as error:
        raise DatasetError(
            "{url} can't be downloaded: {reason}. What has arrived is kept; run the "
            "same command again to go on.",
            url=url,
            reason=_reason(error),
        ) from error
    except OSError as error:
        raise DatasetError(unwritable(path, error)) from error
    return path


def _fetch(
    session: requests.Session,
    url: str,
    part: Path,
    tag: Path,
    *,
    progress: Progress | None,
) -> int:
    """Appends the missing bytes to `part`; returns how many there are in all."""
    have = part.stat().st_size if part.exists() else 0
    version = tag.read_text(encoding="utf-8") if tag.exists() else ""
    headers = {"Accept-Encoding": "identity"}
    if have and version:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            tag.unlink(missing_ok=True)
            return _fetch(session, url, part, tag, progress=progress)
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            have = 0
        length = response.headers.get("Content-Length")
        if length is None or not length.isdecimal():
            raise DatasetError(
                "{url} doesn't say how large it is; it can't be checked.", url=url
            )
        total = have + int(length)
        version = response.headers.get("ETag") or response.headers.get(
            "Last-Modified", ""
        )
        write_text(tag, version)
        with part.open("ab" if have else "wb") as stream:
            for chunk in response.iter_content(CHUNK_BYTES):
                stream.write(chunk)
                have += len(chunk)
                if progress:
                    progress(have, total)
    return total


def _reason(error: requests.RequestException) -> str:
    """Returns the part of a network error that tells a person something."""
    if error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "the server doesn't answer"
    if isinstance(error, requests.ConnectionError):
        return "the server can't be reached, or the connection broke"
    return str(error)
