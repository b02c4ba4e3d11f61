"""What other programs' variables must not change: dropped at every entry point."""

from __future__ import annotations

from collections.abc import MutableMapping

ENVIRONMENT_OF_CELERY = (
    "CELERY",
    "KOMBU",
    "FORKED_BY_MULTIPROCESSING",
    "C_",
    "MP_LOG",
    "MP_MAIN_FILE",
    "_MP_",
    "TIMER_DEBUG",
    "USE_FAST_LOCALS",
    "AUTOSCALE_KEEPALIVE",
)
"""Celery, kombu and billiard read variables that begin so, and would override our settings."""


def drop_celery_environment(environ: MutableMapping[str, str]) -> None:
    """Take out every variable by which Celery or kombu would override our settings."""
    for name in [name for name in environ if name.startswith(ENVIRONMENT_OF_CELERY)]:
        del environ[name]
