"""HTTP routes: trained models to take along, embeddings of the test split, and confusion."""

from collections.abc import Callable
from typing import IO, Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from backend.artifacts import tables
from backend.artifacts.blobs import Embeddings, part_path, read_embeddings
from backend.artifacts.confusion import confusion
from backend.artifacts.download import find_model, model_out, write_zip
from backend.artifacts.kept import models
from backend.artifacts.schemas import ConfusionOut, Model, Models
from backend.comparisons import repository as comparisons
from backend.db.models import Run
from backend.export.files import file_name
from backend.export.sending import send_written
from backend.http.dependencies import Db
from backend.http.openapi import BINARY, TEXT
from backend.http.shared_reads import SharedRoute
from backend.runs import artifacts
from backend.runs import repository as runs
from backend.storage.blobs import Blobs, BlobStore
from backend.storage.data_folder import DataFolder

ZIP: Final = "application/zip"
PARQUET: Final = "application/vnd.apache.parquet"
TSV: Final = "text/tab-separated-values"

comparison_router = APIRouter(
    prefix="/comparisons/{comparison}", tags=["models"], route_class=SharedRoute
)
run_router = APIRouter(prefix="/runs/{run}", tags=["models"])


@comparison_router.get("/models")
def list_models(comparison: str, database: Db) -> Models:
    """Return what each run keeps of its trained model, and which model is suggested."""
    with database.read() as session:
        return models(session, comparisons.get(session, comparison))


@comparison_router.get("/confusion")
def get_confusion(
    comparison: str,
    database: Db,
    blobs: BlobStore,
    seed: Annotated[int | None, Query(ge=0, lt=2**31)] = None,
) -> ConfusionOut:
    """Return how often items of the test split have their nearest neighbour in another class.

    For every arm the mean over its seeds; of one `seed`, or of the first where each has a split of
    its own. Of more than 20 classes only the most frequent pairs are listed."""
    with database.read() as session:
        return confusion(session, blobs, comparisons.get(session, comparison), seed)


@run_router.get("/model")
def get_model(run: str, database: Db, blobs: BlobStore) -> Model:
    """Return the files of a trained model, its script and its card; 404 says why it is not kept."""
    with database.read() as session:
        return model_out(find_model(session, blobs, runs.get(session, run)))


@run_router.get(
    "/model.zip", response_class=StreamingResponse, responses={200: {"content": {ZIP: BINARY}}}
)
def download_model(
    run: str, database: Db, blobs: BlobStore, folder: DataFolder
) -> StreamingResponse:
    """Return a zip of weights, description, script and card."""
    with database.read() as session:
        found = runs.get(session, run)
        model = find_model(session, blobs, found)
        name = _name(session, found, "-model.zip")
    return send_written(folder, name, ZIP, lambda file: write_zip(model, file))


@run_router.get(
    "/embeddings.parquet",
    response_class=StreamingResponse,
    responses={200: {"content": {PARQUET: BINARY}}},
)
def download_embeddings(
    run: str, database: Db, blobs: BlobStore, folder: DataFolder
) -> StreamingResponse:
    """Return the embeddings of the test split, a row for each item: for embedding-atlas, DuckDB,
    pandas and the like."""
    name, found = _embeddings(database, blobs, run, "-embeddings.parquet")
    return send_written(folder, name, PARQUET, lambda file: tables.write_parquet(found, file))


_TSV: Final[dict[str, Callable[[Embeddings, IO[bytes]], None]]] = {
    "vectors.tsv": tables.write_vectors_tsv,
    "metadata.tsv": tables.write_metadata_tsv,
}


@run_router.get(
    "/projector/{file}",
    response_class=StreamingResponse,
    responses={200: {"content": {TSV: TEXT}}},
)
def download_projector_file(
    run: str,
    file: Literal["vectors.tsv", "metadata.tsv"],
    database: Db,
    blobs: BlobStore,
    folder: DataFolder,
) -> StreamingResponse:
    """Return the same for the TensorBoard projector: the vectors, or what belongs to each."""
    name, found = _embeddings(database, blobs, run, f"-{file}")
    return send_written(folder, name, TSV, lambda written: _TSV[file](found, written))


def _embeddings(database: Db, blobs: Blobs, run: str, ending: str) -> tuple[str, Embeddings]:
    """Return the embeddings of a run, and the name of a file of them."""
    with database.read() as session:
        found = runs.get(session, run)
        row = artifacts.of_runs(session, [run], "embeddings").get(run, {}).get("embeddings")
        path = part_path(blobs, run, row, "embeddings")
        name = _name(session, found, ending)
    return name, read_embeddings(path)


def _name(session: Session, run: Run, ending: str) -> str:
    comparison = comparisons.get(session, run.comparison_id)
    words = f"{comparison.name} {run.arm} seed {run.seed}"
    return file_name(words, run.id, ending)
