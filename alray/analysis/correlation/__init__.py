"""What a correlation study's records say."""
