"""wire502 marks the exact frame that doomed each failed HTTP request between a gateway and its upstream."""

from __future__ import annotations

from wire502 import _build  # first: decides whether the kernels below load compiled

__version__ = "0.1.0"

_build.install()
