"""What a process is to do when the one that started it is gone."""

import ctypes
import os
import signal
from contextlib import suppress

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Have this process sent SIGTERM when its parent, of this number, dies: kill -9 included.

    For children between fork and exec, or after. On Linux; elsewhere only a parent that is gone
    already is noticed.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        # It died before it could be asked for.
        os.kill(os.getpid(), signal.SIGTERM)
