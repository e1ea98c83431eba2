"""What every request passes through, from the connection to the response."""
