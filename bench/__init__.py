"""Every claim about speed, one command each: `make bench`."""
