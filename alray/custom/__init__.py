"""The user's strategies and networks: found by `package.module:Name`, and known by the source of their modules."""
