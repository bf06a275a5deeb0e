"""Read a YAML file of settings: plain values only, of a size and depth that people write."""

from pathlib import Path

import yaml

from .text import read_text

LARGEST = 1 << 20  # bytes
DEEPEST = 32  # lists and mappings in each other

_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def read_yaml(path: Path) -> yaml.Node | None:
    """Return the document of a YAML file, with the places of its values; None where it is empty.

    Anchors, aliases and tags are refused: settings do not need them, and a few lines of them can stand
    for a file of any size.

    Raises:
        ValueError: not YAML, too large, too deep: with file and line.
        OSError: the file cannot be read.
    """
    text = read_text(path, LARGEST)
    depth = 0
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            line = token.start_mark.line + 1
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
                raise ValueError(f"{path}:{line}: anchors, aliases and tags are not read; write it out")
            depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
            if depth > DEEPEST:
                raise ValueError(f"{path}:{line}: more than {DEEPEST} lists or mappings in each other")
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
