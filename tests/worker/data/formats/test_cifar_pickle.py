"""The pickles of CIFAR: only content like the official one is read, and no code is ever run."""

import pickle

import numpy as np
import pytest

from tests.support import tiny_cifar
from worker.data.formats import cifar_pickle


@pytest.mark.parametrize(
    "name",
    [
        "builtins eval",
        "os system",
        "numpy load",
        "numpy.core.multiarray scalar",
        "_codecs encode",
    ],
)
def test_every_other_name_is_refused(name: str) -> None:
    module, attribute = name.split()
    with pytest.raises(cifar_pickle.ContentError, match=f"asks for {module}.{attribute}"):
        cifar_pickle.read_pickle(f"c{module}\n{attribute}\n.".encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"rubbish",
        b"\x80\x02",
        b"\x80\xff.",
        b"\x80\x02]q.",
        b"\x80\x02K\x01.",
        b"T\xff\xff\xff\x7fshort",
        b"}(" * 10_000,
        b"\x80\x02}U\x01acnumpy\ndtype\nU\x02O8\x85Rs.",
        b"\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\n)Rs.",
        pickle.dumps({"data": np.zeros(3, dtype=np.uint8)}, protocol=5),
        pickle.dumps({"data": np.zeros(3)}, protocol=4),
        pickle.dumps({"data": np.array([object()])}, protocol=4),
        pickle.dumps(["no dict"]),
    ],
)
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(cifar_pickle.ContentError, match=r"like the official one: ."):
        cifar_pickle.read_pickle(content)


def test_arrays_are_those_that_were_pickled() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for one in (array, np.asfortranarray(array)):
        for content in (
            tiny_cifar.pickle_like_python_2({"a": one}),
            pickle.dumps({"a": one}, protocol=4),
        ):
            held = cifar_pickle.read_pickle(content)["a"]
            assert held.dtype == np.uint8
            assert held.tolist() == array.tolist()
