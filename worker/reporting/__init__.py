"""What a training reports, and how its events reach the event stream."""
