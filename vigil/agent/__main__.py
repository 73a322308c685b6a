"""``python -m vigil.agent``, which ``bin/vigil agent`` runs without any package."""

from __future__ import annotations

from vigil.agent.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
