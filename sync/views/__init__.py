"""The pages of what comes in: files and their previews, runs and the log of imports."""
