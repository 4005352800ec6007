"""The one place where tests load `_ringside_test`: `from tests.c.support.native import ffi, lib`.

The variant comes from RINGSIDE_VARIANT (release unless said otherwise); a stale build is renewed first.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from tests.c.support.build import MODULE, build

VARIANT = os.environ.get("RINGSIDE_VARIANT", "release")


def _load() -> Any:
    # The compiler must not run under the sanitizer's library that this process may have been started with.
    preload = os.environ.pop("LD_PRELOAD", None)
    try:
        path = build(VARIANT)
    finally:
        if preload is not None:
            os.environ["LD_PRELOAD"] = preload
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_module = _load()
ffi: Any = _module.ffi
lib: Any = _module.lib
