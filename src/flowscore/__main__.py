"""`python -m flowscore` is the command `flowscore`."""

import sys

from flowscore.cli import main

sys.exit(main())
