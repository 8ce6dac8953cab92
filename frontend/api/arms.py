"""The client's calls about arms of several comparisons."""

from collections.abc import Sequence
from typing import Final

from frontend.api.transport import Transport
from frontend.api.types import ArmCurves, ArmPage, ArmTable

SEPARATOR: Final = "~"
"""Between a comparison's id and an arm's name, which together name an arm of all."""


class ArmsCalls(Transport):
    """Arms of all comparisons; an arm is named `<comparison>~<arm>`."""

    def arms(
        self,
        *,
        q: str = "",
        tag: str = "",
        loss: str = "",
        data: str = "",
        state: str = "",
        archived: bool = False,
        sort: str = "created_at",
        descending: bool = True,
        page: int = 1,
        page_size: int = 50,
    ) -> ArmPage:
        """One page of the arms that match, and how many match in all.

        Args:
            q: words of the arm's name, or its comparison's name, notes or tags.
            tag: one of its comparison's.
            loss: its kind.
            data: its kind.
            state: of its runs the most pressing.
            archived: those of archived comparisons, or those of the others.
            sort: created_at, comparison_name, arm, loss, data, state or seeds.
            descending: the largest or newest first.
            page: from 1.
            page_size: up to 200.
        """
        words = {"q": q, "tag": tag, "loss": loss, "data": data, "state": state}
        params = {name: value for name, value in words.items() if value}
        order = {"archived": archived, "sort": sort, "descending": descending}
        asked = {**params, **order, "page": page, "page_size": page_size}
        return self._call(ArmPage, "GET", "/arms", params=asked)

    def arm_values(self, arms: Sequence[str], keys: Sequence[str] = ()) -> ArmTable:
        """What these arms came to in these metrics, and in what they differ; 40 arms at most."""
        return self._call(ArmTable, "GET", "/arms/values", params={"arm": arms, "key": keys})

    def arm_curves(
        self,
        arms: Sequence[str],
        key: str,
        *,
        max_points: int = 400,
        seeds: bool = False,
        elapsed: bool = False,
    ) -> ArmCurves:
        """One metric over steps: mean over seeds with its 95 % interval; 40 arms at most.

        Args:
            arms: which.
            key: the metric's.
            max_points: of an arm; more are thinned into buckets of 2^k steps.
            seeds: each seed's values too.
            elapsed: the time of each step too.
        """
        options = {"max_points": max_points, "seeds": seeds, "elapsed": elapsed}
        params = {"arm": arms, "key": key, **options}
        return self._call(ArmCurves, "GET", "/arms/curves", params=params)
