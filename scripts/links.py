"""Checks what the book is made of: scripts/links.py

Every page of docs/ stands in docs/SUMMARY.md once; every link leads to a file that is there, and a
link into a page to a heading that it has. Addresses of the web are not visited.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)\s]+)\)")
NOT_PAGES = {"target", "out", "results", "node_modules", ".git"}


def prose(path):
    """The lines outside code blocks, without spans of code."""
    inside = False
    for line in path.read_text().splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield re.sub(r"`[^`]*`", lambda span: span[0].replace("](", "] ("), line)


def anchors(path):
    """What headings are called in links, as GitHub and mdBook call them."""
    titles = (line.lstrip("#").strip() for line in prose(path) if line.startswith("#"))
    plain = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in plain}


def main():
    folders = lambda path: path.relative_to(ROOT).parts[:-1]
    pages = [path for path in sorted(ROOT.rglob("*.md")) if not NOT_PAGES & set(folders(path))]
    wrong, links = [], 0
    for page in pages:
        for line in prose(page):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                links += 1
                name, _, anchor = target.partition("#")
                file = (page.parent / name).resolve() if name else page
                if not file.exists():
                    wrong.append(f"{page.relative_to(ROOT)}: {target} is not there")
                elif anchor and anchor not in anchors(file):
                    wrong.append(f"{page.relative_to(ROOT)}: {target} has no such heading")
    summary = ROOT / "docs/SUMMARY.md"
    listed = [target for line in prose(summary) for target in LINK.findall(line)]
    for page in sorted((ROOT / "docs").rglob("*.md")):
        times = listed.count(str(page.relative_to(ROOT / "docs")))
        if page != summary and times != 1:
            wrong.append(f"docs/SUMMARY.md: {page.relative_to(ROOT)} stands there {times} times")
    for line in wrong:
        print(line)
    print(f"stage: {links} links on {len(pages)} pages, {len(wrong)} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
