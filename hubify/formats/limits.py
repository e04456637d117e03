"""Every bound on a skill's files, with its unit and its reason.

Invariant: each finding that names a bound takes the number from here.
"""

KIB = 1024
MIB = 1024 * KIB

# Names and versions.
MAX_NAME = 64  # characters; agentskills.io, and the registry's own bound
MAX_VERSION = 64  # characters of a version as text
MAX_VERSION_DIGITS = 15  # digits of one number, so that it stays exact as a float64

# One document.
MAX_SKILL_BYTES = 512 * KIB  # SKILL.md or `.hub`; it is stored in one row of at most 1 MiB
MAX_HEAD_BYTES = 16 * KIB  # front matter; even with every repair it is read in half a second
MAX_GUIDE_BYTES = 256 * KIB  # a flat YAML guide, whose prompt lies inside the YAML
MAX_YAML_DEPTH = 16  # lists and maps in one another
MAX_YAML_ALIASES = 16  # `*name` in one document
MAX_YAML_NODES = 16_384  # values, what aliases repeat counted again
MAX_YAML_TEXT = MIB  # characters of all values, what aliases repeat counted again
MAX_REPAIRS = 8  # values quoted before a document is given up as not YAML
MAX_NUMBER_DIGITS = 15  # a longer number stays text, since a float64 would change it

MAX_FINDINGS = 100  # repairs and notes of one document; refusals are always kept

# Fields.
MAX_DESCRIPTION = 1024  # characters; agentskills.io
MAX_GUIDE_DESCRIPTION = 200  # characters; the `.hub` guide
MAX_COMPATIBILITY = 500  # characters; agentskills.io
MAX_FIELD = 500  # characters of any other one-line field
MAX_ITEM = 200  # characters of one tag, trigger, output or tool
MAX_ITEMS = 100  # tags, triggers, dependencies and so on, in one field
MAX_LINEAGE = 1000  # entries of a manifest's lineage or of its list of files
MAX_QUOTE = 60  # characters of somebody's text that a finding repeats

# Bundles.
MAX_FILES = 1000  # in one bundle
MAX_FILE_BYTES = 10 * MIB  # one file
MAX_BUNDLE_BYTES = 10 * MIB  # all files; as base64 they fit in one call's argument of 16 MiB
MAX_PATH_BYTES = 1024  # of a path in UTF-8
MAX_PATH_PART_BYTES = 255  # of one name in a path; what common file systems take
MAX_PATH_DEPTH = 16  # segments of a path

# Import.
MAX_META_BYTES = MIB  # a history's meta.json
MAX_HISTORY = 1000  # versions of one skill
MAX_LINE_BYTES = 16 * MIB  # one line of a JSON Lines record
MAX_LINES = 100_000  # lines of one record
MAX_RECORD_BYTES = 256 * MIB  # one JSON Lines record, read whole
MAX_TREE_FOLDERS = 10_000  # folders looked at for skills
MAX_TREE_DEPTH = 6  # folders below the one given

# What analysed tasks tell; the registry's own bounds of these fields, in characters.
MAX_TOLD = 100  # runs, or suggestions, of one task
MAX_REPORT_NOTE = 4000
MAX_REPORT_ERROR = 8000
MAX_SUGGESTION = 2000
MAX_PROPOSAL = 8000
MAX_TITLE = 120  # of a proposal; the registry takes 200
MAX_RUN_ID = 200
