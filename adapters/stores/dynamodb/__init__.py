"""Hot profiles and latest decisions on DynamoDB, through the thin client of `adapters.aws`."""
