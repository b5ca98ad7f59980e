"""The recommendation: its rules, the code to copy, the quick answer, results, claims."""
