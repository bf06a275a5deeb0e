"""Where the parts of a checkpoint lie: transformer, tokenizer, adapter, modules after them."""

import json
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from ...data.rows import Columns
from .errors import refusing
from .hub_files import fetch, fetch_file

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "spiece.model")
BUILTIN = ("pocket-xs", "pocket-s", "pocket-m")  # three scales of one family, made by `models/`
_MODELS = Path(__file__).parents[2] / "models"
GGUF = ".gguf"  # files of llama.cpp, which have weights, configuration and tokenizer


@dataclass(frozen=True)
class Parts:
    """The folders of a checkpoint."""

    folder: Path  # the checkpoint itself
    transformer: Path  # config.json and weights; an adapter's base
    tokenizer: Path
    first: Path  # sentence-transformers' first module, with its sentence_*_config.json
    modules: tuple[tuple[str, Path], ...] | None  # (class, folder) after the first; None: no such folder
    adapter: Path | None = None
    gguf: str = ""  # the file in the transformer's folder that has all of it

    @property
    def every(self) -> list[Path]:
        """All folders with a file that decides what is computed."""
        after = [place for _, place in self.modules or ()]
        return list(dict.fromkeys([self.folder, self.transformer, self.tokenizer, self.first, *after]))

    def gguf_options(self) -> Columns:
        """Return what has transformers read the GGUF file instead of the folder."""
        return {"gguf_file": self.gguf} if self.gguf else {}

    def sentence_settings(self) -> Columns:
        """Return what sentence-transformers' first module says of texts: length, lower-casing."""
        return next(
            (read_settings(path) for path in sorted(self.first.glob("sentence_*_config.json"))), {}
        )

    def default_prompt(self) -> str:
        """Return what sentence-transformers puts before every text.

        Raises:
            ValueError: the default prompt is not one of the prompts.
        """
        path, settings = self._sentence_transformers()
        name = settings.get("default_prompt_name")
        if name is None:
            return ""
        prompt = (settings.get("prompts") or {}).get(name)
        if not isinstance(prompt, str):
            raise ValueError(f"{path}: the default prompt {name!r} is not one of the prompts")
        return prompt

    def prompts(self) -> list[str]:
        """Return all prompts that the folder has, each once, but the empty one."""
        known = self._sentence_transformers()[1].get("prompts")
        found = known.values() if isinstance(known, dict) else ()
        return list(dict.fromkeys(one for one in found if isinstance(one, str) and one))

    def _sentence_transformers(self) -> tuple[Path, Columns]:
        path = self.folder / "config_sentence_transformers.json"
        return path, read_settings(path) if path.is_file() else {}


def find_parts(folder: Path, *, allow_pickle: bool = False) -> Parts:
    """Return where the parts of a checkpoint lie.

    Args:
        folder: of the checkpoint, or a GGUF file.
        allow_pickle: for the base of an adapter, which may be on the hub.

    Raises:
        ValueError: no config.json where one has to be, or one that cannot be read.
        OSError: an adapter's base that is neither a folder nor on the hub.
    """
    if folder.is_file():
        if find_spec("gguf") is None:
            raise ValueError(f"{folder}: to read it, pip install 'crosslingual[quantised]'")
        place = folder.parent.resolve()
        return Parts(place, place, place, place, None, gguf=folder.name)
    folder = folder.resolve()
    modules = _modules(folder)
    first = modules[0][1] if modules else folder
    after = None if modules is None else tuple(modules[1:])
    if (folder / "adapter_config.json").is_file():
        below = _base_of(folder, allow_pickle)
        if (below / "adapter_config.json").is_file():
            raise ValueError(f"{folder}: its base {below} is an adapter, too; merge that first")
        base = find_parts(below, allow_pickle=allow_pickle)
        own = folder if any((folder / name).is_file() for name in _TOKENIZER) else base.tokenizer
        if modules is None:
            first, after = base.first, base.modules
        return replace(base, folder=folder, tokenizer=own, first=first, modules=after, adapter=folder)
    if not (first / "config.json").is_file():
        others = sorted(path.name for path in first.glob(f"*{GGUF}"))
        advice = f"name its file {others[0]}" if others else "save one with save_pretrained"
        raise ValueError(f"{first}: no checkpoint there (no config.json); {advice}")
    return Parts(folder, first, first, first, after)


def _base_of(adapter: Path, allow_pickle: bool) -> Path:
    settings = read_settings(adapter / "adapter_config.json")
    base = settings.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        raise ValueError(
            f"{adapter / 'adapter_config.json'}: no base_model_name_or_path; the base is not known"
        )
    name = str(adapter / base) if (adapter / base).is_dir() else base
    return find_folder(name, settings.get("revision"), allow_pickle=allow_pickle)[0]


def _modules(folder: Path) -> list[tuple[str, Path]] | None:
    """Return class and folder of each of sentence-transformers' modules."""
    listing = folder / "modules.json"
    if not listing.is_file():
        return None
    with refusing(listing, "no list of modules"):
        entries = json.loads(listing.read_text("utf-8"))
        found = [(str(one["type"]).rsplit(".", 1)[-1], folder / str(one["path"])) for one in entries]
    root = folder.resolve()
    for _, place in found:
        if not place.resolve().is_relative_to(root):
            raise ValueError(f"{listing}: the module {place} lies outside the folder")
    return found


def find_folder(
    name: str, revision: str | None = None, *, allow_pickle: bool = False
) -> tuple[Path, str]:
    """Return the folder (or GGUF file) of a checkpoint, and the commit where it comes from the hub.

    A built-in model comes first; `./pocket-s` is a folder of that name.

    Raises:
        ValueError: neither a folder nor the form of a hub id.
        OSError: the hub does not have it or cannot be reached.
    """
    if name in BUILTIN:
        return builtin_model(name), ""
    folder = Path(name)
    if folder.is_dir() or (folder.is_file() and folder.suffix == GGUF):
        return folder, ""
    if folder.exists():
        raise ValueError(f"{name}: neither a folder nor a GGUF file")
    if name.endswith(GGUF) and is_hub_id(str(folder.parent)):
        path = fetch_file(str(folder.parent), folder.name, revision)
        return path, path.parent.name
    if not is_hub_id(name):
        raise ValueError(f"{name}: no such folder, and not a hub id (owner/name)")
    folder = fetch(name, revision, allow_pickle=allow_pickle)
    return folder, folder.name  # the folder of a snapshot is named after its commit


def builtin_model(name: str = "pocket-s") -> Path:
    """Return the folder of a built-in model.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in BUILTIN:
        raise ValueError(f"no built-in model {name!r}: {', '.join(BUILTIN)}")
    return _MODELS / name


def is_hub_id(name: str) -> bool:
    """Return whether a name has the form of an id on the hub."""
    return name.count("/") <= 1 and not name.startswith((".", "/", "~")) and bool(name.strip())


def read_settings(path: Path) -> Columns:
    """Return a JSON object of a checkpoint.

    Raises:
        ValueError: no JSON object.
        OSError: there is none.
    """
    with refusing(path, "no JSON object"):
        value = json.loads(path.read_text("utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path}: no JSON object")
    return value
