"""Work that is done from time to time: lost workers, wake-ups, old data."""
