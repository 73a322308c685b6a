"""``python -m vigil`` is the command line."""

from vigil.cli import main

raise SystemExit(main())
