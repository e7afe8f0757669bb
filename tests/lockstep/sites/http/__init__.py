"""What HTTP is sent with, and where it may lead."""
