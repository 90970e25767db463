"""Writes generated files again: `python -m tools.regenerate [PART …]`. By default, writes all parts.

models       named models and containers of `rules/models`, and the models of `examples/`
rules        the compiled rules, `rules/compiled.json`
pages        a page per rule, their indexes, and the page of failure classes
transcripts  what the commands in README, docs and examples print
review       the table of `docs/corpus-review.md`, if the corpus of real models is next to the checkout
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def write_models() -> None:
    """Write the named models and those of the examples."""
    from tests.helpers.models import examples, named

    named.main()
    examples.main()


def write_rules() -> None:
    """Compile the built-in rules."""
    from tflint.catalog.rule_loader import write_compiled

    write_compiled()


def write_pages() -> None:
    """Write the pages of the rules, and delete the pages of rules that no longer exist."""
    from tflint.catalog.rule_index import failure_classes_page, index_pages
    from tflint.catalog.rule_pages import rule_pages

    folder = DOCS / "rules"
    pages = rule_pages() | index_pages()
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    (DOCS / "failure-classes.md").write_text(failure_classes_page(), encoding="utf-8", newline="\n")


def write_transcripts() -> None:
    """Run the commands of the Markdown files and write what they print."""
    from tests.helpers import transcripts

    transcripts.main()


def write_review() -> None:
    """Run all rules over the corpus and write the table of findings."""
    from tests.helpers import corpus, corpus_review

    if not corpus.CORPUS.is_dir():
        sys.stdout.write("review: there is no corpus next to the checkout\n")
        return
    corpus_review.main()


PARTS: dict[str, Callable[[], None]] = {
    "models": write_models,
    "rules": write_rules,
    "pages": write_pages,
    "transcripts": write_transcripts,
    "review": write_review,
}


def main(arguments: list[str] | None = None) -> int:
    """Write the parts named in the arguments, or all parts if there are no arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.regenerate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *PARTS], help=", ".join(PARTS))
    chosen = parser.parse_args(arguments).parts
    for name, write in PARTS.items():
        if not chosen or name in chosen:
            write()
            sys.stdout.write(f"{name}: written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
