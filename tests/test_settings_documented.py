from __future__ import annotations

from pathlib import Path

from supportapi.settings import dotenv_example, markdown_table

ROOT = Path(__file__).parent.parent


def test_the_readme_holds_the_table_of_all_settings() -> None:
    assert markdown_table() in (ROOT / "README.md").read_text()


def test_the_example_file_holds_all_settings() -> None:
    assert dotenv_example() == (ROOT / ".env.example").read_text()
