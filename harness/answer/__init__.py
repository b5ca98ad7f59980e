"""What to choose: the quick answer, results, recommendations, claims."""
