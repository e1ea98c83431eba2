"""Pure values and rules that every other package uses. Callers pass the time in."""
