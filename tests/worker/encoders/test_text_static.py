"""Static models for texts: the bundled one, and folders of a team's own."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from contract.comparison.encoder import StaticTextEncoder
from tests.support.tiny_texts import WORDS, write_static_model, write_tokenizer
from worker import encoders
from worker.encoders.text import static
from worker.encoders.text.static import StaticModel
from worker.errors import DataError, SettingsError

OWN = StaticTextEncoder(model="team/tiny", embedding_dim=4)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("LOSSBOARD_MODEL_ROOTS", f"{tmp_path / 'none'},{folder}")
    return folder


def built(spec: StaticTextEncoder) -> StaticModel:
    model = encoders.text_model(spec)
    assert isinstance(model, StaticModel)
    return model


def vectors(*words: str) -> list[int]:
    return [1 + WORDS.index(word) for word in words]


def test_a_text_is_the_mean_of_the_vectors_of_its_known_tokens(root: Path) -> None:
    table = write_static_model(root / "team" / "tiny")
    model = built(OWN)
    tokens = model.tokens(["my cat eats", "unheard of", "my good dog eats fast"])
    assert tokens.tolist()[0] == [*vectors("my", "cat", "eats"), -1, -1]
    found = model(tokens)
    assert (found.shape, model.features, model.training) == ((3, 6), 6, False)
    torch.testing.assert_close(found[0], table[vectors("my", "cat", "eats")].mean(dim=0))
    assert found[1].tolist() == [0.0] * 6, "a text without a known token"
    # However many texts are in a batch, and however long the others are.
    assert torch.equal(model(model.tokens(["my cat eats"]))[0], found[0])


def test_settings_beside_a_model_count(root: Path) -> None:
    folder = root / "team" / "tiny"
    table = write_static_model(folder, normalize=True)
    weights, mapping = torch.linspace(0, 2, len(WORDS) + 1), torch.arange(len(WORDS) + 1) // 2
    save_file(
        {"embeddings": table, "weights": weights, "mapping": mapping}, folder / static.WEIGHTS
    )
    rows = torch.tensor(vectors("my", "cat"))
    expected = (table[mapping[rows]] * weights[rows, None]).mean(dim=0)
    model = built(OWN)
    torch.testing.assert_close(
        model(model.tokens(["my cat"]))[0], torch.nn.functional.normalize(expected, dim=0)
    )
    short = built(OWN.model_copy(update={"max_tokens": 4}))
    assert short.tokens(["my cat eats fast my cat"]).shape == (1, 4)
    assert short.digest != model.digest


def test_the_folder_of_sentence_transformers_is_read_too(root: Path) -> None:
    own = root / "team" / "tiny" / static.MODULE
    write_tokenizer(own / "tokenizer.json")
    table = torch.ones(len(WORDS) + 1, 3)
    save_file({"embedding.weight": table.half()}, own / static.WEIGHTS)
    model = built(OWN)
    assert model(model.tokens(["my cat"])).tolist() == [[1.0, 1.0, 1.0]]


def test_the_digest_depends_on_weights_and_tokenizer_but_not_on_the_name(root: Path) -> None:
    write_static_model(root / "team" / "tiny")
    first = built(OWN).digest
    (root / "team" / "tiny").rename(root / "other")
    other = StaticTextEncoder(model="other")
    assert built(other).digest == first
    content = json.loads((root / "other" / "tokenizer.json").read_text())
    content["pre_tokenizer"] = {"type": "WhitespaceSplit"}
    (root / "other" / "tokenizer.json").write_text(json.dumps(content))
    assert built(other).digest != first


def test_the_bundled_model_tells_texts_apart_by_what_they_are_about() -> None:
    model = built(StaticTextEncoder())
    assert model.features == 256
    assert not any(weight.isnan().any() for weight in model.parameters())
    texts = ["block my credit card", "please freeze the bank card", "boil two eggs"]
    found = torch.nn.functional.normalize(model(model.tokens(texts)), dim=1)
    near, far, other = found[0] @ found[1], found[0] @ found[2], found[1] @ found[2]
    assert near > 2 * max(far, other)


def test_all_of_a_small_model_trains_under_a_head(root: Path) -> None:
    write_static_model(root / "team" / "tiny")
    spec = OWN.model_copy(update={"tuning": "full"})
    tokens = built(OWN).tokens(["my cat", "the old dog is bad"])
    network = encoders.build(spec, tuple(tokens.shape[1:]))
    network(tokens).square()[:, 0].sum().backward()
    slopes = {name: weight.grad for name, weight in network.named_parameters()}
    [table] = [slope for name, slope in slopes.items() if name.endswith("table")]
    assert table is not None
    used = vectors("my", "cat", "the", "old", "dog", "is", "bad")
    assert table.abs().sum(dim=1).nonzero().flatten().tolist() == sorted(used)


class TestFolders:
    def test_a_name_says_what_there_is(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_static_model(root / "tiny-one")
        with pytest.raises(DataError, match=r"no folder 'tiny-two' in .*; there are tiny-one"):
            built(StaticTextEncoder(model="tiny-two"))
        monkeypatch.delenv("LOSSBOARD_MODEL_ROOTS")
        with pytest.raises(DataError, match=r"this worker has none: .* LOSSBOARD_MODEL_ROOTS"):
            built(StaticTextEncoder(model="tiny-one"))
        monkeypatch.setenv("LOSSBOARD_MODEL_ROOTS", "models")
        with pytest.raises(SettingsError, match="names models; needs absolute paths"):
            built(StaticTextEncoder(model="tiny-one"))

    def test_a_link_out_of_the_folders_is_refused(self, root: Path, tmp_path: Path) -> None:
        write_static_model(tmp_path / "elsewhere")
        (root / "tiny").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(DataError, match="out of the folders of LOSSBOARD_MODEL_ROOTS"):
            built(StaticTextEncoder(model="tiny"))

    @pytest.mark.parametrize(
        ("file", "content", "said"),
        [
            ("tokenizer.json", b"{", "is no tokenizer that can be read"),
            ("tokenizer.json", None, "cannot be read"),
            ("model.safetensors", b"x" * 100, "cannot be read as weights"),
            ("model.safetensors", None, "there is no weights file"),
            ("config.json", b"{", "cannot be read as JSON"),
        ],
    )
    def test_a_damaged_file_is_named(
        self, root: Path, file: str, content: bytes | None, said: str
    ) -> None:
        write_static_model(root / "team" / "tiny")
        place = root / "team" / "tiny" / file
        place.unlink()
        if content is not None:
            place.write_bytes(content)
        with pytest.raises(DataError, match=said) as caught:
            built(OWN)
        assert file in str(caught.value)

    def test_weights_that_do_not_fit_the_tokenizer_are_refused(self, root: Path) -> None:
        folder = root / "team" / "tiny"
        table = write_static_model(folder)
        for tensors, said in (
            ({"embeddings": table[:-1].clone()}, "holds 13 vectors, .* has 14 tokens"),
            ({"other": table}, "holds no table of vectors named embeddings or"),
            ({"embeddings": table, "mapping": torch.full((14,), 14)}, "maps tokens to rows"),
            ({"embeddings": table, "weights": torch.ones(3)}, "holds 3 weights"),
        ):
            save_file(tensors, folder / static.WEIGHTS)
            with pytest.raises(DataError, match=said):
                built(OWN)


def test_without_its_package_the_bundled_model_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(static, "PACKAGE", "not_installed_here")
    with pytest.raises(DataError, match="needs the package not_installed_here"):
        built(StaticTextEncoder())
