# docker build -t melascope . && docker run --rm -p 8501:8501 melascope
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /opt/melascope
# What is installed depends on these alone: a change of the code needs no new download.
COPY pyproject.toml README.md LICENSE ./
COPY core/__init__.py core/
RUN /opt/melascope/bin/pip install --no-cache-dir -e ".[dicom,postgresql]"

FROM python:3.11-slim-bookworm
RUN useradd --system --create-home --uid 1000 melascope
WORKDIR /app
COPY --from=build /opt/melascope /opt/melascope
COPY . .
# Compiled here, since the user that runs it may not write: every start would compile again.
RUN /opt/melascope/bin/python -m compileall -q core
ENV PATH=/opt/melascope/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 1000
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501"]
