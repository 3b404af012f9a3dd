"""Whose script runs next: so many a second for a page, so many at once for all."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable

BURST = 20
"""So many runs a page may ask for at once: a fast hand does, and a page that opens."""

PER_SECOND = 10.0
"""And so many from then on; the pen asks for at most twelve."""

AT_ONCE = 4
"""Scripts that run at a time. Python runs one; the others wait for files."""

AT_ONCE_OF_ADDRESS = 2
"""And of one address, so that who comes from another finds a free turn at once."""

PAGES = 40
"""So many pages an address may open at once: a class behind one does."""

PAGES_PER_SECOND = 4.0
"""And so many from then on."""

LONGEST_WAIT_S = 5.0
"""For which a page waits to be opened; one that would wait longer is refused."""

UPLOADED = 60e6
"""So many bytes an address may upload at once: three pictures of the largest size."""

UPLOADED_PER_SECOND = 1e6
"""And so many from then on: Streamlit keeps them until two minutes after the page has
left."""

LONGEST_UPLOAD_WAIT_S = 60.0
"""For which an upload waits; one that would wait longer is refused."""

LONGEST_S = 5.0
"""For which a script keeps others waiting; then it is one beside them."""

MEMORY_S = 10.0
"""Of those who wait, whose address has had the fewest runs in such a time is next."""


class Bucket:
    """What may be done so often at once, and so often a second from then on."""

    def __init__(self, burst: float, per_second: float, *, now: float) -> None:
        self._burst = self._tokens = burst
        self._per_second = per_second
        self._filled_at = now

    def wait_s(self, now: float, times: float = 1) -> float:
        """Returns how long to wait until it may be done so often more, in seconds."""
        gained = (now - self._filled_at) * self._per_second
        self._tokens = min(self._burst, self._tokens + gained)
        self._filled_at = now
        return max(0.0, (times - self._tokens) / self._per_second)

    def is_full(self, now: float) -> bool:
        """Returns whether nothing was done for so long that all may be done at once."""
        self.wait_s(now)
        return self._tokens >= self._burst

    def take(self, now: float, times: float = 1) -> float:
        """Does it so often more; returns how long to wait before, in seconds."""
        wait_s = self.wait_s(now, times)
        self._tokens -= times
        return wait_s


class Shares:
    """A bucket for each address.

    Args:
        burst: What an address may do at once.
        per_second: And a second from then on.
        longest_wait_s: For which it waits; what would wait longer is refused.
    """

    def __init__(
        self, burst: float, per_second: float, *, longest_wait_s: float
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._longest_wait_s = longest_wait_s
        self._buckets: dict[str, Bucket] = {}

    async def take(self, address: str, now: float, times: float = 1) -> bool:
        """Waits until an address may do it so often more; returns whether it may."""
        # Those that may do all at once again are as good as new.
        for other in [a for a, b in self._buckets.items() if b.is_full(now)]:
            del self._buckets[other]
        bucket = self._buckets.setdefault(
            address, Bucket(self._burst, self._per_second, now=now)
        )
        if bucket.wait_s(now, times) > self._longest_wait_s:
            return False
        await asyncio.sleep(bucket.take(now, times))
        return True


class Visit:
    """An open page's share of the server.

    Attributes:
        address: Whose page it is; visits of the same one share a place in the queue.
        running: The number of its run that counts as one at once; 0 for none.
    """

    def __init__(self, address: str, *, now: float) -> None:
        self.address = address
        self.running = 0
        self.runs = Bucket(BURST, PER_SECOND, now=now)


class Turns:
    """Hands out turns to run a script.

    Args:
        clock: Seconds, from any beginning.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._count = 0
        self._running: set[Visit] = set()
        self._waiting: list[tuple[Visit, asyncio.Future[None]]] = []
        self._lately: deque[tuple[float, str]] = deque()
        self._pages = Shares(PAGES, PAGES_PER_SECOND, longest_wait_s=LONGEST_WAIT_S)
        self._uploads = Shares(
            UPLOADED, UPLOADED_PER_SECOND, longest_wait_s=LONGEST_UPLOAD_WAIT_S
        )

    async def open(self, address: str) -> bool:
        """Waits until an address may open a page; returns whether it may."""
        return await self._pages.take(address, self._clock())

    async def upload(self, address: str, num_bytes: int) -> bool:
        """Waits until an address may upload so much; returns whether it may."""
        return await self._uploads.take(address, self._clock(), num_bytes)

    def visit(self, address: str) -> Visit:
        """Returns a new page's share."""
        return Visit(address, now=self._clock())

    async def admit(self, visit: Visit) -> None:
        """Waits while a page sends more than its share."""
        await asyncio.sleep(visit.runs.take(self._clock()))

    async def take(self, visit: Visit) -> None:
        """Waits until a page may run its script, too; `give_back` follows.

        A page whose script runs already has it begun anew, which takes no more.
        """
        await self.admit(visit)
        if visit.running:
            return
        if self._is_free_for(visit):
            self._begin(visit)
            return
        turn = asyncio.get_running_loop().create_future()
        waits = (visit, turn)
        self._waiting.append(waits)
        try:
            await turn
        except asyncio.CancelledError:
            if waits in self._waiting:
                self._waiting.remove(waits)
            else:
                self.give_back(visit)
            raise

    def give_back(self, visit: Visit) -> None:
        """Ends a page's run, if it has one, and begins that of the next."""
        if not visit.running:
            return
        visit.running = 0
        self._running.discard(visit)
        # One that has just been left stands there until its task comes to know.
        waiting = [
            waits
            for waits in self._waiting
            if not waits[1].done() and self._is_free_for(waits[0])
        ]
        if waiting:
            had = self._runs_lately()
            # Who came first, of those who had as many.
            next_one = min(waiting, key=lambda waits: had[waits[0].address])
            self._waiting.remove(next_one)
            self._begin(next_one[0])
            next_one[1].set_result(None)

    def _is_free_for(self, visit: Visit) -> bool:
        of_address = sum(one.address == visit.address for one in self._running)
        return len(self._running) < AT_ONCE and of_address < AT_ONCE_OF_ADDRESS

    def _begin(self, visit: Visit) -> None:
        self._count += 1
        visit.running = number = self._count
        self._running.add(visit)
        self._lately.append((self._clock(), visit.address))
        while self._lately[0][0] < self._clock() - MEMORY_S:
            self._lately.popleft()
        asyncio.get_running_loop().call_later(LONGEST_S, self._end, visit, number)

    def _end(self, visit: Visit, number: int) -> None:
        if visit.running == number:
            self.give_back(visit)

    def _runs_lately(self) -> Counter[str]:
        return Counter(address for _, address in self._lately)
