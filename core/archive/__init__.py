"""Photos from public archives: chosen cases from the ISIC Archive, the whole of HAM10000 from the Harvard Dataverse."""
