"""Problems that have the symptoms of hazards but another cause: no connection is in two processes."""
