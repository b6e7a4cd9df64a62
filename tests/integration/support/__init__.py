"""What the integration tests stand on: the broker under test, processes, a TCP proxy that misbehaves on purpose."""
