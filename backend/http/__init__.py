"""What every HTTP route may use: dependencies, limits, headers and request bodies."""
