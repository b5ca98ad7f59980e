"""Everything a person looks at: reads what has been recorded, measures nothing."""
