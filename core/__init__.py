"""What the rest is made of: pure values and rules, with the time passed in."""
