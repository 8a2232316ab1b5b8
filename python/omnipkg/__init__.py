"""The Python side of omnipkg. It is part of every view, so it imports nothing here."""
