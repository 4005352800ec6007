"""The one place that imports the compiled extension; all else says `from xdp.loader.ffi import ffi, lib`.

The variant comes from the environment, RINGSIDE_VARIANT=release|sanitize (default release).
"""

from __future__ import annotations

import importlib.util
import os
from types import ModuleType
from typing import Any

from xdp.loader import paths
from xdp.loader.errors import BuildError


def _load_extension() -> ModuleType:
    variant = os.environ.get("RINGSIDE_VARIANT", "release")
    path = paths.extension_path(variant)
    if not path.exists():
        raise BuildError(f"RINGSIDE_VARIANT={variant}", f"{path} is missing", hint="build it: ./invoke build")
    spec = importlib.util.spec_from_file_location(paths.EXTENSION, path)
    if spec is None or spec.loader is None:
        raise BuildError(str(path), "is not an extension module", hint="rebuild it: ./invoke build")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        hint = "rebuild it: ./invoke build"
        if "asan" in str(error):
            hint = "the sanitize variant needs LD_PRELOAD=$(cc -print-file-name=libasan.so)"
        raise BuildError(str(path), f"cannot be loaded: {error}", hint=hint) from error
    return module


_extension = _load_extension()

# cffi's objects are typed at run time only.
ffi: Any = _extension.ffi
lib: Any = _extension.lib


def text(pointer: Any) -> str:
    """A C string as Python's; an empty one for NULL. Bytes that are not UTF-8 are replaced."""
    return "" if pointer == ffi.NULL else ffi.string(pointer).decode(errors="replace")
