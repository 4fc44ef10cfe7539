"""What tests ask of a running emu: reset, clock, inbox, idleness, invocations.

>>> from emu_client import connect
>>> emu = connect()          # the emu of `emu exec -- pytest`
>>> emu.reset()
"""

from ._clock import Clock, ClockState
from ._emu import Emu, connect
from ._errors import EmuError, EmuTimeoutError, EmuUnreachableError, FunctionError
from ._records import Busy, Cost, DeadLetter, Invocation, InvocationError, Invoked, LogLine, Snapshot
from ._mail import Attachment, Mail
from ._push import Push

__all__ = [
    "Attachment",
    "Busy",
    "Clock",
    "ClockState",
    "Cost",
    "DeadLetter",
    "Emu",
    "EmuError",
    "EmuTimeoutError",
    "EmuUnreachableError",
    "FunctionError",
    "Invocation",
    "InvocationError",
    "Invoked",
    "LogLine",
    "Mail",
    "Push",
    "Snapshot",
    "connect",
]
