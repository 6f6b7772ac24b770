"""Files in a local folder or an object store, and the lock of their only writer."""
