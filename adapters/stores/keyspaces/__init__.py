"""Amazon Keyspaces, or Apache Cassandra in its place: the customers' history and profiles."""
