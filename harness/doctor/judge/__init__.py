"""From evidence to findings: pure functions, one module for each kind of evidence."""
