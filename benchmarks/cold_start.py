"""From starting the app to a usable home page, against importing TensorFlow. Target: under 1/2.

    python -m benchmarks.cold_start

"Usable" is when a headless Chromium shows the upload field; the browser is started beforehand.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import time

from benchmarks.side_by_side import tell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()

    from playwright.sync_api import sync_playwright

    imports, pages = [], []
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for number in range(asked.rounds + 1):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, stderr=subprocess.DEVNULL)
            imported = time.perf_counter() - start
            shown = _time_page(browser)
            if number:  # the first round fills the disk cache
                imports.append(imported)
                pages.append(shown)
        browser.close()
    ratio = statistics.median(p / i for p, i in zip(pages, imports, strict=True))
    tell(
        "cold start to a usable page / import of TensorFlow",
        ratio,
        "< 0.5",
        ratio < 0.5,
        page_s=round(statistics.median(pages), 2),
        import_s=round(statistics.median(imports), 2),
    )


def _time_page(browser) -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = browser.new_page()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    start = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)
        page.goto(f"http://127.0.0.1:{port}", wait_until="commit")
        page.wait_for_selector('input[type="file"]', state="attached", timeout=60_000)
        return time.perf_counter() - start
    finally:
        page.close()
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
