"""The edge: HTTP and WebSocket in, one call into `services`, an answer out."""
