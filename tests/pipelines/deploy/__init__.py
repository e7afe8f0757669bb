"""Order, plan and apply."""
