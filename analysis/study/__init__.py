"""Studies: is alignment retained across scales? One file, one command."""
