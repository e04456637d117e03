"""`hubify bench`: hold the science against data of your own.

Invariant: each command runs the code that the server runs, and reads the truth only to score.
"""

from cyclopts import App, Group

from hubify.cli.benches.error_rates import CanaryBench
from hubify.cli.benches.judging import JudgeBench
from hubify.cli.benches.reputation import ReputationBench
from hubify.cli.benches.similarity import SimilarityBench
from hubify.cli.options import branch
from hubify.cli.world import World


def bench_app(world: World, group: Group, place: int) -> App:
    """The commands, over one world."""
    app = branch("bench", "Hold the science against data of your own.", group, place)
    app.command(CanaryBench(world).run, name="canary")
    app.command(JudgeBench(world).run, name="canary-judge")
    app.command(ReputationBench(world).run, name="reputation")
    app.command(SimilarityBench(world).run, name="similarity")
    return app
