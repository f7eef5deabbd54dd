"""What a process is to do when the one that started it is gone."""

import ctypes
import signal
from contextlib import suppress

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have this process sent SIGTERM when its parent dies, kill -9 included.

    For children between fork and exec, or after. On Linux; elsewhere nothing is done.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
