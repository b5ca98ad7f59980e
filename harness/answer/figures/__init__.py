"""The figures behind every table and page: read, grouped by test bed, ranked, and put into sentences."""
