"""TreeEvidence about running processes, read from outside: nothing is stopped or written to."""
