"""The live jobs of the engine, and the rules that decide which of them may start items now."""
