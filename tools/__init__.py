"""Gets the Python environment and the Pulumi toolchain onto a machine, then runs one command.

Standard library only: it runs before anything is installed.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a machine may have any
    sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")
