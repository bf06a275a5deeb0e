"""Tables for papers, and the formats of others."""
