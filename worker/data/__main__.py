"""`python -m worker.data list` and `python -m worker.data prepare NAME [--archive F]`."""

import sys

from worker.data.cli import main

sys.exit(main())
