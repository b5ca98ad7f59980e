"""What repeats exactly: statements, round trips, modules, calls, collections."""
