"""What items produced: results, logs, reports, exports."""
