"""The tables of what people save for themselves and their team: views of the board, templates."""

from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel


class BoardView(SQLModel, table=True):
    """A view of the board that somebody saved: which comparisons, which columns, which order."""

    __tablename__ = "board_view"
    __table_args__ = (Index("ix_board_view_name", "name", unique=True),)

    id: str = Field(primary_key=True)
    name: str
    filters: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    columns: list[str] = Field(sa_column=Column(JSON, nullable=False))
    sort: str
    created_by: str
    created_at: float


class Template(SQLModel, table=True):
    """A spec that somebody saved to begin comparisons with."""

    __table_args__ = (Index("ix_template_name", "name", unique=True),)

    id: str = Field(primary_key=True)
    name: str
    note: str
    """What it is for."""
    spec: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_by: str
    created_at: float
