"""What start-up costs by distance, size of the parent, amount of work and number of workers; and the bill."""
