"""Storage: all SQL, as functions that take a connection, and the writer thread that runs them."""
