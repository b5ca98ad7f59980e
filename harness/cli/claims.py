"""`poolstart claims`: what is said of forking and pools, each claim with its answer."""

from typing import Annotated

import typer


def claims(
    write: Annotated[
        bool, typer.Option("--write", help="Write docs/claims.md and docs/claims.zh.md instead.")
    ] = False,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Answer the common claims from what has been measured and recorded; measures nothing."""
    # Most of a second, because of asv: only this command pays for it.
    from rich.markdown import Markdown

    from harness.answer import claims as page
    from harness.console import terminal

    if language not in page.LANGUAGES:
        raise typer.BadParameter(f"{language} is none of {', '.join(page.LANGUAGES)}")
    if write:
        page.write()
    else:
        terminal.output().print(Markdown(page.render(language)))
