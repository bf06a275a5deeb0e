"""Where a model runs, and what memory is free there."""


def pick_device(wanted: str) -> str:
    """Return the device that "auto" means here: the first GPU, else the CPU.

    Raises:
        ValueError: no device of that name here.
    """
    import torch

    if wanted != "auto":
        try:
            kind = torch.device(wanted).type
        except RuntimeError:
            raise ValueError(f"unknown `device` {wanted!r}: auto, cpu, cuda or cuda:1") from None
        if kind == "meta":
            raise ValueError("`device` meta computes nothing; take cpu or auto")
        if kind == "cuda" and not torch.cuda.is_available():
            raise ValueError(f"`device` {wanted}: torch finds no CUDA here; take cpu or auto")
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def free_memory(device: str) -> int:
    """Return the bytes that are free on a device (of mps: on the machine)."""
    import psutil
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
