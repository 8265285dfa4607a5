"""The funds as data: profiles, countries, stations, calls."""
