"""
Real servers for tests: MariaDB, Redis, Cassandra, DynamoDB Local and two of Kinesis.

`make services` starts all and prints where they are, `make services-stop` ends them. A suite uses
`running` instead, which ends what it started. Everything binds to 127.0.0.1 on free ports and keeps
its data in a folder that goes with it. Programs are fetched once, into a cache outside the
repository (see `downloads`).
"""
