"""What every program's application shares: its database, and whoever asks it for rows."""
