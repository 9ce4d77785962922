"""A whole-head template that the user names, in place of the computed one."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import numpy as np
from scipy import ndimage

from neurobar.data.resampling import resample, smooth_to
from neurobar.data.volumes import read_head

COMPUTED, NILEARN = "computed", "nilearn"
#: Fat and vessels above this part of the median of the brain would rule the comparison with a scan.
BRIGHTEST = 1.2
#: An average of 15 heads in the same space correlates with the brain of the template by 0.6, single heads that lie as
#: they were scanned by 0.49 at most.
SMALLEST_CORRELATION = 0.55
#: Fluid, skull and scalp reach so far from the brain, and even bone is not as dark as nothing.
SHELL_MM, EMPTY = 14.0, 0.03


def load_whole_head(source: str, sha256: str | None) -> tuple[np.ndarray, np.ndarray, str]:
    """Load the whole head that the config names.

    Parameters
    ----------
    source : str
        `nilearn`, which downloads the ICBM152 2009a head, or the path of a T1 head in ICBM152 space.
    sha256 : str or None
        Expected checksum of the file; None takes any.

    Returns
    -------
    volume : float32 (D, H, W)
        Intensities.
    affine : float (4, 4)
        From voxel indices to template millimetres.
    sha256 : str
        Checksum of the file.

    Raises
    ------
    ValueError
        If it cannot be had, is no head or has another checksum.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = download_head(folder) if source == NILEARN else Path(source)
        image = read_head(path)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if sha256 is not None and found != sha256.lower():
            raise ValueError(f"{path}: its SHA-256 is {found}, the config (template.sha256) expects {sha256}.")
        return np.asarray(image.dataobj), image.affine, found


def download_head(folder: str) -> Path:
    """Download the whole head of ICBM152 2009a into a folder.

    Raises
    ------
    ValueError
        If there is no network or the server fails.
    """
    from nilearn.datasets import fetch_icbm152_2009

    try:
        return Path(fetch_icbm152_2009(data_dir=folder, verbose=0)["t1"])
    except Exception as error:  # whatever urllib, requests or tarfile may raise
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"The template head could not be downloaded ({reason}); take template.head: {COMPUTED}, or name a file."
        ) from None


def carry_head(
    volume: np.ndarray, affine: np.ndarray, brain: np.ndarray, template_affine: np.ndarray, name: str
) -> np.ndarray:
    """Bring a whole head onto the grid of the template.

    Parameters
    ----------
    volume : float (D, H, W)
    affine : float (4, 4)
        From voxel indices to template millimetres.
    brain : float (D', H', W')
        Intensities of the template, 0 outside the brain.
    template_affine : float (4, 4)
        Of the template.
    name : str
        What to call the head in an error.

    Returns
    -------
    float32 (D', H', W')
        With the brain's median as in the template, and the bright tail cut.

    Raises
    ------
    ValueError
        If the head is not in the space of the template, or shows only its brain.
    """
    spacing_mm = float(template_affine[0, 0])
    head = resample(smooth_to(volume, affine, spacing_mm), affine, brain.shape, template_affine)
    inside = brain > 0
    fit = np.corrcoef(head[inside], brain[inside])[0, 1] if head[inside].std() > 0 else 0.0
    if fit < SMALLEST_CORRELATION:
        raise ValueError(f"{name}: correlation {fit:.2f} with the ICBM152 brain, so this head is not in its space.")
    around = ndimage.binary_dilation(inside, iterations=round(SHELL_MM / spacing_mm)) & ~inside
    if (head[around] > EMPTY * np.median(head[inside])).mean() < 0.5:
        raise ValueError(f"{name}: there is next to nothing around the brain; a whole head is needed, with its skull.")
    median = np.median(brain[inside])
    return np.minimum(head * (median / np.median(head[inside])), BRIGHTEST * median).astype(np.float32)
