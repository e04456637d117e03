"""Every bound of the product's design, with its unit and its reason.

Invariant: a limit stands here once, and the message of the code that enforces it says how to stay
under it. What an operator may change is a setting (`app/settings.py`), not a line here.
"""

KIB = 1024
MIB = 1024 * KIB

# Values and documents (the figures Convex documents, so that its clients meet what they expect).
MAX_NESTING = 64  # levels of arrays and objects in one argument or answer
MAX_DOCUMENT_NESTING = 16  # levels in one stored document
MAX_DOCUMENT_BYTES = MIB  # one stored row, encoded
MAX_ARRAY_LENGTH = 8192  # elements in one stored array
MAX_OBJECT_FIELDS = 1024  # fields in one stored object
MAX_FIELD_NAME = 1024  # characters of one field name
MAX_ARGUMENT_BYTES = 16 * MIB  # one call's arguments as sent
MAX_ANSWER_BYTES = 16 * MIB  # one call's answer
MAX_BODY_SLACK_BYTES = 2000  # path, format and braces around 16 MiB of arguments
MAX_KEY_BYTES = 2500  # one index key; longer fields cannot be indexed
SAFE_INTEGER = 2**53 - 1  # a plain number is a float64; larger whole numbers need Int64

# One transaction.
MAX_ROWS_READ = 32_000
MAX_BYTES_READ = 16 * MIB
MAX_INTERVALS = 4_096  # index ranges one function may read
MAX_ROWS_WRITTEN = 16_000
MAX_BYTES_WRITTEN = 16 * MIB
MAX_SCHEDULED = 1_000  # jobs one mutation may schedule
MAX_NOTES = 16  # things one mutation notes to be written along with others later
MAX_FUNCTION_SECONDS = 5.0  # wall clock of one query or mutation, checked at each context call
MAX_WORD_POSTINGS = 1_000  # entries read for one search word
MAX_SEARCH_POSTINGS = 8_000  # entries read by one search, over all its words
MAX_SEARCH_WORDS = 16  # words of one search that count
MAX_INDEXED_WORDS = 512  # distinct words of one row that a search index keeps

# Lists.
MAX_PAGE_ROWS = 1_000
DEFAULT_PAGE_ROWS = 20

# The one writer.
MAX_QUEUED_COMMITS = 10_000  # accepted and waiting for the disk; beyond it writes are UNAVAILABLE
MAX_QUEUED_BYTES = 128 * MIB  # of rows and keys that wait so; one write alone is never too large
HELD_WRITE_BYTES = 200  # what a row or an entry that waits takes beside its bytes
MAX_BATCH_COMMITS = 1_000  # commits that share one flush
MAX_RETRIES = 4  # of a mutation whose reads another process overtook

# Live queries.
MAX_QUERIES_PER_SOCKET = 1_000
MAX_QUEUED_MUTATIONS = 1_000  # per socket
MAX_INFLIGHT_ACTIONS = 1_000  # per socket
