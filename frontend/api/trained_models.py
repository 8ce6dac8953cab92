"""The part of the client that asks about trained models and confused classes."""

from frontend.api.transport import Transport, comparison_path, part
from frontend.api.types import Confusion, Model, Models


class TrainedModelCalls(Transport):
    """Calls about what runs keep of their trained models."""

    def models(self, comparison: str) -> Models:
        """Return what each run keeps of its trained model, and which model is suggested."""
        return self._call(Models, "GET", comparison_path(comparison, "models"))

    def model(self, run: str) -> Model:
        """Return the files, the script and the card of a run's trained model."""
        return self._call(Model, "GET", f"/runs/{part(run)}/model")

    def confusion(self, comparison: str, *, seed: int | None = None) -> Confusion:
        """Return which classes are confused on the test split, by arm: the mean over the seeds, or
        of one seed."""
        params = {} if seed is None else {"seed": seed}
        path = comparison_path(comparison, "confusion")
        return self._call(Confusion, "GET", path, params=params)
