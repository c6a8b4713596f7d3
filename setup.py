"""Compile every ``wire502/**/*_cy.py``; everything else about the package stands in pyproject.toml.

``WIRE502_COMPILED`` at build time: ``auto`` (default) compiles if it can and installs the plain sources if it
cannot, ``require`` makes a failure to compile an error, ``off`` compiles nothing.

While developing: ``python setup.py build_ext --inplace`` compiles what has changed, with the options of a release.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MODE = os.environ.get("WIRE502_COMPILED") or "auto"
if MODE not in ("auto", "require", "off"):
    sys.exit(f"WIRE502_COMPILED={MODE}: must be one of auto, require, off")

DIRECTIVES = {
    "language_level": 3,
    "annotation_typing": True,
    "boundscheck": True,  # input is hostile, and the cost was not measurable
    "initializedcheck": True,
    "wraparound": False,  # no negative indices in kernels
    "cdivision": True,  # no negative operands of // and % in kernels: there C and Python differ
    "embedsignature": False,
    "auto_pickle": False,  # no kernel's object leaves its process
}


def kernels() -> list[Extension]:
    """Return one extension for each kernel: the files are the list."""
    return [
        Extension(".".join(path.with_suffix("").parts), [str(path)], extra_compile_args=["-g0"])
        for path in sorted(Path("wire502").rglob("*_cy.py"))
    ]


class BuildKernels(build_ext):
    """Translates with Cython, compiles side by side, and obeys ``WIRE502_COMPILED``."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if self.parallel is None:
            self.parallel = os.cpu_count() or 1

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:  # no Cython, no compiler, no Python.h, a full disk: all mean "not compiled"
            if MODE == "require":
                raise
            print(f"warning: wire502 is installed uncompiled, it will be slower: {error!r}", file=sys.stderr)
            self.forget()

    def build_extensions(self) -> None:
        from Cython.Build import cythonize
        from Cython.Compiler import Options

        Options.warning_errors = True
        for extension in self.extensions:
            # One at a time: the extension object is one that setuptools has finalised and must stay the same.
            extension.sources = cythonize([extension], compiler_directives=DIRECTIVES, build_dir="build/cython")[
                0
            ].sources
        super().build_extensions()

    def forget(self) -> None:
        """Leave no kernel behind that was compiled before a failure: half a set cannot be imported."""
        inplace = bool(self.inplace)
        for extension in self.extensions:
            self.inplace = False
            built = [Path(self.get_ext_fullpath(extension.name))]
            if inplace or getattr(self, "editable_mode", False):
                built.append(Path(self.get_ext_filename(extension.name)))
            for path in built:
                path.unlink(missing_ok=True)
        self.inplace = inplace
        self.extensions = []
        self.distribution.ext_modules = []


setup(ext_modules=[] if MODE == "off" else kernels(), cmdclass={"build_ext": BuildKernels})
