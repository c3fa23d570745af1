"""Photos that outgrow one process, read and scored in parts by the workers of Ray. Extra `scale`."""
