"""The published graph page reads ranges of releases."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import asv
import pytest
from asv.util import UserError

from harness.site.graphdisplay import ASV, RELEASES, SCRIPT, GraphDisplay


def test_the_script_of_the_installed_asv_is_patched(tmp_path: Path) -> None:
    original = Path(asv.__file__).parent / "www" / SCRIPT
    shutil.copy(original, tmp_path)
    GraphDisplay.publish(SimpleNamespace(html_dir=str(tmp_path)))
    patched = (tmp_path / SCRIPT).read_text()
    assert RELEASES in patched
    assert patched.replace(RELEASES, ASV) == original.read_text()


def test_a_script_that_has_changed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / SCRIPT).write_text("another program")
    with pytest.raises(UserError, match=r"asv has changed its graphdisplay\.js"):
        GraphDisplay.publish(SimpleNamespace(html_dir=str(tmp_path)))
