"""What spans several stores: outbox, sagas, reconciliation."""
