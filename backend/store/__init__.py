"""All SQL of the product: functions that take an open session or write transaction."""
