"""Files of events in, the lake's layout out: settings, safe reading, mapping, validation, proposals."""
