"""What the records of a study say: frames in, findings and their sentences out. No I/O, no torch."""
