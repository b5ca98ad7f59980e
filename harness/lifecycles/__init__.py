"""One worker from its start until it is reaped: planned, measured, checked."""
