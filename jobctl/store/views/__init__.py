"""What the database says, as rows that services read."""
