"""What the pages share: frame, inputs, kept models, charts and views. The only part of core that imports Streamlit."""
