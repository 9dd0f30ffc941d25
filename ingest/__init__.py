"""From the wire to the table."""
