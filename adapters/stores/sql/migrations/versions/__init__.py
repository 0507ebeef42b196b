"""One file a revision; the number is also the version of an embedded file."""
