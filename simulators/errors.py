"""What can go wrong in the outside world, told in one line."""


class SimulatorError(ValueError):
    """The simulator cannot do what was asked."""


class DataFileError(SimulatorError):
    """The data file is missing or is not what it should be."""


class PublishError(SimulatorError):
    """The broker cannot be reached, or did not accept a message."""
