"""The machine that times were taken on: what decides them besides the model."""

import os
import platform
from pathlib import Path

from ...alignment.runs.folder import versions
from ...data.rows import Columns

_CPU = Path("/sys/devices/system/cpu")


def describe_machine() -> Columns:
    """Return processor, cores, threads, governor, turbo, NUMA nodes, load, cards, versions."""
    import psutil
    import torch

    cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "processor": _processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "governor": _read(_CPU / "cpu0/cpufreq/scaling_governor"),
        "turbo_off": _read(_CPU / "intel_pstate/no_turbo"),
        "numa_nodes": len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))) or None,
        "load": [round(one, 2) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "cards": cards,
        "platform": platform.platform(),
        "versions": versions(),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _read(path: Path) -> str | None:
    """Return what a file of the kernel says; nothing where it has none, as in virtual machines."""
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return None
