"""The services that read the products of items: results, logs, reports and exports."""
