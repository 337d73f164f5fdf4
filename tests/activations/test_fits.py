"""The polynomials in the code equal the fits of activations/check/fits.py and are as accurate."""

import numpy as np
import pytest

from activations.check.fits import FITS, Fit


@pytest.mark.parametrize("fit", FITS, ids=lambda fit: fit.name)
def test_coefficients_are_fitted(fit: Fit) -> None:
    found = np.array(fit.coefficients())
    written = np.array(fit.written)
    assert found.dtype == written.dtype
    np.testing.assert_allclose(written, found, rtol=4 * np.finfo(found.dtype).eps)


@pytest.mark.parametrize("fit", FITS, ids=lambda fit: fit.name)
def test_fits_are_within_an_ulp(fit: Fit) -> None:
    assert fit.largest_error(100) * fit.share < np.finfo(np.array(fit.written).dtype).eps
