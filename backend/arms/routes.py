"""HTTP routes: arms of all comparisons next to each other."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from backend.arms import repository as arms
from backend.arms.curves import arm_curves
from backend.arms.repository import ArmQuery, Sort
from backend.arms.schemas import (
    ArmCurves,
    ArmPage,
    ArmTable,
    arms_out,
    curve_out,
    differs_out,
    metric_out,
)
from backend.arms.values import available_metrics
from backend.http.dependencies import Db
from backend.http.shared_reads import SharedRoute
from backend.metrics.keys import check_keys
from backend.runs.schemas import State

router = APIRouter(prefix="/arms", tags=["arms"], route_class=SharedRoute)

MAX_ARMS: Final = 40
_ARM_HELP: Final = "A comparison's id, ~ and the name of one of its arms; repeated for several."


class _FindQuery(BaseModel):
    q: str = Field("", description="Words of the arm's name, or its comparison's texts.")
    tag: str = ""
    loss: str = Field("", description="A kind of loss.")
    data: str = Field("", description="A kind of data.")
    state: State | None = None
    archived: bool = Field(
        default=False, description="Those of archived comparisons, or of others."
    )
    sort: Sort = "created_at"
    descending: bool = True
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=200)


class _ValuesQuery(BaseModel):
    arm: list[str] = Field(min_length=1, max_length=MAX_ARMS, description=_ARM_HELP)
    key: list[str] = Field([], max_length=50, description="Metrics; repeated for several.")


class _CurvesQuery(BaseModel):
    arm: list[str] = Field(min_length=1, max_length=MAX_ARMS, description=_ARM_HELP)
    key: str = Field(description="A metric.")
    max_points: int = Field(400, ge=1, le=2000)
    seeds: bool = Field(default=False, description="Each seed's values too.")
    elapsed: bool = Field(default=False, description="The time of each step too.")


@router.get("")
def list_arms(asked: Annotated[_FindQuery, Query()], database: Db) -> ArmPage:
    """Return a page of the arms of all comparisons with their settings, newest comparison first."""
    chosen: dict[str, Any] = asked.model_dump(exclude={"page", "page_size", "state"})
    wanted = ArmQuery(**chosen, state=asked.state or "")
    with database.read() as session:
        found, total = arms.find(session, wanted, asked.page, asked.page_size)
        listed = arms_out(session, found)
    return ArmPage(arms=listed, total=total, page=asked.page, page_size=asked.page_size)


@router.get("/values")
def get_arm_values(asked: Annotated[_ValuesQuery, Query()], database: Db) -> ArmTable:
    """Return the results of these arms in these metrics, and the settings in which they differ.

    For each arm and metric the mean, standard deviation and count over seeds of the last value, of
    the best validation value and its epoch, and of the test value; and the same for each run. For a
    metric that is measured at every step, the last value is the last epoch's mean. Failed runs do
    not count.
    """
    keys = list(dict.fromkeys(asked.key))
    check_keys(keys)
    with database.read() as session:
        found, unknown = arms.find_by_reference(session, asked.arm)
        return ArmTable(
            arms=arms_out(session, found),
            unknown=unknown,
            keys=available_metrics(session, found),
            metrics=[metric_out(session, found, one) for one in keys],
            differs=differs_out(found),
        )


@router.get("/curves")
def get_arm_curves(asked: Annotated[_CurvesQuery, Query()], database: Db) -> ArmCurves:
    """Return one metric of these arms over steps: the mean over seeds with its 95 % interval, from
    three seeds on, cut where the metric ends.

    An arm with more points than `max_points` comes in buckets of 2^k steps anchored at 0, all its
    seeds in the same; steps are the buckets' starts.
    """
    check_keys([asked.key])
    with database.read() as session:
        found, unknown = arms.find_by_reference(session, asked.arm)
        read = arm_curves(
            session, found, asked.key, max_points=asked.max_points, with_elapsed=asked.elapsed
        )
    return ArmCurves(
        key=asked.key,
        arms=[
            curve_out(arm, curve, seeds=asked.seeds) for arm, curve in zip(found, read, strict=True)
        ],
        unknown=unknown,
    )
