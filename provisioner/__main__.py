"""``python -m provisioner``: the same as ``streams``."""

import sys

from provisioner.cli.main import main

sys.exit(main())
