"""The processes of one trial: a hazard under a strategy."""
