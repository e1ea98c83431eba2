"""The HTTP layer that all requests share, from the connection to the response."""
