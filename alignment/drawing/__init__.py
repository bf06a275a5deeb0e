"""What figures share: sheets of a width, matrices of cells, marks, files."""

from typing import TYPE_CHECKING

from ...data.lazy_names import exports

if TYPE_CHECKING:
    from .colours import hues as hues
    from .colours import ramp as ramp
    from .matrices import FORMATS as FORMATS
    from .matrices import Scale as Scale
    from .matrices import apart as apart
    from .matrices import bar as bar
    from .matrices import canvas as canvas
    from .matrices import cells as cells
    from .matrices import dots as dots
    from .matrices import hatch as hatch
    from .matrices import save as save
    from .matrices import scale_from as scale_from
    from .matrices import short_name as short_name
    from .matrices import tick_labels as tick_labels
    from .matrices import title as title
    from .sheets import SMALLEST as SMALLEST
    from .sheets import STYLES as STYLES
    from .sheets import CellLayout as CellLayout
    from .sheets import Sheet as Sheet
    from .sheets import every as every
    from .sheets import layout_cells as layout_cells
    from .sheets import sheet as sheet

_MATRICES = (
    "FORMATS Scale apart bar canvas cells dots hatch save scale_from short_name tick_labels title"
)
_SHEETS = "SMALLEST STYLES CellLayout Sheet every layout_cells sheet"

__getattr__, __dir__ = exports(
    __name__,
    dict.fromkeys(("hues", "ramp"), ".colours")
    | dict.fromkeys(_MATRICES.split(), ".matrices")
    | dict.fromkeys(_SHEETS.split(), ".sheets"),
)
