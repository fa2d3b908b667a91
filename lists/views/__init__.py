"""The pages of lists: what is on them, how they changed, what they are called. Runs and uploads have theirs in sync."""
