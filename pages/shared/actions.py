"""Everything that a page can change, and only for the owner.

Pages take these from here and never from `core`; a test sees to it. So no button that
was shown by mistake, and no message that a browser makes up, gets past the owner.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from core.datasets import drawings, sources, store
from core.inference import excitation
from core.runs import copies, create, dataset, folder, launch, notes, stopping
from core.sweeps import starting
from pages.shared.owner import must_be_owner

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _for_the_owner(
    function: Callable[Parameters, Result],
) -> Callable[Parameters, Result]:
    @wraps(function)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        must_be_owner()
        return function(*args, **kwargs)

    return guarded


add_dataset = _for_the_owner(sources.add_dataset)
remove_dataset = _for_the_owner(store.remove_dataset)
create_run = _for_the_owner(create.create_run)
launch_training = _for_the_owner(launch.launch_training)
create_sweep = _for_the_owner(starting.create_sweep)
launch_sweep = _for_the_owner(starting.launch_sweep)
request_stop = _for_the_owner(stopping.request_stop)
change_notes = _for_the_owner(notes.change_notes)
index_channels = _for_the_owner(excitation.index_channels)
remove_run = _for_the_owner(folder.remove_run)
restore_run = _for_the_owner(folder.restore_run)
save_drawing = _for_the_owner(drawings.save_drawing)
relabel_drawing = _for_the_owner(drawings.relabel_drawing)
remove_drawing = _for_the_owner(drawings.remove_drawing)
promote = _for_the_owner(copies.promote)
make_drawings_dataset = _for_the_owner(dataset.make_drawings_dataset)
