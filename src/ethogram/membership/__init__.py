"""Who is in what, since when, and why: refreshes, the record of moves, reading it, explaining and verifying it."""
