"""The trace viewer of the local stack: Zipkin from its executable jar, traces kept in memory.

Owns its command. Traces are a developer's view here, so they go when it stops, and the oldest go
first when the bound is reached: a missing trace proves nothing.
"""

from deploy.local.artifacts import fetch
from deploy.local.http_probe import answers_ok
from deploy.local.java import find_java
from deploy.local.part import Launch
from deploy.local.ports import LOOPBACK

HEAP_MAX = "256m"
SPANS_KEPT_MAX = 80_000
# Starting it takes five seconds of a core while nothing waits for it: it gives way to the rest.
NICENESS = 10


class Zipkin:
    """The trace viewer of one stack."""

    name = "zipkin"
    ready_seconds_max = 120.0
    stop_seconds_max = 10.0

    def __init__(self, *, port: int) -> None:
        """Take the port that serves both the page and the spans."""
        self.port = port

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def spans_url(self) -> str:
        """Return the address that spans are sent to."""
        return f"{self.url}/api/v2/spans"

    def prepare(self) -> Launch:
        """Fetch the jar if needed and return the command."""
        java = find_java()
        jar = fetch(["zipkin"])["zipkin"][0]
        listen = "--armeria.ports[0]"
        return Launch(
            command=["nice", "-n", str(NICENESS), java, f"-Xmx{HEAP_MAX}", "-Xms48m"]
            + ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", str(jar)]
            + [f"{listen}.ip={LOOPBACK}", f"{listen}.port={self.port}", f"{listen}.protocols[0]=http"],
            environment={"STORAGE_TYPE": "mem", "MEM_MAX_SPANS": str(SPANS_KEPT_MAX)},
        )

    def is_ready(self) -> bool:
        """Return whether it reports itself healthy."""
        return answers_ok(f"{self.url}/health")
