"""A whole sweep by alray, joblib and Ray Tune, each a program of its own."""
