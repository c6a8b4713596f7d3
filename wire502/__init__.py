"""wire502 marks the exact frame that doomed each failed HTTP request between a gateway and its upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wire502 import _build  # first: decides whether the kernels below load compiled

if TYPE_CHECKING:
    from wire502.api import Filter, Reading, read
    from wire502.errors import CaptureError, SettingError, Wire502Error

__all__ = ["CaptureError", "Filter", "Reading", "SettingError", "Wire502Error", "__version__", "read"]
__version__ = "0.1.0"

_build.install()

_HOMES = {"read": "api", "Reading": "api", "Filter": "api"} | dict.fromkeys(
    ("CaptureError", "SettingError", "Wire502Error"), "errors"
)


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: ``wire502 --help`` needs none of the stages."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
