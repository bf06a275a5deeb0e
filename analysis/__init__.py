"""What score tables show: figures."""

from .figures import heatmap as heatmap
from .figures import save as save
from .figures import select as select
