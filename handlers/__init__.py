"""The API handlers: one file per resource, each a thin layer over `services`."""
