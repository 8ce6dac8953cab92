"""States of a run that say whether its training did what it was meant to do."""

from typing import Final, Literal

State = Literal["no_valid_tuple", "collapsed", "overflow", "below_backbone", "below_untrained"]

NOT_TRAINED: Final = ("no_valid_tuple", "collapsed", "overflow")
"""In these states a run's embeddings say nothing about its loss, so no claim is judged by them."""

WORSE_BY: Final = 0.01
"""How far the objective lies below a reference before a run is called worse than it."""
TRIVIAL_WITHIN: Final = 0.01
"""Largest distance of a collapsed space's loss from its trivial value, as a share of that."""
SHRUNK: Final = 10.0
"""Least factor by which the spread of a collapsed space has shrunk since the untrained network."""
