"""The Voluntary Funds Portal: grants of human-rights funds, from call to closed file."""
