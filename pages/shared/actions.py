"""Everything that a page can change, and only for the owner or with consent.

Pages take these from here and never from `core`; a test sees to it. So no button that
was shown by mistake, and no message that a browser makes up, gets past the owner.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from core.datasets import answers, decisions, drawings, sources, store, versions
from core.inference import excitation
from core.ownership import Access
from core.runs import copies, create, dataset, folder, launch, notes, stopping
from core.sweeps import out_of_fold, starting
from pages.shared.owner import access, must_be_owner

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
decide_label = _for_the_owner(decisions.decide)
undo_label = _for_the_owner(decisions.undo)
make_version = _for_the_owner(versions.make_version)
create_run = _for_the_owner(create.create_run)
launch_training = _for_the_owner(launch.launch_training)
create_sweep = _for_the_owner(starting.create_sweep)
launch_sweep = _for_the_owner(starting.launch_sweep)
finish_suspects = _for_the_owner(out_of_fold.finish_suspects)
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
allow_answers = _for_the_owner(answers.allow_answers)


def keep_answer(answer: answers.Answer, *, data_dir: Path) -> None:
    """Keeps a visitor's answer, with the owner's consent and where anything may change.

    Raises:
        SketchScopeError: If it can't be written.
    """
    if access() is not Access.READ_ONLY:
        answers.keep_answer(answer, data_dir=data_dir)
