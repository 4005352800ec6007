"""Loads the compiled module; nothing else in the project imports it.

The environment variable RINGSIDE_VARIANT chooses the build: release (default) or sanitize.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

MODULE = "_ringside_switch"


class BuildMissing(ImportError):
    """The extension of the wanted variant has not been built, or does not load."""


def extension_path(variant: str | None = None) -> Path:
    """Where the build puts the extension of a variant."""
    chosen = variant or os.environ.get("RINGSIDE_VARIANT", "release")
    return Path(__file__).resolve().parents[2] / "build" / chosen / f"{MODULE}.abi3.so"


def _load() -> Any:
    path = extension_path()
    if not path.exists():
        raise BuildMissing(f"{path} is missing; run ./invoke build")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise BuildMissing(f"{path} is no extension module for this Python; run ./invoke build")
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError as error:
        raise BuildMissing(
            f"{path} does not load ({error}); the sanitize variant needs LD_PRELOAD of "
            "libasan, else run ./invoke build"
        ) from error
    sys.modules[MODULE] = module
    return module


_module = _load()
ffi: Any = _module.ffi
lib: Any = _module.lib
