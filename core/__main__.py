"""The command line: `python -m core data check | train | evaluate | read | models`."""

import typer

from core.cli import calibrate, cases, data, ensemble, evaluate, export, measure, models, read, replay, serve, train
from core.cli.abroad import commands as abroad
from core.cli.on_ray import sweep
from core.cli.on_ray.ray_option import RayCommand
from core.cli.teach import classroom

app = typer.Typer(
    name="python -m core",
    help="Melascope: train, evaluate and read dermoscopy networks. For research and teaching; not a medical device.",
    epilog="Example: python -m core read mole.jpg --model MobileNetV2 --out reading",
    no_args_is_help=True,
    add_completion=False,
    # An unforeseen fault is a sentence too: see `plain_errors`.
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(cases.app, name="cases")
app.add_typer(ensemble.folds, name="folds")
app.command("train", cls=RayCommand, epilog=train.EPILOG)(train.train)
app.command("sweep", cls=RayCommand, epilog=sweep.EPILOG)(sweep.sweep)
app.command("calibrate", epilog=calibrate.EPILOG)(calibrate.calibrate)
app.command("ensemble", epilog=ensemble.EPILOG)(ensemble.ensemble)
app.command("evaluate", cls=RayCommand, epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command("export", epilog=export.EPILOG)(export.export)
app.command("measure", epilog=measure.EPILOG)(measure.measure)
app.command("sources", epilog=abroad.SOURCES_EPILOG)(abroad.sources)
app.command("recalibrate", epilog=abroad.RECALIBRATE_EPILOG)(abroad.recalibrate)
app.command("adapt", epilog=abroad.ADAPT_EPILOG)(abroad.adapt)
app.command("read", cls=RayCommand, epilog=read.EPILOG)(read.read)
app.command("replay", epilog=replay.EPILOG)(replay.replay)
app.command("class", epilog=classroom.EPILOG)(classroom.classroom)
app.command("serve", epilog=serve.EPILOG)(serve.serve)
app.command("models", epilog="Example: python -m core models --json")(models.models)

if __name__ == "__main__":
    app(prog_name="python -m core")
