"""What score tables show: figures, retention, results for a notebook."""

from .figures import heatmap as heatmap
from .figures import save as save
from .figures import select as select
from .results import align as align
