"""A row of the catalogue."""

from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class Row:
    """One choice of the form."""

    section: type[BaseModel]
    """Its settings; `kind` is the choice's name in a spec."""
    label: str
    idea: str
    """One line, for people who choose."""
    formula: str = ""
    """LaTeX."""
    paper: str = ""
    url: str = ""

    @property
    def kind(self) -> str:
        """The choice's name in a spec."""
        return str(self.section.model_fields["kind"].default)
