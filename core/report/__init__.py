"""A written report of one run or two: a page that stands alone, and tables as CSV.

`contents` reads the numbers, `sentences` and `document` say them in a language,
`page` makes the HTML, `tables` the CSV, and `folder` puts both on the disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import SketchScopeError, quote
from core.language import LANGUAGES
from core.report.contents import read_contents
from core.report.document import make_document
from core.report.folder import PAGE, write_folder, zip_folder
from core.report.page import make_page
from core.report.tables import make_tables


@dataclass(frozen=True)
class Report:
    """A finished report.

    Attributes:
        name: What to call its folder.
        title: Its heading.
        opening: What it found, a sentence or two each.
        files: The content of each of its files by name.
    """

    name: str
    title: str
    opening: tuple[str, ...]
    files: dict[str, bytes]

    def write(self, folder: Path) -> None:
        """Writes it into a folder; see `core.report.folder.write_folder`."""
        write_folder(self.files, folder)

    def zip(self) -> bytes:
        """Returns it as a zip of one folder."""
        return zip_folder(self.files, self.name)


def make_report(
    run_dirs: Sequence[Path], *, data_dir: Path, language: str = "en"
) -> Report:
    """Makes the report of one run, or of two beside each other.

    Args:
        run_dirs: The run folders, one or two.
        data_dir: Where datasets are installed, whose sketches it shows.
        language: One of `core.language.LANGUAGES`.

    Raises:
        RunError: If a run has no evaluation or is damaged, or two can't be compared.
        DatasetError: If the dataset is installed and damaged.
        SketchScopeError: If nobody speaks the language.
    """
    if language not in LANGUAGES:
        raise SketchScopeError(
            "There is no language {language}. Choose one of: {options}.",
            language=quote(language),
            options=", ".join(LANGUAGES),
        )
    contents = read_contents(run_dirs, data_dir=data_dir)
    document = make_document(contents, language=language)
    texts = {PAGE: make_page(document), **make_tables(contents)}
    return Report(
        name=report_name([run_dir.name for run_dir in run_dirs]),
        title=document.title,
        opening=document.opening,
        # A name of a file may hold what is no Unicode.
        files={name: text.encode(errors="replace") for name, text in texts.items()},
    )


def report_name(run_ids: Sequence[str]) -> str:
    """Returns what the folder of a report is called."""
    return "-".join(("report", *run_ids))
