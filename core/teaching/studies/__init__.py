"""Reader studies: a protocol, readings that are blinded and can be taken up again, exports, and the analysis of two arms."""
