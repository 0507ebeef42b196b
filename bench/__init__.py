"""Every claim about speed, one command each: `make bench`."""

import adapters.bootstrap  # noqa: F401  what the shipped entry points have in place
