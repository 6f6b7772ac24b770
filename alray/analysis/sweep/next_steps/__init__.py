"""What to do after a sweep: its runs' records to a few sentences, each with its reason and a command."""
