"""Enhanced vMotion Compatibility: features of processors, modes of clusters and machines."""
