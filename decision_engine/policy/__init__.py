"""The policy engine: JDM text to a compiled policy that fails closed. The language: FORMAT.md."""
