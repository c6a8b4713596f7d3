"""Why a failure happened: one cause a file."""
