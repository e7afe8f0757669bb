"""Speed beside the peers, measured in one run and printed as ratios; never asserted."""
