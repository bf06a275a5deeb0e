"""The corpora: `load` turns a name of `CORPORA` into bitexts.

A corpus is a module that says how it is read (`READER`, one of the kinds of `reader`) and an entry of
`table`: of `CORPORA`, or of `HAYSTACKS` where it is to be mined. To add one, write both.
"""

from .loading import find_root as find_root
from .loading import load as load
from .loading import load_haystack as load_haystack
from .table import CORPORA as CORPORA
from .table import HAYSTACKS as HAYSTACKS
from .table import Corpus as Corpus
