"""What a training reports, and how it reaches the event stream."""
