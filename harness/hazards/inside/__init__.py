"""One hazard under one strategy."""
