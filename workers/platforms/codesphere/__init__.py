"""The Codesphere driver, written from the platform's public API description."""

from workers.platforms.codesphere.driver import Codesphere

__all__ = ["Codesphere"]
