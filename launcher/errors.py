"""What can keep the launcher from starting.

LauncherError
├── OptionsError   the command line contradicts itself or the rules
├── PortError      an address is in use or may not be bound
├── FolderError    another launcher runs on the data folder, or it cannot be written
├── BrokerError    no broker is bundled for this platform and REDIS_URL is not set
└── StartError     a process ended, or did not answer, before it was ready
"""


class LauncherError(Exception):
    """One clear line for the person who typed the command."""


class OptionsError(LauncherError):
    """The command line contradicts itself or the rules."""


class PortError(LauncherError):
    """An address is in use or may not be bound."""


class FolderError(LauncherError):
    """Another launcher runs on the data folder, or it cannot be written."""


class BrokerError(LauncherError):
    """No broker is bundled for this platform and REDIS_URL is not set."""


class StartError(LauncherError):
    """A process ended, or did not answer, before it was ready."""
