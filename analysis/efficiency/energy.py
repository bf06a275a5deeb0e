"""Energy of a card, from its own counter (NVML); a CPU has none that every user may read."""

import time
from collections.abc import Callable
from typing import Any

SECONDS = 2.0  # that are counted: the counter moves every 20 to 100 ms


def joules_a_text(device: Any, run: Callable[[], int]) -> float:
    """Return the joules that a card takes for a text, what it takes at rest included.

    Args:
        device: of torch.
        run: runs some texts, and returns how many.

    Returns:
        nan where it is not measured: no NVIDIA card, no `nvidia-ml-py`, or a card without a counter.
    """
    read = _counter(device)
    if read is None:
        return float("nan")
    before, start, texts = read(), time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        texts += run()
    return (read() - before) / texts


def _counter(device: Any) -> Callable[[], float] | None:
    """Return what reads the joules so far, once the card is done; None where there is no counter."""
    if device.type != "cuda":
        return None
    try:
        import pynvml
    except ImportError:
        return None
    import torch

    try:
        pynvml.nvmlInit()
        # by its UUID: CUDA_VISIBLE_DEVICES numbers cards in another order than NVML
        card = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(card)
    except pynvml.NVMLError:
        return None

    def read() -> float:
        torch.cuda.synchronize(device)
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(card)) / 1e3

    return read
