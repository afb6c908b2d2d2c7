"""Makes this folder importable: `oracle` and `checking` serve several folders of tests."""
