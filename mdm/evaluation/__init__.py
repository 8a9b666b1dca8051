"""How well the matcher does on offers whose products are known. Reads files, writes nothing."""
