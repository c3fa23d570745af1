"""The paper's tables and the experiments' results, as the pages show them."""
