"""Files of labelling tools: tasks go out, answers come back."""
