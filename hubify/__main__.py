"""`python -m hubify` is the command line.

Invariant: nothing but the call stands here.
"""

from hubify.cli.main import main

if __name__ == "__main__":
    main()
