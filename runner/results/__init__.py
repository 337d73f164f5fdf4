"""Write, read, summarise and diagnose a run's folder."""
