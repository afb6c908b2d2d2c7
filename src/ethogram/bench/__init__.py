"""The open benchmark for behavioral segments: a seeded world, seeded questions, rivals in SQL, and ratios against a floor."""
