"""What collectors gather."""
