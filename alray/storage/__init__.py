"""Where results lie: a local folder or an object store."""
