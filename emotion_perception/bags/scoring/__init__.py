"""Labels, tables and metrics of a recording."""
