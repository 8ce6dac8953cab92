"""The base of every spec section: unknown keys are refused, values do not change."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One part of a comparison spec."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
