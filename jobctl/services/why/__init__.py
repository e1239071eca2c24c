"""Why a job or an item is where it is."""
