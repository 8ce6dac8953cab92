"""A page with only the embedding panels, over an API whose answers a test sets.

For states and sizes that the real product does not reach by itself: a projection that fails, an API
that is away, ten thousand points in each of four panels.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from frontend.ui.assets import LIVE_FOLDER, Assets
from frontend.ui.theme import arm_styles

API: Final = "/api/v1/comparisons/{comparison}"
THEME: Final = {
    "primary-color": "#0b63a5",
    "background-color": "#ffffff",
    "secondary-background-color": "#f4f6f8",
    "text-color": "#1c242d",
    "border-color": "#dde3e9",
    "green-text-color": "#158237",
    "red-text-color": "#bd4043",
    "orange-text-color": "#c0570a",
    "base-radius": "8px",
    "font": "sans-serif",
}

Json = dict[str, Any]


@dataclass
class SpacePeer:
    """The answers; a test may change them while the page is open."""

    arms: list[str]
    n: int
    epochs: list[int]
    coordinates: NDArray[np.float32]
    """[arm, epoch, sample, axis], of 2 axes; a third is added as zeros."""
    labels: list[int]
    is_open: bool = False
    snapshots: bool = True
    status: int = 200
    """Status of all answers; other than 200 they are errors."""
    state: str = "ready"
    error: str | None = None
    ready: tuple[str, ...] = ()
    """Methods that are ready whatever the state."""
    offered: list[int] | None = None
    """Epochs that the runs have; None for those that are projected."""
    seeds: tuple[int, ...] = (3,)
    """Seeds with snapshots; of several each has samples of its own."""
    extra: Json = field(default_factory=dict)
    """Further fields of the samples."""
    calls: list[str] = field(default_factory=list)
    """Paths and queries, as they came."""

    def app(self) -> Starlette:
        """Return the page at /, the component's files, and the API."""
        routes = [
            Route("/", self._page),
            *Assets.load().routes(),
            Route(f"{API}/space", self._space),
            Route(f"{API}/space/facts", self._facts),
            Route(f"{API}/space/neighbours", self._neighbours),
            Route(f"{API}/space/hardest", self._hardest),
            Route(f"{API}/space/moved", self._moved),
            Route(f"{API}/projection", self._projection, methods=["GET", "POST", "DELETE"]),
            Route(f"{API}/blobs/{{digest}}", self._blob),
            Route(API, self._comparison),
        ]
        return Starlette(routes=routes)

    async def _page(self, _request: Request) -> Response:
        folder = LIVE_FOLDER.parent
        css = "".join(
            (folder / part).read_text(encoding="utf-8")
            for part in ("live/live.css", "space/space.css")
        )
        theme = ";".join(f"--st-{name}: {value}" for name, value in THEME.items())
        arms = [{"name": name, **asdict(style)} for name, style in arm_styles(self.arms).items()]
        data = json.dumps({"id": "c1", "open": self.is_open, "arms": arms})
        main = Assets.load().module_url("main.js", "space")
        return HTMLResponse(
            f"<!doctype html><title>space</title><style>:root{{{theme}}}{css}</style>"
            "<main id='place'></main><script type='module'>"
            f"import {{ mount, unmount }} from '{main}';"
            "const place = document.getElementById('place');"
            f"const data = {data}; window.update = (more) => mount(place, {{ ...data, ...more }});"
            "window.unmount = () => unmount(place); window.update({});</script>"
        )

    def _answer(self, request: Request, content: Json) -> Response:
        self.calls.append(str(request.url).split("/api/v1", 1)[1])
        if self.status == 200:
            return JSONResponse(content)
        error = {"error": "fault", "message": f"fault {self.status}", "fields": []}
        return JSONResponse(error, status_code=self.status)

    async def _comparison(self, request: Request) -> Response:
        return self._answer(request, {"spec": {"measure": {"snapshot_every": 5}}})

    async def _space(self, request: Request) -> Response:
        place = self.seeds.index(int(request.query_params.get("seed", self.seeds[0])))
        samples = {
            "n": self.n,
            "total": 2 * self.n,
            "split": "validation",
            "classes": [f"class {label}" for label in range(max(self.labels) + 1)],
            "labels": self.labels,
            "fine": None,
            "modalities": None,
            "modality": None,
            "ids": list(range(place, self.n + place)),
            "media": "none",
            "tile": None,
            "columns": None,
            "sprite": None,
            "sounds": None,
            "sound_ends": None,
            **self.extra,
        }
        epochs = self.offered or self.epochs
        runs = [
            {"arm": arm, "seed": seed, "run": f"{arm}-{seed}", "epochs": epochs}
            for seed in self.seeds
            for arm in self.arms
        ]
        shared = len(self.seeds) == 1
        there = {"samples": samples, "shared": shared, "seeds": [*self.seeds], "runs": runs}
        absent: Json = {"samples": None, "shared": True, "seeds": [], "runs": []}
        return self._answer(request, there if self.snapshots else absent)

    async def _facts(self, request: Request) -> Response:
        epoch = int(request.query_params["epoch"])
        arms = [
            {
                "arm": arm,
                "run": arm,
                "correct": [int(sample % 5 != place) for sample in range(self.n)],
                "centroid_distance": [sample / self.n for sample in range(self.n)],
                "average_precision": [1 - sample / self.n for sample in range(self.n)],
                "classes": [],
                "histogram": {"edges": [], "positive": [], "negative": []},
            }
            for place, arm in enumerate(self.arms)
        ]
        return self._answer(request, {"seed": 3, "epoch": epoch, "arms": arms})

    async def _neighbours(self, request: Request) -> Response:
        sample = int(request.query_params["sample"])
        near = [(sample + step) % self.n for step in range(1, 11)]
        found = [
            {"sample": other, "distance": 0.1 * place, "hit": self._alike(sample, other)}
            for place, other in enumerate(near)
        ]
        arms = [{"arm": arm, "neighbours": found} for arm in self.arms]
        return self._answer(request, {"seed": 3, "epoch": 0, "sample": sample, "arms": arms})

    async def _hardest(self, request: Request) -> Response:
        """Every arm has the first three samples as its triplet, and sample 5 is suspect."""
        tuples = {
            "triplets": [{"samples": [0, 2, 1], "value": 0.5}],
            "positives": [{"samples": [0, 2], "value": 1.5}],
            "negatives": [],
        }
        content = {
            "seed": 3,
            "epoch": int(request.query_params["epoch"]),
            "among": self.n,
            "arms": [{"arm": arm, "mean_distance": 1.0, **tuples} for arm in self.arms],
            "k": 10,
            "suspects": [{"sample": 5, "label": 1, "suggested": 0, "share": 0.7}],
            "suspected": 1,
        }
        return self._answer(request, content)

    async def _moved(self, request: Request) -> Response:
        asked = request.query_params
        classes = [
            {"label": label, "n": self.labels.count(label), "kept": kept}
            for label, kept in ((1, 0.25), (0, 0.5))
        ]
        content = {
            "seed": 3,
            "epoch": int(asked["epoch"]),
            "a": asked["a"],
            "b": asked["b"],
            "k": 10,
            "kept": 0.375,
            "chance": 0.1,
            "classes": classes,
            "cka": 0.8,
            "cka_biased": 0.9,
            "among": self.n,
        }
        return self._answer(request, content)

    def _alike(self, sample: int, other: int) -> bool:
        return self.labels[sample] == self.labels[other]

    async def _projection(self, request: Request) -> Response:
        asked = request.query_params
        if request.method == "DELETE":
            self.state = "cancelled"
        elif request.method == "POST" and self.state == "cancelled":
            self.state = "running"
        ready = self.state == "ready" or asked["method"] in self.ready
        content = {
            "id": "p1",
            "state": "ready" if ready else self.state,
            "progress": {"queued": 0.0, "running": 0.4}.get(self.state, 1.0),
            "place": 2 if self.state == "queued" else None,
            "eta_s": {"queued": 40.0, "running": 12.0}.get(self.state),
            "error": self.error,
            "method": asked["method"],
            "dims": int(asked["dims"]),
            "seed": int(asked["seed"]),
            "n": self.n,
            "epochs": self.epochs,
            "arms": self.arms,
            "coordinates": self._address(asked["dims"]) if ready else None,
            "earlier": None,
        }
        return self._answer(request, content)

    def _address(self, dims: str) -> str:
        """Return the address of the coordinates; different content has a different one."""
        return f"/api/v1/comparisons/c1/blobs/{len(self.epochs)}-{dims}"

    async def _blob(self, request: Request) -> Response:
        self.calls.append(request.url.path.split("/api/v1", 1)[1])
        points = self.coordinates
        if request.path_params["digest"].endswith("-3"):
            points = np.concatenate([points, np.zeros_like(points[..., :1])], axis=-1)
        return Response(points.astype("<f4").tobytes())


def two_clouds(arms: list[str], n: int, epochs: int = 2) -> SpacePeer:
    """Return two classes, one in each half of the first arm's panel; every second arm has them
    swapped. The bounding box of all is [-1, 1] by [-1, 1]."""
    random = np.random.default_rng(0)
    labels = [sample % 2 for sample in range(n)]
    points = random.uniform(-0.25, 0.25, (len(arms), epochs, n, 2))
    side = np.where(np.array(labels) == 0, -0.5, 0.5)
    for arm in range(len(arms)):
        points[arm, :, :, 0] += side * (1 if arm % 2 == 0 else -1)
    points[:, :, 0], points[:, :, 1] = [-1, -1], [1, 1]
    return SpacePeer(arms, n, list(range(epochs)), points.astype(np.float32), labels)
