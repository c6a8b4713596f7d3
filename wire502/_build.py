"""Which build of the kernels runs: the switch ``WIRE502_COMPILED``, read once when wire502 is imported.

A kernel is a module named ``*_cy``. It is ordinary Python that may also be compiled, so an extension file may lie
beside its source, and then Python prefers the extension.

| WIRE502_COMPILED | effect |
|---|---|
| ``auto`` (or unset) | whatever is there: nothing is installed, nothing costs anything |
| ``off`` | kernels load from their source even if an extension lies beside it |
| ``require`` | loading a kernel that is not compiled raises ``ImportError`` |

The same variable steers the build, see ``setup.py``.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

VARIABLE = "WIRE502_COMPILED"
CHOICES = ("auto", "require", "off")
PACKAGE = __name__.partition(".")[0]
SUFFIX = "_cy"


def choice() -> str:
    """Return the value of ``WIRE502_COMPILED``, ``auto`` when unset or empty.

    Raises ``ImportError`` for any other word, since it decides how wire502 is imported.
    """
    word = os.environ.get(VARIABLE) or "auto"
    if word not in CHOICES:
        raise ImportError(f"{VARIABLE}={word}: must be one of {', '.join(CHOICES)}", name=PACKAGE)
    return word


class KernelFinder:
    """Meta path finder for the kernels of wire502, and for nothing else."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where to load the kernel *fullname* from; None leaves any other module to the next finder.

        Raises ``ImportError`` for a kernel that is not compiled although it is required to be.
        """
        if path is None or not fullname.startswith(PACKAGE + ".") or not fullname.endswith(SUFFIX):
            return None
        if self.mode == "off":
            return _source_spec(fullname, path)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and not isinstance(spec.loader, ExtensionFileLoader):
            raise ImportError(
                f"{VARIABLE}=require, but {fullname} is not compiled; build it with: {VARIABLE}=require pip install .",
                name=fullname,
                path=spec.origin,
            )
        return spec


def _source_spec(fullname: str, path: Sequence[str]) -> ModuleSpec | None:
    name = fullname.rpartition(".")[2] + ".py"
    for folder in path:
        source = os.path.join(folder, name)  # noqa: PTH118  (pathlib would be most of the start-up of ten packets)
        if os.path.isfile(source):  # noqa: PTH113
            return spec_from_file_location(fullname, source)
    return None


def install() -> None:
    """Put the finder that ``WIRE502_COMPILED`` asks for in front of Python's own; ``auto`` needs none.

    Asked again, it follows the variable's present value; kernels that were imported before stay as they are.
    """
    mode = choice()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, KernelFinder)]
    if mode != "auto":
        sys.meta_path.insert(0, KernelFinder(mode))


def compiled_kernels() -> dict[str, bool]:
    """Return, for each kernel by its dotted name in order, whether importing it loads an extension.

    Looks at file names only and imports nothing, so ``--version`` may ask.
    """
    usable = choice() != "off"
    root = os.path.dirname(__file__)  # noqa: PTH120
    kernels: dict[str, bool] = {}
    for folder, _, names in os.walk(root):
        present = set(names)
        package = (PACKAGE + folder[len(root) :]).replace(os.sep, ".")
        for name in present:
            stem, dot, ending = name.partition(".")
            if stem.endswith(SUFFIX) and dot + ending == ".py":
                kernels[f"{package}.{stem}"] = usable and any(stem + suffix in present for suffix in EXTENSION_SUFFIXES)
    return dict(sorted(kernels.items()))
