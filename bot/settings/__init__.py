"""Everything that the operator decides. This package alone reads the environment.

A setting is a variable named ``MONETA_...``, of the environment or of ``.env`` (the environment wins); a secret may be
in a file instead, named by ``MONETA_..._FILE``. Whatever is unknown, missing, contradictory or wrong is named in one
message, without its value where that is secret, and nothing starts.
"""

from bot.settings.example import example
from bot.settings.loading import load
from bot.settings.model import Books, Settings
from bot.settings.names import PREFIX, SettingsError

__all__ = ("PREFIX", "Books", "Settings", "SettingsError", "example", "load")
