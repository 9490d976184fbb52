"""Writes the files of a README: `readme.py README FOLDER NAME...`.

Each NAME is the fenced block below the line `<!-- NAME -->`.
"""

import re
import sys
from pathlib import Path


def main(readme, folder, *names):
    text = Path(readme).read_text(encoding="utf-8")
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        block = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        if not block:
            sys.exit(f"{readme} has no {name}")
        file = Path(folder, name)
        # A file that has not changed keeps its time, so nothing is built again.
        if not file.exists() or file.read_text(encoding="utf-8") != block[1]:
            file.write_text(block[1], encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
