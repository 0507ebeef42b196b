"""Redis or Valkey: the cache that several processes share, never the only copy of anything."""
