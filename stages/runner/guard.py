"""Run a command that ends, with all that it has started, as soon as standard input is closed.

Whoever starts `python -m stages.runner.guard COMMAND` holds the other end of that pipe. The system closes it
even where that process is killed; otherwise DVC and what it trains would go on for nobody.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import psutil

# Signals, and the seconds until the next one. DVC itself gets none: it sees that its command failed, and is
# not interrupted while it writes dvc.lock.
SIGNALS = ((signal.SIGINT, 3), (signal.SIGKILL, 5))


def main() -> None:
    """Run the command and exit with its status."""
    # The lock is passed on: even if this process is killed, nobody else begins before the command ends.
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True, close_fds=False)
    threading.Thread(target=_watch, args=(child.pid,), daemon=True).start()
    status = child.wait()
    _kill(child.pid)
    sys.exit(status if status >= 0 else 128 - status)


def _watch(child: int) -> None:
    os.read(0, 1)  # returns at the end of the file
    for number, seconds in SIGNALS:
        deadline = time.monotonic() + seconds
        signalled: set[psutil.Process] = set()
        while time.monotonic() < deadline:
            with suppress(psutil.NoSuchProcess):
                for process in set(psutil.Process(child).children(recursive=True)) - signalled:
                    signalled.add(process)
                    with suppress(psutil.NoSuchProcess):
                        process.send_signal(number)
            time.sleep(0.1)
    _kill(child)


def _kill(group: int) -> None:
    """Kill what is left of the command's process group."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
