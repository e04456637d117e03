"""What the measurements send: a skill, a report on it, a document.

Invariant: as small and plain as real ones; a report carries the fields that agents fill in.
"""

TEXT = "x" * 330
SKILL = """---
name: bench-skill
description: A skill to be reported on. Use when measuring.
---

# Bench

1. Measure.
"""
REPORT = {
    "skillName": "bench-skill", "skillVersion": "1.0.0", "platform": "claude-code",
    "durationMs": 1500, "note": "worked on a table of 40 columns", "llm": "model-a",
    "toolsUsed": ["read_file", "write_file"],
}  # fmt: skip
