"""Every bound on what crosses the network, with its unit and its reason.

Invariant: each refusal that names a bound takes the number from here or from `values/limits.py`.
"""

from hubify.values import limits

KIB = 1024
MIB = 1024 * KIB

# JSON as it arrives.
MAX_JSON_BYTES = limits.MAX_ARGUMENT_BYTES + limits.MAX_BODY_SLACK_BYTES  # one body or message
MAX_JSON_VALUES = 250_000  # values in one body; each costs up to 80 bytes once parsed
COUNT_FROM_BYTES = 256 * KIB  # a shorter text cannot hold enough values to be worth counting

# Function paths.
MAX_PATH = 512  # characters of a whole path
MAX_PATH_PART = 64  # characters of a module part or a function name (the figure Convex documents)

# The sync protocol.
MAX_ID = 2**32 - 1  # query ids, request ids and versions are unsigned 32-bit numbers
MAX_TS = 2**63 - 1  # the largest timestamp a client may show or be shown
# One message of a socket. It may be longer than one call's arguments, so that a call that is too
# large is refused alone, and a client that comes back can send all its queries together.
MAX_MESSAGE_BYTES = 2 * MAX_JSON_BYTES
MAX_MENDED_BYTES = MIB  # a message in which lone surrogates are looked for
MAX_MODIFICATIONS = 2 * limits.MAX_QUERIES_PER_SOCKET  # in one message: drop and add them all
MAX_CUT_BYTES = 64 * KIB  # a message whose deepest levels are cut out, so that it can be read
# Arguments of all queries that one socket watches: as text, so that one may have as many as a call
# may; and the values in them, which are kept while it is watched.
MAX_WATCHED_BYTES = MAX_JSON_BYTES
MAX_WATCHED_VALUES = MAX_JSON_VALUES
MAX_TOKEN = 16 * KIB  # characters of a credential
CHUNK_BYTES = 5_000_000  # a longer transition goes in parts, to clients that can join them
