"""Who is one person: links between ids, what they add up to, and why."""
