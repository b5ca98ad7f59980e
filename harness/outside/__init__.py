"""What watches: supervisor, guards, samples; trials of hazards and their recorded verdicts."""
