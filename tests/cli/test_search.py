"""`poolstart hazards --search`: from a message to what to do."""

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("psycopg2.OperationalError: SSL error: decryption failed or bad record mac", "tls_broken: "),
        ("[CRITICAL] WORKER TIMEOUT (pid:8)", "A worker that hangs: py-spy dump"),
        ("gunicorn", "gunicorn, preload_app: "),
        ("rows missing", "No exact match. About the same words:"),
        ("got Future attached to a different loop", "event_loop: "),
        ("server closed the connection unexpectedly", "idle_cut: "),
        ("deadlock detected", "No exact match: "),
    ],
)
def test_a_message_leads_to_its_hazard_without_a_trial(text: str, first: str) -> None:
    result = CliRunner().invoke(app, ["hazards", "--search", text])
    assert result.exit_code == 0
    question, answer = result.stdout.split("\n\n", 1)
    assert question.startswith("Is it this problem at all? First look:\n  shared_socket ")
    assert answer.startswith(first)


def test_the_first_page_has_its_code() -> None:
    result = CliRunner().invoke(app, ["hazards", "--search", "bad record mac"])
    assert "        engine.dispose(close=False)\n" in result.stdout


def test_a_hazard_follows_its_look_alikes() -> None:
    result = CliRunner().invoke(app, ["hazards", "--search", "server closed the connection unexpectedly"])
    places = [result.stdout.index(text) for text in ("\nfailover: ", "\nOtherwise:\n", "\nparent_closed: ")]
    assert places == sorted(places)
