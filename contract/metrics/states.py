"""States of a run that say whether its training did what it was meant to do."""

from typing import Final, Literal

State = Literal["no_valid_tuple", "collapsed", "overflow", "below_backbone", "below_untrained"]

NOT_TRAINED: Final = ("no_valid_tuple", "collapsed", "overflow")
"""In these states a run's embeddings say nothing about its loss, so no claim is judged by them."""
