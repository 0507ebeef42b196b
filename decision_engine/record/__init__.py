"""Recording a decision: batches, exposure under the person's lock, tamper evidence."""
