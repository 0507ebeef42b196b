"""What the functions of the language compute, one entry of the registry each."""
