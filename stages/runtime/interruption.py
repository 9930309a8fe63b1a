"""Ctrl-C, or a request to end, while Python still imports a command's modules: one line, no traceback.

As soon as the command itself begins, `command_line.protocol` says what becomes of signals.
"""

import os
import signal
import sys
from types import FrameType


def _leave(number: int, _: FrameType | None) -> None:
    module = sys.orig_argv[sys.orig_argv.index("-m") + 1]
    os.write(sys.stderr.fileno(), f"{module.rpartition('.')[2]}: interrupted\n".encode())
    os._exit(128 + number)  # no handler of a library that is half imported gets in between


if sys.argv[0] == "-m" and "-m" in sys.orig_argv:  # `python -m` is about to import its module
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _leave)
