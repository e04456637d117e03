"""`hubify bench`: hold the science against data of your own.

Invariant: each command runs the code that the server runs, and reads the truth only to score.
"""

from cyclopts import App, Group

from hubify.cli.options import branch
from hubify.cli.world import World

NAME = "bench"


def bench_app(world: World, group: Group, place: int, *, wanted: bool) -> App:
    """The commands, over one world; not `wanted`: their name alone, since they load slowly."""
    app = branch(NAME, "Hold the science against data of your own.", group, place)
    if wanted:
        _add_commands(app, world)
    return app


def _add_commands(app: App, world: World) -> None:
    from hubify.cli.benches.error_rates import CanaryBench
    from hubify.cli.benches.judging import JudgeBench
    from hubify.cli.benches.reputation import ReputationBench
    from hubify.cli.benches.similarity import SimilarityBench

    app.command(CanaryBench(world).run, name="canary")
    app.command(JudgeBench(world).run, name="canary-judge")
    app.command(ReputationBench(world).run, name="reputation")
    app.command(SimilarityBench(world).run, name="similarity")
