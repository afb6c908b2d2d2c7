"""A shop that never was, with known truth: seeded, without a clock, an ordinary project as its result.

goods         what is sold, and where
traces        what can happen in it: events, their properties, the columns of the files
profile       what customers and their companies stated
life          one planted customer's life, event by event
planting      personas: recipes of such lives, with the segments they belong to
people_*      the personas
ranks         planted customers whose place among all others is what matters
crowd         everybody else, in columns: the noise that a real shop has
opinions      what people write, in several languages
definitions   the catalog's entries as this shop has them
truth         which planted customer belongs where
shop          the whole of it, written to a folder
"""
