"""A world without I/O: repositories in memory, and commits that say how they behave."""

from sandbox.scripted.behaviour import Answer, Behaviour, Failure, Flapping
from sandbox.scripted.ci_files import flat_ci, landscape_ci
from sandbox.scripted.repository import Commit, Repository
from sandbox.scripted.world import ScriptedWorld

__all__ = [
    "Answer",
    "Behaviour",
    "Commit",
    "Failure",
    "Flapping",
    "Repository",
    "ScriptedWorld",
    "flat_ci",
    "landscape_ci",
]
