"""Where replies come from, one file each."""
