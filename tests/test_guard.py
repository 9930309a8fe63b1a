"""What the runner starts ends with it, however it ends: the guard sees that its standard input closes."""

import subprocess
import sys

from tests.conftest import ROOT

COMMAND = "import subprocess; print('started', flush=True); subprocess.run(['sleep', '60']); print('ended')"


def test_what_a_guarded_command_has_started_ends_when_its_input_closes() -> None:
    guarded = [sys.executable, "-m", "stages.runner.guard", sys.executable, "-c", COMMAND]
    pipe = subprocess.PIPE
    with subprocess.Popen(guarded, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "started\n"
        process.stdin.close()
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()
        assert process.stdout.read() == "ended\n"
