"""Writes the pages of this folder from the declarations: `python docs/reference/messages/generate.py`."""

from __future__ import annotations

from pathlib import Path

from pyplc.v2g import reference, schemas

HERE = Path(__file__).parent


def main() -> None:
    for name in schemas.SCHEMAS:
        (HERE / f"{name}.md").write_text(reference.markdown(name))


if __name__ == "__main__":
    main()
