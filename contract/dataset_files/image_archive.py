"""A zip of class folders: its list checked, then unpacked, then every image checked."""

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from contract.dataset_files.archive_listing import Member, members
from contract.dataset_files.checked_dataset import ImageSet, Told, nobody
from contract.dataset_files.image_folder import check_images, list_images
from contract.dataset_files.limits import DEFAULT, Limits
from contract.dataset_files.problems import Findings
from contract.dataset_files.zip_files import ZIP_ERRORS, open_zip, read_member


def unpack_images(
    archive: Path, into: Path, limits: Limits = DEFAULT, told: Told = nobody
) -> ImageSet:
    """Unpack a zip that holds one folder of images for each class.

    Args:
        archive: where it lies; it stays as it is.
        into: the folder that will hold the class folders; must not be there yet. It is there
            afterwards, whole, or not at all.
        limits: of the files in all, unpacked, of their number and of each.
        told: how many images are checked.

    Raises:
        IntakeError: the archive is damaged or unsafe, or its content is no set of images.
    """
    findings = Findings()
    with _scratch(into) as scratch:
        with open_zip(archive, findings) as opened:
            found = members(opened, limits, findings)
            _extract(opened, found, scratch, findings)
        findings.settle()
        checked = check_images(list_images(scratch, limits, findings), limits, findings, told)
        scratch.replace(into)
    return replace(checked, root=into)


def _extract(
    opened: zipfile.ZipFile, found: list[Member], folder: Path, findings: Findings
) -> None:
    """Write the files; no more bytes than the archive's list declares, which was within the
    limits: zipfile reads no further, and a member that goes on is found by its checksum."""
    for member in found:
        target = folder.joinpath(*member.parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                for block in read_member(opened, member.info):
                    out.write(block)
        except ZIP_ERRORS as error:
            findings.add(member.name, f"is damaged in the archive ({error}); pack it anew")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            findings.add(member.name, "is both a file and a folder, or twice there; rename one")


@contextmanager
def _scratch(into: Path) -> Iterator[Path]:
    """A folder beside `into`, gone afterwards unless it was moved."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as around:
        scratch = Path(around) / "set"
        scratch.mkdir()
        yield scratch
