"""Feeds everything that reads from outside with what it should not get.

`python -m tests.faults.bad_input --cases 400` tries 400 of each kind and prints a table
of what was tried and what held. An input holds if it is taken or refused in one clear
sentence; anything else that is raised, and whatever ends the process, does not.
"""

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from core.datasets.folders import find_folders
from core.datasets.install import install
from core.datasets.sources import add_dataset
from core.datasets.starter import draw, render
from core.datasets.store import list_datasets, open_dataset
from core.errors import SketchScopeError
from core.inference.classify import Classifier
from core.paths import TRAINED_DIR
from core.runs.evaluation import read_evaluation
from core.runs.folder import remove_run
from core.runs.neighbours import read_neighbours
from core.runs.reading import list_runs, read_run
from core.runs.recipes import make_settings, parse_overrides
from core.sketches.canvas import parse_canvas
from core.sketches.images import read_sketch
from core.sketches.reading import read_drawing
from core.sketches.strokes import from_json

HOSTILE = (
    *("", " ", ".", "..", "../../etc/passwd", "/etc/passwd", "C:\\Windows", "a/b", "~"),
    *("\x00", "a\x00b", "\n", "a\r\nb", "'", '"', "`id`", "$(id)", "; rm -rf /", "%00"),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "**b** _i_ $x$"),
    *("[a](javascript:alert(1))", ":material/home:", ":red[x]", "{0}", "{x.__class__}"),
    *("%s%n", "‮txt.exe", "مرحبا", "日本語", "e\u0301" * 40, "😀", "\ud800"),
    *("a" * 5000, "-1", "0", "1e999", "nan", "99999999999999999999", "true", "null"),
    *("[]", "{}", '{"a":', "simple\n", "resnet18 ", "RESNET18", "__proto__"),
)
"""Words that mean something to someone: paths, markup, formats, numbers."""

NUMBERS = (0, -1, 1e308, -1e308, 2**63, 2**31, 0.5, float("inf"), float("nan"))

Case = Callable[[], object]


def mutants(content: bytes, generator: Generator) -> Iterator[bytes]:
    """Yields damaged copies of a file's content, without end."""
    yield from (b"", b"\0", content[:1], content[:-1], content + b"\0", content * 2)
    size = max(len(content), 1)
    while True:
        at, length = int(generator.integers(size)), int(generator.integers(1, 64))
        kind = generator.integers(6)
        if kind == 0:
            yield content[:at]
        elif kind == 1:
            flipped = bytearray(content or b"\0")
            flipped[at] ^= 1 << int(generator.integers(8))
            yield bytes(flipped)
        elif kind == 2:
            yield content[:at] + bytes(length) + content[at + length :]
        elif kind == 3:
            yield content[:at] + generator.bytes(length) + content[at:]
        elif kind == 4:
            yield content[:at] + content[at + length :]
        else:
            # The head, where formats keep their sizes and offsets.
            head = bytearray(content[:256] or b"\0")
            for _ in range(4):
                head[int(generator.integers(len(head)))] = int(generator.integers(256))
            yield bytes(head) + content[256:]


def values(generator: Generator) -> Iterator[Any]:
    """Yields JSON values of every kind, without end."""
    while True:
        kind = generator.integers(6)
        if kind == 0:
            yield str(generator.choice(np.array(HOSTILE, dtype=object)))
        elif kind == 1:
            yield NUMBERS[generator.integers(len(NUMBERS))]
        elif kind == 2:
            yield [None, True, False, [], {}][generator.integers(5)]
        elif kind == 3:
            yield [next(values(generator)) for _ in range(generator.integers(1, 4))]
        elif kind == 4:
            yield int(generator.integers(-(2**40), 2**40))
        else:
            yield {"a": next(values(generator))}


class Bench:
    """Sound inputs to damage.

    Attributes:
        root: An empty folder.
        generator: Of everything random.
    """

    def __init__(self, root: Path, generator: Generator) -> None:
        self.root = root
        self.generator = generator
        self.sketch = render(draw("house", generator), generator)
        self.pictures = root / "pictures"
        for name in ("house", "key"):
            (self.pictures / name).mkdir(parents=True)
            for number in range(5):
                picture = Image.fromarray(render(draw(name, generator), generator))
                picture.save(self.pictures / name / f"{number}.png")
        self.data_dir = root / "data"
        install(find_folders(self.pictures), "sound", data_dir=self.data_dir)

    def fresh(self, name: str) -> Path:
        """Returns an empty folder of that name."""
        path = self.root / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def pick(self, options: Sequence[Any]) -> Any:
        """Returns one of some things."""
        return options[int(self.generator.integers(len(options)))]


def run_files(bench: Bench) -> Iterator[Case]:
    """Runs that ship, with one file damaged, missing or another's."""
    names = ("config.json", "history.jsonl", "metrics.json", "predictions.safetensors")
    files = {
        name: (TRAINED_DIR / "simple-report" / name).read_bytes() for name in names
    }
    index = (TRAINED_DIR / "simple" / "neighbours.safetensors").read_bytes()
    files |= {"neighbours.safetensors": index, "status.json": b'{"state": "running"}'}
    streams = {name: mutants(files[name], bench.generator) for name in files}
    data_dir = bench.fresh("run-data")
    path = data_dir / "runs" / "struck"
    path.mkdir(parents=True)
    while True:
        name = bench.pick(list(files))
        for other, content in files.items():
            (path / other).write_bytes(content)
        if bench.generator.integers(8) == 0:
            (path / name).write_bytes(files[bench.pick(list(files))])
        elif bench.generator.integers(12) == 0:
            (path / name).unlink()
        else:
            (path / name).write_bytes(next(streams[name]))

        def read() -> object:
            # These two say what is wrong and raise nothing.
            read_run(path)
            list_runs(data_dir=data_dir, trained_dir=TRAINED_DIR)
            answers: list[object] = []
            for reader in (read_evaluation, read_neighbours):
                try:
                    answers.append(reader(path))
                except SketchScopeError as error:
                    answers.append(_sentence(error))
            return answers

        yield read


def configs(bench: Bench) -> Iterator[Case]:
    """Run configs and JSON files with values of another kind."""
    sound = json.loads((TRAINED_DIR / "simple" / "config.json").read_bytes())
    data_dir = bench.fresh("config-data")
    path = data_dir / "runs" / "struck"
    shutil.copytree(TRAINED_DIR / "simple", path)
    stream = values(bench.generator)
    while True:
        config = json.loads(json.dumps(sound))
        part = bench.pick((config, config["settings"]))
        part[bench.pick([*part, "another"])] = next(stream)
        (path / "config.json").write_text(
            json.dumps(config), encoding="utf-8", errors="surrogatepass"
        )

        def read() -> object:
            run = read_run(path)
            return Classifier(path) if run.config is not None else run

        yield read


def settings(bench: Bench) -> Iterator[Case]:
    """Settings as `--set` takes them."""
    stream = values(bench.generator)
    fields = list(make_settings("simple", "report").model_dump())
    while True:
        value = next(stream)
        text = value if isinstance(value, str) else json.dumps(value)
        word = bench.pick((f"{bench.pick(fields)}={text}", text, f"{text}=1"))
        network = bench.pick(("simple", "resnet18", next(stream)))

        def make(network: str = str(network), word: str = word) -> object:
            return make_settings(network, "best", parse_overrides([word]))

        yield make


def dataset_files(bench: Bench) -> Iterator[Case]:
    """Installed datasets with one file damaged."""
    sound = bench.data_dir / "datasets" / "sound"
    files = {path.name: path.read_bytes() for path in sound.iterdir()}
    streams = {name: mutants(files[name], bench.generator) for name in files}
    data_dir = bench.fresh("dataset-data")
    path = data_dir / "datasets" / "struck"
    path.mkdir(parents=True)
    while True:
        for name, content in files.items():
            (path / name).write_bytes(content)
        name = bench.pick(list(files))
        (path / name).write_bytes(next(streams[name]))

        def read() -> object:
            list_datasets(data_dir)
            dataset = open_dataset("struck", data_dir=data_dir)
            return dataset.images, dataset.keys, dataset.records, dataset.rows

        yield read


def zips(bench: Bench) -> Iterator[Case]:
    """Zips with hostile names and lists, and damaged ones."""
    data_dir = bench.fresh("zip-data")
    struck = bench.root / "struck.zip"
    files = sorted(bench.pictures.glob("*/*.png"))
    sound = _zip({f"{p.parent.name}/{p.name}": p.read_bytes() for p in files})
    stream = mutants(sound, bench.generator)
    while True:
        if bench.generator.integers(2):
            struck.write_bytes(next(stream))
        else:
            endings = (".png", "", ".PNG", ".exe")
            members = {
                f"{bench.pick(HOSTILE)}/{n}{bench.pick(endings)}": path.read_bytes()
                for n, path in enumerate(files)
            }
            lists = ("mapping.txt", "train.txt", "test.txt")
            if bench.generator.integers(2):
                members |= {
                    name: bench.pick(HOSTILE).encode("utf-8", "surrogatepass")
                    + bench.pick((b"\t0\n", b"\n", b"\t-1\n", b"\xff\xfe\t\t\n"))
                    for name in lists
                }
            struck.write_bytes(_zip(members))

        def add() -> object:
            try:
                return add_dataset(str(struck), name="struck", data_dir=data_dir)
            finally:
                left = [p.name for p in data_dir.rglob("*") if p.name != "datasets"]
                assert all("struck" in str(p) for p in data_dir.glob("datasets/*")), (
                    f"it left {left}"
                )
                shutil.rmtree(data_dir / "datasets", ignore_errors=True)

        yield add


def pictures(bench: Bench) -> Iterator[Case]:
    """Pictures of every form that is read, damaged."""
    forms = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
    streams = [mutants(_encode(bench.sketch, form), bench.generator) for form in forms]
    path = bench.root / "struck.png"
    while True:
        content = next(bench.pick(streams))
        path.write_bytes(content)
        yield partial(read_drawing, content, name="It")
        yield partial(read_sketch, path, name="It")


def strokes(bench: Bench) -> Iterator[Case]:
    """What a canvas's front end, or who stands for it, sends."""
    stream = values(bench.generator)
    sound = {
        "type": "Path",
        "path": [["M", 1, 2], ["L", 3, 4]],
        "stroke": "#000",
        "strokeWidth": 3,
        "left": 0,
        "top": 0,
    }
    while True:
        thing = dict(sound)
        thing[bench.pick([*thing, "scaleX", "pathOffset"])] = next(stream)
        canvas = bench.pick(
            ({"objects": [thing]}, {"objects": next(stream)}, next(stream))
        )
        yield partial(parse_canvas, canvas, width=400, height=400)
        yield partial(from_json, json.dumps(canvas))


def names(bench: Bench) -> Iterator[Case]:
    """Names of datasets and runs."""
    data_dir = bench.fresh("name-data")
    keep = data_dir.parent / "keep"
    keep.mkdir()
    while True:
        name = bench.pick(HOSTILE)
        yield partial(remove_run, name, data_dir=data_dir)
        yield partial(open_dataset, name, data_dir=data_dir)
        yield partial(add_dataset, name, name=name, data_dir=data_dir)
        assert keep.exists()


def addresses(bench: Bench) -> Iterator[Case]:
    """Pages opened with parameters that no page wrote."""
    from streamlit.testing.v1 import AppTest

    from tests.conftest import REPOSITORY

    os.environ["SKETCHSCOPE_DATA"] = str(bench.data_dir)
    pages = sorted(path.stem for path in (REPOSITORY / "pages").glob("[!_]*.py"))
    parameters = (
        *("run", "beside", "class", "drawn", "guess", "order", "find", "mode", "set"),
        *("sketch", "sort", "page", "dataset", "split", "runs", "detail", "lang"),
        *("by", "families", "show", "least", "view", "difference", "hide", "key"),
        *("colour", "classes"),
    )

    def open_page(page: str, query: dict[str, str]) -> None:
        app = AppTest.from_file(str(REPOSITORY / "dashboard.py"), default_timeout=600)
        app.switch_page(f"pages/{page}.py")
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, (query, app.exception[0].value)

    while True:
        chosen = bench.generator.choice(parameters, size=4, replace=False).tolist()
        query = {
            name: bench.pick(HOSTILE).encode("utf-8", "replace").decode()
            for name in chosen
        }
        page = bench.pick(pages)
        yield partial(open_page, page, query)


KINDS: dict[str, tuple[Callable[[Bench], Iterator[Case]], float]] = {
    "files of a run": (run_files, 1),
    "configs of a run": (configs, 0.25),
    "settings": (settings, 1),
    "files of a dataset": (dataset_files, 1),
    "zips": (zips, 1),
    "pictures": (pictures, 1),
    "strokes": (strokes, 1),
    "names": (names, 1),
    "addresses": (addresses, 0.25),
}
"""What is tried, and how often beside the others."""


def campaign(root: Path, *, cases: int, seed: int) -> Iterator[dict[str, Any]]:
    """Tries all kinds and yields a row of the table for each.

    Args:
        root: An empty folder.
        cases: How many of each kind; fewer of slow ones.
        seed: Of everything random.
    """
    bench = Bench(root, np.random.default_rng(seed))
    for kind, (make, share) in KINDS.items():
        taken = refused = 0
        failures = []
        started = time.monotonic()
        stream = make(bench)
        total = max(round(cases * share), 1)
        for number in range(total):
            case = next(stream)
            try:
                case()
                taken += 1
            except SketchScopeError as error:
                try:
                    _sentence(error)
                    refused += 1
                except AssertionError as unclear:
                    failures.append(f"case {number}: {unclear}")
            except Exception as error:
                failures.append(f"case {number}: {type(error).__name__}: {error}"[:400])
        yield {
            "kind": kind,
            "tried": total,
            "taken": taken,
            "refused": refused,
            "held": total - len(failures),
            "duration_s": round(time.monotonic() - started, 1),
            "failures": failures,
        }


def _sentence(error: SketchScopeError) -> str:
    """Returns an error's text, which must be one that a person can use."""
    text = str(error)
    assert text.strip(), "it says nothing"
    assert len(text) < 3000, f"it says too much: {text[:100]}"
    assert "Traceback" not in text, text
    return text


def _encode(sketch: Any, form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(sketch).convert("L").save(stream, form)
    return stream.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of names that occur twice.
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in members.items():
                # Python's own writer takes neither the empty name nor NUL first.
                writable = name.encode("utf-8", "replace").decode().lstrip("\0")
                archive.writestr(writable or "x", content)
    return stream.getvalue()


def main() -> None:
    """Prints the table, and ends with 1 if anything did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=400, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="sketchscope-input-") as root:
        for row in campaign(Path(root), cases=arguments.cases, seed=arguments.seed):
            rows.append(row)
            if not arguments.json:
                sys.stdout.write(
                    f"{row['kind']:20} {row['tried']:5} tried, {row['taken']:5} taken, "
                    f"{row['refused']:5} refused, {row['held']:5} held, "
                    f"{row['duration_s']:6.1f} s\n"
                )
                for failure in row["failures"][:20]:
                    sys.stdout.write(f"  {failure!r}\n")
                sys.stdout.flush()
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    sys.exit(any(row["failures"] for row in rows))


if __name__ == "__main__":
    main()
