"""`python -m omnipkg …`: as `python -m omnipkg.cli …`."""

import sys

from omnipkg.cli import main

if __name__ == "__main__":
    sys.exit(main())
