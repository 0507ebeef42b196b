"""What the adapters of AWS services share: credentials, signatures, clients."""
