"""Say which regions a prediction owes to, and whether they are the right ones."""
