"""The simulation kernel: virtual loop, faults, processes that can be killed."""
