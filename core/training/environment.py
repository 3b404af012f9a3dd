"""On what a training runs, so that its times mean something."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

CPU_INFO = Path("/proc/cpuinfo")


def describe_environment() -> dict[str, Any]:
    """Returns the machine and the versions that decide speed and result.

    Needs Keras to be loaded.

    Returns:
        JSON-ready: `cpu` (model), `cores`, `accelerators` (names), `python`, `keras`,
        `backend` (name and version).
    """
    import keras

    backend = keras.backend.backend()
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        # Asked for "gpu", JAX raises where there is none.
        "accelerators": [
            device
            for device in keras.distribution.list_devices()
            if not device.startswith("cpu")
        ],
        "python": platform.python_version(),
        "keras": version("keras"),
        "backend": f"{backend} {version(backend)}",
    }


def _cpu_model() -> str:
    """Returns the processor's name as the system gives it."""
    try:
        for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
