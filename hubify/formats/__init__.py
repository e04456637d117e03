"""What a skill is on disk: SKILL.md, `.hub`, names, versions, bundles and the layouts of import.

Invariant: pure but for `folders`, which alone touches a disk; imports nothing of ours.
"""
