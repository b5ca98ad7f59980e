"""Problems with the same symptoms as hazards, and another cause: no connection is in two processes."""
