"""What a sweep's records say."""
