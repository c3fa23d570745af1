"""`sweep`: trainings that vary a recipe, and what of it mattered."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.on_ray.ray_option import RayOption, WorkersOption
from core.cli.terminal import plain_errors, quiet_libraries, results, say, say_error

EPILOG = "Example: python -m core sweep space.toml --data ~/ham10000 --out sweeps/first"
MOST_TRIALS = 20
TRIALS, PLOT = "trials.csv", "sweep.html"
FIGURE_WORDS = "balanced accuracy (rule likeliest), validation"


@plain_errors
def sweep(
    space: Annotated[
        Path,
        typer.Argument(
            metavar="SPACE",
            help="A TOML file: the recipe, and what varies in it; docs/howto/on-a-cluster.md.",
            show_default=False,
        ),
    ],
    data: Annotated[Path, typer.Option(help="HAM10000 folder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for the trials, trials.csv and sweep.html.", show_default=False)],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the sweep in --out.")] = False,
    ray: RayOption = None,
    workers: WorkersOption = None,
) -> None:
    """Train many networks that vary a recipe, stop those that fall behind, and say what mattered.

    On Ray Tune (extra `scale`), with all cores of this machine if --ray names no cluster; a trial takes a GPU where there is one, else a
    core. Each trial's folder holds a model with its card. Validation photos compare the trials: measure the one that you choose by
    `evaluate`. A sweep that was stopped goes on with --resume.
    """
    from core.cluster.ray_runtime import THIS_MACHINE, check_ray, on_ray

    check_ray()
    if not space.is_file():
        raise ValueError(f"{space} is not there. Expected a TOML file; docs/howto/on-a-cluster.md shows one.")
    with quiet_libraries():
        from core.cluster.search_space import read_space
        from core.cluster.sweep import mean_over_seeds, run_sweep, what_mattered
        from core.cluster.sweep_plot import write_plot

        told = read_space(space)
        trials = told.draw_trials()
        most = max(told.epochs(trial) for trial in trials)
        say(f"{len(trials)} trials of {told.backbone} ({told.recipe}), {most} epochs at most.")
        if len(trials) < told.trials * len(told.seeds):
            say(f"Of {told.trials} sets of values that were asked for, {space} has {len(trials) // len(told.seeds)}.")
        with on_ray(ray or THIS_MACHINE, workers):
            table = run_sweep(told, data, out, workers=workers, resume=resume, say=say)
        effects = what_mattered(told, table)
        write_plot(told, table, effects, out)
    _show(told, table, effects, mean_over_seeds(told, table))
    console = results()
    console.print(f"Written to {out}: {TRIALS}, {PLOT}, and a model a trial.", markup=False, soft_wrap=True)
    if len(table) < len(trials):
        say_error(f"{len(trials) - len(table)} of {len(trials)} trials have no model. --resume tries them again.")
        raise typer.Exit(1)


def _show(space, table, effects, means) -> None:
    from core.cluster.sweep import FIGURE

    console, names = results(), list(space.space)
    shown = Table("trial", *names, "seed", "epochs", FIGURE_WORDS, title="Trials, the best first")
    for row in table.head(MOST_TRIALS).to_dict("records"):
        epochs = f"{row['epochs']}" if row["epochs"] >= row["planned"] else f"{row['epochs']} of {row['planned']}"
        shown.add_row(row["trial"], *(str(row[name]) for name in names), str(row["seed"]), epochs, f"{row[FIGURE]:.3f}")
    console.print(shown)
    if len(space.seeds) > 1 and len(means):
        best = means.iloc[0]
        values = ", ".join(f"{name} {best[name]}" for name in names)
        console.print(
            f"Best mean of {len(space.seeds)} seeds: {best[FIGURE]:.3f} with {values} ({best['trial']} is its best).",
            markup=False,
            soft_wrap=True,
        )
    mattered = Table("what varied", "best", "worst", "difference, points", "share of variance", title="What mattered")
    for row in effects.to_dict("records"):
        share = "-" if row["share"] != row["share"] else f"{row['share']:.2f}"
        mattered.add_row(row["name"], row["best"], row["worst"], f"{row['difference']:.1f}", share)
    console.print(mattered)
    console.print(
        "Validation photos chose: the best of many looks better there than it is. Measure it on photos that chose nothing by `evaluate`. "
        "Groups by value, numbers in thirds; what differs no more than seeds do shows nothing.",
        style="dim",
        soft_wrap=True,
    )
