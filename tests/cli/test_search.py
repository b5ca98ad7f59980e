"""`poolstart hazards --search`: from a message to what to do."""

import pytest
from typer.testing import CliRunner

from harness.cli import app


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("psycopg2.OperationalError: SSL error: decryption failed or bad record mac", "tls_broken: "),
        ("[CRITICAL] WORKER TIMEOUT (pid:8)", "A worker that hangs: py-spy dump"),
        ("gunicorn", "gunicorn, preload_app: "),
        ("rows missing", "No exact match. About the same words:"),
        ("got Future attached to a different loop", "No exact match: "),
    ],
)
def test_a_message_leads_to_its_hazard_without_a_trial(text: str, first: str) -> None:
    result = CliRunner().invoke(app, ["hazards", "--search", text])
    assert result.exit_code == 0
    assert result.stdout.startswith(first)
