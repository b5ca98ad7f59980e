"""The recorder of servers: embedded and containerized PostgreSQL side by side."""

from harness.comparisons import servers, servers_report
from harness.console.progress import Progress
from harness.lifecycles import profile as profiles
from harness.records.provenance import Provenance
from harness.records.recorder import Recorder, Request
from harness.records.session import RecordingSession
from harness.system import files


class ServersRecorder(Recorder):
    title = "embedded and containerized PostgreSQL; needs a container engine"
    options = ("--anew",)
    file = files.shown(servers.PATH)

    ROUND_SECONDS = 25
    START_SECONDS = 60
    """Of all servers."""

    def seconds(self, request: Request) -> float:
        """A round over all servers takes about 25 seconds, and starting them a minute."""
        return self.START_SECONDS + profiles.current().blocks * self.ROUND_SECONDS

    def measure(self, request: Request, report: Progress) -> str:
        profile = profiles.current()
        conditions = {"profile": profile.name, "machine": Provenance.here("").machine}
        session = RecordingSession("servers", conditions, anew=request.anew)
        comparison = servers.compare(profile, report, request.command, session)
        comparison.save(servers.PATH)
        session.close()
        servers_report.show(comparison)
        return f"{len(comparison.servers)} servers"
