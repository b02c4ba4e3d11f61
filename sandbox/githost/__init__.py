"""A strict Git host for trying and testing: GitHub's and GitLab's APIs over one scripted world.

`GitHost` is the world and what happens in it, `GitService` answers requests without any I/O,
`transport` puts it behind an httpx client, `server` on a real port. Written from the hosts' public
descriptions; unknown properties and parameters are refused although the real hosts ignore them.
"""

from sandbox.core.faults import Fault
from sandbox.githost.delivering import Delivery, Outgoing, Post, Send
from sandbox.githost.history import ZEROS
from sandbox.githost.host import GitHost
from sandbox.githost.limits import Limits
from sandbox.githost.model import Change, CheckSuite, Hook, Repository, Token, Unknown, User
from sandbox.githost.pushing import RefMove
from sandbox.githost.service import Asked, GitService

__all__ = [
    "ZEROS",
    "Asked",
    "Change",
    "CheckSuite",
    "Delivery",
    "Fault",
    "GitHost",
    "GitService",
    "Hook",
    "Limits",
    "Outgoing",
    "Post",
    "RefMove",
    "Repository",
    "Send",
    "Token",
    "Unknown",
    "User",
]
