"""Runs a sweep's trials on Ray Tune; the only module that needs Ray."""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core.errors import BusyError, ConfigError, SketchScopeError
from core.paths import DATA_VARIABLE, REPOSITORY_DIR
from core.runs.folder import runs_dir
from core.runs.reading import read_run
from core.sweeps.proposals import distributions, draw_unseen, to_parameters, to_trial
from core.sweeps.record import ENDED, SweepRecord, TrialRecord, sweep_dir, write_record
from core.sweeps.spec import Sweep, Trial
from core.sweeps.trials import mark_stopped_early, train_trial
from core.training.backend import clear_backend

MAX_DEATHS = 20
"""How often a trial is begun again after its worker or its machine has died."""

STOP_TIMEOUT_S = 60
"""How long a worker waits until a trial that lags behind has saved and stopped."""

MAX_REPEATS = 100
"""How often Optuna may propose what there is before a combination is drawn."""

METRIC = "val_top1"

OnChange = Callable[[SweepRecord], None]
"""Called with the record whenever a trial has begun or ended."""


def needs_ray(sweep: Sweep) -> bool:
    """Returns whether a sweep's trials can't be trained one after another.

    What is stopped early or proposed depends on other trials at work.
    """
    return sweep.asha is not None or sweep.search == "optuna"


def is_ray_installed() -> bool:
    """Returns whether Ray can be used."""
    try:
        import ray.tune  # noqa: F401
    except ImportError:
        return False
    return True


def check_ray(sweep: Sweep) -> None:
    """Raises `ConfigError` unless Ray is installed, and Optuna for its searches."""
    if not is_ray_installed():
        raise ConfigError(
            "`--address`, `asha` and `search: optuna` need Ray, which is not "
            "installed. Install it with `pip install -r requirements-ray.txt`."
        )
    if sweep.search == "optuna" and find_spec("optuna") is None:
        raise ConfigError(
            "`search: optuna` needs Optuna, which is not installed. Install it with "
            "`pip install -r requirements-ray.txt`."
        )


def run_on_ray(
    record: SweepRecord,
    *,
    data_dir: Path,
    address: str | None = None,
    on_change: OnChange | None = None,
) -> SweepRecord:
    """Trains all trials of a sweep that have not ended.

    Args:
        record: The sweep and its trials.
        data_dir: Where its dataset is installed and everything is written; every
            machine of a cluster has to see it, and this program, at the same place.
        address: A Ray cluster's; None starts Ray on this machine for as long.
        on_change: Told of progress.

    Returns:
        The record of what has become of them.

    Raises:
        ConfigError: If Ray is not installed or not to be reached.
    """
    check_ray(record.sweep)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    import ray
    from ray import tune

    sweep = record.sweep
    environment = {
        DATA_VARIABLE: str(data_dir),
        "PYTHONPATH": str(REPOSITORY_DIR),
        "TF_NUM_INTRAOP_THREADS": str(sweep.cpus),
        "TF_NUM_INTEROP_THREADS": "1",
        "TUNE_FUNCTION_THREAD_TIMEOUT_S": str(STOP_TIMEOUT_S),
    }
    here = {} if address else {"include_dashboard": False}
    try:
        ray.init(
            address=address or "local",
            runtime_env={"env_vars": environment},
            log_to_driver=False,
            logging_level="ERROR",
            **here,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"Ray can't be reached at {address or 'this machine'}: {error}"
        ) from error
    folder = sweep_dir(sweep.name, data_dir=data_dir)
    try:
        callback = _make_callback(record, data_dir=data_dir, on_change=on_change)
        scheduler = _make_scheduler(callback, data_dir=data_dir)
        search: dict[str, Any] = {}
        trials: dict[str, Any] = {}
        if sweep.search == "optuna":
            search["search_alg"] = _make_proposer(callback)
            search["num_samples"] = record.total - record.ended
        else:
            left = [t.trial for t in record.trials if t.state not in ENDED]
            asked = [trial.model_dump_json() for trial in left]
            trials["trial"] = tune.grid_search(asked)
        tuner = tune.Tuner(
            tune.with_resources(_train, {"cpu": sweep.cpus}),
            param_space={
                "sweep": sweep.model_dump_json(by_alias=True),
                "data_dir": str(data_dir),
                **trials,
            },
            # A worker that has loaded TensorFlow trains the next trial, too.
            tune_config=tune.TuneConfig(
                scheduler=scheduler, reuse_actors=True, **search
            ),
            run_config=tune.RunConfig(
                name="ray",
                storage_path=str(folder),
                failure_config=tune.FailureConfig(max_failures=MAX_DEATHS),
                callbacks=[callback],
                verbose=0,
            ),
        )
        tuner.fit()
    finally:
        ray.shutdown()
        shutil.rmtree(folder / "ray", ignore_errors=True)
    for run_id in callback.lagging:
        mark_stopped_early(runs_dir(data_dir) / run_id)
    return write_record(callback.record, data_dir=data_dir)


def _train(config: dict[str, Any]) -> None:
    """Trains a trial in a worker."""
    from ray import tune

    sweep = Sweep.model_validate_json(config["sweep"])
    trial = Trial.model_validate_json(config["trial"])
    data_dir = Path(config["data_dir"])
    clear_backend()
    reported = 0
    ended: SystemExit | None = None

    def report(row: dict[str, Any]) -> bool:
        nonlocal reported, ended
        reported = row["epoch"]
        try:
            tune.report({METRIC: row["val_top1"], "epoch": reported, "failed": ""})
        except SystemExit as error:
            # So Tune ends a trial, which is to save first.
            ended = error
        return ended is None

    try:
        train_trial(sweep, trial, data_dir=data_dir, on_epoch=report)
    except SketchScopeError as error:
        # It would fail again; only dead workers are worth another try.
        if ended is None:
            tune.report({METRIC: 0.0, "epoch": reported, "failed": str(error)})
    if ended is not None:
        raise ended


def _make_scheduler(recorder: Any, *, data_dir: Path) -> Any:
    """Returns what stops a sweep's trials that lag behind; None without `asha`."""
    from ray.tune.schedulers import ASHAScheduler

    record: SweepRecord = recorder.record
    if record.sweep.asha is None:
        return None
    asha = record.sweep.asha

    class Halving(ASHAScheduler):  # type: ignore[misc]
        """Says which runs it has stopped."""

        def __init__(self) -> None:
            super().__init__(
                time_attr="epoch",
                metric=METRIC,
                mode="max",
                max_t=10_000,
                grace_period=asha.grace_epochs,
                reduction_factor=asha.reduction,
                # Otherwise a late epoch may count at an early rung.
                stop_last_trials=False,
            )

        def on_trial_result(self, controller: Any, trial: Any, result: Any) -> str:
            decision: str = super().on_trial_result(controller, trial, result)
            if decision == self.STOP:
                recorder.lagging.add(json.loads(trial.config["trial"])["run_id"])
            return decision

    scheduler = Halving()
    for ended in record.trials:
        if ended.state in ENDED:
            # The others are compared with it as if it had been trained today.
            known = SimpleNamespace(
                trial_id=ended.run_id, config={"trial": ended.trial.model_dump_json()}
            )
            scheduler.on_trial_add(None, known)
            for row in read_run(runs_dir(data_dir) / ended.run_id).history:
                scheduler.on_trial_result(None, known, row)
    recorder.lagging.clear()
    return scheduler


def _make_proposer(recorder: Any) -> Any:
    """Returns what proposes a sweep's trials, those left from before first."""
    import optuna
    from ray.tune.search import Searcher
    from ray.tune.search.optuna import OptunaSearch

    record: SweepRecord = recorder.record
    sweep = record.sweep
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    class Proposer(Searcher):  # type: ignore[misc]
        """Asks Optuna, and never for the same run twice."""

        def __init__(self) -> None:
            super().__init__(metric=METRIC, mode="max")
            self._left = {t.run_id for t in record.trials if t.state not in ENDED}
            self._names: dict[str, str] = {}
            self._drawn: dict[str, Trial] = {}
            self._optuna = OptunaSearch(
                space=distributions(sweep),
                metric=METRIC,
                mode="max",
                points_to_evaluate=[
                    to_parameters(sweep, t)
                    for t in record.trials
                    if t.run_id in self._left
                ],
                # The same command again is not to draw what it drew before.
                seed=sweep.search_seed + len(record.trials),
            )
            for trial in record.trials:
                if trial.run_id not in self._left and trial.val_top1 is not None:
                    self._tell(trial.trial, trial.val_top1)

        def suggest(self, trial_id: str) -> Any:
            trial = self._propose(trial_id)
            if trial is None:
                return Searcher.FINISHED
            self._left.discard(trial.run_id)
            recorder.add(trial)
            return {"trial": trial.model_dump_json()}

        def on_trial_complete(
            self, trial_id: str, result: Any = None, error: bool = False
        ) -> None:
            ended = {} if error or not result else result
            value = None if ended.get("failed") else ended.get(METRIC)
            if trial_id not in self._drawn:
                self._optuna.on_trial_complete(
                    self._names[trial_id],
                    result=None if value is None else {METRIC: value},
                    error=value is None,
                )
            elif value is not None:
                self._tell(self._drawn[trial_id], value)

        def on_trial_result(self, trial_id: str, result: Any) -> None:
            """Says nothing: Optuna learns from what trials end with."""

        def save_to_dir(self, *_: Any, **__: Any) -> None:
            """Keeps nothing: the sweep's record is what it goes on from."""

        def _propose(self, trial_id: str) -> Trial | None:
            taken = {t.run_id for t in recorder.record.trials} - self._left
            for attempt in range(MAX_REPEATS):
                name = f"{trial_id}-{attempt}"
                trial = to_trial(sweep, self._optuna.suggest(name))
                if trial.run_id not in taken:
                    self._names[trial_id] = name
                    return trial
                self._optuna.on_trial_complete(name, error=True)
            drawn = draw_unseen(sweep, taken)
            if drawn is not None:
                self._drawn[trial_id] = drawn
            return drawn

        def _tell(self, trial: Trial, value: float) -> None:
            self._optuna.add_evaluated_point(to_parameters(sweep, trial), value)

    return Proposer()


def _make_callback(
    record: SweepRecord, *, data_dir: Path, on_change: OnChange | None
) -> Any:
    """Returns what keeps a sweep's record up to date while Ray works."""
    from ray import tune

    class Recorder(tune.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.record = record
            self.lagging: set[str] = set()

        def add(self, trial: Trial) -> None:
            """Takes in a trial that has just been proposed."""
            if all(trial.run_id != known.run_id for known in self.record.trials):
                new = TrialRecord(**trial.model_dump())
                trials = (*self.record.trials, new)
                self.record = self.record.model_copy(update={"trials": trials})
                self._write()

        def on_trial_start(self, *_: Any, **__: Any) -> None:
            self._write()

        def on_trial_error(self, *_: Any, **__: Any) -> None:
            self._write()

        def on_trial_complete(self, *_: Any, trial: Any, **__: Any) -> None:
            run_id = json.loads(trial.config["trial"])["run_id"]
            message = (trial.last_result or {}).get("failed", "")
            if message:
                self.record = self.record.fail(run_id, message)
            self._write()

        def _write(self) -> None:
            for run_id in tuple(self.lagging):
                # Its worker has yet to save; whoever ends last is marked at the end.
                with suppress(BusyError):
                    mark_stopped_early(runs_dir(data_dir) / run_id, timeout_s=0)
                    self.lagging.remove(run_id)
            self.record = write_record(self.record, data_dir=data_dir)
            if on_change is not None:
                on_change(self.record)

    return Recorder()
