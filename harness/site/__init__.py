"""What `asv publish` shows beyond what asv does."""
