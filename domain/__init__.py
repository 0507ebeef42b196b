"""The language of credit: values, entities, events, errors and ports; pure standard library."""
