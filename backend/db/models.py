"""The database's tables. Times are seconds since the epoch, UTC."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, text
from sqlmodel import Field, SQLModel

from backend.db.saved_models import BoardView as BoardView  # noqa: PLC0414 - passed on
from backend.db.saved_models import Template as Template  # noqa: PLC0414 - passed on


class Comparison(SQLModel, table=True):
    """Arms x seeds that a person submitted."""

    id: str = Field(primary_key=True)
    name: str
    notes: str
    created_by: str
    created_at: float = Field(index=True)
    tags: list[str] = Field(sa_column=Column(JSON, nullable=False))
    spec: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    archived: bool = False
    """Left out of lists unless the request includes archived ones."""
    version: int = 1
    """Counts the changes of name, notes and tags."""


class Tag(SQLModel, table=True):
    """A comparison's tag once more, as a row that an index can find."""

    tag: str = Field(primary_key=True)
    comparison_id: str = Field(
        primary_key=True,
        index=True,
        sa_column_args=[ForeignKey("comparison.id", ondelete="CASCADE")],
    )


class Run(SQLModel, table=True):
    """One arm with one seed; `attempt` counts its executions, the current one included."""

    __table_args__ = (
        Index(
            "ix_run_next",
            *("state", "wants", "loss_digest", "priority", "created_by", "created_at", "position"),
        ),
    )

    id: str = Field(primary_key=True)
    comparison_id: str = Field(
        index=True, sa_column_args=[ForeignKey("comparison.id", ondelete="CASCADE")]
    )
    position: int
    """The run's place in the comparison: seed by seed, arms side by side."""
    arm: str
    seed: int
    created_by: str = "local"
    """As its comparison's: the queue shares slots between users."""
    wants: str = "auto"
    """The device class that may execute it: cpu, cuda, or auto for any."""
    loss_digest: str = ""
    """Digest of the plug-in that its loss is, which a worker must have; empty for our own."""
    priority: int = 0
    """Higher goes first."""
    state: str = "queued"
    attempt: int = 1
    strikes: int = 0
    """Trainers of this run that died in a row."""
    cancel: bool = False
    """Whether it was asked to stop; the attempt learns it from the answer to its heartbeat."""
    committed_seq: int = Field(default=0, sa_type=BigInteger)
    """The attempt's last message that was stored."""
    start_after: int = Field(default=0, sa_type=BigInteger)
    """The step of its checkpoint, from which the next attempt continues; 0 without one."""
    checkpoint: str | None = None
    """The digest of that checkpoint's blob, the run's only one; none after a success."""
    resumed_at: int = Field(default=0, sa_type=BigInteger)
    """The step from which the current attempt continued."""
    worker: str | None = None
    device: str | None = None
    step: int = Field(default=0, sa_type=BigInteger)
    total_steps: int = Field(default=0, sa_type=BigInteger)
    """0 until the first attempt has started."""
    steps_per_epoch: int = Field(default=0, sa_type=BigInteger)
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    error: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    preparing: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    """What it does before its first step, with its progress; None once it has begun."""
    states: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    """What it is in: [{"state", "step", "message"}], by contract.metrics.states.State."""
    versions: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Versions of the engine and of the measures; None for a run of version 0.5."""
    splits: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """Items of each split of its data; None for a run of version 0.5."""
    environment: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )
    """What its attempt was trained on: host, system, processor, libraries, commit; None for a run
    of version 0.5."""
    usage: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """What its attempt used of its machine until its end: a contract.events.Usage."""
    role: str = "final"
    """final, or trial: a run of a tuning's search, which never reads the test split."""
    trial_id: str | None = Field(default=None, index=True)
    """The trial whose settings it is trained with; of a final run the best of its arm, None where
    the comparison is not tuned. No foreign key: trials and runs go with their comparison."""
    trial_number: int | None = None
    """The number of that trial, so that a list of runs needs no other table."""
    fold: int | None = None
    """Of a trial with several folds, from 0."""
    shared: int | None = None
    """How many runs its current attempt is, or was, trained together with, itself included, on one
    slot; None where it has a slot to itself."""


class Trial(SQLModel, table=True):
    """One setting of one arm, tried by a tuning."""

    __table_args__ = (
        Index("ix_trial_place", "comparison_id", "arm", "number", unique=True),
        Index("ix_trial_state", "state", "comparison_id"),
    )

    id: str = Field(primary_key=True)
    comparison_id: str = Field(sa_column_args=[ForeignKey("comparison.id", ondelete="CASCADE")])
    arm: str
    number: int
    """From 0, in the order of the proposals."""
    params: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """Path of a setting -> its value; empty for the arm as it is written."""
    state: str = "waiting"
    """waiting until its runs are over; cancelled while one of them is, or its whole search, which
    costs it nothing; complete; or failed: a run of it diverged. The last two count against the
    budget."""
    value: float | None = None
    """Of the objective: the mean over its runs of their best epoch's; None unless complete."""
    epochs: int | None = None
    """The median of the best epochs of its runs."""
    created_at: float
    ended_at: float | None = None


class RunFigures(SQLModel, table=True):
    """What summaries and verdicts read of a run that has succeeded, computed once."""

    __tablename__ = "run_figures"

    run_id: str = Field(primary_key=True, sa_column_args=[ForeignKey("run.id", ondelete="CASCADE")])
    attempt: int
    """The run's attempt whose values these are."""
    version: int
    """Of the figures' definition; others are computed anew."""
    figures: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class ComparisonResult(SQLModel, table=True):
    """What the board shows of a comparison whose runs have ended, computed once."""

    __tablename__ = "comparison_result"

    comparison_id: str = Field(
        primary_key=True, sa_column_args=[ForeignKey("comparison.id", ondelete="CASCADE")]
    )
    version: int
    """Of the result's definition and of the claims; others are computed anew."""
    runs: int
    attempts: int
    succeeded: int
    """How many final runs there were, all their attempts, and how many had succeeded: with other
    numbers the result is no longer that of the comparison."""
    data: str
    """Which data were trained and measured on: results are ordered only within the same."""
    metric: str | None = None
    """Key of the main metric; None where no run has a value."""
    merit: float | None = None
    """The best arm's mean; negative where lower is better, so that more is always better."""
    result: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """A backend.comparisons.results.Result."""


class Plugin(SQLModel, table=True):
    """A loss from outside, as a worker has reported it; kept when the worker goes."""

    __table_args__ = (Index("ix_plugin_name", "name"), Index("ix_plugin_digest", "digest"))

    worker: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    """Of its code; empty where that could not be read."""
    source: str
    usable: bool
    entry: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """A contract.comparison.plugins.PluginEntry."""
    reported_at: float


class Turn(SQLModel, table=True):
    """When a user last got a slot, as the number of that claim among all claims."""

    created_by: str = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)


class Series(SQLModel, table=True):
    """One metric of one run. An id is never used twice."""

    __table_args__ = (
        Index("ix_series_run_key", "run_id", "key", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(sa_column_args=[ForeignKey("run.id", ondelete="CASCADE")])
    key: str


class Point(SQLModel, table=True):
    """One value. The key makes a replay harmless and keeps a series together on disk.

    No foreign key: it would be looked up for each of the many rows.
    """

    __table_args__ = {"sqlite_with_rowid": False}

    series_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    step: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    value: float | None = None
    """None if the value was not finite."""


class _Rolled(SQLModel):
    """A bucket of steps of a series, always computed from the finer level."""

    series_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    bucket: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    n: int
    """Points, including those without a finite value."""
    nulls: int
    low: float | None = None
    high: float | None = None
    total: float | None = None
    """Sum of the finite values."""


class Rollup(_Rolled, table=True):
    """A bucket of 256 steps."""

    __table_args__ = {"sqlite_with_rowid": False}


class FineRollup(_Rolled, table=True):
    """A bucket of 16 steps; deleted together with the raw points."""

    __tablename__ = "fine_rollup"
    __table_args__ = {"sqlite_with_rowid": False}


class Discarded(SQLModel, table=True):
    """A series that was removed, whose points still have to be deleted in small steps."""

    series_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))


class Snapshot(SQLModel, table=True):
    """Embeddings of held-out samples of one run at one epoch; blobs are named by their SHA-256."""

    run_id: str = Field(primary_key=True, sa_column_args=[ForeignKey("run.id", ondelete="CASCADE")])
    epoch: int = Field(primary_key=True)
    step: int = Field(sa_type=BigInteger)
    embeddings: str
    facts: str
    samples: str
    sprite: str | None = None
    sounds: str | None = None


class Artifact(SQLModel, table=True):
    """A part of the trained model of a run that has succeeded: weights, embeddings or confusion."""

    run_id: str = Field(primary_key=True, sa_column_args=[ForeignKey("run.id", ondelete="CASCADE")])
    kind: str = Field(primary_key=True)
    """A contract.artifacts.ArtifactKind."""
    digest: str | None = Field(default=None, index=True)
    """Its blob; None where it was not kept, or was dropped."""
    size: int = Field(sa_type=BigInteger)
    """Bytes of the blob, also of one that is gone."""
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    problem: str = ""
    """Why there is no blob, for people."""


class Projection(SQLModel, table=True):
    """Coordinates of a comparison's snapshots of one seed, requested by a viewer."""

    id: str = Field(primary_key=True)
    """Derived from what is projected and how, so that the same request has the same answer."""
    comparison_id: str = Field(
        index=True, sa_column_args=[ForeignKey("comparison.id", ondelete="CASCADE")]
    )
    method: str
    dims: int
    seed: int
    inputs: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    """The arms in their order: [{"arm", "epochs": [{"epoch", "embeddings"}]}]."""
    created_at: float
    state: str = Field(default="queued", index=True)
    """queued, running, ready, failed or cancelled."""
    progress: float = 0.0
    heard_at: float | None = None
    """When its projector last reported its progress."""
    started_at: float | None = None
    coordinates: str | None = None
    """The blob: float32, little-endian, [arm, epoch, sample, axis]."""
    error: str | None = None


class LogLine(SQLModel, table=True):
    """One line of a run's log."""

    __tablename__ = "log_line"

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(index=True, sa_column_args=[ForeignKey("run.id", ondelete="CASCADE")])
    attempt: int
    text: str


class Dataset(SQLModel, table=True):
    """A data set that a team uploaded; its files are in the folder of its id."""

    id: str = Field(primary_key=True)
    """Derived from kind, content and answers, so that the same upload is the same data set."""
    name: str
    kind: str
    created_at: float = Field(index=True)
    size: int = Field(sa_type=BigInteger)
    """Bytes of the uploaded file."""
    sha256: str
    """Of the uploaded file, as hex digits."""
    items: int
    facts: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """The result of the check: a backend.datasets.check_report.Facts."""
    answers: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """How its file is read, where it can be read in several ways: contract.dataset_files.Answers.
    """
    questions: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    """What has to be answered before it can be used; its facts are empty until then."""


class Audit(SQLModel, table=True):
    """A call that changed something, or was refused. An id is never used twice."""

    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    at: float
    who: str = Field(index=True)
    """Empty if the caller was unknown."""
    role: str
    """The role at that time; "open" if the API was open, empty if the caller was unknown."""
    method: str
    route: str
    """The path's template below the API's prefix."""
    ids: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    """The values in the path's places, and the ids of what was created."""
    status: int


class Token(SQLModel, table=True):
    """A token that an admin made; only its hash is kept.

    Rows are never deleted: as long as there is one, also a revoked one, the API is not open.
    """

    __table_args__ = (
        # A name may be given anew once its token is revoked.
        Index(
            "ix_token_name",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_token_hash", "token_hash", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str
    role: str
    token_hash: str
    """SHA-256 as hex digits."""
    created_at: float
    created_by: str
    expires_at: float | None = None
    """None if it never expires."""
    last_used_at: float | None = None
    """Written at most once a minute."""
    revoked_at: float | None = None
    revoked_by: str | None = None


class Alert(SQLModel, table=True):
    """Something that happened and that people are told of. An id is never used twice."""

    __table_args__ = (
        Index("ix_alert_key", "key", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    message: str
    """The id under which receivers get it, the same at each try."""
    key: str
    """What it tells, so that it is told once."""
    comparison_id: str | None = Field(
        default=None,
        index=True,
        sa_column_args=[ForeignKey("comparison.id", ondelete="CASCADE")],
    )
    """None for a test of a receiver of the whole board."""
    type: str
    """A backend.alerts.events.AlertType."""
    at: float
    content: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """{"text", "data"} of the body that receivers get."""


class AlertReceiver(SQLModel, table=True):
    """Where alerts are sent. Address and secret leave this table only towards the receiver."""

    __tablename__ = "alert_receiver"

    id: str = Field(primary_key=True)
    comparison_id: str | None = Field(
        default=None,
        index=True,
        sa_column_args=[ForeignKey("comparison.id", ondelete="CASCADE")],
    )
    """Whose alerts it gets; None for those of all comparisons."""
    name: str
    url: str
    """Secret too: the addresses of some receivers are all that protects them."""
    secret: str
    """The key of signatures: whsec_ and base64."""
    events: list[str] = Field(sa_column=Column(JSON, nullable=False))
    created_at: float
    created_by: str
    failures: int = 0
    """Tries in a row that failed."""
    next_at: float = 0.0
    """No try before this time."""


class AlertDelivery(SQLModel, table=True):
    """One alert on its way to one receiver. An id is never used twice."""

    __tablename__ = "alert_delivery"
    __table_args__ = (
        Index("ix_alert_delivery_next", "receiver_id", "state", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(index=True, sa_column_args=[ForeignKey("alert.id", ondelete="CASCADE")])
    receiver_id: str = Field(sa_column_args=[ForeignKey("alert_receiver.id", ondelete="CASCADE")])
    state: str = "pending"
    """pending, delivered or given_up."""
    tries: int = 0
    queued_at: float
    tried_at: float | None = None
    status: int | None = None
    """Of the last answer; None without one."""
    problem: str = ""
    """Why the last try failed, for people."""


class StreamPosition(SQLModel, table=True):
    """How far the event stream has been stored; one row."""

    __tablename__ = "stream_position"

    id: int = Field(default=1, primary_key=True)
    entry: str = "0-0"
    """The id of the last stream entry whose effect is in the database."""
