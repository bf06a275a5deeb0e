"""A page for the eye: runs in one HTML file that needs nothing else."""
