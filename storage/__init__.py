"""The only room with SQL: plain functions over one connection, and the writer that runs them."""
