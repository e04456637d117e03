"""Time and randomness of the machine.

Invariant: the only file outside the command line that reads a clock or the system's randomness.
"""

import secrets
import time

from hubify.ports.runtime import Runtime

SYSTEM_RUNTIME = Runtime(time.time_ns, time.monotonic, secrets.token_bytes)
