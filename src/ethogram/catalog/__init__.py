"""Ready-made definitions: entries in YAML, and what fits them to a project.

entry         what an entry is
loading       YAML files to entries
fitting       who plays which part: a project's events and properties for the parts an entry needs
rendering     an entry's text with a project's names and parameters filled in
calibrating   thresholds from the project's own data
"""
