"""Makes undo jobs, which take back the rows of another job. A command makes them, and the engine by itself."""
